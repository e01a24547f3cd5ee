#include "fovea/train/trainer.h"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
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

/// Of all gradients together, a float scalar on their device.
Tensor norm_of(const std::vector<Tensor>& gradients) {
  return at::stack(at::_foreach_norm(gradients)).norm();
}

void clip(std::vector<Tensor>& gradients, const Tensor& norm, double largest) {
  at::_foreach_mul_(gradients, (largest / (norm + 1e-6)).clamp_max(1));
}

void copy(const std::vector<Tensor>& from, std::vector<Tensor>& to) {
  const torch::NoGradGuard no_grad;
  if (!from.empty()) at::_foreach_copy_(to, from);
}

const tasks::NamedFigure& figure_named(const std::vector<tasks::NamedFigure>& figures,
                                       const std::string& name) {
  const auto found = std::ranges::find(figures, name, &tasks::NamedFigure::name);
  if (found != figures.end()) return *found;
  std::vector<std::string> known;
  for (const auto& figure : figures) known.push_back(figure.name);
  const std::string near = nearest(name, known);
  throw config_error(fmt::format("train.best: found '{}', no figure of this task{}; known: {}",
                                 name, near.empty() ? "" : "; did you mean '" + near + "'?",
                                 join(known)));
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
    throw config_error("train.stop_after: early stopping needs validation data; this run has none");
  if (options_.best && !on_.validation)
    throw config_error("train.best: choosing by a figure needs validation data; this run has none");
  if (on_.validation) {
    const auto figures = on_.task->figures();
    const auto& figure = options_.best ? figure_named(figures, *options_.best) : figures.at(0);
    best_figure_ = figure.name;
    higher_is_better_ = figure.higher_is_better;
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
          "lower train.batch_size, and multiply train.accumulate ({}) by as much: a step then "
          "sees as many cases as before; or take smaller pictures, a smaller model, "
          "train.precision bf16{}",
          options_.accumulate,
          saved_step_ >= 0 ? fmt::format(". The checkpoint of step {} is kept", saved_step_) : "")};
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
      train_epoch();
      if (!stopped_) end_epoch();
    }
  });
  if (stopped_) save(false);
  const Result end = result();
  for (Callback* callback : callbacks_) callback->on_stop(end);
  return end;
}

void Trainer::train_epoch() {
  on_.model->train();
  optimizer_->zero_grad();
  Tensor loss;  // of the step under way
  std::vector<std::string> ids;
  for (const Batch& batch : on_.training->epoch(epoch_, position_)) {
    const int64_t first = position_ / options_.accumulate * options_.accumulate;
    const int64_t micro_batches = std::min(options_.accumulate, batches_ - first);
    if (position_ == first) copy(buffers_, buffers_before_);
    const Tensor part = loss_of(batch, micro_batches);
    loss = loss.defined() ? loss + part : part;
    ids.insert(ids.end(), batch.ids.begin(), batch.ids.end());
    step_cases_ += batch.size();
    ++position_;
    if (position_ % options_.accumulate != 0 && position_ != batches_) continue;

    advance(loss, ids);
    loss.reset();
    ids.clear();
    if (stop_requested()) {
      stopped_ = true;
      return;
    }
    const bool due = options_.checkpoint_every > 0 && step_ % options_.checkpoint_every == 0;
    if (due && position_ != batches_) save(false);
  }
}

/// Forward and backward; returns this batch's part of the loss of the step.
Tensor Trainer::loss_of(const Batch& loaded, int64_t micro_batches) {
  const auto number = static_cast<uint64_t>(epoch_ * batches_ + position_);
  seed_torch(Random(on_.seed, Purpose::dropout, 0, number).seed64(), on_.device);
  Batch batch = prepared(loaded, on_.device, options_.channels_last);
  if (on_.mix) {
    Random random(on_.seed, Purpose::batch, static_cast<uint64_t>(epoch_),
                  static_cast<uint64_t>(position_));
    batch = on_.mix(std::move(batch), random);
  }
  Tensor loss;
  {
    const Autocast autocast(on_.device, precision_);
    loss = on_.task->loss(on_.model->forward(batch.inputs, batch.lengths, batch.present), batch);
  }
  if (micro_batches > 1) loss = loss / static_cast<double>(micro_batches);
  (scaler_ ? scaler_->scaled(loss) : loss).backward();
  return loss.detach();
}

/// One optimizer step. The device decides whether it is applied; the host learns of it, together
/// with the loss, by the only wait of the step.
void Trainer::advance(const Tensor& loss, const std::vector<std::string>& ids) {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> gradients = optimizer_->gradients();
  const Tensor overflowed = scaler_ ? scaler_->unscale(gradients) : torch::zeros_like(loss);
  const Tensor norm = norm_of(gradients);
  const Tensor skip = (loss + norm).isfinite().logical_not().to(torch::kFloat);
  if (options_.clip_norm) clip(gradients, norm, *options_.clip_norm);
  lr_factor_ = schedule_->factor(step_);
  optimizer_->step(lr_factor_, skip);
  if (scaler_) scaler_->update(overflowed);
  const Tensor seen = at::stack({loss, norm, overflowed}).to(torch::kCPU, torch::kDouble);
  optimizer_->zero_grad();

  const double* values = seen.const_data_ptr<double>();
  const bool applied = std::isfinite(values[0] + values[1]);
  if (!applied) {
    check_finite(values[0], values[1], values[2] != 0, ids);
    copy(buffers_before_, buffers_);  // the forward pass has moved the normalization statistics
  }
  if (applied) {
    skipped_in_a_row_ = 0;
    if (average_) average_->update();
    loss_sum_ += values[0] * static_cast<double>(step_cases_);
    cases_ += step_cases_;
  }
  ++step_;
  const StepReport report{epoch_,      step_,     position_, batches_,
                          step_cases_, values[0], values[1], optimizer_->lr() * lr_factor_,
                          applied};
  step_cases_ = 0;
  for (Callback* callback : callbacks_) callback->on_step(report);
}

