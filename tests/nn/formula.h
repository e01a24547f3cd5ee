// Weights and inputs that follow a formula, the same as in tests/reference/make_encoders.py: so two
// programs can be compared without a file of weights.
#pragma once

#include <torch/types.h>

#include <cmath>
#include <string>

namespace fovea::test {

inline double uniform(const std::string& name, int64_t index) {
  uint64_t x = 0xCBF29CE484222325u;
  for (const char c : name) x = (x ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  x += static_cast<uint64_t>(index + 1) * 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  x ^= x >> 31;
  return static_cast<double>(x >> 40) * 0x1p-24;
}

/// A tensor like those of the file: weights scaled by their inputs, norms around 1, the rest near
/// 0.
inline torch::Tensor formula(const std::string& name, at::IntArrayRef shape) {
  if (name.ends_with("num_batches_tracked")) return torch::zeros({}, torch::kInt64);
  torch::Tensor tensor = torch::empty(shape, torch::kFloat64);
  const double scale =
      shape.size() > 1 ? std::sqrt(3 * 2 / (static_cast<double>(tensor.numel()) / shape[0])) : 0.1;
  const bool around_one =
      shape.size() < 2 && (name.ends_with("weight") || name.ends_with("running_var"));
  double* values = tensor.mutable_data_ptr<double>();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    const double u = uniform(name, i);
    values[i] = around_one ? 0.5 + u : (2 * u - 1) * scale;
  }
  return tensor.to(torch::kFloat32);
}

inline torch::Tensor input_image(at::IntArrayRef shape) {
  torch::Tensor tensor = torch::empty(shape, torch::kFloat64);
  double* values = tensor.mutable_data_ptr<double>();
  for (int64_t i = 0; i < tensor.numel(); ++i)
    values[i] = (2 * uniform("input", i) - 1) * std::sqrt(3.0);
  return tensor.to(torch::kFloat32);
}

}  // namespace fovea::test
