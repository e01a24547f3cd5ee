#include "fovea/io/image_file.h"

#include <gmock/gmock.h>

#include <functional>

#include "fovea/core/error.h"
#include "fovea/io/npy.h"
#include "io/images.h"

namespace fovea::io {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void expect_like_pillow(const std::string& name, int64_t channels) {
  const Image image = read_jpeg(image_path(name + ".jpg"));
  const Array wanted = read_npy(image_path(name + "_jpg.npy"));
  ASSERT_EQ(image.height, 12);
  ASSERT_EQ(image.width, 10);
  ASSERT_EQ(image.channels, channels);
  EXPECT_EQ(image.pixels, wanted.bytes) << name;
}

TEST(Jpeg, TheSamplesAreThoseOfPillow) {
  expect_like_pillow("grey", 1);
  expect_like_pillow("rgb", 3);
  expect_like_pillow("progressive", 3);
}

// 12 x 10 samples turned as EXIF orientation k asks: output (y, x) shows stored (row, column).
struct Turn {
  int orientation;
  bool swapped;
  std::function<std::pair<int, int>(int y, int x)> stored;
};

TEST(Jpeg, EachExifOrientationIsAppliedWithANote) {
  const std::string whole = bytes_of_file("turned.jpg");
  const Array stored = read_npy(image_path("turned_jpg.npy"));
  const size_t at =
      whole.find(std::string("\x12\x01\x03\0\x01\0\0\0\x06", 9));  // little-endian tag 0x0112
  const size_t big_at = whole.find(std::string("\x01\x12\0\x03\0\0\0\x01\0\x06", 10));
  ASSERT_TRUE(at != std::string::npos || big_at != std::string::npos);
  const size_t value = at != std::string::npos ? at + 8 : big_at + 9;
  const Turn turns[] = {{1, false,
                         [](int y, int x) {
                           return std::pair{y, x};
                         }},
                        {2, false,
                         [](int y, int x) {
                           return std::pair{y, 9 - x};
                         }},
                        {3, false,
                         [](int y, int x) {
                           return std::pair{11 - y, 9 - x};
                         }},
                        {4, false,
                         [](int y, int x) {
                           return std::pair{11 - y, x};
                         }},
                        {5, true,
                         [](int y, int x) {
                           return std::pair{x, y};
                         }},
                        {6, true,
                         [](int y, int x) {
                           return std::pair{11 - x, y};
                         }},
                        {7, true,
                         [](int y, int x) {
                           return std::pair{11 - x, 9 - y};
                         }},
                        {8, true, [](int y, int x) {
                           return std::pair{x, 9 - y};
                         }}};
  for (const Turn& turn : turns) {
    std::string file = whole;
    file[value] = static_cast<char>(turn.orientation);
    const Image image = decode_jpeg(file, "a.jpg");
    ASSERT_EQ(image.height, turn.swapped ? 10 : 12);
    ASSERT_EQ(image.width, turn.swapped ? 12 : 10);
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const auto [row, column] = turn.stored(y, x);
        ASSERT_EQ(image.data<uint8_t>()[y * image.width + x],
                  stored.data<uint8_t>()[row * 10 + column])
            << "orientation " << turn.orientation << " at " << y << ", " << x;
      }
    }
    if (turn.orientation == 1)
      EXPECT_THAT(image.notes, IsEmpty());
    else
      EXPECT_THAT(image.notes, ElementsAre(HasSubstr("EXIF orientation")));
  }
}

TEST(Jpeg, CmykIsRefused) {
  EXPECT_THAT(refusal(decode_jpeg, bytes_of_file("cmyk.jpg")), HasSubstr("4 components (CMYK)"));
}

TEST(Jpeg, AHugeSizeIsRefusedFromTheHeader) {
  std::string file = bytes_of_file("rgb.jpg");
  const size_t frame = file.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  file.replace(frame + 5, 4, "\xea\x60\xea\x60", 4);  // 60000 twice
  EXPECT_THAT(refusal(decode_jpeg, file),
              AllOf(HasSubstr("60000 x 60000"), HasSubstr("10800000000")));
  // A second frame header cannot smuggle another size in.
  std::string twice_framed = bytes_of_file("rgb.jpg");
  twice_framed.insert(frame, twice_framed.substr(frame, 19));
  EXPECT_THAT(refusal(decode_jpeg, twice_framed), HasSubstr("two frame headers"));
}