/// Infinite gradients are the daily bread of the scaler; anything else is counted, or ends the run.
void Trainer::check_finite(double loss, double norm, bool overflowed,
                           const std::vector<std::string>& ids) {
  if (overflowed && std::isfinite(loss)) {
    ++overflows_;
    return;
  }
  ++skipped_;
  ++skipped_in_a_row_;
  const std::string what = fmt::format(
      "epoch {}, step {}, learning rate {}: loss {}, gradient norm {}; the batch: {}", epoch_ + 1,
      step_ + 1, number(optimizer_->lr() * lr_factor_), loss, norm, join(ids, ", ", kIdsShown));
  if (options_.non_finite == "skip" && skipped_in_a_row_ <= options_.max_skipped_steps) {
    log_warning("training: not finite, step skipped: " + what);
    return;
  }
  throw data_error(fmt::format(
      "training: the numbers are not finite ({}). {}. {}", what,
      saved_step_ >= 0 ? fmt::format("The last good checkpoint is that of step {}", saved_step_)
                       : "There is no checkpoint yet",
      options_.non_finite == "skip"
          ? fmt::format("{} steps in a row were skipped already", skipped_in_a_row_ - 1)
          : "Lower the learning rate, set train.clip_norm, look at these cases, or set "
            "train.non_finite: skip"));
}

void Trainer::end_epoch() {
  EpochReport report{.epoch = epoch_ + 1,
                     .step = step_,
                     .train_loss = cases_ > 0 ? loss_sum_ / static_cast<double>(cases_) : NAN,
                     .lr = optimizer_->lr() * lr_factor_,
                     .figures = {},
                     .best_figure = best_figure_,
                     .improved = true};
  if (on_.validation) {
    const Averaged averaged(average_ ? &*average_ : nullptr);
    const auto evaluation = evaluate(*on_.model, *on_.task, *on_.validation,
                                     {.device = on_.device,
                                      .precision = precision_,
                                      .channels_last = options_.channels_last,
                                      .progress = {}});
    if (!evaluation) {
      stopped_ = true;
      return;
    }
    report.figures = evaluation->figures();
    report.improved = choose_best(report.figures);
  } else {
    best_epoch_ = epoch_ + 1;
    best_step_ = step_;
  }
  ++epoch_;
  position_ = 0;
  loss_sum_ = 0;
  cases_ = 0;
  for (Callback* callback : callbacks_) callback->on_epoch(report);
  save(report.improved);
  if (stop_requested()) stopped_ = !over();
}

/// An undefined figure chooses nothing.
bool Trainer::choose_best(const std::vector<tasks::NamedFigure>& figures) {
  const tasks::NamedFigure& figure = figure_named(figures, best_figure_);
  if (!figure.why_undefined.empty()) {
    log_warning(fmt::format("epoch {}: {} is undefined ({}), so this epoch cannot be the best",
                            epoch_ + 1, figure.name, figure.why_undefined));
    return false;
  }
  schedule_->observe(figure.value, higher_is_better_);
  const bool better =
      !best_seen_ || (higher_is_better_ ? figure.value > best_ : figure.value < best_);
  if (!better) return false;
  best_seen_ = true;
  best_ = figure.value;
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
  const bool early = options_.stop_after && epoch_ - best_epoch_ >= *options_.stop_after;
  return stopped_ || epoch_ >= options_.epochs || (early && position_ == 0 && epoch_ > 0);
}

Result Trainer::result() const {
  Result end{.epochs = epoch_,
             .steps = step_,
             .best_figure = best_figure_,
             .best = {},
             .best_epoch = best_epoch_,
             .best_step = best_step_};
  if (best_seen_) end.best = best_;
  if (stopped_) {
    end.end = Result::End::stopped;
    end.reason = "stopped by " + stop_reason();
  } else if (epoch_ < options_.epochs) {
    end.end = Result::End::early;
    end.reason =
        fmt::format("{} did not improve for {} epochs", best_figure_, epoch_ - best_epoch_);
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

void Trainer::state(State& s) {
  s("epoch", epoch_);
  s("step", step_);
  s("position", position_);
  s("loss_sum", loss_sum_);
  s("cases", cases_);
  s("lr_factor", lr_factor_);
  s("skipped", skipped_);
  s("skipped_in_a_row", skipped_in_a_row_);
  s("overflows", overflows_);
  s("best", best_);
  s("best_seen", best_seen_);
  s("best_epoch", best_epoch_);
  s("best_step", best_step_);
  s.part("optimizer", *optimizer_);
  s.part("schedule", *schedule_);
  if (scaler_) s.part("scaler", *scaler_);
  if (!average_) return;
  s.part("average", *average_);
  for (const auto& [name, tensor] : nn::state(*on_.model)) s("weights." + name, tensor);
}

}  // namespace fovea::train
