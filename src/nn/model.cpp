#include "fovea/nn/model.h"

#include <fmt/format.h>
#include <torch/nn.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/weights.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

std::string shape_text(at::IntArrayRef sizes) {
  std::vector<std::string> sides;
  for (const int64_t side : sizes) sides.push_back(side < 0 ? "any" : std::to_string(side));
  return "[" + join(sides) + "]";
}

/// Checked here, once: what lies below may rely on it.
void check_input(const std::string& name, const Tensor& input, const InputShape& shape) {
  bool fits = input.dim() == static_cast<int64_t>(shape.sizes.size()) + 1;
  for (int64_t i = 1; fits && i < input.dim(); ++i)
    fits = i > 1 || shape.sizes[0] < 0 || input.size(1) == shape.sizes[0];
  if (!fits)
    throw config_error(fmt::format("model input '{}': found shape {}, wanted [N, {}", name,
                                   shape_text(input.sizes()), shape_text(shape.sizes).substr(1)));
  if (shape.vocabulary > 0) return;  // its encoder wants ids
  if (!input.is_floating_point() && shape.vocabulary == 0)
    throw config_error(fmt::format(
        "model input '{}': found {} values, wanted floating point; add a transform that scales "
        "the intensities",
        name, c10::toString(input.scalar_type())));
}

}  // namespace

void ModelOptions::describe(Fields& f) {
  f("encoders", encoders, "by input name: {image: {resnet: {depth: 18}}}").required();
  f("dropout", dropout, "on the features before the heads, while training").at_least(0).below(1);
  f("weights", weights,
    "safetensors to start from, of this program or of a torchvision or timm model; heads of "
    "another "
    "shape are left as drawn");
  f("freeze", freeze, "parameters whose name begins so are not trained: encoders.image.layer1");
}

Model::Model(const ModelOptions& options,
             const std::vector<std::pair<std::string, InputShape>>& inputs,
             const std::vector<HeadSpec>& heads, std::optional<uint64_t> seed)
    : dropout_(options.dropout) {
  auto encoders = register_module("encoders", std::make_shared<torch::nn::Module>());
  int64_t width = 0;
  for (const auto& [name, choice] : options.encoders) {
    const auto input = std::ranges::find(inputs, name, [](const auto& one) { return one.first; });
    if (input == inputs.end()) {
      std::vector<std::string> known;
      for (const auto& [input_name, shape] : inputs) known.push_back(input_name);
      throw config_error(fmt::format(
          "model: found an encoder for '{}', wanted one of the inputs: {}", name, join(known)));
    }
    if (name.empty() || name.find('.') != std::string::npos)
      throw config_error(
          fmt::format("model: found the input name '{}', wanted one without dots", name));
    EncoderPtr encoder =
        within("model: encoder of '" + name + "'", [&] { return choice.make(input->second); });
    encoders_.push_back(encoders->register_module(name, encoder));
    input_names_.push_back(name);
    shapes_.push_back(input->second);
    width += encoder->width();
  }
  if (encoders_.empty()) throw config_error("model: found no encoder, wanted one or more");

  auto parent = register_module("heads", std::make_shared<torch::nn::Module>());
  for (const HeadSpec& head : heads) {
    head_names_.push_back(head.name);
    heads_.push_back(
        parent->register_module(head.name, std::make_shared<Linear>(width, head.outputs)));
  }
  if (seed) {
    draw(*this, *seed);
    if (!options.weights.empty()) start_from(*this, options.weights);
  }
  freeze(options.freeze);
  train();
}

TensorMap Model::forward(const TensorMap& inputs, const TensorMap& lengths) {
  TensorMap outputs;
  std::vector<Tensor> pooled;
  for (size_t i = 0; i < encoders_.size(); ++i) {
    const std::string& name = input_names_[i];
    const Tensor& input = inputs.at(name);
    check_input(name, input, shapes_[i]);
    const Tensor length = lengths.contains(name) ? lengths.at(name) : Tensor();
    const Features features = encoders_[i]->encode(input, length);
    pooled.push_back(features.pooled);
    if (!is_training() && features.weights.defined())
      outputs["weights." + name] = features.weights.detach();
  }
  Tensor joined = pooled.size() == 1 ? pooled[0] : at::cat(pooled, 1);
  if (is_training() && dropout_ > 0) joined = at::dropout(joined, dropout_, true);
  for (size_t i = 0; i < heads_.size(); ++i) outputs[head_names_[i]] = heads_[i]->forward(joined);
  return outputs;
}

void Model::train(bool on) {
  torch::nn::Module::train(on);
  if (!on) return;
  for (const auto& module : modules(/*include_self=*/false)) {
    const auto parameters = module->parameters();
    if (!parameters.empty() &&
        std::ranges::none_of(parameters, [](const Tensor& p) { return p.requires_grad(); }))
      module->eval();
  }
}

Encoder& Model::encoder(std::string_view name) const {
  const auto found = std::ranges::find(input_names_, name);
  if (found == input_names_.end())
    throw config_error(
        fmt::format("model: found no encoder '{}', known: {}", name, join(input_names_)));
  return *encoders_[found - input_names_.begin()];
}

void Model::freeze(const std::vector<std::string>& prefixes) {
  auto parameters = named_parameters();
  for (const std::string& prefix : prefixes) {
    bool found = false;
    for (auto& item : parameters) {
      if (!item.key().starts_with(prefix)) continue;
      item.value().set_requires_grad(false);
      found = true;
    }
    if (!found)
      throw config_error(fmt::format(
          "model.freeze: found no parameter whose name begins with '{}'; names look like '{}'",
          prefix, parameters.begin()->key()));
  }
}

}  // namespace fovea::nn
