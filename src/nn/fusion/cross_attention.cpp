#include "fovea/nn/fusion/cross_attention.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include "fovea/core/error.h"
#include "fovea/nn/attention.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/transformer.h"
#include "nn/fusion/pooled.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

class CrossAttention final : public Fusion {
 public:
  CrossAttention(const CrossAttentionOptions& options, const Widths& widths) : options_(options) {
    check_heads("cross_attention", options.width, options.heads);
    if (widths.size() < 2)
      throw config_error(
          fmt::format("cross_attention: found {} input, wanted two or more; take the fusion concat",
                      widths.size()));
    for (const PartWidths& width : widths) {
      const std::string number = std::to_string(query_.size());
      const auto linear = [&](const char* name, int64_t in) {
        return register_module(name + number, std::make_shared<Linear>(in, options.width));
      };
      query_.push_back(linear("query", width.pooled));
      key_.push_back(linear("key", width.tokens));
      value_.push_back(linear("value", width.tokens));
      out_.push_back(linear("out", options.width));
      norm_.push_back(register_module("norm" + number, std::make_shared<LayerNorm>(options.width)));
    }
  }

  std::vector<Tensor> join(const std::vector<Part>& parts) override {
    std::vector<Tensor> keys, values, masks;
    for (size_t i = 0; i < parts.size(); ++i) {
      const Part& part = parts[i];
      const Tensor tokens = part.tokens.defined() ? part.tokens : part.pooled.unsqueeze(1);
      keys.push_back(key_[i]->forward(tokens));
      values.push_back(value_[i]->forward(tokens));
      Tensor mask =
          part.tokens.defined() && part.mask.defined()
              ? part.mask
              : torch::ones({tokens.size(0), tokens.size(1)}, tokens.options().dtype(torch::kBool));
      if (part.present.defined()) mask = mask.logical_and(part.present.unsqueeze(1));
      masks.push_back(mask);
    }
    std::vector<Tensor> shares;
    for (size_t i = 0; i < parts.size(); ++i) {
      const Tensor query = query_[i]->forward(parts[i].pooled).unsqueeze(1);
      const Tensor seen =
          attention(in_heads(query, options_.heads), in_heads(others(keys, i), options_.heads),
                    in_heads(others(values, i), options_.heads), others(masks, i),
                    is_training() ? options_.dropout : 0);
      const Tensor joined = seen.transpose(1, 2).reshape_as(query);
      shares.push_back(norm_[i]->forward((query + out_[i]->forward(joined)).squeeze(1)));
    }
    return {at::cat(shares, 1)};
  }

  std::vector<int64_t> widths() const override {
    return {options_.width * static_cast<int64_t>(query_.size())};
  }

 private:
  static Tensor others(std::vector<Tensor> all, size_t own) {
    all.erase(all.begin() + static_cast<int64_t>(own));
    return at::cat(all, 1);
  }

  CrossAttentionOptions options_;
  std::vector<std::shared_ptr<Linear>> query_, key_, value_, out_;
  std::vector<std::shared_ptr<LayerNorm>> norm_;
};

}  // namespace

FusionPtr cross_attention(const CrossAttentionOptions& options, const Widths& widths) {
  return std::make_shared<CrossAttention>(options, widths);
}

}  // namespace fovea::nn
