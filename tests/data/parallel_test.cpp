#include "fovea/data/parallel.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

namespace fovea {
namespace {

TEST(Ahead, GivesValuesInTheirOrderWhateverTheThreads) {
  for (const int64_t threads : {0, 1, 4}) {
    Ahead<int64_t> squares(200, threads, 8, [](int64_t i) {
      if (i % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
      return i * i;
    });
    for (int64_t i = 0; i < 200; ++i) ASSERT_EQ(squares.next(), i * i) << threads;
    EXPECT_EQ(squares.next(), std::nullopt);
  }
}

TEST(Ahead, MakesNoMoreThanItWasToldTo) {
  std::atomic<int64_t> made = 0;
  Ahead<int64_t> values(1000, 3, 5, [&](int64_t i) {
    ++made;
    return i;
  });
  for (int64_t taken = 0; taken < 20; ++taken) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_LE(made, taken + 5);
    ASSERT_EQ(values.next(), taken);
  }  // and to leave it early joins its threads
}

TEST(Ahead, AnExceptionComesInItsPlaceAndTheOthersGoOn) {
  for (const int64_t threads : {0, 3}) {
    Ahead<int64_t> values(6, threads, 4, [](int64_t i) -> int64_t {
      if (i == 2) throw std::runtime_error("two");
      return i;
    });
    EXPECT_EQ(values.next(), 0);
    EXPECT_EQ(values.next(), 1);
    EXPECT_THROW(values.next(), std::runtime_error);
    if (threads > 0) {
      EXPECT_EQ(values.next(), 3);
    }
  }
}

TEST(ForEachCase, LeavesTheCallersTeamAsItWas) {
  at::get_num_threads();
  const int before = omp_get_max_threads();
  std::atomic<int> largest = 0;
  for_each_case(20, 3, [&](int64_t) { largest = std::max<int>(largest, omp_get_max_threads()); });
  EXPECT_EQ(largest, 1);
  EXPECT_EQ(omp_get_max_threads(), before);
}

}  // namespace
}  // namespace fovea
