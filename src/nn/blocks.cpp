#include "fovea/nn/blocks.h"

#include <fmt/format.h>
#include <torch/nn.h>

#include "fovea/core/error.h"
#include "fovea/nn/attention.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

std::shared_ptr<Conv> pointwise(int64_t dims, int64_t in, int64_t out) {
  ConvOptions options = same_conv(in, out, 1);
  options.bias = true;
  options.init = Init::uniform;
  return std::make_shared<Conv>(dims, std::move(options));
}

/// A learned number per block, 0 at the start: the block then changes nothing, and a pretrained
/// encoder keeps what it knows.
class Gate : public torch::nn::Module, public Drawn {
 public:
  Gate() : gamma_(register_parameter("gamma", torch::zeros({1}))) {}
  Tensor forward(const Tensor& change, const Tensor& x) { return at::addcmul(x, gamma_, change); }
  void draw(at::Generator&) override { gamma_.zero_(); }

 private:
  Tensor gamma_;
};

// --- self_attention ----------------------------------------------------------------------------

struct SelfAttentionOptions {
  int64_t reduction = 8;
  void describe(Fields& f) {
    f("reduction", reduction, "query and key have 1 / reduction of the channels").above(0);
  }
};

/// SAGAN (Zhang et al., ICML 2019): softmax(q' k) v without a scale, from 1x1 convolutions.
class SelfAttention : public Block {
 public:
  SelfAttention(const SelfAttentionOptions& options, int64_t channels, int64_t dims) {
    const int64_t inner = std::max<int64_t>(1, channels / options.reduction);
    query_ = register_module("query", pointwise(dims, channels, inner));
    key_ = register_module("key", pointwise(dims, channels, inner));
    value_ = register_module("value", pointwise(dims, channels, channels));
    gate_ = register_module("gate", std::make_shared<Gate>());
  }

  Tensor forward(const Tensor& x) override {
    const auto one_head = [](const Tensor& map) { return positions(map).unsqueeze(1); };
    const Tensor seen = attention(one_head(query_->forward(x)), one_head(key_->forward(x)),
                                  one_head(value_->forward(x)), {}, 0, /*scale=*/1.0);
    return gate_->forward(seen.squeeze(1).transpose(1, 2).reshape(x.sizes()), x);
  }

 private:
  std::shared_ptr<Conv> query_, key_, value_;
  std::shared_ptr<Gate> gate_;
};

// --- attention ---------------------------------------------------------------------------------

struct AttentionOptions {
  int64_t heads = 8;
  double dropout = 0;
  void describe(Fields& f) {
    f("heads", heads, "must divide the channels").above(0);
    f("dropout", dropout, "on the weights, while training").at_least(0).below(1);
  }
};

/// Scaled dot-product attention over positions with heads (Vaswani et al., 2017).
class Attention : public Block {
 public:
  Attention(const AttentionOptions& options, int64_t channels, int64_t dims) : options_(options) {
    if (channels % options.heads != 0)
      throw config_error(
          fmt::format("block 'attention': found {} channels and {} heads, wanted "
                      "heads that divide the channels",
                      channels, options.heads));
    qkv_ = register_module("qkv", pointwise(dims, channels, 3 * channels));
    proj_ = register_module("proj", pointwise(dims, channels, channels));
    gate_ = register_module("gate", std::make_shared<Gate>());
  }

  Tensor forward(const Tensor& x) override {
    const int64_t cases = x.size(0), channels = x.size(1);
    // [N, L, 3 C] -> [3, N, heads, L, C / heads]
    const Tensor qkv = positions(qkv_->forward(x))
                           .reshape({cases, -1, 3, options_.heads, channels / options_.heads})
                           .permute({2, 0, 3, 1, 4});
    const Tensor seen = attention(qkv[0], qkv[1], qkv[2], {}, is_training() ? options_.dropout : 0);
    // [N, heads, L, C / heads] -> [N, C, positions]
    const Tensor map = seen.permute({0, 1, 3, 2}).reshape(x.sizes());
    return gate_->forward(proj_->forward(map), x);
  }

 private:
  AttentionOptions options_;
  std::shared_ptr<Conv> qkv_, proj_;
  std::shared_ptr<Gate> gate_;
};

// --- squeeze_excitation ------------------------------------------------------------------------

struct SqueezeOptions {
  int64_t reduction = 16;
  void describe(Fields& f) {
    f("reduction", reduction, "the hidden layer has 1 / reduction of the channels").above(0);
  }
};

/// One weight per channel, from the mean of every channel (Hu et al., CVPR 2018).
class SqueezeExcitation : public Block {
 public:
  SqueezeExcitation(const SqueezeOptions& options, int64_t channels, int64_t) {
    const int64_t inner = std::max<int64_t>(1, channels / options.reduction);
    fc1_ = register_module("fc1", std::make_shared<Linear>(channels, inner));
    fc2_ = register_module("fc2", std::make_shared<Linear>(inner, channels));
  }