TEST(Jpeg, EveryTruncationIsRefusedAndNothingIsPrinted) {
  testing::internal::CaptureStderr();
  for (const std::string name : {"rgb.jpg", "progressive.jpg", "turned.jpg"})
    cut(decode_jpeg, bytes_of_file(name));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(refusal(decode_jpeg, bytes_of_file("rgb.jpg").substr(0, 700)),
              HasSubstr("end marker"));
}

// The entropy-coded bytes between the header of the last scan and the end marker.
std::pair<size_t, size_t> last_scan(const std::string& file) {
  const size_t marker = file.rfind("\xff\xda");
  const size_t length = static_cast<unsigned char>(file[marker + 3]);
  return {marker + 2 + length, file.size() - 2};
}

// Changes four bytes at each place of [begin, end) and gives the share that is refused. What is
// accepted must have the size of the whole image, and nothing is printed.
double refused(Decode decode, const std::string& file, size_t begin, size_t end) {
  testing::internal::CaptureStderr();
  const size_t size = decode(file, "a", {}).pixels.size();
  int refused = 0, all = 0;
  for (size_t at = begin; at + 4 <= end; ++at, ++all) {
    std::string damaged = file;
    for (size_t i = at; i < at + 4; ++i) damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    try {
      EXPECT_EQ(decode(damaged, "a", {}).pixels.size(), size);
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::data);
      ++refused;
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(all, 0);
  return static_cast<double>(refused) / all;
}

TEST(Jpeg, DamageInsideTheScanIsRefusedWhereLibjpegNotices) {
  for (const std::string name : {"rgb.jpg", "grey.jpg", "progressive.jpg"}) {
    const std::string file = bytes_of_file(name);
    const auto [begin, end] = last_scan(file);
    EXPECT_GT(refused(decode_jpeg, file, begin, end), 0.3) << name;
  }
  std::string file = bytes_of_file("rgb.jpg");
  const auto [begin, end] = last_scan(file);
  file.erase((begin + end) / 2, 6);
  EXPECT_THAT(refusal(decode_jpeg, file),
              AllOf(HasSubstr("samples are damaged"), HasSubstr("Corrupt JPEG data")));
}

TEST(Tiff, EachSampleTypeIsExact) {
  const auto read = [](const std::string& name) { return read_tiff(image_path(name + ".tif")); };
  expect_image(read("grey_u1"), Sample::u8, 1, twice);
  expect_image(read("grey_i1"), Sample::i8, 1,
               [](int a, int) { return static_cast<int8_t>(static_cast<uint8_t>(3 * a - 50)); });
  expect_image(read("grey_u2"), Sample::u16, 1, twice);
  expect_image(read("grey_i2"), Sample::i16, 1, signed_rule);
  expect_image(read("grey_i4"), Sample::i32, 1, signed_rule);
  expect_image(read("grey_f4"), Sample::f32, 1, twice);
  expect_image(read("grey_f8"), Sample::f64, 1, twice);
  expect_image(read("rgb_u1"), Sample::u8, 3, twice);
  expect_image(read("rgb_u2"), Sample::u16, 3, twice);
  expect_image(read("rgb_f4"), Sample::f32, 3, twice);
  for (const std::string name :
       {"lzw_u2", "deflate_u2", "packbits_u2", "big_endian_u2", "tiled_u2"}) {
    SCOPED_TRACE(name);
    expect_image(read(name), Sample::u16, 1, twice);
  }
}

TEST(Tiff, WhiteIsZeroPalettesAndOneBitAreTurnedIntoPlainSamplesWithANote) {
  const auto read = [](const std::string& name) { return read_tiff(image_path(name + ".tif")); };
  expect_image(read("white_u1"), Sample::u8, 1, [](int a, int) { return 255 - 2 * a; });
  expect_image(read("white_u2"), Sample::u16, 1, [](int a, int) { return 65535 - 2 * a; });
  EXPECT_THAT(read("white_u2").notes, ElementsAre("white-is-zero inverted"));
  expect_image(read("palette_u1"), Sample::u8, 3, twice);
  EXPECT_THAT(read("palette_u1").notes, ElementsAre("palette expanded to RGB"));
  expect_image(read("bit1"), Sample::u8, 1, [](int a, int) { return a % 2 * 255; });
}

TEST(Tiff, TilesPredictionAndFaxAreUndone) {
  const auto read = [](const std::string& name) { return read_tiff(image_path(name + ".tif")); };
  expect_image(read("tiled_u1"), Sample::u8, 1, twice);
  expect_image(read("tiled_rgb_u1"), Sample::u8, 3, twice);
  expect_image(read("tiled_bit1"), Sample::u8, 1, [](int a, int) { return a % 2 * 255; });
  expect_image(read("fax_bit1"), Sample::u8, 1, [](int a, int) { return a % 2 * 255; });
  expect_image(read("predicted_f4"), Sample::f32, 1, twice);
}

TEST(Tiff, JpegInsideIsWhatOthersDecode) {
  for (const std::string name : {"jpeg_u1", "ycbcr_strips", "ycbcr_tiles"}) {
    const Image image = read_tiff(image_path(name + ".tif"));
    const Array wanted = read_npy(image_path(name + "_tif.npy"));
    ASSERT_EQ(image.height, 12);
    ASSERT_EQ(image.width, 10);
    ASSERT_EQ(image.channels, name == "jpeg_u1" ? 1 : 3);
    EXPECT_EQ(image.pixels, wanted.bytes) << name;
  }
}

TEST(Tiff, DamageInsideTheSamplesIsRefusedWhereLibtiffNotices) {
  const auto share = [](const std::string& name, size_t begin, size_t end) {
    return refused(decode_tiff, bytes_of_file(name + ".tif"), begin, end);
  };
  EXPECT_GT(share("deflate_u2", 192, 239), 0.7);
  EXPECT_GT(share("lzw_u2", 192, 248), 0.3);
  EXPECT_GT(share("fax_bit1", 8, 32), 0.3);
  EXPECT_GT(share("jpeg_u1", 510, 570), 0.3);
  std::string file = bytes_of_file("lzw_u2.tif");
  file.replace(200, 4, 4, '\xff');
  EXPECT_THAT(refusal(decode_tiff, file), HasSubstr("says libtiff: "));
}

TEST(Tiff, PagesAreFrames) {
  const Image image = read_tiff(image_path("pages_u2.tif"));
  ASSERT_EQ(image.frames, 3);
  ASSERT_EQ(image.sample, Sample::u16);
  for (int f = 0; f < 3; ++f) {
    for (int a = 0; a < 120; ++a) ASSERT_EQ(image.data<uint16_t>()[f * 120 + a], 2 * a + 1000 * f);
  }
}

TEST(Tiff, WhatWouldComeOutWrongIsRefused) {
  const auto text = [](const std::string& name) {
    return refusal(decode_tiff, bytes_of_file(name + ".tif"));
  };
  EXPECT_THAT(text("planar_u2"), HasSubstr("separate planes"));
  EXPECT_THAT(text("rgba_u1"), HasSubstr("4 channels"));
  EXPECT_THAT(text("grey_u4"), HasSubstr("32 bits"));
  EXPECT_THAT(text("bigtiff"), HasSubstr("BigTIFF"));
}

TEST(Tiff, EveryTruncationIsRefusedAndNothingIsPrinted) {
  testing::internal::CaptureStderr();
  for (const std::string name : {"lzw_u2.tif", "tiled_u2.tif", "pages_u2.tif", "rgb_u1.tif"}) {
    const std::string whole = bytes_of_file(name);
    for (size_t n = 0; n + 1 < whole.size(); ++n) {
      try {
        // The last 16 bytes may be the resolution, which is not read: the samples are whole then.
        EXPECT_EQ(decode_tiff(whole.substr(0, n), "a").pixels, decode_tiff(whole, "a").pixels);
        EXPECT_GE(n + 16, whole.size());
      } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::data);
      }
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Tiff, AHugeSizeAndACircleOfDirectoriesAreRefused) {
  std::string file = bytes_of_file("grey_u2.tif");
  const auto at = [&](const std::string& text) { return file.find(text); };
  const size_t width = at(std::string("\x00\x01\x04\x00\x01\x00\x00\x00", 8));
  const size_t height = at(std::string("\x01\x01\x04\x00\x01\x00\x00\x00", 8));
  ASSERT_NE(width, std::string::npos);
  ASSERT_NE(height, std::string::npos);
  std::string huge = file;
  huge.replace(width + 8, 2, "\x60\xea");
  huge.replace(height + 8, 2, "\x60\xea");
  EXPECT_THAT(refusal(decode_tiff, huge), HasSubstr("wanted 7200000000"));
  // The first directory lies at the offset in bytes 4 to 7; its link to the next is made to point
  // at itself.
  std::string circle = file;
  const size_t first = static_cast<unsigned char>(file[4]);
  const size_t entries = static_cast<unsigned char>(file[first]);
  circle[first + 2 + 12 * entries] = static_cast<char>(first);
  EXPECT_THAT(refusal(decode_tiff, circle), HasSubstr("circle"));
}

TEST(ImageFile, FormatsAreToldByContent) {
  const std::string png = bytes_of_file("grey8.png"), jpeg = bytes_of_file("grey.jpg"),
                    tiff = bytes_of_file("grey_u1.tif");
  EXPECT_TRUE(is_png(png) && is_jpeg(jpeg) && is_tiff(tiff));
  EXPECT_FALSE(is_png(jpeg) || is_jpeg(tiff) || is_tiff(png) || is_png("") || is_jpeg("") ||
               is_tiff(""));
  const std::string bmp = bytes_of_file("grey8.bmp"), webp = bytes_of_file("rgb.webp"),
                    gif = bytes_of_file("grey.gif");
  EXPECT_TRUE(is_bmp(bmp) && is_webp(webp) && is_gif(gif));
  EXPECT_FALSE(is_bmp(gif) || is_webp(bmp) || is_gif(webp) || is_bmp("") || is_webp("") ||
               is_gif("") || is_bmp("BMI,age,sex,smoker,outcome") || is_webp("RIFF    WAVEfmt "));
  EXPECT_THAT(refusal(decode_png, jpeg), HasSubstr("signature"));
  EXPECT_THAT(refusal(decode_jpeg, tiff), HasSubstr("SOI"));
  EXPECT_THAT(refusal(decode_tiff, png), HasSubstr("header of TIFF"));
}

TEST(ImageFile, TheHeaderTellsWhatComesOut) {
  for (const std::string name :
       {"grey8.png", "rgb16.png", "grey.jpg", "rgb_u1.tif", "grey1.bmp", "palette4.bmp", "rle8.bmp",
        "rgb565.bmp", "rgb.webp", "grey.gif", "interlaced.gif"}) {
    const std::optional<StoredImage> stored = stored_image(image_path(name));
    ASSERT_TRUE(stored.has_value()) << name;
    const std::string file = bytes_of_file(name);
    const Decode decode = is_png(file)    ? decode_png
                          : is_jpeg(file) ? decode_jpeg
                          : is_tiff(file) ? decode_tiff
                          : is_bmp(file)  ? decode_bmp
                          : is_gif(file)  ? decode_gif
                                          : decode_webp;
    const Image image = decode(file, name, {});
    EXPECT_EQ(stored->channels, image.channels) << name;
    EXPECT_EQ(stored->bits, 8 * bytes_of(image.sample)) << name;
  }
}

TEST(ImageFile, AMissingFileIsAnInputOutputError) {
  try {
    read_png("/nowhere/a.png");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::io);
  }
}

}  // namespace
}  // namespace fovea::io
