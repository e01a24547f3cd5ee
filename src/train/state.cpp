#include "fovea/train/state.h"

#include <fmt/format.h>

#include "fovea/core/error.h"

namespace fovea::train {

bool State::has(std::string_view name) const {
  const std::string key = prefix_ + std::string(name);
  return !restoring_ || numbers.contains(key) || tensors.contains(key);
}

const torch::Tensor* State::saved(std::string_view name) const {
  return restoring_ ? tensors.find(prefix_ + std::string(name)) : nullptr;
}

void State::operator()(std::string_view name, double& value) {
  const std::string key = prefix_ + std::string(name);
  if (!restoring_) {
    numbers[key] = value;
    return;
  }
  const auto found = numbers.find(key);
  if (found == numbers.end())
    throw data_error(
        fmt::format("restoring a training state: the number '{}' is missing; the "
                    "checkpoint was written with other settings or another version",
                    key));
  value = found->second;
}

void State::operator()(std::string_view name, int64_t& value) {
  auto number = static_cast<double>(value);
  (*this)(name, number);
  value = static_cast<int64_t>(number);
}

void State::operator()(std::string_view name, bool& value) {
  double number = value ? 1 : 0;
  (*this)(name, number);
  value = number != 0;
}

void State::operator()(std::string_view name, const torch::Tensor& value) {
  const std::string key = prefix_ + std::string(name);
  if (!restoring_) {
    tensors[key] = value.detach();
    return;
  }
  if (!tensors.contains(key))
    throw data_error(
        fmt::format("restoring a training state: the tensor '{}' is missing; the "
                    "checkpoint was written with other settings or another version",
                    key));
  const torch::Tensor& saved = tensors.at(key);
  if (saved.sizes() != value.sizes() || saved.scalar_type() != value.scalar_type())
    throw data_error(
        fmt::format("restoring a training state: the tensor '{}' is {} {}, wanted {} {}", key,
                    c10::toString(saved.scalar_type()), c10::str(saved.sizes()),
                    c10::toString(value.scalar_type()), c10::str(value.sizes())));
  const torch::NoGradGuard no_grad;
  value.detach().copy_(saved);
}

}  // namespace fovea::train
