#include <gmock/gmock.h>

#include <cmath>

#include "fovea/io/image_file.h"
#include "io/images.h"

namespace fovea::io {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Image read(const std::string& name) { return read_bmp(image_path(name + ".bmp")); }

std::string little(uint32_t value) {
  return {static_cast<char>(value), static_cast<char>(value >> 8), static_cast<char>(value >> 16),
          static_cast<char>(value >> 24)};
}

// rgb24.bmp or another with some of its header changed: bytes `at` become `value`.
std::string changed(const std::string& name, size_t at, uint32_t value, size_t bytes = 4) {
  std::string file = bytes_of_file(name + ".bmp");
  return file.replace(at, bytes, little(value).substr(0, bytes));
}

TEST(Bmp, TwentyFourAndThirtyTwoBitsAreExact) {
  for (const std::string name : {"rgb24", "rgb32", "core24"}) {
    SCOPED_TRACE(name);
    expect_image(read(name), Sample::u8, 3, twice);
    EXPECT_THAT(read(name).notes, IsEmpty());
  }
}

TEST(Bmp, PalettesAreExpandedWithANote) {
  for (const std::string name : {"palette8", "few_colours8", "top_down8", "core8", "os2_8"}) {
    SCOPED_TRACE(name);
    expect_image(read(name), Sample::u8, 3, twice);
    EXPECT_THAT(read(name).notes, ElementsAre("palette expanded to RGB"));
  }
  expect_image(read("palette4"), Sample::u8, 3, [](int a, int c) { return 2 * (a / 3 % 16) + c; });
  expect_image(read("palette1"), Sample::u8, 3, [](int a, int c) { return 2 * (a / 3 % 2) + c; });
}

TEST(Bmp, APaletteOfGreysBecomesGrey) {
  expect_image(read("grey8"), Sample::u8, 1, twice);
  EXPECT_THAT(read("grey8").notes, IsEmpty());
  expect_image(read("grey4"), Sample::u8, 1, [](int a, int) { return 17 * (a / 3 % 16); });
  expect_image(read("grey1"), Sample::u8, 1, [](int a, int) { return a % 2 * 255; });
  EXPECT_THAT(read("grey1").notes, ElementsAre("palette of greys expanded to grey"));
}

TEST(Bmp, RunLengthsAreUndone) {
  expect_image(read("rle8"), Sample::u8, 3, [](int a, int c) { return 2 * (a / 4) + c; });
  expect_image(read("rle4"), Sample::u8, 3, [](int a, int c) { return 2 * (a / 4 % 16) + c; });
  const Image jumps = read("jumps8");
  expect_image(jumps, Sample::u8, 3, [](int a, int c) {
    return (a >= 102 && a < 106 ? 18 : a == 55 ? 16 : 0) + c;
  });
  EXPECT_THAT(jumps.notes, ElementsAre("palette expanded to RGB",
                                       "115 pixels that its run lengths leave out have colour 0"));
}

TEST(Bmp, BitFieldsAreScaledToEightBits) {
  const auto scaled = [](int value, int most) { return std::round(value * 255.0 / most); };
  expect_image(read("rgb555"), Sample::u8, 3,
               [&](int a, int c) { return scaled((a + c) % 32, 31); });
  expect_image(read("rgb565"), Sample::u8, 3, [&](int a, int c) {
    return c == 1 ? scaled((a + 1) % 64, 63) : scaled((a + c) % 32, 31);
  });
  EXPECT_THAT(read("rgb565").notes, ElementsAre("colours of 5, 6 and 5 bits scaled to 0..255"));
  expect_image(read("rgba32"), Sample::u8, 3, twice);
  EXPECT_THAT(read("rgba32").notes, ElementsAre("alpha channel dropped"));
}

TEST(Bmp, WhatIsNotReadIsRefusedByName) {
  EXPECT_THAT(refusal(decode_bmp, changed("rgb24", 30, 4)), HasSubstr("a JPEG image inside"));
  EXPECT_THAT(refusal(decode_bmp, changed("rgb24", 30, 5)),
              AllOf(HasSubstr("a PNG image inside"), HasSubstr("convert it to PNG")));
  EXPECT_THAT(refusal(decode_bmp, changed("rgb32", 30, 11)), HasSubstr("CMYK"));
  EXPECT_THAT(refusal(decode_bmp, changed("rgb24", 28, 2, 2)), HasSubstr("2 bits, compression 0"));
  EXPECT_THAT(refusal(decode_bmp, changed("rle8", 22, static_cast<uint32_t>(-12))),
              HasSubstr("rows from above"));
  EXPECT_THAT(refusal(decode_bmp, changed("rgba32", 54, 0x3ff)), HasSubstr("the masks 000003ff"));
  EXPECT_THAT(refusal(decode_bmp, changed("rgb565", 54, 0xfc00)), HasSubstr("side by side"));
  EXPECT_THAT(refusal(decode_bmp, changed("rgb565", 54, 0x1f0000)), HasSubstr("of 16 bits"));
  EXPECT_THAT(refusal(decode_bmp, bytes_of_file("grey8.png")), HasSubstr("header of BMP"));
}

TEST(Bmp, AHugeSizeIsRefusedFromTheHeader) {
  std::string file = changed("rgb24", 18, 60'000);
  file.replace(22, 4, little(60'000));
  EXPECT_THAT(refusal(decode_bmp, file), AllOf(HasSubstr("60000 x 60000"), HasSubstr("10800000000"),
                                               HasSubstr("max_decoded_bytes")));
  EXPECT_THAT(refusal(decode_bmp, changed("rgb24", 22, 0x80000000)), HasSubstr("2147483648"));
  EXPECT_THAT(refusal(decode_bmp, changed("rgb24", 18, static_cast<uint32_t>(-10))),
              HasSubstr("-10 x 12"));
  EXPECT_THAT(refusal(decode_bmp, changed("rgb24", 22, 0)), HasSubstr("10 x 0"));
  EXPECT_THAT(refusal(decode_bmp, changed("rgb24", 22, 13)), HasSubstr("416 bytes of samples"));
}

TEST(Bmp, ColoursAndPlacesThatAreNotThereAreRefused) {
  EXPECT_THAT(refusal(decode_bmp, changed("few_colours8", 46, 119)),
              HasSubstr("found colour 119 in a palette of 119"));
  EXPECT_THAT(refusal(decode_bmp, changed("palette8", 10, 54)), HasSubstr("room for 0 colours"));
  EXPECT_THAT(refusal(decode_bmp, changed("rgb24", 10, 53)), HasSubstr("from byte 53"));
  EXPECT_THAT(refusal(decode_bmp, changed("rle8", 18, 9)), HasSubstr("column 9 of row 0"));
  EXPECT_THAT(refusal(decode_bmp, changed("rle8", 22, 11)), HasSubstr("row 11"));
}

TEST(Bmp, EveryTruncationIsRefused) {
  for (const std::string name :
       {"grey1", "palette4", "few_colours8", "core8", "rgb24", "rgb565", "rgba32", "rle8", "rle4"})
    cut(decode_bmp, bytes_of_file(name + ".bmp"));
}

TEST(Bmp, NoChangedByteDoesMoreThanChangeTheImageOrRefuseIt) {
  for (const std::string name :
       {"palette1", "palette4", "core8", "os2_8", "rgb24", "rgb565", "rgba32", "rle8", "rle4"})
    damage(decode_bmp, bytes_of_file(name + ".bmp"));
}

}  // namespace
}  // namespace fovea::io
