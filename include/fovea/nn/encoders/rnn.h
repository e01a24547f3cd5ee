// Recurrent networks on text and series: LSTM (Hochreiter and Schmidhuber, 1997), GRU (Cho et al.,
// EMNLP 2014) and the plain one (Elman, 1990). Parameter names are torch.nn.LSTM's, below "rnn".
#pragma once

#include "fovea/nn/sequence.h"

namespace fovea::nn {

struct RnnOptions {
  std::string cell = "lstm";
  int64_t width = 128;
  int64_t depth = 1;
  bool bidirectional = true;
  double dropout = 0;
  int64_t embedding = 128;
  TokenDropout token_dropout = {};
  std::string pooling = "last";

  void describe(Fields& f) {
    f("cell", cell, "lstm; gru; rnn: the plain one with tanh").one_of({"lstm", "gru", "rnn"});
    f("width", width, "hidden units of each direction").above(0);
    f("depth", depth, "layers").above(0);
    f("bidirectional", bidirectional, "both directions side by side: twice the width");
    f("dropout", dropout, "between layers, during training").at_least(0).below(1);
    f("embedding", embedding, "width of the embedding of a token, for text").above(0);
    token_dropout.describe(f);
    f("pooling", pooling,
      "last: the last step of each direction; mean, max or attention: over the steps")
        .one_of(sequence_pooling_names());
  }
};

/// Features: `tokens` [N, L, width()], and with attention pooling `weights` [N, L].
/// A config Error where the input is neither text nor a series.
EncoderPtr rnn(const RnnOptions& options, const InputShape& shape);

}  // namespace fovea::nn
