// How a model is trained: the section `train` of a configuration.
#pragma once

#include "fovea/data/loader.h"
#include "fovea/train/optimizers.h"
#include "fovea/train/schedules.h"

namespace fovea::train {

struct TrainOptions {
  int64_t epochs = 30;
  int64_t batch_size = 32;
  OptimizerChoice optimizer;
  ScheduleChoice schedule;
  double encoder_lr = 1;              ///< of the encoders, as a share of the heads'
  std::string precision = "auto";     ///< auto, fp32, bf16, fp16
  std::optional<double> clip_norm;    ///< of all gradients together
  int64_t accumulate = 1;             ///< batches per optimizer step
  std::optional<double> ema;          ///< decay of the average of the weights
  std::optional<std::string> best;    ///< the metric that chooses the best model
  std::optional<int64_t> stop_after;  ///< epochs without an improvement
  bool balanced = false;              ///< draw cases so that classes are equally frequent
  std::string non_finite = "stop";    ///< or skip
  int64_t max_skipped_steps = 10;     ///< in a row
  bool channels_last = true;
  int64_t checkpoint_every = 0;  ///< steps; 0: at the end of each epoch only
  int64_t threads = 0;           ///< for computing; 0: one per core
  int64_t loader_threads = -1;
  int64_t loader_mb = 1024;  ///< of batches that wait, in 2^20 bytes

  void describe(Fields& f);
};

/// How the loaders of a run are set up: shuffled and perhaps balanced for training, in order for
/// evaluation. `overlap`: read while the model computes, which pays on a GPU; on the processor the
/// two would take the cores from each other.
LoaderOptions training_loader(const TrainOptions& options, uint64_t seed, bool overlap = false);
LoaderOptions evaluation_loader(const TrainOptions& options, bool overlap = false);

/// The threads LibTorch computes with from now on: `threads`, or one per core where 0. Returns the
/// number.
int64_t use_threads(int64_t threads);

}  // namespace fovea::train
