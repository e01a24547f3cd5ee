// Encoders of text and series in many settings, and cases for them.
#pragma once

#include <torch/nn/module.h>

#include <cmath>

#include "fovea/nn/encoders/bert.h"
#include "fovea/nn/encoders/dan.h"
#include "fovea/nn/encoders/resnet1d.h"
#include "fovea/nn/encoders/rnn.h"
#include "fovea/nn/encoders/sequence_transformer.h"
#include "fovea/nn/encoders/tcn.h"
#include "fovea/nn/encoders/text_cnn.h"
#include "fovea/nn/layers.h"
#include "nn/formula.h"

namespace fovea::nn::test_sequences {

using test::formula;
using torch::Tensor;

inline const InputShape kText{.sizes = {-1}, .vocabulary = 20};
inline const InputShape kSeries{{-1, 3}};

struct Made {
  std::string name;
  EncoderPtr encoder;
};

inline std::vector<Made> all(const InputShape& shape) {
  std::vector<Made> made;
  const auto add = [&](const std::string& name, const EncoderPtr& encoder) {
    initialize(*encoder, 5);
    encoder->eval();
    made.push_back({name, encoder});
  };
  for (const std::string cell : {"lstm", "gru", "rnn"})
    for (const std::string& pooling : sequence_pooling_names())
      for (const bool both : {true, false})
        add(cell + " " + pooling + (both ? " both" : ""), rnn({.cell = cell,
                                                               .width = 8,
                                                               .depth = 2,
                                                               .bidirectional = both,
                                                               .embedding = 6,
                                                               .pooling = pooling},
                                                              shape));
  for (const std::string positions : {"learned", "sinusoidal", "rotary"})
    for (const std::string norm : {"pre", "post"})
      for (const std::string pooling : {"class_token", "mean", "attention"})
        add("transformer " + positions + " " + norm + " " + pooling,
            sequence_transformer({.width = 16,
                                  .heads = 2,
                                  .positions = positions,
                                  .max_length = 9,
                                  .norm = norm,
                                  .pooling = pooling},
                                 shape));
  if (shape.vocabulary > 0)
    for (const std::string pooling : {"pooler", "class_token", "mean", "attention"})
      add("bert " + pooling,
          bert({.width = 16, .depth = 2, .heads = 2, .max_length = 9, .pooling = pooling}, shape));
  for (const std::string pooling : {"mean", "max", "attention"})
    add("dan " + pooling, dan({.embedding = 6, .hidden = {5}, .pooling = pooling}, shape));
  add("text_cnn", text_cnn({.channels = 6, .embedding = 5}, shape));
  for (const std::string& pooling : sequence_pooling_names())
    add("tcn " + pooling, tcn({.channels = {6, 6, 8}, .embedding = 5, .pooling = pooling}, shape));
  for (const std::string pooling : {"last", "mean", "max"})
    add("resnet1d " + pooling,
        resnet1d(
            {.width = 16, .blocks = {1, 2, 1}, .kernel = 3, .embedding = 5, .pooling = pooling},
            shape));
  return made;
}

inline const std::vector<int64_t> kEnds{3, 7, 1, 5};

inline Tensor lengths() { return torch::tensor(kEnds, torch::kInt64); }

/// Four cases of up to 7 in a batch of 9; what follows a case is `padding`.
inline Tensor batch(const InputShape& shape, double padding) {
  Tensor x;
  if (shape.vocabulary > 0)
    x = (formula("ids", {4, 9}).abs() * 1000).to(torch::kInt64).remainder(17) + 1;
  else
    x = formula("x", {4, 9, 3});
  for (int64_t n = 0; n < 4; ++n) x[n].slice(0, kEnds[n]).fill_(padding);
  return x;
}

/// Ids that no case has, and what no value may touch.
inline double junk(const InputShape& shape) { return shape.vocabulary > 0 ? 19 : NAN; }

}  // namespace fovea::nn::test_sequences
