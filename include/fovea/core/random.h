// Randomness is a value: a stream is a function of (seed, epoch, index, purpose) and of nothing
// else. One worker or sixteen, a fresh run or a resumed one: the same case gets the same numbers.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea {

/// What a stream is for, so that two uses never share one.
enum class Purpose : uint32_t {
  shuffle,
  augment,
  batch,
  split,
  init,
  dropout,
  sample,
  phantom,
  resample
};

/// A stream of random numbers from the counter-based generator Philox4x32-10 (Salmon et al.,
/// "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Cheap to make: make one per example.
class Random {
 public:
  Random(uint64_t seed, Purpose purpose, uint64_t epoch = 0, uint64_t index = 0);

  uint32_t bits();
  double uniform();                         ///< in [0, 1), 53 bits
  double uniform(double low, double high);  ///< in [low, high)
  double normal();                          ///< mean 0, standard deviation 1
  int64_t below(int64_t n);                 ///< 0 … n - 1, without bias; n > 0
  bool chance(double probability) { return uniform() < probability; }
  double beta(double a, double b);  ///< Beta(a, b); a, b > 0
  uint64_t seed64();                ///< a seed for another generator

  /// Fisher-Yates; the result depends on the stream and on the size only.
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (int64_t i = static_cast<int64_t>(items.size()) - 1; i > 0; --i)
      std::swap(items[i], items[below(i + 1)]);
  }

 private:
  double gamma(double shape);

  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  int used_ = 4;
};

/// One block of Philox4x32 with `rounds` rounds, for checks against the published test vectors.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key,
                                   int rounds = 10);

}  // namespace fovea
