// What the instructions of a warp compute. Which element lies in which register of which lane is written here as the PTX
// manual has it ("Matrix fragments for mma.m16n8k16", "... mma.m16n8k8", "ldmatrix"), independently of the kernels.
#include <algorithm>
#include <bit>

#include "cuda/emulate.h"

namespace fovea::cuda::emulate {
namespace {

std::uint32_t half_at(const Words& words, int reg, int k) {
  return words[reg] >> (16 * (k & 1)) & 0xFFFFU;
}
float value_f16(std::uint32_t bits) { return float_of_half(static_cast<std::uint16_t>(bits)); }
float value_bf16(std::uint32_t bits) { return float_of_bits(bits << 16); }

/// d = c + a b with a [16, K], b [K, 8]; registers 0 to 3 hold a, 4 and 5 b, 6 to 9 c.
template <int K>
void multiply(const float (&a)[16][K], const float (&b)[K][8], const Words (&in)[32],
              Words (&out)[32]) {
  for (int l = 0; l < 32; ++l)
    for (int e = 0; e < 4; ++e) {
      const int row = l / 4 + (e >= 2 ? 8 : 0), column = l % 4 * 2 + (e & 1);
      double products[K];
      for (int k = 0; k < K; ++k) products[k] = double{a[row][k]} * double{b[k][column]};
      out[l][e] = bits_of_float(sum_of_products(float_of_bits(in[l][6 + e]), products, K));
    }
}

void mma_16(const Words (&in)[32], Words (&out)[32], float (*value)(std::uint32_t)) {
  float a[16][16], b[16][8];
  for (int row = 0; row < 16; ++row)
    for (int k = 0; k < 16; ++k)
      a[row][k] = value(half_at(in[row % 8 * 4 + k % 8 / 2], row / 8 + k / 8 * 2, k));
  for (int k = 0; k < 16; ++k)
    for (int column = 0; column < 8; ++column)
      b[k][column] = value(half_at(in[column * 4 + k % 8 / 2], 4 + k / 8, k));
  multiply(a, b, in, out);
}

}  // namespace

float sum_of_products(float c, const double* products, int count) {
  double largest = std::fabs(double{c}), sum = c;
  for (int k = 0; k < count; ++k) {
    largest = std::max(largest, std::fabs(products[k]));
    sum += products[k];
  }
  if (!std::isfinite(sum) || largest == 0) return static_cast<float>(sum);
  // The power of two at or below the largest; a float has 23 bits behind it.
  const auto power = std::bit_cast<double>(std::bit_cast<std::uint64_t>(largest) >> 52 << 52);
  const double unit = power * 0x1p-25, units = 0x1p25 / power;
  auto whole = static_cast<std::int64_t>(c * units);
  for (int k = 0; k < count; ++k) whole += static_cast<std::int64_t>(products[k] * units);
  const double exact = static_cast<double>(whole) * unit;
  const auto nearest = static_cast<float>(exact);
  return std::fabs(double{nearest}) > std::fabs(exact) ? std::nextafter(nearest, 0.0F) : nearest;
}

void mma_f16(const Words (&in)[32], Words (&out)[32]) { mma_16(in, out, value_f16); }
void mma_bf16(const Words (&in)[32], Words (&out)[32]) { mma_16(in, out, value_bf16); }

void mma_tf32(const Words (&in)[32], Words (&out)[32]) {
  const auto value = [](std::uint32_t bits) { return float_of_bits(bits & ~0x1FFFU); };
  float a[16][8], b[8][8];
  for (int row = 0; row < 16; ++row)
    for (int k = 0; k < 8; ++k) a[row][k] = value(in[row % 8 * 4 + k % 4][row / 8 + k / 4 * 2]);
  for (int k = 0; k < 8; ++k)
    for (int column = 0; column < 8; ++column)
      b[k][column] = value(in[column * 4 + k % 4][4 + k / 4]);
  multiply(a, b, in, out);
}

namespace {

/// Registers 0 and 1: the address of a row of eight elements.
template <bool Transposed>
void read_matrices(const Words (&in)[32], Words (&out)[32]) {
  for (int matrix = 0; matrix < 4; ++matrix) {
    std::uint16_t elements[8][8];
    for (int row = 0; row < 8; ++row) {
      const Words& words = in[8 * matrix + row];
      const std::uint64_t address = words[0] | std::uint64_t{words[1]} << 32;
      std::memcpy(elements[row], std::bit_cast<const void*>(address), 16);
    }
    for (int l = 0; l < 32; ++l) {
      const int major = l / 4, minor = l % 4 * 2;
      const std::uint32_t low = Transposed ? elements[minor][major] : elements[major][minor];
      const std::uint32_t high =
          Transposed ? elements[minor + 1][major] : elements[major][minor + 1];
      out[l][matrix] = low | high << 16;
    }
  }
}

}  // namespace

void load_matrices(std::uint32_t (&r)[4], const void* row, bool transposed) {
  const auto address = std::bit_cast<std::uint64_t>(row);
  const std::uint32_t in[2] = {static_cast<std::uint32_t>(address),
                               static_cast<std::uint32_t>(address >> 32)};
  check_shared(row, "ldmatrix");
  collective(in, 2, r, 4, transposed ? read_matrices<true> : read_matrices<false>);
}

float float_of_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                          : exponent == 31
                              ? fraction ? NAN : INFINITY
                              : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

std::uint16_t half_of_float(float x) {
  const auto sign = static_cast<std::uint16_t>(bits_of_float(x) >> 16 & 0x8000U);
  const float size = std::fabs(x);
  if (std::isnan(x)) return 0x7FFF;
  if (size >= 65520.0F) return sign | 0x7C00;
  if (size == 0) return sign;
  int exponent = 0;
  std::frexp(size, &exponent);
  // In units of the last place of its binade (or of the subnormals), rounded to nearest even. A carry runs into the exponent.
  const int unit = std::max(exponent - 11, -24);
  const auto steps = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(size, -unit)));
  return static_cast<std::uint16_t>(sign | (static_cast<std::uint32_t>(unit + 24) * 1024U + steps));
}

std::uint16_t bfloat_of_float(float x) {
  if (std::isnan(x)) return 0x7FFF;
  const std::uint32_t bits = bits_of_float(x);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

}  // namespace fovea::cuda::emulate
