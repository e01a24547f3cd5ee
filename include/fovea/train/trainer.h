// Where data, model and task meet: the training loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "fovea/data/loader.h"
#include "fovea/nn/model.h"
#include "fovea/tasks/task.h"
#include "fovea/train/grad_scaler.h"
#include "fovea/train/memory.h"
#include "fovea/train/options.h"
#include "fovea/train/precision.h"
#include "fovea/train/run_folder.h"
#include "fovea/train/weight_average.h"

namespace fovea::train {

/// After each optimizer step.
struct StepReport {
  int64_t epoch, step;         ///< from 0 on
  int64_t position, batches;   ///< in the epoch: batches behind us, and all
  int64_t cases;               ///< in this step
  double loss, gradient_norm;  ///< before clipping
  double lr;                   ///< of the heads
  bool applied;                ///< false where the gradients were not finite
};

/// After each epoch.
struct EpochReport {
  int64_t epoch, step;  ///< completed
  double train_loss;    ///< mean over the cases, as they were met
  double lr;
  std::vector<tasks::NamedFigure> figures;  ///< of the validation data; empty without
  std::string best_figure;                  ///< the name of the one that chooses
  bool improved = false;
};

struct Result {
  enum class End {
    completed,
    early,    ///< no improvement for `stop_after` epochs
    stopped,  ///< by a signal: go on with --resume (exit code 75)
  };
  End end = End::completed;
  std::string reason;  ///< in words
  int64_t epochs = 0, steps = 0;
  std::string best_figure;  ///< "auc"
  std::optional<double> best;
  int64_t best_epoch = 0, best_step = 0;

  int exit_code() const { return end == End::stopped ? 75 : 0; }
};

/// What a run is about to do, resumed or not.
struct StartReport {
  int64_t epochs, steps_per_epoch, first_epoch, first_step, cases_per_epoch;
  torch::Device device;
  Precision precision;
  bool resumed;
};

/// Watches a run. Every function is empty by default.
class Callback {
 public:
  virtual ~Callback() = default;
  virtual void on_start(const StartReport&) {}
  virtual void on_step(const StepReport&) {}
  virtual void on_epoch(const EpochReport&) {}
  virtual void on_stop(const Result&) {}
};

/// What a run works on. The loaders outlive the trainer.
struct Training {
  std::shared_ptr<nn::Model> model;
  tasks::TaskPtr task;
  const Loader* training = nullptr;
  const Loader* validation = nullptr;  ///< null: no figures, and the last model is the best
  torch::Device device = torch::kCPU;
  uint64_t seed = 1;
  std::function<Batch(Batch, Random&)> mix = {};  ///< mixup and the like, on the device
};

/// Fits a model. The same seed, threads and machine give bit-identical weights on the CPU, whatever
/// the number of loader threads, resumed or not.
class Trainer {
 public:
  /// Moves the model to the device. A config Error where the options do not fit the task: an
  /// unknown figure in `best` is answered with the nearest.
  Trainer(Training training, TrainOptions options);
  ~Trainer();

  /// Trains to the end, to an early stop, or to a request to stop, from the newest checkpoint of
  /// `run` on where there is one. Without a run nothing is kept. A data Error where numbers become non-finite, with epoch, step, rate
  /// and the ids of the batch; a resources Error where the device's memory runs out.
  Result fit(std::vector<Callback*> callbacks = {}, RunFolder* run = nullptr);

  /// All that a run must remember, and back.
  Checkpoint snapshot();
  void restore(Checkpoint checkpoint);

 private:
  void train_epoch();
  torch::Tensor loss_of(const Batch& loaded, int64_t micro_batches);
  void advance(const torch::Tensor& loss, const std::vector<std::string>& ids);
  void check_finite(double loss, double norm, bool overflowed, const std::vector<std::string>& ids);
  void end_epoch();
  bool choose_best(const std::vector<tasks::NamedFigure>& figures);
  void save(bool best);
  bool over() const;
  MemoryUse memory_use() const;
  Result result() const;
  void state(State& s);
  friend class State;

  Training on_;
  TrainOptions options_;
  std::vector<Callback*> callbacks_;
  RunFolder* run_ = nullptr;
  Precision precision_;
  OptimizerPtr optimizer_;
  SchedulePtr schedule_;
  std::optional<GradScaler> scaler_;
  std::optional<WeightAverage> average_;
  std::string best_figure_;
  bool higher_is_better_ = true;
  int64_t batches_, steps_per_epoch_;
  std::vector<torch::Tensor> buffers_, buffers_before_;  // where a step may be taken back

  // Where the run is.
  int64_t epoch_ = 0, step_ = 0, position_ = 0;
  int64_t step_cases_ = 0;               // of the step under way
  double loss_sum_ = 0, lr_factor_ = 1;  // of the epoch
  int64_t cases_ = 0;
  int64_t skipped_ = 0, skipped_in_a_row_ = 0, overflows_ = 0;
  double best_ = 0;
  int64_t best_epoch_ = 0, best_step_ = 0;
  bool best_seen_ = false, stopped_ = false;
  int64_t saved_step_ = -1;  // that of the newest checkpoint, and whether it ended an epoch
  bool saved_at_end_ = false;
};

}  // namespace fovea::train
