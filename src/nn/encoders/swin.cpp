#include "fovea/nn/encoders/swin.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include "fovea/attention/attention.h"
#include "fovea/core/error.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/transformer.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

constexpr double kEpsilon = 1e-5;

// Positions come first, channels last, [N, *grid, C], in all that follows.

/// Zeros behind the end of each axis until it is a multiple.
Tensor padded(const Tensor& x, const std::vector<int64_t>& multiple) {
  std::vector<int64_t> ends = {
      0, 0};  // the channels; then from the last axis to the first, before and behind
  for (size_t axis = multiple.size(); axis-- > 0;) {
    const int64_t rest = x.size(static_cast<int64_t>(axis) + 1) % multiple[axis];
    ends.insert(ends.end(), {0, rest == 0 ? 0 : multiple[axis] - rest});
  }
  return std::ranges::any_of(ends, [](int64_t n) { return n > 0; }) ? at::constant_pad_nd(x, ends)
                                                                    : x;
}

class WindowAttention : public torch::nn::Module, public Initialized {
 public:
  WindowAttention(int64_t width, int64_t heads, std::vector<int64_t> window, bool shifted,
                  double dropout)
      : heads_(heads), window_(std::move(window)), shifted_(shifted), dropout_(dropout) {
    int64_t rows = 1;
    for (const int64_t side : window_) rows *= 2 * side - 1;
    table_ = register_parameter("relative_position_bias_table", torch::zeros({rows, heads}));
    qkv_ = register_module("qkv", std::make_shared<Linear>(width, 3 * width, Init::small));
    proj_ = register_module("proj", std::make_shared<Linear>(width, width, Init::small));
  }

  /// The padding takes part, as it did when the published weights were trained.
  Tensor forward(const Tensor& x) {
    const Tensor whole = padded(x, window_);
    attention::WindowOptions options{.window = window_, .dropout_p = is_training() ? dropout_ : 0};
    for (size_t axis = 0; axis < window_.size(); ++axis) {
      const bool one_window = whole.size(static_cast<int64_t>(axis) + 1) == window_[axis];
      options.shift.push_back(shifted_ && !one_window ? window_[axis] / 2 : 0);
    }
    Tensor out = attention::window_sdpa(qkv_->forward(whole), table_, heads_, options).out;
    for (int64_t axis = 1; axis < x.dim() - 1; ++axis) out = out.narrow(axis, 0, x.size(axis));
    return proj_->forward(out);
  }

  void initialize(at::Generator& generator) override { table_.normal_(0, 0.02, generator); }

 private:
  int64_t heads_;
  std::vector<int64_t> window_;
  bool shifted_;
  double dropout_;
  Tensor table_;
  std::shared_ptr<Linear> qkv_, proj_;
};

/// torchvision's names: "0" and "3", with the activation and a dropout between.
class Mlp : public torch::nn::Module {
 public:
  Mlp(int64_t width, double dropout)
      : dropout_(dropout),
        first_(register_module("0", std::make_shared<Linear>(width, 4 * width, Init::small))),
        second_(register_module("3", std::make_shared<Linear>(4 * width, width, Init::small))) {}

  Tensor forward(const Tensor& x) {
    const Tensor hidden = at::dropout(at::gelu(first_->forward(x)), dropout_, is_training());
    return at::dropout(second_->forward(hidden), dropout_, is_training());
  }

 private:
  double dropout_;
  std::shared_ptr<Linear> first_, second_;
};

class Block : public torch::nn::Module {
 public:
  Block(const SwinOptions& o, int64_t width, int64_t heads, bool shifted, double drop_path)
      : drop_path_(drop_path) {
    norm1_ = register_module("norm1", std::make_shared<LayerNorm>(width, kEpsilon));
    attn_ = register_module("attn", std::make_shared<WindowAttention>(
                                        width, heads, o.window, shifted, o.attention_dropout));
    norm2_ = register_module("norm2", std::make_shared<LayerNorm>(width, kEpsilon));
    mlp_ = register_module("mlp", std::make_shared<Mlp>(width, o.dropout));
  }

  Tensor forward(const Tensor& x) {
    const double skipped = is_training() ? drop_path_ : 0;
    const Tensor y = x + drop_path(attn_->forward(norm1_->forward(x)), skipped);
    return y + drop_path(mlp_->forward(norm2_->forward(y)), skipped);
  }

 private:
  double drop_path_;
  std::shared_ptr<LayerNorm> norm1_, norm2_;
  std::shared_ptr<WindowAttention> attn_;
  std::shared_ptr<Mlp> mlp_;
};

/// Neighbours, 2 along each axis, become one position of twice the channels.
class PatchMerging : public torch::nn::Module {
 public:
  PatchMerging(int64_t width, int64_t dims) : dims_(dims) {
    const int64_t joined = width << dims;
    reduction_ = register_module("reduction",
                                 std::make_shared<Linear>(joined, 2 * width, Init::small, false));
    norm_ = register_module("norm", std::make_shared<LayerNorm>(joined, kEpsilon));
  }

  Tensor forward(const Tensor& x) {
    const Tensor even = padded(x, std::vector<int64_t>(static_cast<size_t>(dims_), 2));
    std::vector<Tensor> corners;
    for (int64_t corner = 0; corner < int64_t{1} << dims_; ++corner) {
      Tensor part = even;  // the first axis changes fastest
      for (int64_t axis = 0; axis < dims_; ++axis)
        part = part.slice(axis + 1, corner >> axis & 1, {}, 2);
      corners.push_back(part);
    }
    return reduction_->forward(norm_->forward(at::cat(corners, -1)));
  }

