// What needs a GPU says so and skips where there is none, or fails there with FOVEA_REQUIRE_GPU=1.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "fovea/train/device.h"

namespace fovea::test {

inline bool gpu_required() {
  const char* required = std::getenv("FOVEA_REQUIRE_GPU");
  return required && std::string(required) == "1";
}

class WithGpu : public testing::Test {
 protected:
  void SetUp() override {
    device_ = train::choose_device("auto");
    if (device_.is_cuda()) return;
    if (gpu_required())
      FAIL() << "FOVEA_REQUIRE_GPU=1, and no CUDA device: " << train::describe_gpus();
    GTEST_SKIP() << "skipped: no CUDA device (" << train::describe_gpus() << ")";
  }
  torch::Device device_ = torch::kCPU;
};

}  // namespace fovea::test
