// Transformers on text and series (Vaswani et al., NeurIPS 2017; the class token as in BERT, Devlin
// et al., NAACL 2019).
#pragma once

#include "fovea/nn/sequence.h"

namespace fovea::nn {

struct SequenceTransformerOptions {
  int64_t width = 128;
  int64_t depth = 2;
  int64_t heads = 4;
  std::optional<int64_t> ffn = {};
  double dropout = 0.1;
  std::string positions = "learned";
  int64_t max_length = 512;
  std::string norm = "pre";
  std::string pooling = "class_token";

  void describe(Fields& f) {
    f("width", width, "channels of a token").above(0);
    f("depth", depth, "blocks").above(0);
    f("heads", heads, "must divide the width").above(0);
    f("ffn", ffn, "width of the feed-forward layer (GELU); null: 4 times the token width").above(0);
    f("dropout", dropout, "on tokens, attention weights and hidden values, during training")
        .at_least(0)
        .below(1);
    f("positions", positions,
      "position embeddings, learned or sinusoidal; rotary: queries and keys are rotated")
        .one_of({"learned", "sinusoidal", "rotary"});
    f("max_length", max_length, "how many positions are learned; the longest case allowed")
        .above(0);
    f("norm", norm, "layer normalization before each part of a block, or after it as in 2017")
        .one_of({"pre", "post"});
    f("pooling", pooling, "class_token, or the mean or attention over the tokens")
        .one_of({"class_token", "mean", "attention"});
  }
};

/// Features: `tokens` [N, L, width]; with the class token or attention pooling `weights` [N, L].
/// A config Error where the input is neither text nor a series.
EncoderPtr sequence_transformer(const SequenceTransformerOptions& options, const InputShape& shape);

}  // namespace fovea::nn
