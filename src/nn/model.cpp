#include "fovea/nn/model.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <optional>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/sequence.h"
#include "fovea/nn/weights.h"
#include "nn/heads.h"

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

/// A vector per input that a case may lack, named as the input.
class Placeholders : public torch::nn::Module, public Initialized {
 public:
  Tensor add(const std::string& name, int64_t width) {
    return register_parameter(name, torch::empty({width}));
  }
  void initialize(at::Generator& generator) override {
    for (Tensor& one : parameters()) one.normal_(0, 0.02, generator);
  }
};

/// `some` [k, …] at the positions `rows` of N cases, zeros elsewhere.
Tensor among(const Tensor& some, const Tensor& rows, int64_t cases) {
  std::vector<int64_t> shape = some.sizes().vec();
  shape[0] = cases;
  return torch::zeros(shape, some.options()).index_copy(0, rows, some);
}

/// While it lives, batch normalizations go by their running statistics and leave them: of a single
/// case there are none.
class RunningStatistics {
 public:
  explicit RunningStatistics(const torch::nn::Module& module) {
    for (const auto& part : module.modules(/*include_self=*/false))
      if (auto norm = std::dynamic_pointer_cast<BatchNorm>(part); norm && norm->is_training()) {
        norm->train(false);
        norms_.push_back(std::move(norm));
      }
  }
  ~RunningStatistics() {
    for (const auto& norm : norms_) norm->train();
  }
  RunningStatistics(const RunningStatistics&) = delete;
  RunningStatistics& operator=(const RunningStatistics&) = delete;

 private:
  std::vector<std::shared_ptr<BatchNorm>> norms_;
};

/// Only some cases of a batch have the input: the features of those, zeros for the others.
Features encode_some(Encoder& encoder, const Tensor& input, const Tensor& lengths,
                     const Tensor& present) {
  const int64_t cases = input.size(0);
  const Tensor rows = present.nonzero().squeeze(1);
  if (rows.size(0) == cases) return encoder.encode(input, lengths);
  if (rows.size(0) == 0) return {};
  std::optional<RunningStatistics> alone;
  if (rows.size(0) == 1) alone.emplace(encoder);
  Features found = encoder.encode(input.index_select(0, rows),
                                  lengths.defined() ? lengths.index_select(0, rows) : Tensor());
  for (Tensor* part : {&found.map, &found.tokens, &found.pooled, &found.weights})
    if (part->defined()) *part = among(*part, rows, cases);
  for (Tensor& level : found.levels) level = among(level, rows, cases);
  return found;
}

}  // namespace

void ModelOptions::describe(Fields& f) {
  f("encoders", encoders, "by input name: {image: {resnet: {depth: 18}}}").required();
  f("without", without, "encoders that are left out, to see what their inputs add: [report]");
  f("fusion", fusion, "how several inputs are joined");
  f("input_dropout", input_dropout,
    "how often an input is dropped from a training case, so that the model learns to cope without "
    "it")
      .at_least(0)
      .below(1);
  f("dropout", dropout, "on the features before the heads, during training").at_least(0).below(1);
  f("weights", weights,
    "safetensors to start from, of this program or of a torchvision or timm model; heads of "
    "another shape keep their initial values");
  f("freeze", freeze,
    "parameters whose names begin with one of these are not trained: encoders.image.layer1");
}

std::vector<std::string> inputs_in_use(const ModelOptions& options) {
  std::vector<std::string> used, known;
  for (const auto& [name, choice] : options.encoders) {
    known.push_back(name);
    if (std::ranges::find(options.without, name) == options.without.end()) used.push_back(name);
  }
  for (const std::string& name : options.without)
    if (std::ranges::find(known, name) == known.end())
      throw config_error(fmt::format(
          "ModelOptions::without: found '{}', wanted one of the encoders: {}", name, join(known)));
  if (used.empty())
    throw config_error(known.empty()
                           ? "model: found no encoder, wanted one or more"
                           : "ModelOptions::without: no encoder is left, wanted one or more");
  return used;
}

Model::Model(const ModelOptions& options,
             const std::vector<std::pair<std::string, InputShape>>& inputs,
             const std::vector<HeadSpec>& heads, std::optional<uint64_t> seed)
    : input_names_(inputs_in_use(options)),
      input_dropout_(options.input_dropout),
      dropout_(options.dropout) {
  auto encoders = register_module("encoders", std::make_shared<torch::nn::Module>());
  auto placeholders = std::make_shared<Placeholders>();
  std::vector<PartWidths> widths;
  for (const std::string& name : input_names_) {
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
    const EncoderPtr encoder = encoders->register_module(
        name, within("model: encoder of '" + name + "'",
                     [&] { return options.encoders.find(name)->make(input->second); }));
    Reader& reader = readers_.emplace_back(Reader{name, input->second, encoder, {}});
    widths.push_back({encoder->width(), encoder->token_width()});
    if (reader.shape.optional || input_dropout_ > 0)
      reader.placeholder = placeholders->add(name, encoder->width());
  }
  if (!placeholders->parameters().empty()) register_module("placeholders", placeholders);
  if (input_dropout_ > 0 && readers_.size() == 1)
    throw config_error(
        "ModelOptions::input_dropout: there is one input, which cannot be taken away",
        "leave it out");

  fusion_ = register_module(
      "fusion", within("ModelOptions::fusion", [&] { return options.fusion.make(widths); }));
  const std::vector<int64_t> branches = fusion_->widths();
  const auto parent = register_module("heads", std::make_shared<torch::nn::Module>());
  std::vector<InputShape> shapes;
  std::vector<EncoderPtr> in_use;
  for (const Reader& reader : readers_) {
    shapes.push_back(reader.shape);
    in_use.push_back(reader.encoder);
  }
  for (const HeadSpec& spec : heads)
    heads_.push_back(make_head(spec, {input_names_, shapes, in_use, branches, *parent}));
  if (seed) {
    initialize(*this, *seed);
    if (!options.weights.empty()) start_from(*this, options.weights);
  }
  freeze(options.freeze);
  train();
}