  Tensor forward(const Tensor& x) override {
    const Tensor mean = positions(x).mean(1);
    const Tensor weight = fc2_->forward(fc1_->forward(mean).relu_()).sigmoid_();
    std::vector<int64_t> per_channel(x.dim(), 1);
    per_channel[0] = x.size(0);
    per_channel[1] = x.size(1);
    return x * weight.view(per_channel);
  }

 private:
  std::shared_ptr<Linear> fc1_, fc2_;
};

// --- cbam --------------------------------------------------------------------------------------

struct CbamOptions {
  int64_t reduction = 16;
  int64_t kernel = 7;
  void describe(Fields& f) {
    f("reduction", reduction, "the hidden layer has 1 / reduction of the channels").above(0);
    f("kernel", kernel, "side of the convolution that weighs the positions").one_of({3, 5, 7});
  }
};

/// Weights per channel from mean and maximum over positions, then weights per position from mean and
/// maximum over channels (Woo et al., ECCV 2018).
class Cbam : public Block {
 public:
  Cbam(const CbamOptions& options, int64_t channels, int64_t dims) {
    const int64_t inner = std::max<int64_t>(1, channels / options.reduction);
    fc1_ = register_module("fc1", std::make_shared<Linear>(channels, inner));
    fc2_ = register_module("fc2", std::make_shared<Linear>(inner, channels));
    ConvOptions weigh = same_conv(2, 1, options.kernel);
    weigh.init = Init::uniform;
    spatial_ = register_module("spatial", std::make_shared<Conv>(dims, std::move(weigh)));
  }

  Tensor forward(const Tensor& x) override {
    const Tensor flat = positions(x);
    const Tensor weight = (hidden(flat.mean(1)) + hidden(flat.amax(1))).sigmoid_();
    std::vector<int64_t> per_channel(x.dim(), 1);
    per_channel[0] = x.size(0);
    per_channel[1] = x.size(1);
    const Tensor y = x * weight.view(per_channel);
    const Tensor summary = at::cat({y.mean(1, true), y.amax(1, true)}, 1);
    return y * spatial_->forward(summary).sigmoid_();
  }

 private:
  Tensor hidden(const Tensor& x) { return fc2_->forward(fc1_->forward(x).relu_()); }

  std::shared_ptr<Linear> fc1_, fc2_;
  std::shared_ptr<Conv> spatial_;
};

template <class B>
constexpr auto kMake = [](const auto& options, int64_t channels, int64_t dims) -> BlockPtr {
  return std::make_shared<B>(options, channels, dims);
};

}  // namespace

const BlockTable& blocks() {
  static const BlockTable table(
      "blocks",
      {
          BlockTable::item<SelfAttentionOptions>(
              "self_attention", "every position reads every other, gate from 0 (SAGAN, ICML 2019)",
              kMake<SelfAttention>),
          BlockTable::item<AttentionOptions>(
              "attention", "scaled dot-product attention over positions with heads, gate from 0",
              kMake<Attention>),
          BlockTable::item<SqueezeOptions>("squeeze_excitation",
                                           "a weight per channel (Hu et al., CVPR 2018)",
                                           kMake<SqueezeExcitation>),
          BlockTable::item<CbamOptions>(
              "cbam", "weights per channel, then per position (Woo et al., ECCV 2018)",
              kMake<Cbam>),
      });
  return table;
}

PlacedBlocks::PlacedBlocks(const std::vector<PlacedBlock>& placed,
                           const std::vector<int64_t>& channels, int64_t dims) {
  for (const PlacedBlock& one : placed) {
    if (one.after < 1 || one.after > static_cast<int64_t>(channels.size()))
      throw config_error(
          fmt::format("attention: found block '{}' after stage {}, wanted a stage from 1 to {}",
                      one.block.name(), one.after, channels.size()));
    BlockPtr block = one.block.make(channels[one.after - 1], dims);
    blocks_.emplace_back(one.after, register_module(std::to_string(blocks_.size()), block));
  }
}

Tensor PlacedBlocks::forward(int64_t stage, Tensor x) {
  for (const auto& [after, block] : blocks_)
    if (after == stage) x = block->forward(x);
  return x;
}

const std::vector<std::string>& pooling_names() {
  static const std::vector<std::string> names{"average", "attention", "two_branch"};
  return names;
}

Pooling::Pooling(const std::string& kind, int64_t channels)
    : average_(kind != "attention"),
      width_(kind == "two_branch" ? 2 * channels : channels),
      channels_(channels) {
  if (kind == "average") return;
  const int64_t inner = std::max<int64_t>(1, channels / 4);
  hidden_ = register_module("hidden", std::make_shared<Linear>(channels, inner));
  score_ = register_module("score", std::make_shared<Linear>(inner, 1));
}

Tensor Pooling::forward(const Tensor& map) {
  const Tensor tokens = positions(map);
  if (!score_) return tokens.mean(1);
  const Tensor weight = score_->forward(hidden_->forward(tokens).tanh_()).softmax(1);  // [N, L, 1]
  const Tensor seen = at::matmul(weight.transpose(1, 2), tokens).squeeze(1);
  return average_ ? at::cat({tokens.mean(1), seen}, 1) : seen;
}

}  // namespace fovea::nn
