// Cases on several threads, each of which computes alone: LibTorch's operators start no team of
// threads in it.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>

#include "fovea/core/threads.h"

namespace fovea {

/// In a thread that was started for cases, once, before the first of them. `gently`: beside a thread
/// that computes with LibTorch on all processors it gives way (docs/architecture.md, "Threads").
void become_worker(bool gently);

/// for_each_index in which LibTorch's operators stay in their thread, that of the caller too.
void for_each_case(int64_t count, int64_t threads, const std::function<void(int64_t)>& body);

/// make(0), make(1), … make(count - 1) in their order, made on `threads` threads ahead of whoever takes
/// them: at most `ahead` at a time are on their way. Without a thread `next` makes them itself.
template <class Value>
class Ahead {
 public:
  Ahead(int64_t count, int64_t threads, int64_t ahead, std::function<Value(int64_t)> make)
      : count_(count), ahead_(ahead), make_(std::move(make)) {
    workers_.start(std::min(threads, count), [this](const std::stop_token& stop) { work(stop); });
  }

  /// What make() returned or threw; nothing behind the last one.
  std::optional<Value> next() {
    if (front_ == count_) return std::nullopt;
    if (workers_.size() == 0) return make_(front_++);
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return !slots_.empty() && slots_.front().done; });
    Slot slot = std::move(slots_.front());
    slots_.pop_front();
    ++front_;
    lock.unlock();
    room_.notify_one();
    if (slot.failure) std::rethrow_exception(slot.failure);
    return std::move(slot.value);
  }

 private:
  struct Slot {
    std::optional<Value> value = {};
    std::exception_ptr failure = {};
    bool done = false;
  };

  void work(const std::stop_token& stop) {
    become_worker(/*gently=*/true);
    std::unique_lock lock(mutex_);
    while (room_.wait(lock, stop, [this] {
      return begun_ == count_ || begun_ < front_ + ahead_;
    }) && begun_ < count_) {
      const int64_t index = begun_++;
      slots_.emplace_back();
      lock.unlock();
      Slot made{.done = true};
      try {
        made.value = make_(index);
      } catch (...) {
        made.failure = std::current_exception();
      }
      lock.lock();
      slots_[static_cast<size_t>(index - front_)] = std::move(made);
      if (index == front_) ready_.notify_one();
    }
  }

  int64_t count_, ahead_;
  std::function<Value(int64_t)> make_;
  std::mutex mutex_;  // of what follows
  std::condition_variable_any room_;
  std::condition_variable ready_;
  std::deque<Slot> slots_;  // front_ … begun_ - 1
  int64_t front_ = 0, begun_ = 0;
  Workers workers_;  // last: it is joined before the rest goes
};

}  // namespace fovea
