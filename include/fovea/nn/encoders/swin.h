// Swin Transformers (Liu et al., ICCV 2021), on 2-D and 3-D images: attention within windows that shift from block to
// block, on the window kernels of fovea's own attention. Parameter names are torchvision's (swin_t, swin_s, swin_b).
#pragma once

#include "fovea/nn/encoder.h"

namespace fovea::nn {

struct SwinOptions {
  std::string size = "tiny";
  std::vector<int64_t> patch = {}, window = {7};
  std::vector<int64_t> depths = {}, heads = {};
  std::optional<int64_t> width = {};
  double dropout = 0, attention_dropout = 0, drop_path = 0.2;

  void describe(Fields& f) {
    f("size", size,
      "patch, width, depths and heads: tiny, small, base as published for 2-D; unetr: the encoder "
      "of SwinUNETR "
      "(Hatamizadeh et al., 2022), patches of 2, width 48, four stages of two blocks")
        .one_of({"tiny", "small", "base", "unetr"});
    f("patch", patch, "side of a patch, or one for each axis; overrides that of size").above(0);
    f("window", window, "patches along a side of a window, or one number for each axis").above(0);
    f("depths", depths, "blocks of each stage; overrides those of size").above(0);
    f("heads", heads, "heads of each stage, must divide its width; overrides those of size")
        .above(0);
    f("width", width,
      "channels of the first stage, each later one has twice as many; overrides that of size")
        .above(0);
    f("dropout", dropout, "on the tokens, during training").at_least(0).below(1);
    f("attention_dropout", attention_dropout, "on the attention weights, during training")
        .at_least(0)
        .below(1);
    f("drop_path", drop_path, "share of the blocks skipped during training, growing with depth")
        .at_least(0)
        .below(1);
  }
};

/// Any size of image that holds a patch; what windows or merged patches do not divide is padded, as torchvision does.
EncoderPtr swin(const SwinOptions& options, const InputShape& shape);

}  // namespace fovea::nn
