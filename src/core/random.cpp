#include "fovea/core/random.h"

#include <cmath>
#include <numbers>

namespace fovea {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k,
                                   int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * c[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(a)};
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  return c;
}

// Counter words: block within the stream, index, (high bits of the index, purpose), epoch. 2^48
// indices and 2^32 epochs are more than any data set holds.
Random::Random(uint64_t seed, Purpose purpose, uint64_t epoch, uint64_t index)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
      counter_{0, static_cast<uint32_t>(index),
               static_cast<uint32_t>(index >> 32) << 8 | static_cast<uint32_t>(purpose),
               static_cast<uint32_t>(epoch)} {}

uint32_t Random::bits() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

uint64_t Random::seed64() {
  const uint64_t high = bits();
  return high << 32 | bits();
}

double Random::uniform() { return static_cast<double>(seed64() >> 11) * 0x1p-53; }

double Random::uniform(double low, double high) { return low + (high - low) * uniform(); }

double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));  // 1 - u is in (0, 1]
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

int64_t Random::below(int64_t n) {
  const auto range = static_cast<uint64_t>(n);
  const uint64_t limit =
      UINT64_MAX - UINT64_MAX % range;  // a multiple of n: beyond it the remainder is biased
  uint64_t draw = seed64();
  while (draw >= limit) draw = seed64();
  return static_cast<int64_t>(draw % range);
}

// Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 2000.
double Random::gamma(double shape) {
  if (shape < 1) return gamma(shape + 1) * std::pow(1 - uniform(), 1 / shape);
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal();
    const double v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double Random::beta(double a, double b) {
  const double x = gamma(a);
  const double y = gamma(b);
  return x / (x + y);
}

}  // namespace fovea
