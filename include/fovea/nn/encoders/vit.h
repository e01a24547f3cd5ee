// Vision Transformers (Dosovitskiy et al., ICLR 2021), on 2-D and 3-D patches. Parameter names are
// timm's (vit_tiny_patch16_224).
#pragma once

#include "fovea/nn/encoder.h"

namespace fovea::nn {

struct ViTOptions {
  std::string size = "tiny";          ///< width, depth and heads; each can be set apart
  std::vector<int64_t> patch = {16};  ///< one side for all axes, or one for each
  std::string pooling = "class_token";
  double dropout = 0;
  double drop_path = 0;
  std::optional<int64_t> width = {}, depth = {}, heads = {};

  void describe(Fields& f) {
    f("size", size, "tiny: width 192, 3 heads; small: 384, 6; base: 768, 12; all of depth 12")
        .one_of({"tiny", "small", "base"});
    f("patch", patch, "side of a patch in pixels, or one side for each axis").above(0);
    f("pooling", pooling, "class_token, or the mean over the patches (without a class token)")
        .one_of({"class_token", "mean"});
    f("dropout", dropout, "on the tokens, during training").at_least(0).below(1);
    f("drop_path", drop_path, "share of the blocks skipped during training, growing with depth")
        .at_least(0)
        .below(1);
    f("width", width, "channels of a token; overrides that of size").above(0);
    f("depth", depth, "number of blocks; overrides that of size").above(0);
    f("heads", heads, "must divide the width; overrides that of size").above(0);
  }
};

/// The image's size must be known and a multiple of the patch: a config Error otherwise.
EncoderPtr vit(const ViTOptions& options, const InputShape& shape);

}  // namespace fovea::nn
