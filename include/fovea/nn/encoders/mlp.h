// A multilayer perceptron on the columns of a table, categories as learned vectors (Guo and
// Berkhahn, 2016).
#pragma once

#include "fovea/nn/encoder.h"

namespace fovea::nn {

struct MlpOptions {
  std::vector<int64_t> hidden = {64, 64};
  double dropout = 0;
  std::optional<int64_t> embedding = {};

  void describe(Fields& f) {
    f("hidden", hidden, "width of each hidden layer; the last one's is the encoder's").above(0);
    f("dropout", dropout, "after each hidden layer, during training").at_least(0).below(1);
    f("embedding", embedding,
      "width of the embedding of a category; null: min(50, (n + 1) / 2) for n categories")
        .above(0);
  }
};

/// A config Error where the input is not a table.
EncoderPtr mlp(const MlpOptions& options, const InputShape& shape);

}  // namespace fovea::nn
