#include "fovea/core/threads.h"

#include <gtest/gtest.h>

#include <atomic>
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

}  // namespace
}  // namespace fovea
