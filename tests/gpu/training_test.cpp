// Training and inference on one NVIDIA GPU.
#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/nn/inference.h"
#include "fovea/train/evaluate.h"
#include "fovea/train/memory.h"
#include "gpu/gpu.h"
#include "support/test_files.h"
#include "train/small_run.h"

namespace fovea::train {
namespace {

using torch::Tensor;

using Gpu = test::WithGpu;

struct Losses : Callback {
  std::vector<double> all;
  void on_step(const StepReport& step) override { all.push_back(step.loss); }
};

std::pair<Result, std::vector<double>> fit(SmallRun& run, const torch::Device& device) {
  Training training = run.prepare();
  training.device = device;
  Losses losses;
  const Result result = Trainer(training, run.options).fit({&losses});
  return {result, losses.all};
}

TEST_F(Gpu, AnAbsentGpuIsRefusedByNumber) {
  try {
    choose_device("cuda:100");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::resources);
    EXPECT_THAT(error.what(), testing::HasSubstr("cuda:100"));
  }
}

// The same start, order and augmentation; without dropout, whose generators differ. TF32 is off by
// default for products, so the first steps agree to rounding; later ones drift apart.
TEST_F(Gpu, TheFirstStepsAreThoseOfTheCpu) {
  SmallRun on_cpu, on_gpu;
  on_cpu.dropout = on_gpu.dropout = 0;
  at::globalContext().setAllowTF32CuDNN(false);
  const auto expected = fit(on_cpu, torch::kCPU).second;
  const auto found = fit(on_gpu, device_).second;
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(found[i], expected[i], 1e-4) << "step " << i;
}

TEST_F(Gpu, LearnsInEveryPrecision) {
  for (const char* precision : {"fp32", "bf16", "fp16"}) {
    SCOPED_TRACE(precision);
    SmallRun run;
    run.options.precision = precision;
    run.options.epochs = 6;
    const Result result = fit(run, device_).first;
    ASSERT_TRUE(result.best.has_value());
    EXPECT_GT(*result.best, 0.95);  // the halves differ by a standard deviation in 32 pixels each
    for (const auto& [name, tensor] : nn::state(*run.model))
      EXPECT_TRUE(tensor.isfinite().all().item<bool>()) << name;
  }
}

TEST_F(Gpu, TheScaleOfFp16IsPartOfACheckpoint) {
  const test::TempFolder folder;
  SmallRun run;
  run.options.precision = "fp16";
  Training training = run.prepare();
  training.device = device_;
  RunFolder kept(folder / "run", RunIdentity{});
  Trainer(training, run.options).fit({}, &kept);
  const auto checkpoint = kept.resume();
  ASSERT_TRUE(checkpoint.has_value());
  bool scaled = false;
  for (const auto& [name, tensor] : checkpoint->state.tensors)
    scaled |= name.find("scale") != std::string::npos;
  EXPECT_TRUE(scaled);
}

TEST_F(Gpu, AModelAnswersAsOnTheCpu) {
  SmallRun run;
  fit(run, device_);
  run.model->eval();
  at::globalContext().setAllowTF32CuDNN(false);
  const torch::InferenceMode no_gradients;
  TensorMap inputs;
  inputs["image"] = torch::randn({16, 1, 8, 8});
  TensorMap there;
  there["image"] = inputs.at("image").to(device_);
  const Tensor on_gpu = run.model->forward(there, {}).at("label").cpu();
  run.model->to(torch::kCPU);
  const Tensor on_cpu = run.model->forward(inputs, {}).at("label");
  EXPECT_LT((on_gpu - on_cpu).abs().max().item<double>(), 1e-4);
}

TEST_F(Gpu, MemoryThatRunsOutIsAnErrorOfResources) {
  const auto use = [&] { return MemoryUse{.device = device_, .batch_size = 8, .remedy = "less"}; };
  try {
    within_memory(use, [&] { return torch::empty({int64_t{1} << 42}, device_); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::resources);
    EXPECT_THAT(error.what(), testing::HasSubstr("cuda"));
  }
}

}  // namespace
}  // namespace fovea::train
