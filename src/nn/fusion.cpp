// The ways to join inputs. To add one: a class, and a line in the table at the end.
#include "fovea/nn/fusion.h"

#include <fmt/format.h>
#include <torch/nn.h>

#include "fovea/core/error.h"
#include "fovea/nn/attention.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/transformer.h"

namespace fovea::nn {
namespace {

using torch::Tensor;
using Widths = std::vector<PartWidths>;

int64_t sum_of(const Widths& widths) {
  int64_t sum = 0;
  for (const PartWidths& width : widths) sum += width.pooled;
  return sum;
}

std::vector<Tensor> pooled_of(const std::vector<Part>& parts) {
  std::vector<Tensor> pooled;
  for (const Part& part : parts) pooled.push_back(part.pooled);
  return pooled;
}

class Concat final : public Fusion {
 public:
  explicit Concat(const Widths& widths) : width_(sum_of(widths)) {}
  std::vector<Tensor> join(const std::vector<Part>& parts) override {
    return {parts.size() == 1 ? parts[0].pooled : at::cat(pooled_of(parts), 1)};
  }
  std::vector<int64_t> widths() const override { return {width_}; }

 private:
  int64_t width_;
};

class Late final : public Fusion {
 public:
  explicit Late(const Widths& widths) {
    for (const PartWidths& width : widths) widths_.push_back(width.pooled);
  }
  std::vector<Tensor> join(const std::vector<Part>& parts) override { return pooled_of(parts); }
  std::vector<int64_t> widths() const override { return widths_; }

 private:
  std::vector<int64_t> widths_;
};

class Gated final : public Fusion {
 public:
  Gated(const GatedOptions& options, const Widths& widths) : width_(options.width) {
    for (const PartWidths& width : widths)
      values_.push_back(register_module("value" + std::to_string(values_.size()),
                                        std::make_shared<Linear>(width.pooled, width_)));
    gate_ = register_module("gate", std::make_shared<Linear>(sum_of(widths), std::ssize(widths)));
  }

  std::vector<Tensor> join(const std::vector<Part>& parts) override {
    auto scores = gate_->forward(at::cat(pooled_of(parts), 1)).unbind(1);
    std::vector<Tensor> values;
    for (size_t i = 0; i < parts.size(); ++i) {
      values.push_back(values_[i]->forward(parts[i].pooled).tanh());
      if (parts[i].present.defined())
        scores[i] = scores[i].masked_fill(parts[i].present.logical_not(), -INFINITY);
    }
    const Tensor shares = at::_safe_softmax(at::stack(scores, 1), 1);  // [N, parts]
    return {(at::stack(values, 1) * shares.unsqueeze(2)).sum(1)};
  }

  std::vector<int64_t> widths() const override { return {width_}; }

 private:
  int64_t width_;
  std::vector<std::shared_ptr<Linear>> values_;
  std::shared_ptr<Linear> gate_;
};

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

FusionTable& fusions() {
  static FusionTable table(
      "fusions",
      {
          FusionTable::item<ConcatOptions>(
              "concat", "the features, concatenated",
              [](const ConcatOptions&, const Widths& widths) -> FusionPtr {
                return std::make_shared<Concat>(widths);
              }),
          FusionTable::item<GatedOptions>(
              "gated", "a learned weight of each input, per case (Arevalo et al., 2017)",
              [](const GatedOptions& options, const Widths& widths) -> FusionPtr {
                return std::make_shared<Gated>(options, widths);
              }),
          FusionTable::item<CrossAttentionOptions>(
              "cross_attention", "each input attends to the others (Tsai et al., ACL 2019)",
              [](const CrossAttentionOptions& options, const Widths& widths) -> FusionPtr {
                return std::make_shared<CrossAttention>(options, widths);
              }),
          FusionTable::item<LateOptions>("late", "a head per input; the outputs are averaged",
                                         [](const LateOptions&, const Widths& widths) -> FusionPtr {
                                           return std::make_shared<Late>(widths);
                                         }),
      });
  return table;
}

}  // namespace fovea::nn
