#include "fovea/bundle/freeze.h"

#include <algorithm>

#include "fovea/bundle/drift.h"
#include "fovea/train/evaluate.h"

namespace fovea::bundle {
namespace {

constexpr const char* kValidation = "val";

/// False where it was stopped.
bool choose_points(Trained& trained, const sources::Source& source, const torch::Device& device,
                   const FreezeOptions& options) {
  if (source.cases(kValidation).empty()) return true;
  const tasks::TaskPtr task = make_task(trained.config, trained.card);
  if (task->evaluation()->choose_points(kValidation).empty()) return true;
  const auto model = make_model(trained, *task);
  model->to(device);
  const Loader loader = evaluation_loader(trained.config, source.part(kValidation), device);
  train::EvaluateOptions evaluate;
  evaluate.device = device;
  evaluate.progress = [&](const Batch& batch) {
    if (options.progress) options.progress(batch.size());
  };
  evaluate.stop = options.stop;
  const auto evaluation = train::evaluate(*model, *task, loader, evaluate);
  if (!evaluation) return false;
  for (tasks::ChosenPoints& chosen : evaluation->choose_points(kValidation)) {
    const auto target = std::ranges::find(trained.card.targets, chosen.target, &TargetSpec::name);
    target->points = std::move(chosen.points);
    target->more_points = std::move(chosen.more);
  }
  return true;
}

/// At most kProfiledCases of the training cases, evenly spaced.
std::vector<int64_t> some_training_cases(const sources::Source& source) {
  std::vector<int64_t> cases = source.cases("train"), some;
  const auto all = static_cast<int64_t>(cases.size());
  const int64_t wanted = std::min(all, kProfiledCases);
  for (int64_t k = 0; k < wanted; ++k) some.push_back(cases[static_cast<size_t>(k * all / wanted)]);
  return some;
}

/// False where it was stopped.
bool profile(Trained& trained, const sources::Source& source, const FreezeOptions& options) {
  const std::vector<int64_t> training = source.cases("train"), some = some_training_cases(source);
  trained.card.profile = profile_of(sources::known_quantities(source, training),
                                    sources::patients_of(*source.data, training));
  const sources::Measured measured(subset(source.data, some));
  for (int64_t i = 0; i < measured.size(); ++i) {
    if (options.stop && options.stop()) return false;
    measured.get(i);
    if (options.progress) options.progress(1);
  }
  std::ranges::move(profile_of(measured.quantities(), sources::patients_of(*source.data, some)),
                    std::back_inserter(trained.card.profile));
  return true;
}

}  // namespace

int64_t cases_to_freeze(const sources::Source& source) {
  return static_cast<int64_t>(source.cases(kValidation).size() +
                              some_training_cases(source).size());
}

bool freeze(const std::filesystem::path& run, const sources::Source& source,
            const torch::Device& device, const FreezeOptions& options) {
  Trained trained = open_trained(run);
  if (!choose_points(trained, source, device, options) || !profile(trained, source, options))
    return false;
  write_card(run / "model.json", trained.card);
  return true;
}

}  // namespace fovea::bundle
