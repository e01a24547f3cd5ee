#include "fovea/bundle/operating_points.h"

#include <algorithm>

#include "fovea/train/evaluate.h"

namespace fovea::bundle {

bool choose_operating_points(const std::filesystem::path& run, const sources::Source& source,
                             const torch::Device& device,
                             const std::function<void(const Batch&)>& progress,
                             const std::function<bool()>& stop) {
  constexpr const char* kSplit = "val";
  if (source.cases(kSplit).empty()) return true;
  Trained trained = open_trained(run);
  const tasks::TaskPtr task = make_task(trained.config, trained.card);
  if (task->evaluation()->choose_points(kSplit).empty()) return true;
  const auto model = make_model(trained, *task);
  model->to(device);
  const Loader loader = evaluation_loader(trained.config, source.part(kSplit), device);
  train::EvaluateOptions options;
  options.device = device;
  options.progress = progress;
  options.stop = stop;
  const auto evaluation = train::evaluate(*model, *task, loader, options);
  if (!evaluation) return false;
  for (tasks::ChosenPoints& chosen : evaluation->choose_points(kSplit)) {
    const auto target = std::ranges::find(trained.card.targets, chosen.target, &TargetSpec::name);
    target->points = std::move(chosen.points);
    target->more_points = std::move(chosen.more);
  }
  write_card(run / "model.json", trained.card);
  return true;
}

}  // namespace fovea::bundle
