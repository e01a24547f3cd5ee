#include <gmock/gmock.h>

#include <random>
#include <set>

#include "fovea/io/image_file.h"
#include "fovea/io/npz.h"
#include "io/images.h"

namespace fovea::io {
namespace {

using test::TempFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}
// CRC-32 of ISO 3309, bit by bit.
uint32_t crc32(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0u);
  }
  return ~crc;
}
std::string chunk(const std::string& type, const std::string& data) {
  return big_endian(static_cast<uint32_t>(data.size())) + type + data +
         big_endian(crc32(type + data));
}
// IHDR of the size, the bits, the colour type and the interlacing given.
std::string png_header(uint32_t width, uint32_t height, int bits = 8, int colour = 0,
                       int interlaced = 0) {
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR", big_endian(width) + big_endian(height) +
                           std::string{static_cast<char>(bits), static_cast<char>(colour), 0, 0,
                                       static_cast<char>(interlaced)});
}
// A zlib stream (RFC 1950, 1951) of one stored block.
std::string stored(const std::string& bytes) {
  uint32_t a = 1, b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  const auto size = static_cast<uint16_t>(bytes.size());
  const auto little = [](int value) {
    return std::string{static_cast<char>(value), static_cast<char>(value >> 8)};
  };
  return "\x78\x01\x01" + little(size) + little(~size) + bytes + big_endian(b << 16 | a);
}
// A PNG of 8-bit grey whose filtered rows are given.
std::string grey_png(uint32_t width, uint32_t height, const std::string& rows) {
  return png_header(width, height) + chunk("IDAT", stored(rows)) + chunk("IEND", "");
}

TEST(Png, EightAndSixteenBitsAreExact) {
  expect_image(read_png(image_path("grey8.png")), Sample::u8, 1, twice);
  expect_image(read_png(image_path("grey16.png")), Sample::u16, 1,
               [](int a, int) { return 500 * a; });
  expect_image(read_png(image_path("rgb8.png")), Sample::u8, 3, twice);
  expect_image(read_png(image_path("rgb16.png")), Sample::u16, 3,
               [](int a, int c) { return 500 * a + c; });
  EXPECT_THAT(read_png(image_path("grey16.png")).notes, IsEmpty());
}

TEST(Png, AlphaIsDroppedAndAPaletteExpandedWithANote) {
  const Image rgba = read_png(image_path("rgba8.png"));
  expect_image(rgba, Sample::u8, 3, twice);
  EXPECT_THAT(rgba.notes, ElementsAre("alpha channel dropped"));
  const Image grey_alpha = read_png(image_path("grey_alpha8.png"));
  expect_image(grey_alpha, Sample::u8, 1, twice);
  EXPECT_THAT(grey_alpha.notes, ElementsAre("alpha channel dropped"));
  const Image palette = read_png(image_path("palette.png"));
  expect_image(palette, Sample::u8, 3, twice);
  EXPECT_THAT(palette.notes, ElementsAre("palette expanded to RGB"));
  const Image one_bit = read_png(image_path("grey1.png"));
  expect_image(one_bit, Sample::u8, 1, [](int a, int) { return a % 2 * 255; });
  EXPECT_THAT(one_bit.notes, ElementsAre("grey of 1 bit(s) scaled to 0..255"));
}

TEST(Png, AHugeSizeIsRefusedFromTheHeader) {
  const std::string text = refusal(decode_png, png_header(60'000, 60'000) + chunk("IEND", ""));
  EXPECT_THAT(text, AllOf(HasSubstr("60000 x 60000"), HasSubstr("3600000000"),
                          HasSubstr("max_decoded_bytes")));
  EXPECT_THAT(refusal(decode_png, png_header(0xffffffff, 1)), HasSubstr("4294967295"));
  EXPECT_THAT(refusal(decode_png, png_header(0, 7)), HasSubstr("0 x 7"));
  EXPECT_THAT(refusal(decode_png, bytes_of_file("grey8.png"), {.max_decoded_bytes = 119}),
              HasSubstr("120 bytes"));
}

TEST(Png, EveryTruncationAndEveryChangedByteIsRefused) {
  const std::string whole = bytes_of_file("rgb8.png");
  cut(decode_png, whole);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    refusal(decode_png, changed);
  }
}

