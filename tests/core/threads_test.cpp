#include "fovea/core/threads.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace fovea {
namespace {

TEST(Threads, EachPieceIsDoneOnceAndTheCallingThreadIsOneOfThem) {
  for (const int64_t threads : {-1, 0, 1, 2, 7}) {
    std::vector<std::atomic<int>> pieces(100);
    std::atomic<size_t> next{0};
    std::atomic<int> started{0}, own{0};
    on_threads(threads, [&](bool started_for_it) {
      ++(started_for_it ? started : own);
      for (size_t i = next++; i < pieces.size(); i = next++) ++pieces[i];
    });
    for (const std::atomic<int>& piece : pieces) EXPECT_EQ(piece, 1) << threads;
    EXPECT_EQ(own, 1) << threads;
    EXPECT_EQ(started, threads > 1 ? threads - 1 : 0) << threads;
  }
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