Part Model::read(const Reader& reader, const TensorMap& inputs, const TensorMap& lengths,
                 const TensorMap& present, Features& features) const {
  const Tensor* here = present.find(reader.name);
  if (here && !reader.placeholder.defined() && !here->all().item<bool>())
    throw data_error(fmt::format(
        "model input '{}': {} cases lack it, and it was not optional when the model was trained",
        reader.name, here->logical_not().sum().item<int64_t>()));
  Part part;
  const bool any = inputs.contains(reader.name) || !here;
  if (any) {
    const Tensor& input = inputs.at(reader.name);
    check_input(reader.name, input, reader.shape);
    const Tensor length = lengths.contains(reader.name) ? lengths.at(reader.name) : Tensor();
    features = here ? encode_some(*reader.encoder, input, length, *here)
                    : reader.encoder->encode(input, length);
    part.tokens = features.tokens.defined() ? features.tokens
                  : features.map.defined()  ? positions(features.map)
                                            : Tensor();
    if (features.tokens.defined() && features.tokens.size(1) == input.size(1) && length.defined())
      part.mask = padding_of(reader.name, input, length).mask;
  }
  if (here) part.present = *here;
  part.pooled = features.pooled;
  if (reader.placeholder.defined() && !part.pooled.defined())
    part.pooled = reader.placeholder.unsqueeze(0).expand({here->size(0), -1});
  return part;
}

/// While training; at least one input is left of those that a case has.
void Model::take_away(std::vector<Part>& parts) const {
  const int64_t cases = parts[0].pooled.size(0);
  const auto count = std::ssize(parts);
  const auto device = parts[0].pooled.device();
  std::vector<Tensor> present;
  for (const Part& part : parts)
    present.push_back(part.present.defined()
                          ? part.present
                          : torch::ones({cases}, torch::dtype(torch::kBool).device(device)));
  const Tensor had = at::stack(present, 1);  // [N, inputs]
  const Tensor chance = torch::rand({cases, count}, torch::device(device));
  // The one with the largest draw among those that are there stays.
  const Tensor largest = chance.masked_fill(had.logical_not(), -1).argmax(1, /*keepdim=*/true);
  const Tensor kept = had.logical_and(
      chance.ge(input_dropout_).logical_or(torch::zeros_like(had).scatter(1, largest, true)));
  for (int64_t i = 0; i < count; ++i) parts[static_cast<size_t>(i)].present = kept.select(1, i);
}

Outputs Model::forward(const TensorMap& inputs, const TensorMap& lengths,
                       const TensorMap& present) {
  std::vector<Part> parts;
  std::vector<Features> features(readers_.size());
  for (size_t i = 0; i < readers_.size(); ++i)
    parts.push_back(read(readers_[i], inputs, lengths, present, features[i]));
  if (is_training() && input_dropout_ > 0) take_away(parts);
  for (size_t i = 0; i < parts.size(); ++i)
    if (parts[i].present.defined() && readers_[i].placeholder.defined())
      parts[i].pooled = at::where(parts[i].present.unsqueeze(1), parts[i].pooled,
                                  readers_[i].placeholder.to(parts[i].pooled.dtype()));
  std::vector<Tensor> joined = fusion_->join(parts);
  const double dropout = is_training() ? dropout_ : 0;
  for (Tensor& branch : joined)
    if (dropout > 0) branch = at::dropout(branch, dropout, true);
  const Encoded encoded{input_names_, parts, features, joined, inputs, lengths, dropout};
  Outputs outputs;
  for (const auto& head : heads_) head->forward(encoded, outputs);
  for (size_t i = 0; i < readers_.size() && !is_training(); ++i)
    if (features[i].weights.defined())
      outputs.weights[readers_[i].name] = features[i].weights.detach();
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
  const auto found = std::ranges::find(readers_, name, &Reader::name);
  if (found == readers_.end())
    throw config_error(
        fmt::format("model: found no encoder '{}', known: {}", name, join(input_names_)));
  return *found->encoder;
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
      throw config_error(
          fmt::format("ModelOptions::freeze: found no parameter whose name begins with '{}'; names "
                      "look like '{}'",
                      prefix, parameters.begin()->key()));
  }
}

}  // namespace fovea::nn