 private:
  int64_t dims_;
  std::shared_ptr<Linear> reduction_;
  std::shared_ptr<LayerNorm> norm_;
};

/// Children with numbers for names, and none in between: nn.Sequential as torchvision fills it.
class Numbered : public torch::nn::Module {
 public:
  template <class Child, class... Arguments>
  std::shared_ptr<Child> put(int64_t number, Arguments&&... arguments) {
    return register_module(std::to_string(number),
                           std::make_shared<Child>(std::forward<Arguments>(arguments)...));
  }
};

SwinOptions filled(SwinOptions o, size_t dims) {
  const bool unetr = o.size == "unetr";
  if (!o.width) o.width = o.size == "base" ? 128 : unetr ? 48 : 96;
  if (o.depths.empty())
    o.depths = unetr ? std::vector<int64_t>{2, 2, 2, 2}
                     : std::vector<int64_t>{2, 2, o.size == "tiny" ? 6 : 18, 2};
  if (o.heads.empty())
    o.heads =
        o.size == "base" ? std::vector<int64_t>{4, 8, 16, 32} : std::vector<int64_t>{3, 6, 12, 24};
  if (o.patch.empty()) o.patch = {unetr ? 2 : 4};
  if (o.heads.size() != o.depths.size())
    throw config_error(
        fmt::format("swin: found {} depths and {} heads, wanted as many of the one as of the other",
                    o.depths.size(), o.heads.size()));
  const auto for_each_axis = [&](const char* what, std::vector<int64_t>& sides) {
    if (sides.size() == 1) sides.resize(dims, sides[0]);
    if (sides.size() != dims)
      throw config_error(fmt::format(
          "swin: found {} sides of a {}, wanted 1 or {}, one for each axis of the input",
          sides.size(), what, dims));
  };
  for_each_axis("patch", o.patch);
  for_each_axis("window", o.window);
  return o;
}

class Swin : public Encoder {
 public:
  Swin(const SwinOptions& options, const InputShape& shape)
      : options_(filled(options, static_cast<size_t>(shape.dims()))) {
    const SwinOptions& o = options_;
    const int64_t dims = shape.dims();
    for (size_t axis = 0; axis < o.patch.size(); ++axis)
      if (const int64_t side = shape.sizes[axis + 1]; side >= 0 && side < o.patch[axis])
        throw config_error(
            fmt::format("swin: found a side of {}, wanted a patch at least, {}; resize the images",
                        side, o.patch[axis]));
    features_ = register_module("features", std::make_shared<Numbered>());
    const auto embedding = features_->put<Numbered>(0);
    project_ = embedding->put<Conv>(0, dims,
                                    ConvOptions{.in = shape.channels(),
                                                .out = *o.width,
                                                .kernel = o.patch,
                                                .stride = o.patch,
                                                .bias = true,
                                                .init = Init::uniform});
    normalize_ = embedding->put<LayerNorm>(2, *o.width, kEpsilon);
    int64_t blocks = 0, block = 0;
    for (const int64_t depth : o.depths) blocks += depth;
    width_ = *o.width;
    for (size_t stage = 0; stage < o.depths.size(); ++stage) {
      const auto number = static_cast<int64_t>(2 * stage);
      if (stage > 0) {
        merge_.push_back(features_->put<PatchMerging>(number, width_, dims));
        width_ *= 2;
      }
      check_heads("swin", width_, o.heads[stage]);
      const auto place = features_->put<Numbered>(number + 1);
      stages_.emplace_back();
      for (int64_t i = 0; i < o.depths[stage]; ++i, ++block) {
        const double skipped =
            blocks > 1 ? o.drop_path * static_cast<double>(block) / static_cast<double>(blocks - 1)
                       : 0;
        stages_.back().push_back(
            place->put<Block>(i, o, width_, o.heads[stage], i % 2 == 1, skipped));
      }
    }
    norm_ = register_module("norm", std::make_shared<LayerNorm>(width_, kEpsilon));
  }

  Features encode(const Tensor& input, const Tensor&) override {
    Tensor x = project_->forward(input);
    x = at::dropout(normalize_->forward(x.movedim(1, -1)), options_.dropout, is_training());
    for (size_t stage = 0; stage < stages_.size(); ++stage) {
      if (stage > 0) x = merge_[stage - 1]->forward(x);
      for (const auto& block : stages_[stage]) x = block->forward(x);
    }
    x = norm_->forward(x);
    const Tensor tokens = x.flatten(1, -2);
    return {.map = x.movedim(-1, 1), .tokens = tokens, .pooled = tokens.mean(1)};
  }

  int64_t width() const override { return width_; }

  /// Indices into the tables of biases follow from the window.
  std::string known_as(std::string stored) const override {
    return stored.ends_with("relative_position_index") ? "" : Encoder::known_as(std::move(stored));
  }

 private:
  SwinOptions options_;
  int64_t width_ = 0;
  std::shared_ptr<Numbered> features_;
  std::shared_ptr<Conv> project_;
  std::shared_ptr<LayerNorm> normalize_, norm_;
  std::vector<std::shared_ptr<PatchMerging>> merge_;
  std::vector<std::vector<std::shared_ptr<Block>>> stages_;
};

}  // namespace

EncoderPtr swin(const SwinOptions& options, const InputShape& shape) {
  check_image("swin", shape);
  return std::make_shared<Swin>(options, shape);
}

}  // namespace fovea::nn
