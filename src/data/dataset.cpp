#include "fovea/data/dataset.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <optional>

#include "fovea/core/error.h"

namespace fovea {
namespace {

class Subset final : public Dataset {
 public:
  Subset(DatasetPtr data, std::vector<int64_t> indices)
      : data_(std::move(data)), indices_(std::move(indices)) {
    for (const int64_t index : indices_)
      if (index < 0 || index >= data_->size())
        throw config_error(
            fmt::format("subset: found index {}, wanted 0 to {}", index, data_->size() - 1));
  }

  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
  Example get(int64_t index) const override { return data_->get(inner(index)); }
  std::string id(int64_t index) const override { return data_->id(inner(index)); }
  const Schema& schema() const override { return data_->schema(); }
  TensorMap targets(int64_t index) const override { return data_->targets(inner(index)); }
  std::string group(int64_t index) const override { return data_->group(inner(index)); }
  std::string name(int64_t index) const override { return data_->name(inner(index)); }

 private:
  int64_t inner(int64_t index) const { return indices_.at(static_cast<size_t>(index)); }

  DatasetPtr data_;
  std::vector<int64_t> indices_;
};

// What is handed out shares its pixels with the cache: transforms are pure, so nobody writes there.
class Cached final : public Dataset {
 public:
  Cached(DatasetPtr data, int64_t max_bytes)
      : data_(std::move(data)),
        room_(max_bytes),
        kept_(static_cast<size_t>(data_->size())),
        locks_(kLocks) {}

  int64_t size() const override { return data_->size(); }
  std::string id(int64_t index) const override { return data_->id(index); }
  const Schema& schema() const override { return data_->schema(); }
  TensorMap targets(int64_t index) const override { return data_->targets(index); }
  std::string group(int64_t index) const override { return data_->group(index); }
  std::string name(int64_t index) const override { return data_->name(index); }

  Example get(int64_t index) const override {
    std::optional<Example>& slot = kept_.at(static_cast<size_t>(index));
    std::mutex& lock = locks_[static_cast<size_t>(index) % kLocks];
    {
      const std::lock_guard guard(lock);
      if (slot) return *slot;
    }
    Example example = data_->get(index);
    const int64_t bytes = example.bytes();
    const std::lock_guard guard(lock);
    if (slot) return *slot;  // another thread was faster
    if (room_.fetch_sub(bytes) >= bytes)
      slot = example;
    else
      room_ += bytes;
    return example;
  }

 private:
  static constexpr size_t kLocks = 64;

  DatasetPtr data_;
  mutable std::atomic<int64_t> room_;
  mutable std::vector<std::optional<Example>> kept_;
  mutable std::vector<std::mutex> locks_;
};

}  // namespace

const Schema& Dataset::schema() const {
  static const Schema plain;
  return plain;
}

DatasetPtr subset(DatasetPtr data, std::vector<int64_t> indices) {
  return std::make_shared<Subset>(std::move(data), std::move(indices));
}

DatasetPtr cached(DatasetPtr data, int64_t max_bytes) {
  return std::make_shared<Cached>(std::move(data), max_bytes);
}

}  // namespace fovea
