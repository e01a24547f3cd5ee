// How the parts of a run are put together from its settings.
#pragma once

#include <optional>

#include "fovea/bundle/card.h"
#include "fovea/config/run_config.h"
#include "fovea/sources/source.h"
#include "fovea/train/trainer.h"

namespace fovea::bundle {

/// The card of a new run. Images are as large as the first training case after the evaluation
/// transforms.
ModelCard make_card(const config::RunConfig& config, const sources::Source& source);

tasks::TaskPtr make_task(const config::RunConfig& config, const ModelCard& card);

/// With the weights that training begins with.
std::shared_ptr<nn::Model> make_model(const config::RunConfig& config, const ModelCard& card,
                                      const tasks::Task& task);

/// The section `data` without the inputs that no encoder reads: nothing is decoded in vain.
sources::DataOptions data_in_use(const config::RunConfig& config);

/// Applies `steps` to every image that the model reads; other inputs stay as they are.
ExampleTransform make_pipeline(const config::RunConfig& config,
                               const std::vector<transforms::TransformChoice>& steps,
                               const std::vector<TargetSpec>& targets = {});

/// The loader that evaluates one split of a source with a config.
Loader evaluation_loader(const config::RunConfig& config, DatasetPtr data,
                         const torch::Device& device);

/// What a training run is made of. Whatever its settings do not allow is refused here, before the
/// first step. `source` must outlive it.
struct Training {
  Training(const config::RunConfig& config, const sources::Source& source,
           const torch::Device& device);
  Training(const Training&) = delete;  // the trainer knows where the loaders are
  Training& operator=(const Training&) = delete;

  ModelCard card;
  tasks::TaskPtr task;
  std::shared_ptr<nn::Model> model;
  Loader cases;
  std::optional<Loader> validation;
  train::Trainer trainer;
};

}  // namespace fovea::bundle