TEST(Png, ChunksThatDoNotMatterAreLeftOut) {
  // A colour profile that libpng would complain about on stderr, and text.
  std::string file = bytes_of_file("grey8.png");
  file.insert(33, chunk("iCCP", std::string("bad\0\0nonsense", 13)) +
                      chunk("tEXt", std::string("a\0b", 3)));
  testing::internal::CaptureStderr();
  const Image image = decode_png(file, "a.png");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  expect_image(image, Sample::u8, 1, twice);
}

TEST(Png, WhatIsWrittenIsReadBackExactly) {
  TempFolder folder;
  for (const std::string name : {"grey8.png", "grey16.png", "rgb8.png", "rgb16.png"}) {
    const Image image = read_png(image_path(name));
    write_png(folder / "a.png", image);
    const Image again = read_png(folder / "a.png");
    EXPECT_EQ(again.pixels, image.pixels) << name;
    EXPECT_EQ(again.channels, image.channels);
    EXPECT_EQ(again.sample, image.sample);
    write_png(folder / "b.png", image);
    EXPECT_EQ(test::read_text(folder / "a.png"), test::read_text(folder / "b.png"));
  }
  Image image = read_png(image_path("grey8.png"));
  image.frames = 2;
  EXPECT_THROW(write_png(folder / "c.png", image), Error);
}

TEST(Png, EveryColourTypeDepthInterlacingAndFilterIsWhatPillowReads) {
  const NpzFile pillow = NpzFile::open(image_path("png.npz"));
  std::set<std::string> types;
  int files = 0;
  for (const auto& entry : test::fs::directory_iterator(test::reference("images"))) {
    const std::string stem = entry.path().stem();
    if (!stem.starts_with("png_")) continue;
    ++files;
    std::string type = stem.substr(4);
    if (pillow.find(type) == nullptr) type.resize(type.rfind('_'));
    types.insert(type);
    const Array wanted = pillow.read(type);
    const Image image = read_png(entry.path());
    ASSERT_EQ(image.height, wanted.shape[0]) << stem;
    ASSERT_EQ(image.width, wanted.shape[1]) << stem;
    ASSERT_EQ(image.channels, wanted.shape.size() == 3 ? 3 : 1) << stem;
    ASSERT_EQ(image.sample, type.find("16") != std::string::npos ? Sample::u16 : Sample::u8);
    EXPECT_EQ(image.pixels, wanted.bytes) << stem;
    const bool plain = type.find("alpha") == std::string::npos && !type.starts_with("palette") &&
                       type != "grey_1" && type != "grey_2" && type != "grey_4";
    EXPECT_EQ(image.notes.size(), plain ? 0 : 1) << stem;
  }
  EXPECT_EQ(types.size(), pillow.entries().size());
  EXPECT_EQ(files, 61);
}

TEST(Png, SamplesInSeveralChunksAreOneStream) {
  const std::string stream = stored(std::string("\0\1\2\0\3\4", 6));
  std::string file = png_header(2, 2);
  for (const char byte : stream)
    file += chunk("IDAT", std::string(1, byte)) + chunk("IDAT", "") + chunk("tEXt", "a");
  const Image image = decode_png(file + chunk("IEND", ""), "a.png");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(image.data<uint8_t>()[i], i + 1);
}

TEST(Png, RowsThatAreNotThoseOfTheHeaderAreRefused) {
  const std::string rows("\0\1\2\0\3\4", 6);
  EXPECT_THAT(refusal(decode_png, grey_png(2, 2, rows.substr(1))), HasSubstr("6 bytes of samples"));
  EXPECT_THAT(refusal(decode_png, grey_png(2, 2, rows + "\1")), HasSubstr("6 bytes of samples"));
  EXPECT_THAT(refusal(decode_png, grey_png(2, 2, std::string("\0\1\2\5\3\4", 6))),
              HasSubstr("filter 5 in row 1"));
  EXPECT_THAT(refusal(decode_png, png_header(2, 2) + chunk("IEND", "")), HasSubstr("0 compressed"));
  // A header that wants 1 GiB of a few bytes.
  EXPECT_THAT(refusal(decode_png, grey_png(32768, 32768, rows)), HasSubstr("1073774592 bytes"));
}

