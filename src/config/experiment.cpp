#include "fovea/config/experiment.h"

#include <future>

#include "fovea/config/load.h"
#include "fovea/config/yaml.h"
#include "fovea/deploy/parts.h"
#include "fovea/nn/inference.h"
#include "fovea/nn/weights.h"
#include "fovea/train/device.h"
#include "fovea/train/run_folder.h"

namespace fovea::config {

tasks::TaskPtr make_task(const RunConfig& config, const ModelCard& card) {
  return config.task.make(card.targets);
}

std::shared_ptr<nn::Model> make_model(const RunConfig& config, const ModelCard& card,
                                      const tasks::Task& task,
                                      const std::filesystem::path& weights) {
  nn::ModelOptions options = config.model;
  if (!weights.empty()) options.weights.clear();  // what training started from matters no more
  std::optional<uint64_t> seed;
  if (weights.empty()) seed = static_cast<uint64_t>(config.seed);
  auto model = std::make_shared<nn::Model>(options, card.inputs, task.heads(), seed);
  if (!weights.empty()) {
    // Two passes over the file, side by side: both wait for memory more than for a core.
    auto verified = std::async(std::launch::async, [&] { train::verify_weights(weights); });
    nn::load_weights(*model, weights);
    verified.get();
  }
  return model;
}

sources::DataOptions data_in_use(const RunConfig& config) {
  sources::DataOptions data = config.data;
  if (config.model.encoders.empty()) return data;  // the model will complain of it
  const std::vector<std::string> used = nn::inputs_in_use(config.model);
  std::erase_if(data.inputs.entries, [&](const auto& input) {
    return std::ranges::find(used, input.first) == used.end();
  });
  return data;
}

ExampleTransform make_pipeline(const RunConfig& config,
                               const std::vector<transforms::TransformChoice>& steps) {
  std::vector<ExampleTransform> each;
  for (const std::string& name : nn::inputs_in_use(config.model)) {
    const sources::InputChoice* input = config.data.inputs.find(name);
    if (!input || input->as<sources::ImageOptions>())
      each.push_back(transforms::pipeline(steps, name));
  }
  if (each.size() == 1) return each[0];
  return [each](Example example, Random& random) {
    for (const ExampleTransform& apply : each) example = apply(std::move(example), random);
    return example;
  };
}

Loader evaluation_loader(const RunConfig& config, DatasetPtr data, const torch::Device& device) {
  return {std::move(data), make_pipeline(config, config.transforms.eval),
          train::evaluation_loader(config.train, !device.is_cpu())};
}

Trained open_trained(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "model.json") ||
      !std::filesystem::exists(folder / "config.yaml"))
    throw data_error(folder.string() +
                     ": found no model.json and config.yaml; wanted a run folder that `fovea "
                     "train` wrote, or a bundle");
  const bool bundle = std::filesystem::exists(folder / "model.safetensors");
  Trained trained;
  trained.folder = folder;
  trained.weights = bundle ? folder / "model.safetensors" : train::trained_weights(folder);
  trained.config = read_config(folder / "config.yaml");
  trained.card = read_card(folder / "model.json");
  return trained;
}

Predictor make_predictor(const Trained& trained, const torch::Device& device) {
  auto parts = std::make_shared<Predictor::Parts>();
  parts->task = make_task(trained.config, trained.card);
  parts->model = make_model(trained.config, trained.card, *parts->task, trained.weights);
  parts->model->eval();
  nn::fuse_for_inference(*parts->model);
  parts->model->to(device);
  parts->inputs = trained.card.inputs;
  for (const auto& [name, input] : trained.config.data.inputs)
    if (const auto* text = input.as<sources::TextOptions>())
      if (const Node* learned = trained.card.learned.find(name))
        parts->words[name] = sources::trained_tokenizer(*text, *learned);
  parts->targets = trained.card.targets;
  parts->device = device;
  parts->transform = make_pipeline(trained.config, trained.config.transforms.eval);
  sources::CaseReader reader = sources::case_reader(data_in_use(trained.config), parts->words);
  parts->schema = std::move(reader.schema);
  parts->read = std::move(reader.read);
  return Predictor(std::move(parts));
}

}  // namespace fovea::config

namespace fovea {

Predictor load(const std::filesystem::path& run_or_bundle, const std::string& device) {
  const torch::Device there = train::choose_device(device);
  return config::make_predictor(config::open_trained(run_or_bundle), there);
}

}  // namespace fovea
