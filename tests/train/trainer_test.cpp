#include "fovea/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/core/log.h"
#include "fovea/train/optimizers/sgd.h"
#include "fovea/train/schedules/constant.h"
#include "fovea/train/signals.h"
#include "train/small_run.h"

namespace fovea::train {
namespace {

using testing::HasSubstr;
using torch::Tensor;

/// Remembers what it was told, and may act.
struct Recorder : Callback {
  std::vector<StepReport> steps;
  std::vector<EpochReport> epochs;
  std::function<void(const StepReport&)> at_step;
  void on_step(const StepReport& step) override {
    steps.push_back(step);
    if (at_step) at_step(step);
  }
  void on_epoch(const EpochReport& epoch) override { epochs.push_back(epoch); }
};

double value_of(const std::vector<tasks::NamedMetric>& metrics, const std::string& name) {
  return std::ranges::find(metrics, name, &tasks::NamedMetric::name)->value;
}

TEST(Trainer, LearnsToTellLeftFromRight) {
  SmallRun run;
  run.options.epochs = 6;
  Recorder recorder;
  const Result result = run.fit({&recorder});
  EXPECT_EQ(result.end, Result::End::completed);
  EXPECT_EQ(result.exit_code(), 0);
  EXPECT_EQ(result.best_metric, "auc");
  EXPECT_GT(*result.best, 0.95);
  EXPECT_LT(recorder.epochs.back().train_loss, recorder.epochs.front().train_loss);
  EXPECT_EQ(recorder.steps.size(), 30u);  // 40 cases, 8 in a batch, 6 epochs
}

TEST(Trainer, TheSameSeedGivesTheSameBitsWithAnyNumberOfLoaderThreads) {
  for (const char* precision : {"fp32", "bf16"}) {
    std::string first;
    for (const int64_t threads : {0, 0, 1, 4}) {
      SmallRun run;
      run.options.precision = precision;
      run.options.loader_threads = threads;
      run.fit();
      if (first.empty()) first = run.weights();
      EXPECT_TRUE(first == run.weights()) << precision << ", " << threads << " loader threads";
    }
    SmallRun other;
    other.options.precision = precision;
    other.seed = 4;
    other.fit();
    EXPECT_FALSE(first == other.weights()) << "another seed must give other weights";
  }
}

TEST(Trainer, DropoutDependsOnTheSeedAndNotOnWhoDrewBefore) {
  SmallRun one, two;
  one.fit();
  torch::rand({17});
  seed_torch(99, torch::kCPU);
  two.fit();
  EXPECT_TRUE(one.weights() == two.weights());
}

TEST(Trainer, AccumulatedBatchesMakeTheStepOfOneLargeBatch) {
  // A frozen encoder keeps its statistics, so that batches of any size see the same network.
  const auto step_of = [](int64_t batch_size, int64_t accumulate) {
    SmallRun run;
    run.options.epochs = 1;
    run.cases = 16;
    run.dropout = 0;
    run.freeze = {"encoders."};
    run.options.batch_size = batch_size;
    run.options.accumulate = accumulate;
    run.options.optimizer.set("sgd", SgdOptions{.lr = 1, .momentum = 0, .weight_decay = 0});
    Recorder recorder;
    run.fit({&recorder});
    EXPECT_EQ(recorder.steps.size(), 1u);
    EXPECT_EQ(recorder.steps.at(0).cases, 16);
    return std::pair(recorder.steps.at(0).loss,
                     run.model->named_parameters()["heads.label.weight"].detach().clone());
  };
  const auto [whole_loss, whole] = step_of(16, 1);
  const auto [parts_loss, parts] = step_of(4, 4);
  EXPECT_NEAR(whole_loss, parts_loss, 1e-6);
  EXPECT_LT((whole - parts).abs().max().item<double>(), 1e-6);
}

TEST(Trainer, ClippingBoundsTheMoveOfAStep) {
  SmallRun run;
  run.options.epochs = 1;
  run.cases = 8;
  run.options.clip_norm = 1e-3;
  run.options.optimizer.set("sgd", SgdOptions{.lr = 1, .momentum = 0, .weight_decay = 0});
  run.options.schedule.set("constant", ConstantOptions{});
  const Training training = run.prepare();
  std::vector<Tensor> before;
  for (const Tensor& p : run.model->parameters()) before.push_back(p.detach().clone());
  Recorder recorder;
  Trainer(training, run.options).fit({&recorder});
  double squares = 0;
  const auto after = run.model->parameters();
  for (size_t i = 0; i < after.size(); ++i)
    squares += (after[i].detach() - before[i]).pow(2).sum().item<double>();
  EXPECT_GT(recorder.steps.at(0).gradient_norm, 1e-3);
  EXPECT_NEAR(std::sqrt(squares), 1e-3, 1e-5);
}

TEST(Trainer, TheAverageFollowsItsFormula) {
  SmallRun run;
  run.options.epochs = 1;
  run.cases = 24;
  run.options.ema = 0.3;
  const Training training = run.prepare();
  const std::string name = "heads.label.weight";
  Tensor weight = run.model->named_parameters()[name];
  Tensor expected = weight.detach().clone();
  Recorder recorder;
  int64_t n = 0;
  recorder.at_step = [&](const StepReport&) {
    ++n;  // decay min(0.3, (1 + n) / (10 + n))
    const double decay = std::min(0.3, (1.0 + n) / (10.0 + n));
    expected = decay * expected + (1 - decay) * weight.detach();
  };
  Trainer trainer(training, run.options);
  trainer.fit({&recorder});
  const Checkpoint checkpoint = trainer.snapshot();
  const auto saved =
      std::ranges::find(checkpoint.model, name, &std::pair<std::string, Tensor>::first);
  EXPECT_EQ(n, 3);
  EXPECT_LT((saved->second - expected).abs().max().item<double>(), 1e-6);
  EXPECT_TRUE(torch::equal(checkpoint.state.tensors.at("weights." + name), weight.detach()));
  EXPECT_FALSE(torch::equal(saved->second, weight.detach()));
}

TEST(Trainer, StopsEarlyWhenTheMetricStandsStill) {
  SmallRun run;
  run.contrast = 20;  // perfect after the first epochs, and nothing is better than that
  run.options.epochs = 50;
  run.options.stop_after = 2;
  Recorder recorder;
  const Result result = run.fit({&recorder});
  EXPECT_EQ(result.end, Result::End::early);
  const auto first = std::ranges::find_if(
      recorder.epochs, [&](auto& e) { return value_of(e.metrics, "auc") == *result.best; });
  EXPECT_EQ(result.epochs, first->epoch + 2);
  EXPECT_LT(result.epochs, 50);
}

TEST(Trainer, ChoosesTheBestByAMetricThatShouldBeLow) {
  SmallRun run;
  run.options.epochs = 5;
  run.options.best = "loss";
  Recorder recorder;
  const Result result = run.fit({&recorder});
  double lowest = INFINITY;
  for (const EpochReport& epoch : recorder.epochs)
    lowest = std::min(lowest, value_of(epoch.metrics, "loss"));
  EXPECT_EQ(*result.best, lowest);
}

TEST(Trainer, AnUnknownMetricIsAnsweredWithTheNearest) {
  SmallRun run;
  run.options.best = "acuracy";
  try {
    run.fit();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::config);
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'accuracy'?"));
  }
}

/// One image that is not finite.
class Poisoned final : public Dataset {
 public:
  explicit Poisoned(int64_t bad) : bad_(bad) {}
  int64_t size() const override { return inner_.size(); }
  Example get(int64_t index) const override {
    Example example = inner_.get(index);
    if (index == bad_) example.inputs["image"].fill_(INFINITY);
    return example;
  }
  TensorMap targets(int64_t index) const override { return inner_.targets(index); }
  std::string group(int64_t) const override { return ""; }
  std::string name(int64_t index) const override { return inner_.name(index); }

