// How the parts of a run are put together from a config, and found again on disk.
#pragma once

#include "fovea/config/run_config.h"
#include "fovea/deploy/predictor.h"
#include "fovea/sources/source.h"

namespace fovea::config {

/// What is needed beside config and weights to rebuild a model and its inputs: model.json.
struct ModelCard {
  std::vector<std::pair<std::string, InputShape>> inputs;  ///< by name
  Named<Node> learned;  ///< what the inputs learned from the training cases, by name
  std::vector<TargetSpec> targets;
};
void write_card(const std::filesystem::path& path, const ModelCard& card);
/// A data Error names what is missing or of the wrong kind.
ModelCard read_card(const std::filesystem::path& path);

/// The card of a new run. Pictures are as large as the first training case after the evaluation transforms.
ModelCard make_card(const RunConfig& config, const sources::Source& source);

tasks::TaskPtr make_task(const RunConfig& config, const ModelCard& card);
/// With drawn weights; with those of `weights` where it is not empty, and then nothing is drawn.
std::shared_ptr<nn::Model> make_model(const RunConfig& config, const ModelCard& card,
                                      const tasks::Task& task,
                                      const std::filesystem::path& weights = {});

/// The section `data` without the inputs that no encoder reads: nothing is decoded in vain.
sources::DataOptions data_in_use(const RunConfig& config);

/// Applies `steps` to every picture that the model reads; other inputs stay as they are.
ExampleTransform make_pipeline(const RunConfig& config,
                               const std::vector<transforms::TransformChoice>& steps);

/// The loader that evaluates one split of a source with a config.
Loader evaluation_loader(const RunConfig& config, DatasetPtr data, const torch::Device& device);

/// A run folder or a bundle on disk.
struct Trained {
  std::filesystem::path folder;
  std::filesystem::path weights;  ///< of the best checkpoint, or of the bundle
  RunConfig config;
  ModelCard card;
};
/// A data Error where the folder is neither. A run's best checkpoint is checked against its hashes.
Trained open_trained(const std::filesystem::path& folder);

Predictor make_predictor(const Trained& trained, const torch::Device& device);

}  // namespace fovea::config
