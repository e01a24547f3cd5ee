#include "fovea/data/example.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "data/stack.h"
#include "fovea/core/error.h"
#include "fovea/core/text.h"

namespace fovea {
namespace {

TensorMap moved(const TensorMap& map, const torch::Device& device) {
  TensorMap result;
  for (const auto& [name, tensor] : map) result[name] = tensor.to(device);
  return result;
}

std::string printed(const torch::Tensor& tensor) {
  return fmt::format("[{}] {}", fmt::join(tensor.sizes(), ", "),
                     c10::toString(tensor.scalar_type()));
}

bool alike(const torch::Tensor& a, const torch::Tensor& b, bool ragged = false) {
  const bool sizes = ragged ? a.dim() == b.dim() && a.sizes().slice(1) == b.sizes().slice(1)
                            : a.sizes() == b.sizes();
  return sizes && a.scalar_type() == b.scalar_type();
}

// In words, the first difference between two maps that should be alike; empty where they are. Those
// stacked apart are compared there.
template <class Apart>
std::string difference(const char* what, const TensorMap& found, const TensorMap& wanted,
                       const Apart& apart) {
  for (const auto& [name, tensor] : wanted) {
    if (apart(name)) continue;
    const torch::Tensor* other = found.find(name);
    if (!other) return fmt::format("{} '{}' is missing", what, name);
    if (!alike(*other, tensor))
      return fmt::format("{} '{}' is {}, the batch began with {}", what, name, printed(*other),
                         printed(tensor));
  }
  for (const auto& [name, tensor] : found)
    if (!wanted.contains(name) && !apart(name))
      return fmt::format("{} '{}' is one too many", what, name);
  return "";
}

}  // namespace

torch::Tensor& TensorMap::operator[](std::string_view name) {
  for (auto& [key, tensor] : entries_)
    if (key == name) return tensor;
  return entries_.emplace_back(name, torch::Tensor()).second;
}

const torch::Tensor* TensorMap::find(std::string_view name) const {
  for (const auto& [key, tensor] : entries_)
    if (key == name) return &tensor;
  return nullptr;
}

const torch::Tensor& TensorMap::at(std::string_view name) const {
  if (const torch::Tensor* tensor = find(name)) return *tensor;
  std::vector<std::string> names;
  for (const auto& [key, tensor] : entries_) names.push_back(key);
  throw config_error(fmt::format("there is no tensor '{}'; there {} {}", name,
                                 names.size() == 1 ? "is only" : "are",
                                 names.empty() ? "none" : join(names)));
}

int64_t TensorMap::bytes() const {
  int64_t sum = 0;
  for (const auto& [name, tensor] : entries_)
    if (tensor.defined()) sum += static_cast<int64_t>(tensor.nbytes());
  return sum;
}

const WrittenText* Origin::text(std::string_view input) const {
  for (const auto& [name, text] : texts)
    if (name == input) return text.get();
  return nullptr;
}

const Placement* Origin::place(std::string_view input) const {
  for (const auto& [name, place] : places)
    if (name == input) return &place;
  return nullptr;
}

int64_t Origin::bytes() const {
  int64_t sum = written.bytes() + static_cast<int64_t>(places.size() * sizeof(Placement));
  for (const auto& [name, text] : texts)
    sum += static_cast<int64_t>(text->text.size() + text->tokens.size() * sizeof text->tokens[0]);
  return sum;
}

Batch Batch::to(const torch::Device& device) const {
  return {ids,
          groups,
          indices,
          origins,
          moved(inputs, device),
          moved(targets, device),
          moved(lengths, device),
          moved(present, device)};
}

Stack::Stack(int64_t size, const Schema& schema)
    : schema_(schema), examples_(static_cast<size_t>(size)) {
  batch_.indices.resize(examples_.size());
}

bool Stack::apart(std::string_view name) const {
  const InputSpec* input = schema_.input(name);
  if (input) return input->shape.optional || input->shape.ragged();
  const TargetSpec* target = schema_.target(name);
  return target && target->ragged();
}

void Stack::make_room(const Example& first) {
  for (const auto& [from, to] :
       {std::pair(&first.inputs, &batch_.inputs), std::pair(&first.targets, &batch_.targets)})
    for (const auto& [name, tensor] : *from) {
      if (apart(name)) continue;
      std::vector<int64_t> shape{size()};
      shape.insert(shape.end(), tensor.sizes().begin(), tensor.sizes().end());
      (*to)[name] = torch::empty(shape, tensor.options());
    }
  has_room_ = true;
}

void Stack::count(const Example& example) {
  int64_t bytes = example.origin ? example.origin->bytes() : 0;
  for (const TensorMap* map : {&example.inputs, &example.targets})
    for (const auto& [name, tensor] : *map)
      if (apart(name)) bytes += static_cast<int64_t>(tensor.nbytes());
  apart_bytes_ += bytes;
  largest_apart_ = std::max(largest_apart_, bytes);
}

void Stack::put(int64_t slot, Example example, int64_t index) {
  {
    const std::lock_guard lock(mutex_);
    if (!has_room_) make_room(example);
    count(example);
  }
  place(example.inputs, batch_.inputs, slot);
  place(example.targets, batch_.targets, slot);
  batch_.indices[static_cast<size_t>(slot)] = index;
  examples_[static_cast<size_t>(slot)] = std::move(example);
}

void Stack::place(TensorMap& from, const TensorMap& stacked, int64_t slot) {
  size_t placed = 0;
  for (auto& [name, tensor] : from) {
    if (apart(name)) continue;
    const torch::Tensor* whole = stacked.find(name);
    torch::Tensor slice = whole ? whole->select(0, slot) : torch::Tensor();
    if (!whole || !alike(slice, tensor)) {
      uneven_ = true;
      continue;
    }
    if (slice.is_contiguous() && tensor.is_contiguous() && tensor.numel() > 0)
      std::memcpy(slice.mutable_data_ptr(), tensor.const_data_ptr(), tensor.nbytes());
    else
      slice.copy_(tensor);
    tensor = slice;
    ++placed;
  }
  if (placed != stacked.size()) uneven_ = true;
}

int64_t Stack::bytes() const {
  const std::lock_guard lock(mutex_);
  return batch_.bytes() + apart_bytes_ + largest_apart_ * size();
}

void Stack::stack_apart(const InputSpec& spec) {
  const std::string& name = spec.name;
  const bool ragged = spec.shape.ragged();
  const Example* first = nullptr;
  int64_t longest = 1;
  for (const Example& example : examples_) {
    const torch::Tensor* one = example.inputs.find(name);
    if (!one) {
      if (spec.shape.optional) continue;
      throw data_error(
          fmt::format("cannot stack a batch: case '{}': input '{}' is missing", example.id, name));
    }
    if (!first) first = &example;
    const torch::Tensor& wanted = first->inputs.at(name);
    if (!alike(*one, wanted, ragged))
      throw data_error(
          fmt::format("cannot stack a batch: case '{}': input '{}' is {}, the batch "
                      "began with {}",
                      example.id, name, printed(*one), printed(wanted)));
    longest = std::max(longest, one->dim() > 0 ? one->size(0) : 1);
  }
  torch::Tensor present = torch::zeros({size()}, torch::kBool);
  torch::Tensor lengths = torch::ones({size()}, torch::kInt64);
  if (first) {
    const torch::Tensor& like = first->inputs.at(name);
    std::vector<int64_t> shape = like.sizes().vec();
    if (ragged) shape[0] = longest;
    shape.insert(shape.begin(), size());
    torch::Tensor stacked = torch::empty(shape, like.options());
    const size_t room = stacked.nbytes() / examples_.size();  // bytes of a case
    // Bytes rather than tensors: cases are small, and six calls of LibTorch for each cost more.
    auto* to = static_cast<std::byte*>(stacked.mutable_data_ptr());
    auto* is_present = present.mutable_data_ptr<bool>();
    auto* length = lengths.mutable_data_ptr<int64_t>();
    for (size_t i = 0; i < examples_.size(); ++i, to += room) {
      const torch::Tensor* found = examples_[i].inputs.find(name);
      size_t bytes = 0;
      if (found) {
        const torch::Tensor one = found->contiguous();
        bytes = one.nbytes();
        if (bytes > 0) std::memcpy(to, one.const_data_ptr(), bytes);
        is_present[i] = true;
        if (ragged) length[i] = one.size(0);
      }
      std::memset(to + bytes, 0, room - bytes);
    }
    batch_.inputs[name] = stacked;
    if (ragged) batch_.lengths[name] = lengths;
  }
  if (spec.shape.optional) batch_.present[name] = present;
}

void Stack::pad_target(const std::string& name) {
  int64_t longest = 1;
  const torch::Tensor& like = examples_[0].targets.at(name);
  for (const Example& example : examples_) {
    const torch::Tensor& one = example.targets.at(name);
    if (one.dim() == 0 || !alike(one, like, /*ragged=*/true))
      throw data_error(
          fmt::format("cannot stack a batch: case '{}': target '{}' is {}, the batch began with {}",
                      example.id, name, printed(one), printed(like)));
    longest = std::max(longest, one.size(0));
  }
  std::vector<int64_t> shape = like.sizes().vec();
  shape[0] = longest;
  shape.insert(shape.begin(), size());
  const torch::Tensor padded =
      torch::full(shape, like.is_floating_point() ? NAN : -1, like.options());
  for (int64_t i = 0; i < size(); ++i) {
    const torch::Tensor& one = examples_[static_cast<size_t>(i)].targets.at(name);
    padded[i].slice(0, 0, one.size(0)).copy_(one);
  }
  batch_.targets[name] = padded;
}

Batch Stack::finish() {
  const auto elsewhere = [this](std::string_view name) { return apart(name); };
  for (const TargetSpec& target : schema_.targets)
    if (target.ragged() && examples_[0].targets.contains(target.name)) pad_target(target.name);
  for (const InputSpec& input : schema_.inputs)
    if (apart(input.name)) stack_apart(input);
  for (const Example& example : examples_) {
    if (uneven_) {
      std::string found = difference("input", example.inputs, examples_[0].inputs, elsewhere);
      if (found.empty())
        found = difference("target", example.targets, examples_[0].targets, elsewhere);
      if (!found.empty())
        throw data_error(
            fmt::format("cannot stack a batch: case '{}': {}; resize, crop or pad to "
                        "one size with a transform",
                        example.id, found));
    }
    batch_.ids.push_back(example.id);
    batch_.groups.push_back(example.group);
    batch_.origins.push_back(example.origin);
  }
  return std::move(batch_);
}

Batch collate(std::vector<Example> examples, const std::vector<int64_t>& indices,
              const Schema& schema) {
  if (examples.size() != indices.size())
    throw config_error(
        fmt::format("collate: found {} examples and {} indices", examples.size(), indices.size()));
  Stack stack(static_cast<int64_t>(examples.size()), schema);
  for (size_t i = 0; i < examples.size(); ++i)
    stack.put(static_cast<int64_t>(i), std::move(examples[i]), indices[i]);
  return stack.finish();
}

}  // namespace fovea
