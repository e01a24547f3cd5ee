#include "fovea/bundle/assemble.h"

#include <fmt/format.h>

#include <algorithm>

#include "fovea/nn/positions.h"

namespace fovea::bundle {
namespace {

std::function<Batch(Batch, Random&)> mixing(const config::RunConfig& config,
                                            const std::vector<TargetSpec>& targets) {
  if (config.transforms.batch.empty()) return {};
  std::vector<transforms::BatchTransformPtr> steps;
  for (const auto& choice : config.transforms.batch) steps.push_back(choice.make(targets));
  return [steps](Batch batch, Random& random) {
    for (const auto& step : steps) batch = step->apply(std::move(batch), random);
    return batch;
  };
}

}  // namespace

ModelCard make_card(const config::RunConfig& config, const sources::Source& source) {
  const DatasetPtr training = source.part("train");
  const ExampleTransform transform = make_pipeline(config, config.transforms.eval, source.targets);
  const auto sizes_of = [&](const std::string& name) {
    Random unused(0, Purpose::augment);
    for (int64_t i = 0; i < training->size(); ++i)
      if (Example one = training->get(i); one.inputs.contains(name))
        return transform(std::move(one), unused).inputs.at(name).sizes().vec();
    throw data_error(fmt::format("the input '{}': no training case has one; leave it out", name));
  };
  ModelCard card{.targets = source.targets};
  for (const std::string& name : nn::inputs_in_use(config.model)) {
    InputShape shape;
    for (const auto& [input_name, input] : source.inputs) {
      if (input_name != name) continue;
      shape = input->shape();
      if (Node fitted = input->fitted(); fitted.kind != Node::Kind::null)
        card.fitted.entries.emplace_back(name, std::move(fitted));
    }
    if (shape.sizes.empty()) shape.sizes = sizes_of(name);
    card.inputs.emplace_back(name, std::move(shape));
  }
  return card;
}

tasks::TaskPtr make_task(const config::RunConfig& config, const ModelCard& card) {
  return config.task.make(card.targets);
}

std::shared_ptr<nn::Model> make_model(const config::RunConfig& config, const ModelCard& card,
                                      const tasks::Task& task) {
  return std::make_shared<nn::Model>(config.model, card.inputs, task.heads(),
                                     static_cast<uint64_t>(config.seed));
}

sources::DataOptions data_in_use(const config::RunConfig& config) {
  sources::DataOptions data = config.data;
  if (config.model.encoders.empty()) return data;  // the model will complain of it
  for (const auto& [name, encoder] : config.model.encoders)
    if (const int64_t longest = nn::longest_input(encoder); longest > 0)
      data.longest[name] = longest;
  const std::vector<std::string> used = nn::inputs_in_use(config.model);
  std::erase_if(data.inputs.entries, [&](const auto& input) {
    return std::ranges::find(used, input.first) == used.end();
  });
  return data;
}

ExampleTransform make_pipeline(const config::RunConfig& config,
                               const std::vector<transforms::TransformChoice>& steps,
                               const std::vector<TargetSpec>& targets) {
  std::vector<ExampleTransform> each;
  for (const std::string& name : nn::inputs_in_use(config.model)) {
    const inputs::InputChoice* input = config.data.inputs.find(name);
    if (!input || input->make().image) each.push_back(transforms::pipeline(steps, name, targets));
  }
  if (each.size() == 1) return each[0];
  return [each](Example example, Random& random) {
    for (const ExampleTransform& apply : each) example = apply(std::move(example), random);
    return example;
  };
}

Loader evaluation_loader(const config::RunConfig& config, DatasetPtr data,
                         const torch::Device& device) {
  const ExampleTransform pipeline =
      make_pipeline(config, config.transforms.eval, data->schema().targets);
  return {std::move(data), pipeline, train::evaluation_loader(config.train, !device.is_cpu())};
}

Training::Training(const config::RunConfig& config, const sources::Source& source,
                   const torch::Device& device)
    : card(make_card(config, source)),
      task(make_task(config, card)),
      model(make_model(config, card, *task)),
      cases(source.part("train"), make_pipeline(config, config.transforms.train, source.targets),
            train::training_loader(config.train, static_cast<uint64_t>(config.seed),
                                   !device.is_cpu())),
      validation(source.cases("val").empty() ? std::nullopt
                                             : std::optional<Loader>(evaluation_loader(
                                                   config, source.part("val"), device))),
      trainer({.model = model,
               .task = task,
               .training = &cases,
               .validation = validation ? &*validation : nullptr,
               .device = device,
               .seed = static_cast<uint64_t>(config.seed),
               .mix = mixing(config, card.targets)},
              config.train) {}

}  // namespace fovea::bundle
