#include "fovea/train/options.h"

#include <ATen/Parallel.h>

#include "fovea/core/threads.h"

namespace fovea::train {

void TrainOptions::describe(Fields& f) {
  f("epochs", epochs, "passes over the training data").above(0);
  f("batch_size", batch_size, "cases per batch").above(0);
  f("optimizer", optimizer, "the optimizer and its learning rate");
  f("schedule", schedule, "of the learning rate over the run");
  f("encoder_lr", encoder_lr, "learning rate of the encoders as a fraction of that of the heads")
      .at_least(0);
  f("precision", precision, "auto: bf16 where the device supports it, else fp32; fp16: on GPUs")
      .one_of({"auto", "fp32", "bf16", "fp16"});
  f("clip_norm", clip_norm, "largest global norm of the gradients; null: no limit").above(0);
  f("accumulate", accumulate, "batches whose gradients are accumulated for one step").above(0);
  f("ema", ema, "decay of a moving average of the weights, which then is the model; null: none")
      .above(0)
      .below(1);
  f("best", best,
    "the validation metric that selects the best model; null: the main metric of the task");
  f("stop_after", stop_after, "epochs without improvement after which training ends").above(0);
  f("balanced", balanced, "draw cases so that every class is equally frequent");
  f("non_finite", non_finite,
    "what happens when a loss or gradient is not finite: stop the run or skip the step")
      .one_of({"stop", "skip"});
  f("max_skipped_steps", max_skipped_steps,
    "steps that may be skipped in a row; one more stops the run")
      .at_least(0);
  f("channels_last", channels_last, "channels-last memory layout of images and convolutions");
  f("checkpoint_every", checkpoint_every,
    "steps between checkpoints; 0: only at the end of each epoch")
      .at_least(0)
      .cosmetic();
  f("threads", threads, "threads for computing; 0: one per core").at_least(0);
  f("loader_threads", loader_threads,
    "threads that load and transform cases; 0: no extra threads, -1: one per core")
      .at_least(-1)
      .cosmetic();
  f("loader_mb", loader_mb,
    "memory for loaded cases that wait for the model, in MiB; no case may need more")
      .between(1, 1 << 20)
      .cosmetic();
}

namespace {

LoaderOptions common_loader(const TrainOptions& options, bool overlap) {
  LoaderOptions loader;
  loader.batch_size = options.batch_size;
  loader.threads = options.loader_threads;
  loader.queue_bytes = options.loader_mb << 20;
  loader.overlap = overlap;
  return loader;
}

}  // namespace

LoaderOptions training_loader(const TrainOptions& options, uint64_t seed, bool overlap) {
  LoaderOptions loader = common_loader(options, overlap);
  loader.least = 2;  // one case alone has no statistics for batch normalization
  loader.shuffle = true;
  loader.balanced = options.balanced;
  loader.seed = seed;
  return loader;
}

LoaderOptions evaluation_loader(const TrainOptions& options, bool overlap) {
  return common_loader(options, overlap);
}

int64_t use_threads(int64_t threads) {
  if (threads == 0) threads = processors();
  at::set_num_threads(static_cast<int>(threads));
  return threads;
}

}  // namespace fovea::train
