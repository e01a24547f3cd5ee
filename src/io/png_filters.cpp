#include "io/png_filters.h"

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace fovea::io {
namespace {

template <size_t kPixel>
void undo_sub(const uint8_t* __restrict coded, uint8_t* __restrict row, size_t bytes) {
  std::array<uint8_t, kPixel> left{};
  for (size_t i = 0; i < bytes; i += kPixel) {
    for (size_t k = 0; k < kPixel; ++k) {
      left[k] = static_cast<uint8_t>(coded[i + k] + left[k]);
      row[i + k] = left[k];
    }
  }
}

void undo_up(const uint8_t* __restrict coded, const uint8_t* __restrict above,
             uint8_t* __restrict row, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) row[i] = static_cast<uint8_t>(coded[i] + above[i]);
}

template <size_t kPixel>
void undo_average(const uint8_t* __restrict coded, const uint8_t* __restrict above,
                  uint8_t* __restrict row, size_t bytes) {
  std::array<uint8_t, kPixel> left{};
  for (size_t i = 0; i < bytes; i += kPixel) {
    for (size_t k = 0; k < kPixel; ++k) {
      left[k] = static_cast<uint8_t>(coded[i + k] + (left[k] + above[i + k]) / 2);
      row[i + k] = left[k];
    }
  }
}

// --- Paeth
// With a to the left, b above and c above left, the predictor is the one of the three nearest to
// a + b - c. Only a depends on the byte just decoded, so the rule is written as a function of a.
// For b > c and d = b - c it gives
//
//     a  up to c - 2d,   then c  up to c - d/2,   then b  up to b,   then a again
//
// and mirrored for b < c: a, b from b on, c above c + d/2, a again from c + 2d on. So a run of
// values of a is answered with the larger or the smaller of b and c, on which side of a threshold a
// lies. The run, the threshold and both answers, with the coded byte added, do not wait for a: they
// are made for many bytes at a time, and two comparisons remain from byte to byte.

constexpr size_t kBlock = 240;  // bytes; whole vectors, and whole pixels of every size
constexpr size_t kVector = sizeof(__m128i);

struct Answers {
  uint8_t first[kBlock];      // of the run
  uint8_t length[kBlock];     // of the run, less 1
  uint8_t threshold[kBlock];  // above it the upper answer
  uint8_t upper[kBlock];
  uint8_t lower[kBlock];
};

__m128i load(const uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
void store(uint8_t* to, __m128i value) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value); }
__m128i select(__m128i mask, __m128i yes, __m128i no) {
  return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
}

// Saturating arithmetic keeps the bounds in 0..255. Where it would move the threshold to 0 although
// a = 0 lies above, both answers are the upper one.
void prepare(__m128i coded, __m128i b, __m128i c, Answers& answers, size_t at) {
  const __m128i one = _mm_set1_epi8(1);
  const __m128i high = _mm_max_epu8(b, c), low = _mm_min_epu8(b, c);
  const __m128i d = _mm_sub_epi8(high, low), d_less_1 = _mm_subs_epu8(d, one);
  const __m128i half = _mm_and_si128(_mm_srli_epi16(d, 1), _mm_set1_epi8(127));
  const __m128i mirrored = _mm_cmpeq_epi8(b, low);
  const __m128i first = select(mirrored, low, _mm_subs_epu8(_mm_subs_epu8(low, d), d_less_1));
  const __m128i last = select(mirrored, _mm_adds_epu8(_mm_adds_epu8(high, d), d_less_1), high);
  const __m128i middle = _mm_subs_epu8(low, half);
  const __m128i all_above = _mm_andnot_si128(mirrored, _mm_cmpeq_epi8(middle, _mm_setzero_si128()));
  store(answers.first + at, first);
  store(answers.length + at, _mm_sub_epi8(last, first));
  store(answers.threshold + at,
        select(mirrored, _mm_adds_epu8(high, half), _mm_subs_epu8(middle, one)));
  store(answers.upper + at, _mm_add_epi8(high, coded));
  store(answers.lower + at, _mm_add_epi8(select(all_above, high, low), coded));
}