TEST(Png, WhatTheStandardDoesNotHaveIsRefused) {
  const std::string end = chunk("IDAT", stored(std::string("\0\1", 2))) + chunk("IEND", "");
  const auto text = [&](int bits, int colour, int interlaced, const std::string& chunks = "") {
    return refusal(decode_png, png_header(1, 1, bits, colour, interlaced) + chunks + end);
  };
  EXPECT_THAT(text(3, 0, 0), HasSubstr("colour type 0 of 3 bits"));
  EXPECT_THAT(text(4, 2, 0), HasSubstr("colour type 2 of 4 bits"));
  EXPECT_THAT(text(16, 3, 0), HasSubstr("colour type 3 of 16 bits"));
  EXPECT_THAT(text(8, 5, 0), HasSubstr("colour type 5"));
  EXPECT_THAT(text(8, 0, 2), HasSubstr("interlacing 2"));
  EXPECT_THAT(text(8, 0, 0, chunk("CgBI", "")), HasSubstr("CgBI at byte 33"));
  EXPECT_THAT(text(8, 0, 0, png_header(2, 2).substr(8)), HasSubstr("IHDR at byte 33"));
  EXPECT_THAT(text(8, 3, 0), HasSubstr("no palette"));
  EXPECT_THAT(text(8, 3, 0, chunk("PLTE", "1234")), HasSubstr("not a palette of 1 to 256"));
  EXPECT_THAT(text(8, 3, 0, chunk("PLTE", "123")), HasSubstr("colour 1 in a palette of 1"));
  const Image image = decode_png(png_header(1, 1, 8, 3) + chunk("PLTE", "123456") + end, "a.png");
  EXPECT_EQ(image.data<char>()[0], '4');
}

TEST(Png, DamageUnderAMendedChecksumNeverYieldsAnotherSize) {
  std::mt19937 random(1);
  int accepted = 0;
  for (const std::string name : {"png_grey_8_wide_paeth", "png_grey_1_interlaced", "png_palette_4",
                                 "png_rgb_16_wide_avg", "png_rgb_alpha_8_interlaced"}) {
    const std::string whole = bytes_of_file(name + ".png");
    const Image wanted = decode_png(whole, name);
    const size_t type = whole.find("IDAT"), end = whole.find("IEND") - 4;
    for (int i = 0; i < 300; ++i) {
      std::string data = whole.substr(type + 4, end - 4 - (type + 4));
      for (size_t n = random() % 3 + 1; n > 0; --n)
        data[random() % data.size()] = static_cast<char>(random());
      const std::string damaged =
          whole.substr(0, type - 4) + chunk("IDAT", data) + whole.substr(end);
      try {
        const Image image = decode_png(damaged, name);
        EXPECT_EQ(image.pixels.size(), wanted.pixels.size());
        ++accepted;
      } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::data);
      }
    }
  }
  EXPECT_LT(accepted, 15);  // the stream has a checksum of its own
}

TEST(Png, NoiseAndRampsOfAnySizeAreReadBackExactly) {
  TempFolder folder;
  std::mt19937 random(1);
  for (const auto sample : {Sample::u8, Sample::u16}) {
    for (const int64_t channels : {1, 3}) {
      for (const int64_t width : {1, 2, 7, 241, 500}) {
        Image image{.height = 9, .width = width, .channels = channels, .sample = sample};
        image.pixels.resize(static_cast<size_t>(image.samples() * bytes_of(sample)));
        const bool noise = width % 2 == 1;
        for (size_t i = 0; i < image.pixels.size(); ++i)
          image.pixels[i] = static_cast<std::byte>(noise ? random() : i / 5);
        write_png(folder / "a.png", image);
        EXPECT_EQ(read_png(folder / "a.png").pixels, image.pixels) << width << " " << channels;
      }
    }
  }
  EXPECT_THROW(write_png(folder / "b.png", Image{}), Error);
}

TEST(Png, ThePublicChestRadiographsAreRead) {
  FOVEA_NEEDS_DATA("nih_cxr/images");
  const Image image = read_png(test::test_data() / "nih_cxr" / "images" / "00000061_012.png");
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(image.height, 224);
  EXPECT_EQ(image.width, 224);
}

}  // namespace
}  // namespace fovea::io
