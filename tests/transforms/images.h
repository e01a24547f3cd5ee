// Images for the tests of the transforms.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/transforms/transform.h"

namespace fovea::transforms {

/// The stream of example `index`.
inline Random stream(uint64_t index = 0) { return {1, Purpose::augment, 0, index}; }

inline torch::Tensor applied(const TransformPtr& step, torch::Tensor image, uint64_t index = 0) {
  Random random = stream(index);
  return step->apply(std::move(image), random);
}

/// 0, 1, 2 … in the given shape.
inline torch::Tensor counted(std::vector<int64_t> shape, torch::ScalarType type = torch::kUInt8) {
  int64_t count = 1;
  for (const int64_t side : shape) count *= side;
  return torch::arange(count).reshape(shape).to(type);
}

/// Float noise in [0, 255).
inline torch::Tensor noisy(std::vector<int64_t> shape, uint64_t index = 99) {
  torch::Tensor image = torch::empty(shape);
  Random random = stream(index);
  float* value = image.mutable_data_ptr<float>();
  for (int64_t i = 0; i < image.numel(); ++i) value[i] = static_cast<float>(random.uniform(0, 255));
  return image;
}

inline std::vector<float> values(const torch::Tensor& image) {
  const torch::Tensor flat = image.to(torch::kFloat32).contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

inline double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kFloat64) - b.to(torch::kFloat64)).abs().max().item<double>();
}

}  // namespace fovea::transforms