// a > b ? yes : no of the lowest bytes, never with a jump: which it is cannot be foretold. g++
// makes jumps of the same in C++.
uint32_t if_above(uint32_t a, uint32_t b, uint32_t yes, uint32_t no) {
  asm("cmpb %b1, %b2\n\tcmovb %3, %0" : "+r"(no) : "q"(a), "q"(b), "r"(yes) : "cc");
  return no;
}

template <size_t kPixel>
void undo_paeth(const uint8_t* __restrict coded, const uint8_t* __restrict above,
                uint8_t* __restrict row, size_t bytes) {
  static_assert(kBlock % kPixel == 0 && kBlock % kVector == 0);
  std::array<uint32_t, kPixel> left;  // the lowest byte of each
  for (size_t k = 0; k < kPixel; ++k) {
    left[k] = uint32_t{coded[k]} + above[k];
    row[k] = static_cast<uint8_t>(left[k]);
  }
  // Copies, because whole vectors are read.
  uint8_t differences[kBlock] = {}, upper_row[kPixel + kBlock] = {};
  Answers answers;
  for (size_t at = kPixel; at < bytes; at += kBlock) {
    const size_t count = std::min(kBlock, bytes - at);
    std::memcpy(differences, coded + at, count);
    std::memcpy(upper_row, above + at - kPixel, kPixel + count);
    for (size_t i = 0; i < count; i += kVector) {
      prepare(load(differences + i), load(upper_row + kPixel + i), load(upper_row + i), answers, i);
    }
    for (size_t i = 0; i < count; i += kPixel) {
      for (size_t k = 0; k < kPixel; ++k) {
        const size_t j = i + k;
        const uint32_t a = left[k];
        const uint32_t answer =
            if_above(a, answers.threshold[j], answers.upper[j], answers.lower[j]);
        left[k] = if_above(a - answers.first[j], answers.length[j], a + differences[j], answer);
        row[at + j] = static_cast<uint8_t>(left[k]);
      }
    }
  }
}

template <size_t kPixel>
void undo(PngFilter filter, const uint8_t* coded, const uint8_t* above, uint8_t* row,
          size_t bytes) {
  switch (filter) {
    case kNone:
      std::memcpy(row, coded, bytes);
      break;
    case kSub:
      undo_sub<kPixel>(coded, row, bytes);
      break;
    case kUp:
      undo_up(coded, above, row, bytes);
      break;
    case kAverage:
      undo_average<kPixel>(coded, above, row, bytes);
      break;
    case kPaeth:
      undo_paeth<kPixel>(coded, above, row, bytes);
  }
}

int paeth(int a, int b, int c) {
  const int from_a = std::abs(b - c), from_b = std::abs(a - c), from_c = std::abs(a + b - 2 * c);
  if (from_a <= from_b && from_a <= from_c) return a;
  return from_b <= from_c ? b : c;
}

int prediction(PngFilter filter, int a, int b, int c) {
  switch (filter) {
    case kSub:
      return a;
    case kUp:
      return b;
    case kAverage:
      return (a + b) / 2;
    case kPaeth:
      return paeth(a, b, c);
    default:
      return 0;
  }
}

}  // namespace

void undo_filter(PngFilter filter, const uint8_t* coded, const uint8_t* above, uint8_t* row,
                 size_t bytes, size_t pixel) {
  switch (pixel) {
    case 1:
      return undo<1>(filter, coded, above, row, bytes);
    case 2:
      return undo<2>(filter, coded, above, row, bytes);
    case 3:
      return undo<3>(filter, coded, above, row, bytes);
    case 4:
      return undo<4>(filter, coded, above, row, bytes);
    case 6:
      return undo<6>(filter, coded, above, row, bytes);
    default:
      return undo<8>(filter, coded, above, row, bytes);
  }
}

void apply_filter(PngFilter filter, const uint8_t* row, const uint8_t* above, uint8_t* coded,
                  size_t bytes, size_t pixel) {
  for (size_t i = 0; i < bytes; ++i) {
    const bool inside = i >= pixel;
    const int a = inside ? row[i - pixel] : 0, c = inside ? above[i - pixel] : 0;
    coded[i] = static_cast<uint8_t>(row[i] - prediction(filter, a, above[i], c));
  }
}

}  // namespace fovea::io
