#include "fovea/nn/encoders/vit.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/transformer.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

struct Size {
  int64_t width, depth, heads;
};

Size size_of(const ViTOptions& options) {
  Size size = options.size == "base"    ? Size{768, 12, 12}
              : options.size == "small" ? Size{384, 12, 6}
                                        : Size{192, 12, 3};
  size.width = options.width.value_or(size.width);
  size.depth = options.depth.value_or(size.depth);
  size.heads = options.heads.value_or(size.heads);
  check_heads("vit", size.width, size.heads);
  return size;
}

/// Patches along each axis.
std::vector<int64_t> grid_of(const InputShape& shape, std::vector<int64_t>& patch) {
  const auto dims = static_cast<size_t>(shape.dims());
  if (patch.size() == 1) patch.resize(dims, patch[0]);
  if (patch.size() != dims)
    throw config_error(
        fmt::format("vit: found {} sides of a patch, wanted 1 or {}, one for each axis "
                    "of the input",
                    patch.size(), dims));
  std::vector<int64_t> grid;
  for (size_t axis = 0; axis < dims; ++axis) {
    const int64_t side = shape.sizes[axis + 1];
    if (side < patch[axis] || side % patch[axis] != 0)
      throw config_error(fmt::format(
          "vit: found a side of {} ({}), wanted a multiple of the patch, {}; resize or pad the "
          "images",
          side, side < 0 ? "it varies" : "input axis " + std::to_string(axis + 1), patch[axis]));
    grid.push_back(side / patch[axis]);
  }
  return grid;
}

/// "patch_embed.proj": a patch becomes a token.
class PatchEmbedding : public torch::nn::Module {
 public:
  PatchEmbedding(int64_t channels, int64_t width, const std::vector<int64_t>& patch)
      : proj_(register_module("proj", std::make_shared<Conv>(static_cast<int64_t>(patch.size()),
                                                             ConvOptions{.in = channels,
                                                                         .out = width,
                                                                         .kernel = patch,
                                                                         .stride = patch,
                                                                         .bias = true,
                                                                         .init = Init::uniform}))) {
  }
  Tensor forward(const Tensor& x) { return positions(proj_->forward(x)); }

 private:
  std::shared_ptr<Conv> proj_;
};

class ViT : public Encoder, public Initialized {
 public:
  ViT(ViTOptions options, const InputShape& shape)
      : class_token_(options.pooling == "class_token"), dropout_(options.dropout) {
    const Size size = size_of(options);
    grid_ = grid_of(shape, options.patch);
    int64_t length = class_token_;
    int64_t patches = 1;
    for (const int64_t side : grid_) patches *= side;
    length += patches;
    if (class_token_)
      cls_token_ = register_parameter("cls_token", torch::zeros({1, 1, size.width}));
    pos_embed_ = register_parameter("pos_embed", torch::zeros({1, length, size.width}));
    patch_embed_ = register_module("patch_embed", std::make_shared<PatchEmbedding>(
                                                      shape.channels(), size.width, options.patch));
    blocks_ = register_module("blocks", std::make_shared<Transformer>(
                                            TransformerOptions{.width = size.width,
                                                               .depth = size.depth,
                                                               .heads = size.heads,
                                                               .hidden = 4 * size.width,
                                                               .dropout = options.dropout,
                                                               .drop_path = options.drop_path}));
    // timm normalizes the mean, not the tokens it is taken of, and calls that layer otherwise.
    norm_ =
        register_module(class_token_ ? "norm" : "fc_norm", std::make_shared<LayerNorm>(size.width));
  }

  Features encode(const Tensor& input, const Tensor&) override {
    Tensor x = patch_embed_->forward(input);
    if (x.size(1) + class_token_ != pos_embed_.size(1))
      throw config_error(
          fmt::format("vit: found an image of {} patches, wanted {}: the size it was "
                      "made for",
                      x.size(1), pos_embed_.size(1) - class_token_));
    if (class_token_) x = at::cat({cls_token_.to(x.dtype()).expand({x.size(0), -1, -1}), x}, 1);
    x = at::dropout(x + pos_embed_, dropout_, is_training());
    x = blocks_->forward(x);
    if (class_token_) {
      x = norm_->forward(x);
      return features(x.slice(1, 1), x.select(1, 0));
    }
    return features(x, norm_->forward(x.mean(1)));
  }

  int64_t width() const override { return pos_embed_.size(2); }

  void initialize(at::Generator& generator) override {
    if (class_token_) cls_token_.normal_(0, 1e-6, generator);
    pos_embed_.normal_(0, 0.02, generator);
  }

  /// A position embedding of another grid is interpolated (bicubic in 2-D, as in timm; linear in
  /// 3-D). The stored grid is taken to be as many patches along each axis.
  Tensor adapted(const std::string& name, const Tensor& stored) const override {
    if (name != "pos_embed" || stored.dim() != 3 || stored.size(2) != width()) return {};
    const auto dims = static_cast<int64_t>(grid_.size());
    const int64_t patches = stored.size(1) - class_token_;
    const auto side = std::llround(std::pow(static_cast<double>(patches), 1.0 / dims));
    std::vector<int64_t> from{1, width()};
    from.insert(from.end(), dims, side);
    if (side < 1 || patches != static_cast<int64_t>(std::llround(std::pow(side, dims)))) return {};
    Tensor grid = stored.slice(1, class_token_).transpose(1, 2).reshape(from).to(torch::kFloat32);
    grid = dims == 2 ? at::_upsample_bicubic2d_aa(grid, grid_, /*align_corners=*/false)
                     : at::upsample_trilinear3d(grid, grid_, /*align_corners=*/false);
    return at::cat({stored.slice(1, 0, class_token_), positions(grid).to(stored.dtype())}, 1);
  }

 private:
  Features features(const Tensor& tokens, const Tensor& pooled) const {
    std::vector<int64_t> shape{tokens.size(0), tokens.size(2)};
    shape.insert(shape.end(), grid_.begin(), grid_.end());
    return {.map = tokens.transpose(1, 2).reshape(shape), .tokens = tokens, .pooled = pooled};
  }

  bool class_token_;
  double dropout_;
  std::vector<int64_t> grid_;
  Tensor cls_token_, pos_embed_;
  std::shared_ptr<PatchEmbedding> patch_embed_;
  std::shared_ptr<Transformer> blocks_;
  std::shared_ptr<LayerNorm> norm_;
};

}  // namespace

EncoderPtr vit(const ViTOptions& options, const InputShape& shape) {
  check_image("vit", shape);
  return std::make_shared<ViT>(options, shape);
}

}  // namespace fovea::nn
