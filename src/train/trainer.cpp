#include "fovea/train/trainer.h"

#include <fmt/format.h>

#include <cmath>

#include "fovea/core/log.h"
#include "fovea/nn/inference.h"
#include "fovea/storage/file.h"
#include "fovea/train/evaluate.h"
#include "fovea/train/memory.h"
#include "fovea/train/signals.h"

namespace fovea::train {
namespace {

using torch::Tensor;

constexpr size_t kIdsShown = 8;

const tasks::NamedMetric& metric_named(const std::vector<tasks::NamedMetric>& metrics,
                                       const std::string& name) {
  const auto found = std::ranges::find(metrics, name, &tasks::NamedMetric::name);
  if (found != metrics.end()) return *found;
  std::vector<std::string> known;
  for (const auto& metric : metrics) known.push_back(metric.name);
  const std::string near = nearest(name, known);
  throw config_error(
      fmt::format("TrainOptions::best: found '{}', which is not a metric of this task", name),
      (near.empty() ? "" : "did you mean '" + near + "'? ") + "known: " + join(known));
}

/// "normal (100 cases)"
std::string stratum(const std::vector<TargetSpec>& targets, int64_t index, int64_t cases) {
  std::string name = fmt::format("class {}", index);
  if (index < 0)
    name = "not known";
  else if (!targets.empty() && index < std::ssize(targets[0].classes))
    name = targets[0].classes[static_cast<size_t>(index)];
  else if (!targets.empty())
    name = "none of the labels";
  return fmt::format("{} ({} cases)", name, cases);
}

}  // namespace

Trainer::Trainer(Training training, TrainOptions options)
    : on_(std::move(training)),
      options_(std::move(options)),
      precision_(choose_precision(options_.precision, on_.device)),
      batches_(on_.training->batches()),
      steps_per_epoch_((batches_ + options_.accumulate - 1) / options_.accumulate) {
  if (batches_ == 0) throw data_error("training: the training data has no case");
  if (options_.stop_after && !on_.validation)
    throw config_error(
        "TrainOptions::stop_after: early stopping needs validation data, and this run has none");
  if (options_.best && !on_.validation)
    throw config_error(
        "TrainOptions::best: choosing by a metric needs validation data, and this run has none");
  if (on_.validation) {
    const auto metrics = on_.task->metrics();
    const auto& metric = options_.best ? metric_named(metrics, *options_.best) : metrics.at(0);
    best_metric_ = metric.name;
    goal_ = metric.goal;
  }
  within_memory([&] { return memory_use(); }, [&] { on_.model->to(on_.device); });
  if (options_.channels_last) nn::channels_last(*on_.model);
  optimizer_ = options_.optimizer.make(parameter_groups(*on_.model, options_.encoder_lr));
  schedule_ = options_.schedule.make({steps_per_epoch_, options_.epochs});
  if (precision_ == Precision::fp16) scaler_.emplace(on_.device);
  if (options_.ema) average_.emplace(*on_.model, *options_.ema);
  if (scaler_ || options_.non_finite == "skip") {
    buffers_ = on_.model->buffers();
    for (const Tensor& buffer : buffers_) buffers_before_.push_back(buffer.clone());
  }
}

Trainer::~Trainer() = default;

MemoryUse Trainer::memory_use() const {
  return {
      .device = on_.device,
      .batch_size = options_.batch_size,
      .parameters = parameter_count(*on_.model),
      .remedy = fmt::format(
          "lower TrainOptions::batch_size, and multiply TrainOptions::accumulate ({}) by as much: "
          "a "
          "step then sees as many cases as before; or take smaller images, a smaller model, "
          "TrainOptions::precision bf16{}",
          options_.accumulate,
          saved_step_ >= 0 ? fmt::format(". The checkpoint of step {} is kept", saved_step_) : ""),
      .at = fmt::format("step {}", step_ + 1),
      .go_on = run_ && saved_step_ >= 0
                   ? fmt::format("go on from the checkpoint {} (Opening::resume)",
                                 storage::shown(run_->checkpoint(saved_step_)))
                   : "start again: there is no checkpoint"};
}

std::vector<std::string> Trainer::notes() const {
  std::vector<std::string> all = on_.task->notes();
  if (on_.training->joined() > 0)
    all.push_back(
        fmt::format("{} training cases in batches of {}: the last one would be alone and "
                    "joins the batch before",
                    on_.training->examples(), options_.batch_size));
  if (!options_.balanced) return all;
  std::vector<std::string> each;
  for (const auto& [index, cases] : on_.training->strata())
    each.push_back(stratum(on_.training->data().schema().targets, index, cases));
  all.push_back(fmt::format("balanced: an epoch draws {} cases, as many of each of {}",
                            on_.training->examples(), join(each, ", ", 20)));
  return all;
}

Result Trainer::fit(std::vector<Callback*> callbacks, RunFolder* run) {
  callbacks_ = std::move(callbacks);
  run_ = run;
  if (run_)
    if (auto checkpoint = run_->resume()) {
      restore(std::move(*checkpoint));
      saved_step_ = step_;
      saved_at_end_ = position_ == 0;
    }
  for (Callback* callback : callbacks_)
    callback->on_start({options_.epochs, steps_per_epoch_, epoch_, step_, on_.training->examples(),
                        on_.device, precision_, saved_step_ >= 0});
  if (run_ && !over()) run_->check_space(snapshot(), storage::free_bytes(run_->path()));
  const auto use = [this] { return memory_use(); };
  within_memory(use, [this] {
    while (!over()) {
      try {
        train_epoch();
        if (!stopped_) end_epoch();
      } catch (Error& error) {
        error.add_place_once(fmt::format("epoch {}", epoch_ + 1));
        throw;
      }
    }
  });
  if (stopped_) save(false);
  const Result end = result();
  if (stopped_) request_stop(0);  // obeyed: what comes after in this process is not meant
  for (Callback* callback : callbacks_) callback->on_stop(end);
  return end;
}

void Trainer::end_epoch() {
  EpochReport report{.epoch = epoch_ + 1,
                     .step = step_,
                     .train_loss = epoch_loss_.value(),
                     .lr = optimizer_->lr() * lr_factor_,
                     .metrics = {},
                     .best_metric = best_metric_,
                     .improved = true};
  if (on_.validation) {
    const Averaged averaged(average_ ? &*average_ : nullptr);
    const auto evaluation = evaluate(*on_.model, *on_.task, *on_.validation,
                                     {.device = on_.device,
                                      .precision = precision_,
                                      .channels_last = options_.channels_last,
                                      .progress = {},
                                      .stop = stop_requested});
    if (!evaluation) {
      stopped_ = true;
      return;
    }
    report.metrics = evaluation->metrics();
    report.improved = choose_best(*evaluation);
  } else {
    best_epoch_ = better_epoch_ = epoch_ + 1;
    best_step_ = step_;
  }
  ++epoch_;
  position_ = 0;
  epoch_loss_ = {};
  for (Callback* callback : callbacks_) callback->on_epoch(report);
  save(report.improved);
  if (stop_requested()) stopped_ = !over();
}

/// An undefined metric chooses nothing, nor does one that is not about all cases.
bool Trainer::choose_best(const tasks::Evaluation& evaluation) {
  const std::vector<tasks::NamedMetric> metrics = evaluation.metrics();
  const tasks::NamedMetric& metric = metric_named(metrics, best_metric_);
  if (const std::vector<std::string> failed = evaluation.failed(); !failed.empty()) {
    log_warning(fmt::format(
        "epoch {}: the outputs of {} validation cases are not finite ({}), so this epoch cannot be "
        "the best",
        epoch_ + 1, failed.size(), join(failed, ", ", kIdsShown)));
    return false;
  }
  if (!metric.why_undefined.empty()) {
    log_warning(fmt::format("epoch {}: {} is undefined ({}), so this epoch cannot be the best",
                            epoch_ + 1, metric.name, metric.why_undefined));
    return false;
  }
  schedule_->observe(metric.value, goal_);
  const double loss = metric_named(metrics, "loss").value;
  const bool better = !best_seen_ || goal_.better(metric.value, best_);
  const bool tie = best_seen_ && !goal_.better(best_, metric.value);
  if (better) better_epoch_ = epoch_ + 1;
  if (!better && !(tie && loss < best_loss_)) return false;
  best_seen_ = true;
  best_ = metric.value;
  best_loss_ = loss;
  best_epoch_ = epoch_ + 1;
  best_step_ = step_;
  return true;
}

void Trainer::save(bool best) {
  if (!run_ || (saved_step_ == step_ && saved_at_end_ == (position_ == 0))) return;
  run_->save(snapshot(), best);
  saved_step_ = step_;
  saved_at_end_ = position_ == 0;
}

bool Trainer::over() const {
  const bool early = options_.stop_after && epoch_ - better_epoch_ >= *options_.stop_after;
  return stopped_ || epoch_ >= options_.epochs || (early && position_ == 0 && epoch_ > 0);
}

Result Trainer::result() const {
  Result end{.epochs = epoch_,
             .steps = step_,
             .best_metric = best_metric_,
             .best = {},
             .best_epoch = best_epoch_,
             .best_step = best_step_};
  if (best_seen_) end.best = best_;
  if (stopped_) {
    end.end = Result::End::stopped;
    end.reason = "stopped by " + stop_reason();
    if (run_) end.checkpoint = run_->checkpoint(saved_step_);
    end.seconds_to_stop = seconds_since_request();
  } else if (epoch_ < options_.epochs) {
    end.end = Result::End::early;
    end.reason =
        fmt::format("{} did not improve for {} epochs", best_metric_, epoch_ - better_epoch_);
  } else {
    end.reason = fmt::format("{} epochs", epoch_);
  }
  return end;
}

Checkpoint Trainer::snapshot() {
  Checkpoint checkpoint{.step = step_, .model = {}, .state = {}};
  {
    const Averaged averaged(average_ ? &*average_ : nullptr);
    for (const auto& [name, tensor] : nn::state(*on_.model))
      checkpoint.model.emplace_back(name, tensor.detach());
  }
  state(checkpoint.state);
  return checkpoint;
}

/// With an average the model of a checkpoint is the average, and the weights it goes on from are in
/// the state.
void Trainer::restore(Checkpoint checkpoint) {
  const torch::NoGradGuard no_grad;
  State model;
  for (auto& [name, tensor] : checkpoint.model) model.tensors[name] = std::move(tensor);
  model = State(std::move(model.tensors), {});
  {
    const Averaged averaged(average_ ? &*average_ : nullptr);
    for (const auto& [name, tensor] : nn::state(*on_.model)) model(name, tensor);
  }
  state(checkpoint.state);
}

void Trainer::state_of_loss(State& s) {
  if (!s.restoring()) {
    if (epoch_loss_.table().defined()) s("epoch_loss", epoch_loss_.table());
    return;
  }
  epoch_loss_ = {};
  if (const Tensor* saved = s.saved("epoch_loss")) epoch_loss_ = tasks::LossMean(*saved);
  // Up to version 0.1 the losses were weighted by cases, of all targets together: with one target its
  // sum goes on, with several the loss of that epoch is over the cases that come.
  if (!s.has("loss_sum") || on_.task->heads().size() != 1) return;
  double sum = 0, cases = 0;
  s("loss_sum", sum);
  s("cases", cases);
  if (cases > 0) epoch_loss_ = tasks::LossMean(torch::tensor({{sum, cases, 1.0}}, torch::kDouble));
}

void Trainer::state(State& s) {
  s("epoch", epoch_);
  s("step", step_);
  s("position", position_);
  state_of_loss(s);
  s("lr_factor", lr_factor_);
  s("skipped", skipped_);
  s("skipped_in_a_row", skipped_in_a_row_);
  s("overflows", overflows_);
  s("best", best_);
  s("best_seen", best_seen_);
  s("best_epoch", best_epoch_);
  s("best_step", best_step_);
  if (s.has("better_epoch")) {
    s("better_epoch", better_epoch_);
    s("best_loss", best_loss_);
  } else {
    better_epoch_ = best_epoch_;
    best_loss_ = -INFINITY;  // not known, and then the first of equals stays
  }
  s.part("optimizer", *optimizer_);
  s.part("schedule", *schedule_);
  if (scaler_) s.part("scaler", *scaler_);
  if (!average_) return;
  s.part("average", *average_);
  for (const auto& [name, tensor] : nn::state(*on_.model)) s("weights." + name, tensor);
}

}  // namespace fovea::train
