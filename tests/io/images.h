// The images of tests/reference/images and what is asked of all of them.
#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <string>

#include "fovea/core/error.h"
#include "fovea/io/image_file.h"
#include "support/test_files.h"

namespace fovea::io {

using Decode = Image (*)(std::string_view, const test::fs::path&, const ImageLimits&);

inline std::string bytes_of_file(const std::string& name) {
  return test::read_text(test::reference("images/" + name));
}
inline test::fs::path image_path(const std::string& name) {
  return test::reference("images/" + name);
}

inline std::string refusal(Decode decode, const std::string& file, const ImageLimits& limits = {}) {
  try {
    decode(file, "folder/a.file", limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data) << error.what();
    EXPECT_THAT(error.what(), testing::HasSubstr("folder/a.file"));
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

// Each beginning of a file but the whole is refused.
inline void cut(Decode decode, const std::string& whole) {
  for (size_t n = 0; n < whole.size(); ++n) refusal(decode, whole.substr(0, n));
}

// Changes each byte in four ways: what comes out is a whole image, or a data Error.
inline void damage(Decode decode, const std::string& whole) {
  testing::internal::CaptureStderr();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x10, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      try {
        const Image image = decode(damaged, "a.file", {.max_decoded_bytes = 1 << 20});
        EXPECT_EQ(image.pixels.size(), static_cast<size_t>(image.samples()));
      } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::data);
      }
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// Sample (y, x, channel) of make_image_files.py, with a = 10 y + x.
using Rule = std::function<double(int a, int channel)>;

template <class T>
void expect_samples(const Image& image, const Rule& rule) {
  const int channels = static_cast<int>(image.channels);
  ASSERT_EQ(image.samples(), static_cast<int64_t>(image.pixels.size() / sizeof(T)));
  for (int a = 0; a < 120; ++a) {
    for (int c = 0; c < channels; ++c) {
      ASSERT_EQ(image.data<T>()[a * channels + c], static_cast<T>(rule(a, c)))
          << "a " << a << " channel " << c;
    }
  }
}

inline void expect_image(const Image& image, Sample sample, int64_t channels, const Rule& rule) {
  ASSERT_EQ(image.frames, 1);
  ASSERT_EQ(image.height, 12);
  ASSERT_EQ(image.width, 10);
  ASSERT_EQ(image.channels, channels);
  ASSERT_EQ(image.sample, sample);
  switch (sample) {
    case Sample::u8:
      return expect_samples<uint8_t>(image, rule);
    case Sample::i8:
      return expect_samples<int8_t>(image, rule);
    case Sample::u16:
      return expect_samples<uint16_t>(image, rule);
    case Sample::i16:
      return expect_samples<int16_t>(image, rule);
    case Sample::i32:
      return expect_samples<int32_t>(image, rule);
    case Sample::f32:
      return expect_samples<float>(image, rule);
    case Sample::f64:
      return expect_samples<double>(image, rule);
    default:
      FAIL();
  }
}

inline double twice(int a, int channel) { return 2 * a + channel; }
inline double signed_rule(int a, int) { return 3 * a - 50; }

}  // namespace fovea::io
