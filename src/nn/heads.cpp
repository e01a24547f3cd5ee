#include "nn/heads.h"

#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/nn/layers.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

/// Outputs [N, K] of each input -> their mean over the inputs that a case has.
Tensor mean_of_present(const std::vector<Tensor>& each, const std::vector<Part>& parts) {
  Tensor sum, count;
  for (size_t i = 0; i < each.size(); ++i) {
    const Tensor one = parts[i].present.defined()
                           ? parts[i].present.to(each[i].dtype()).unsqueeze(1)
                           : torch::ones({each[i].size(0), 1}, each[i].options());
    sum = sum.defined() ? sum + one * each[i] : one * each[i];
    count = count.defined() ? count + one : one;
  }
  return sum / count.clamp_min(1);
}

/// The position of the input that a head reads.
size_t place_of(const std::string& head, const std::string& input, const HeadPlace& place) {
  const auto found = std::ranges::find(place.names, input);
  if (found == place.names.end())
    throw config_error(
        fmt::format("model: the head '{}' reads the input '{}', for which there is no encoder; "
                    "there are {}",
                    head, input, join(place.names)));
  return static_cast<size_t>(found - place.names.begin());
}

/// A layer for each branch of the fusion: "heads.NAME", or "heads.NAME.INPUT" where every input has
/// a branch of its own.
class PooledHead final : public Head {
 public:
  PooledHead(const std::string& name, const Pooled& of, const HeadPlace& place)
      : name_(name), per_input_(place.branches.size() > 1) {
    std::shared_ptr<torch::nn::Module> group;
    if (per_input_)
      group = place.parent.register_module(name, std::make_shared<torch::nn::Module>());
    torch::nn::Module& parent = per_input_ ? *group : place.parent;
    for (size_t i = 0; i < place.branches.size(); ++i)
      branches_.push_back(
          parent.register_module(per_input_ ? place.names[i] : name,
                                 std::make_shared<Linear>(place.branches[i], of.outputs)));
  }

  void forward(const Encoded& encoded, Outputs& outputs) const override {
    std::vector<Tensor> each;
    for (size_t i = 0; i < branches_.size(); ++i)
      each.push_back(branches_[i]->forward(encoded.joined[i]));
    outputs.scores[name_] = per_input_ ? mean_of_present(each, encoded.parts) : each[0];
  }

 private:
  std::string name_;
  bool per_input_;
  std::vector<std::shared_ptr<Linear>> branches_;
};

class TokenHead final : public Head {
 public:
  TokenHead(const std::string& name, const PerToken& of, const HeadPlace& place)
      : name_(name), input_(of.input), at_(place_of(name, of.input, place)) {
    linear_ = place.parent.register_module(
        name, std::make_shared<Linear>(place.encoders[at_]->token_width(), of.outputs));
    if (of.transitions)
      transitions_ = linear_->register_parameter("transitions",
                                                 torch::zeros({of.outputs + 1, of.outputs + 1}));
  }

  void forward(const Encoded& encoded, Outputs& outputs) const override {
    Tensor tokens = encoded.parts[at_].tokens;
    if (!tokens.defined())
      throw config_error(fmt::format(
          "model: the encoder of '{}' gives no tokens; encoders that do: rnn, transformer and tcn",
          input_));
    if (encoded.dropout > 0) tokens = at::dropout(tokens, encoded.dropout, true);
    outputs.scores[name_] = linear_->forward(tokens);
    if (transitions_.defined()) outputs.transitions[name_] = transitions_;
    if (const Tensor* lengths = encoded.lengths.find(input_)) outputs.lengths[name_] = *lengths;
  }

 private:
  std::string name_, input_;
  size_t at_;
  std::shared_ptr<Linear> linear_;
  Tensor transitions_;
};

class DenseHead final : public Head {
 public:
  DenseHead(const std::string& name, const Dense& of, const HeadPlace& place)
      : name_(name), input_(of.input), at_(place_of(name, of.input, place)) {
    const int64_t dims = place.shapes[at_].dims();
    if (dims < 2)
      throw config_error(fmt::format(
          "model: the head '{}' gives a score for each sample of an image, and '{}' is none", name,
          input_));
    conv_ = place.parent.register_module(
        name, std::make_shared<Conv>(dims, ConvOptions{.in = place.encoders[at_]->finest_width(),
                                                       .out = of.outputs,
                                                       .kernel = {1},
                                                       .bias = true,
                                                       .init = Init::uniform}));
  }

  void forward(const Encoded& encoded, Outputs& outputs) const override {
    const Features& features = encoded.features[at_];
    Tensor map = features.levels.empty() ? features.map : features.levels.front();
    if (!map.defined())
      throw config_error(
          fmt::format("model: the encoder of '{}' gives no feature map, which the head '{}' stands "
                      "on; encoders "
                      "of images do",
                      input_, name_));
    if (encoded.dropout > 0) map = at::dropout(map, encoded.dropout, true);
    const Tensor scores = conv_->forward(map);
    const auto size = encoded.inputs.at(input_).sizes().slice(2);
    outputs.scores[name_] = scores.sizes().slice(2) == size ? scores
                            : size.size() == 2
                                ? at::upsample_bilinear2d(scores, size, /*align_corners=*/false)
                                : at::upsample_trilinear3d(scores, size, /*align_corners=*/false);
  }

 private:
  std::string name_, input_;
  size_t at_;
  std::shared_ptr<Conv> conv_;
};

}  // namespace

std::unique_ptr<Head> make_head(const HeadSpec& spec, const HeadPlace& place) {
  struct Make {
    const std::string& name;
    const HeadPlace& place;
    std::unique_ptr<Head> operator()(const Pooled& of) const {
      return std::make_unique<PooledHead>(name, of, place);
    }
    std::unique_ptr<Head> operator()(const PerToken& of) const {
      return std::make_unique<TokenHead>(name, of, place);
    }
    std::unique_ptr<Head> operator()(const Dense& of) const {
      return std::make_unique<DenseHead>(name, of, place);
    }
  };
  return std::visit(Make{spec.name, place}, spec.of);
}

}  // namespace fovea::nn