 private:
  Halves inner_{40, 1};
  int64_t bad_;
};

TEST(Trainer, NumbersThatAreNotFiniteStopTheRunAndNameTheBatch) {
  SmallRun run;
  Training training = run.prepare();
  const Loader poisoned(std::make_shared<Poisoned>(17), {}, training_loader(run.options, 3));
  training.training = &poisoned;
  try {
    Trainer(training, run.options).fit();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_THAT(error.what(), HasSubstr("case 17"));
    EXPECT_THAT(error.what(), HasSubstr("epoch 1, step"));
  }
}

TEST(Trainer, ASkippedStepIsCountedAndTheWeightsStayFinite) {
  set_log_level(Level::warning);
  SmallRun run;
  run.options.non_finite = "skip";
  run.options.epochs = 2;
  Training training = run.prepare();
  const Loader poisoned(std::make_shared<Poisoned>(17), {}, training_loader(run.options, 3));
  training.training = &poisoned;
  training.validation = nullptr;
  Recorder recorder;
  Trainer(training, run.options).fit({&recorder});
  EXPECT_EQ(std::ranges::count(recorder.steps, false, &StepReport::applied), 2);
  for (const auto& [name, tensor] : nn::state(*run.model))
    EXPECT_TRUE(tensor.isfinite().all().item<bool>()) << name;  // batch statistics too
}

/// What a run says when `fails` is called in its second step.
Error failure_of(const std::function<void()>& fails) {
  SmallRun run;
  run.options.accumulate = 2;
  Training training = run.prepare();
  int64_t batches = 0;
  training.mix = [&](Batch batch, Random&) {
    if (++batches == 3) fails();
    return batch;
  };
  try {
    Trainer(training, run.options).fit();
  } catch (const Error& error) {
    return error;
  }
  return {Fault::internal, "no error"};
}

TEST(Trainer, MemoryThatRunsOutIsOneMessageWithTheWayOut) {
  // As LibTorch's allocator says it.
  const Error error = failure_of([] {
    TORCH_CHECK_WITH(
        OutOfMemoryError, false,
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of "
        "79.10 GiB of which 1.50 GiB is free. Process 7 has 77 GiB memory in use. See "
        "the documentation of PYTORCH_CUDA_ALLOC_CONF");
  });
  EXPECT_EQ(error.fault(), Fault::resources);
  int64_t parameters = 0;  // of the model of failure_of, which is that of any SmallRun
  SmallRun run;
  for (const torch::Tensor& tensor : run.prepare().model->parameters())
    parameters += tensor.numel();
  EXPECT_THAT(error.what(),
              testing::AllOf(HasSubstr("memory of cpu"), HasSubstr("batch of 8 cases"),
                             HasSubstr("model of " + std::to_string(parameters) + " parameters"),
                             HasSubstr("79.10 GiB of which 1.50 GiB is free.)"),
                             HasSubstr("lower TrainOptions::batch_size"),
                             HasSubstr("TrainOptions::accumulate (2)")));
  EXPECT_THAT(error.what(), testing::Not(HasSubstr("PYTORCH")));
  EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
}

TEST(Trainer, MemoryThatRunsOutOutsideTheAllocatorIsTheSame) {
  for (const char* text :
       {"CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 1099511627776 bytes."})
    EXPECT_EQ(failure_of([&] { TORCH_CHECK(false, text); }).fault(), Fault::resources) << text;
}

TEST(Trainer, AnotherErrorOfLibTorchIsNotTakenForLackOfMemory) {
  EXPECT_THROW(failure_of([] { TORCH_CHECK(false, "The size of tensor a must match"); }),
               c10::Error);
}

TEST(Trainer, ARequestToStopEndsAfterTheStep) {
  const StopSignals signals;
  SmallRun run;
  Recorder recorder;
  recorder.at_step = [](const StepReport& step) {
    if (step.step == 7) raise(SIGTERM);
  };
  const Result result = run.fit({&recorder});
  EXPECT_EQ(result.end, Result::End::stopped);
  EXPECT_EQ(result.exit_code(), 75);
  EXPECT_EQ(result.steps, 7);
  EXPECT_THAT(result.reason, HasSubstr("SIGTERM"));
}

TEST(Signals, TheSecondCtrlCIsTheDefaultActionAndAllComesBack) {
  struct sigaction before {
  }, now{};
  sigaction(SIGINT, nullptr, &before);
  {
    const StopSignals signals;
    EXPECT_FALSE(stop_requested());
    raise(SIGINT);
    EXPECT_TRUE(stop_requested());
    sigaction(SIGINT, nullptr, &now);
    EXPECT_EQ(now.sa_handler, SIG_DFL);
  }
  sigaction(SIGINT, nullptr, &now);
  EXPECT_EQ(now.sa_handler, before.sa_handler);
  request_stop(0);
}

}  // namespace
}  // namespace fovea::train
