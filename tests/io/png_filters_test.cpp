#include "io/png_filters.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace fovea::io {
namespace {

using Bytes = std::vector<uint8_t>;

// The predictor in the words of ISO 15948, 9.4.
int paeth(int a, int b, int c) {
  const int p = a + b - c, pa = std::abs(p - a), pb = std::abs(p - b), pc = std::abs(p - c);
  if (pa <= pb && pa <= pc) return a;
  if (pb <= pc) return b;
  return c;
}

Bytes undone(PngFilter filter, const Bytes& coded, const Bytes& above, size_t pixel) {
  Bytes row(coded.size());
  for (size_t i = 0; i < row.size(); ++i) {
    const int a = i < pixel ? 0 : row[i - pixel], b = above[i],
              c = i < pixel ? 0 : above[i - pixel];
    const int predicted[] = {0, a, b, (a + b) / 2, paeth(a, b, c)};
    row[i] = static_cast<uint8_t>(coded[i] + predicted[filter]);
  }
  return row;
}

Bytes undo(PngFilter filter, const Bytes& coded, const Bytes& above, size_t pixel) {
  Bytes row(coded.size());
  undo_filter(filter, coded.data(), above.data(), row.data(), row.size(), pixel);
  return row;
}

TEST(PngFilters, EachIsUndoneAsTheStandardSays) {
  std::mt19937 random(1);
  for (int i = 0; i < kPngFilters; ++i) {
    const auto filter = static_cast<PngFilter>(i);
    for (const size_t pixel : {1, 2, 3, 4, 6, 8}) {
      for (const size_t pixels : {1, 2, 3, 15, 16, 17, 30, 121, 239, 241, 242, 500}) {
        for (const unsigned values : {2u, 7u, 256u}) {
          Bytes coded(pixels * pixel), above(pixels * pixel);
          for (uint8_t& byte : coded) byte = static_cast<uint8_t>(random() % values);
          for (uint8_t& byte : above) byte = static_cast<uint8_t>(random() % values);
          const Bytes row = undo(filter, coded, above, pixel);
          ASSERT_EQ(row, undone(filter, coded, above, pixel))
              << "filter " << i << ", " << pixels << " pixels of " << pixel;
          Bytes again(coded.size());
          apply_filter(filter, row.data(), above.data(), again.data(), row.size(), pixel);
          ASSERT_EQ(again, coded);
        }
      }
    }
  }
}

TEST(PngFilters, PaethIsRightForEveryThreeNeighbours) {
  // Pairs of bytes: below c comes a, and below b a zero, coded as the difference to its prediction.
  Bytes row(2 * 65536), above(row.size()), coded(row.size());
  for (int a = 0; a < 256; ++a) {
    for (int i = 0; i < 65536; ++i) {
      above[2 * i] = static_cast<uint8_t>(i / 256);
      above[2 * i + 1] = static_cast<uint8_t>(i);
      row[2 * i] = static_cast<uint8_t>(a);
    }
    for (size_t i = 0; i < row.size(); ++i) {
      const int predicted = i == 0 ? above[0] : paeth(row[i - 1], above[i], above[i - 1]);
      coded[i] = static_cast<uint8_t>(row[i] - predicted);
    }
    ASSERT_EQ(undo(kPaeth, coded, above, 1), row) << "a " << a;
  }
}

}  // namespace
}  // namespace fovea::io
