#include "fovea/core/threads.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace fovea {
namespace {

TEST(Threads, EachIndexIsDoneOnceOnNoMoreThreadsThanThereMayBe) {
  for (const int64_t threads : {1, 2, 7, 200}) {
    std::vector<std::atomic<int>> done(100);
    std::mutex mutex;
    std::set<std::thread::id> ids;
    for_each_index(std::ssize(done), threads, [&](int64_t i) {
      ++done[static_cast<size_t>(i)];
      const std::lock_guard lock(mutex);
      ids.insert(std::this_thread::get_id());
    });
    for (const std::atomic<int>& one : done) EXPECT_EQ(one, 1) << threads;
    EXPECT_LE(std::ssize(ids), std::min<int64_t>(threads, 100));
    if (threads == 1) {
      EXPECT_EQ(*ids.begin(), std::this_thread::get_id());
    }
  }
  for_each_index(0, 4, [](int64_t) { FAIL(); });
}

TEST(Threads, ThereAreAsManyAsTheProcessIsBoundTo) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(processors(), 1);
  EXPECT_LE(processors(), CPU_COUNT(&before));
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(processors(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(Threads, OfWhatALoopThrowsTheFirstByNumberIsThrown) {
  for (const int64_t threads : {1, 4}) {
    std::atomic<int> done = 0;
    try {
      for_each_index(50, threads, [&](int64_t i) {
        if (i == 7 || i == 30) throw std::runtime_error(std::to_string(i));
        ++done;
      });
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "7");
    }
    EXPECT_GE(done, 7);
  }
}

TEST(Threads, WorkersAreAskedToStopAndJoined) {
  std::atomic<int> ended = 0;
  {
    Workers workers;
    workers.start(3, [&](const std::stop_token& stop) {
      while (!stop.stop_requested()) std::this_thread::yield();
      ++ended;
    });
    EXPECT_EQ(workers.size(), 3);
  }
  EXPECT_EQ(ended, 3);
}

}  // namespace
}  // namespace fovea
