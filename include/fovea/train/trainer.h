// Where data, model and task meet: the training loop.
#pragma once

#include <cmath>
#include <filesystem>
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
  double epoch_loss;           ///< over the cases of the epoch so far, as they were met
  double lr;                   ///< of the heads
  bool applied;                ///< false where the gradients were not finite
};

/// After each epoch.
struct EpochReport {
  int64_t epoch, step;  ///< completed
  double train_loss;    ///< over the cases, as they were met
  double lr;
  std::vector<tasks::NamedMetric> metrics;  ///< of the validation data; empty without
  std::string best_metric;                  ///< the name of the one that chooses
  bool improved = false;                    ///< the best so far
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
  std::string best_metric;  ///< "auc"
  std::optional<double> best;
  int64_t best_epoch = 0, best_step = 0;
  std::filesystem::path checkpoint = {};  ///< where it was stopped: the one to go on from,
  double seconds_to_stop = 0;             ///< complete so long after the request

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
  const Loader* validation = nullptr;  ///< null: no metrics, and the last model is the best
  torch::Device device = torch::kCPU;
  uint64_t seed = 1;
  /// Mixup and the like, on the device: a function of the batch and the draws. Where several batches
  /// make a step it is first asked about the targets alone (a batch without inputs), because they
  /// decide what the loss is divided by.
  std::function<Batch(Batch, Random&)> mix = {};
};

/// Fits a model. A step of several batches (`accumulate`) is that of one batch of all their cases,
/// whatever the task and its losses; but for batch normalization, which knows one batch at a time.
///
/// The model with the best value of the metric is kept, of equal values that of the lowest loss.
/// Early stopping counts the epochs since the metric itself improved. An epoch whose metric is
/// undefined, or whose outputs were not finite for every case, is never the best. The same seed,
/// threads and machine give bit-identical weights on the CPU, whatever the number of loader
/// threads, resumed or not.
class Trainer {
 public:
  /// Moves the model to the device. A config Error where the options do not fit the task: an
  /// unknown metric in `best` is answered with the nearest.
  Trainer(Training training, TrainOptions options);
  ~Trainer();

  /// What the run will do and its settings do not say: how cases are drawn and weighed, and what
  /// becomes of a last batch of one case.
  std::vector<std::string> notes() const;

  /// Trains to the end, to an early stop, or to a request to stop, from the newest checkpoint of
  /// `run` on where there is one. Without a run nothing is kept. A data Error where numbers become non-finite, with epoch, step, rate
  /// and the ids of the batch; a resources Error where the device's memory runs out.
  Result fit(std::vector<Callback*> callbacks = {}, RunFolder* run = nullptr);

  /// All that a run must remember, and back.
  Checkpoint snapshot();
  void restore(Checkpoint checkpoint);

 private:
  struct Step;
  void train_epoch();
  std::vector<torch::Tensor> weights_of_batches(const std::vector<int64_t>& order,
                                                int64_t end) const;
  Batch mixed(Batch batch, int64_t position) const;
  void learn(const Batch& loaded, Step& step);
  void advance(Step& step);
  void check_finite(double loss, double norm, bool overflowed, const std::vector<std::string>& ids);
  void end_epoch();
  bool choose_best(const tasks::Evaluation& evaluation);
  void save(bool best);
  bool over() const;
  MemoryUse memory_use() const;
  Result result() const;
  void state(State& s);
  void state_of_loss(State& s);
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
  std::string best_metric_;
  metrics::Goal goal_;
  int64_t batches_, steps_per_epoch_;
  std::vector<torch::Tensor> buffers_, buffers_before_;  // where a step may be taken back

  // Where the run is.
  int64_t epoch_ = 0, step_ = 0, position_ = 0;
  double lr_factor_ = 1;
  tasks::LossMean epoch_loss_;
  int64_t skipped_ = 0, skipped_in_a_row_ = 0, overflows_ = 0;
  double best_ = 0, best_loss_ = INFINITY;
  int64_t best_epoch_ = 0, best_step_ = 0;
  int64_t better_epoch_ = 0;  // of the first that reached `best_`
  bool best_seen_ = false, stopped_ = false;
  int64_t saved_step_ = -1;  // that of the newest checkpoint, and whether it ended an epoch
  bool saved_at_end_ = false;
};

}  // namespace fovea::train
