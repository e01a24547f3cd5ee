// One epoch of training: batches, and the optimizer steps that they make.
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <fmt/format.h>

#include <cmath>

#include "fovea/core/log.h"
#include "fovea/train/signals.h"
#include "fovea/train/trainer.h"

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

void accumulate(Tensor& sum, const Tensor& one) { sum = sum.defined() ? sum + one : one; }

}  // namespace

/// The batches of one optimizer step, so far.
struct Trainer::Step {
  std::vector<Tensor> weights;  // of all its batches together, where it has several
  Tensor loss;                  // a scalar
  Tensor parts;                 // as tasks::table_of gives them
  std::vector<std::string> ids;
};

void Trainer::train_epoch() {
  on_.model->train();
  optimizer_->zero_grad();
  std::vector<int64_t> order;
  if (options_.accumulate > 1) order = on_.training->order(epoch_);
  Step step;
  for (const Batch& batch : on_.training->epoch(epoch_, position_)) {
    const int64_t end =
        std::min((position_ / options_.accumulate + 1) * options_.accumulate, batches_);
    if (step.ids.empty()) {
      copy(buffers_, buffers_before_);
      if (position_ + 1 < end) step.weights = weights_of_batches(order, end);
    }
    learn(batch, step);
    ++position_;
    if (position_ != end) continue;

    advance(step);
    step = {};
    if (stop_requested()) {
      stopped_ = true;
      return;
    }
    const bool due = options_.checkpoint_every > 0 && step_ % options_.checkpoint_every == 0;
    if (due && position_ != batches_) save(false);
  }
}

/// What the sums of the batches from here to `end` are divided by, a scalar for each part of the loss.
std::vector<Tensor> Trainer::weights_of_batches(const std::vector<int64_t>& order,
                                                int64_t end) const {
  std::vector<Tensor> sums;
  for (int64_t position = position_; position < end; ++position) {
    const auto weights =
        on_.task->loss_weights(mixed(on_.training->targets(order, position), position));
    sums.resize(weights.size());
    for (size_t i = 0; i < weights.size(); ++i) accumulate(sums[i], weights[i]);
  }
  for (Tensor& sum : sums) sum = sum.to(on_.device);
  return sums;
}

Batch Trainer::mixed(Batch batch, int64_t position) const {
  if (!on_.mix) return batch;
  Random random(on_.seed, Purpose::batch, static_cast<uint64_t>(epoch_),
                static_cast<uint64_t>(position));
  return on_.mix(std::move(batch), random);
}

/// Forward and backward of one batch of a step.
void Trainer::learn(const Batch& loaded, Step& step) {
  const auto number = static_cast<uint64_t>(epoch_ * batches_ + position_);
  seed_torch(Random(on_.seed, Purpose::dropout, 0, number).seed64(), on_.device);
  const Batch batch = mixed(prepared(loaded, on_.device, options_.channels_last), position_);
  tasks::LossSums parts;
  {
    const Autocast autocast(on_.device, precision_);
    parts = on_.task->loss(on_.model->forward(batch.inputs, batch.lengths, batch.present), batch);
  }
  const Tensor loss = tasks::loss_of(parts, step.weights);
  (scaler_ ? scaler_->scaled(loss) : loss).backward();
  accumulate(step.loss, loss.detach());
  const Tensor table = tasks::table_of(parts);
  if (step.parts.defined())
    step.parts.slice(1, 0, 2) += table.slice(1, 0, 2);
  else
    step.parts = table;
  step.ids.insert(step.ids.end(), batch.ids.begin(), batch.ids.end());
}

/// One optimizer step. The device decides whether it is applied; the host learns of it, together
/// with the loss, by the only wait of the step.
void Trainer::advance(Step& step) {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> gradients = optimizer_->gradients();
  const Tensor overflowed = scaler_ ? scaler_->unscale(gradients) : torch::zeros_like(step.loss);
  const Tensor norm = norm_of(gradients);
  const Tensor skip = (step.loss + norm).isfinite().logical_not().to(torch::kFloat);
  if (options_.clip_norm) clip(gradients, norm, *options_.clip_norm);
  lr_factor_ = schedule_->factor(step_);
  optimizer_->step(lr_factor_, skip);
  if (scaler_) scaler_->update(overflowed);
  const Tensor scalars = at::stack({step.loss, norm, overflowed}).to(torch::kDouble);
  const Tensor seen = at::cat({scalars, step.parts.flatten()}).cpu();
  optimizer_->zero_grad();

  const double* values = seen.const_data_ptr<double>();
  const bool applied = std::isfinite(values[0] + values[1]);
  if (!applied) {
    check_finite(values[0], values[1], values[2] != 0, step.ids);
    copy(buffers_before_, buffers_);  // the forward pass has moved the normalization statistics
  }
  if (applied) {
    skipped_in_a_row_ = 0;
    if (average_) average_->update();
    epoch_loss_.add(seen.slice(0, 3).view({-1, 3}));
  }
  ++step_;
  const StepReport report{.epoch = epoch_,
                          .step = step_,
                          .position = position_,
                          .batches = batches_,
                          .cases = static_cast<int64_t>(step.ids.size()),
                          .loss = values[0],
                          .gradient_norm = values[1],
                          .epoch_loss = epoch_loss_.value(),
                          .lr = optimizer_->lr() * lr_factor_,
                          .applied = applied};
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
  throw data_error(
      fmt::format("training: the numbers are not finite ({}); {}", what,
                  saved_step_ >= 0
                      ? fmt::format("the last good checkpoint is that of step {}", saved_step_)
                      : "there is no checkpoint yet"),
      options_.non_finite == "skip"
          ? fmt::format("{} steps in a row were skipped already: lower the learning rate, set "
                        "TrainOptions::clip_norm, or look at these cases",
                        skipped_in_a_row_ - 1)
          : "lower the learning rate, set TrainOptions::clip_norm, look at these cases, or take "
            "skip "
            "for TrainOptions::non_finite");
}

}  // namespace fovea::train
