// The FT-Transformer (Gorishniy et al., NeurIPS 2021): each column of a table becomes a token, and a
// class token reads them. As in the paper the blocks are pre-norm with ReGLU, and the first block
// has no first norm.
#pragma once

#include "fovea/nn/encoder.h"

namespace fovea::nn {

struct FtTransformerOptions {
  int64_t width = 64;
  int64_t depth = 3;
  int64_t heads = 4;
  double ffn_factor = 4.0 / 3;
  double dropout = 0.1;
  double attention_dropout = 0.2;

  void describe(Fields& f) {
    f("width", width, "channels of the token of a column").above(0);
    f("depth", depth, "blocks").above(0);
    f("heads", heads, "must divide the width").above(0);
    f("ffn_factor", ffn_factor,
      "width of the feed-forward layer (ReGLU), as a multiple of the token width")
        .above(0);
    f("dropout", dropout, "in the feed-forward layer, during training").at_least(0).below(1);
    f("attention_dropout", attention_dropout, "on the attention weights, during training")
        .at_least(0)
        .below(1);
  }
};

/// Features: `tokens` [N, F, width], `weights` [N, F], the attention of the class token to each
/// column in the last block. `pooled` is ReLU(LayerNorm(class token)): with the linear head that
/// follows it is the paper's. A config Error where the input is not a table.
EncoderPtr ft_transformer(const FtTransformerOptions& options, const InputShape& shape);

}  // namespace fovea::nn
