// Deep averaging network (Iyyer et al., ACL 2015): the words of a text without their order. On small
// sets of reports it is hard to beat, and its attention says which words counted.
#pragma once

#include "fovea/nn/sequence.h"

namespace fovea::nn {

struct DanOptions {
  int64_t embedding = 64;
  std::vector<int64_t> hidden = {};
  std::string pooling = "attention";
  TokenDropout token_dropout = {.words = 0.3, .values = 0.5};

  void describe(Fields& f) {
    f("embedding", embedding, "width of the embedding of a token, for text").above(0);
    f("hidden", hidden, "width of each hidden layer after the pooling").above(0);
    f("pooling", pooling, "mean, max or attention over the tokens")
        .one_of({"mean", "max", "attention"});
    token_dropout.describe(f);
  }
};

/// Features: `tokens` [N, L, embedding], and with attention pooling `weights` [N, L].
/// A config Error where the input is neither text nor a series.
EncoderPtr dan(const DanOptions& options, const InputShape& shape);

}  // namespace fovea::nn
