#include <gmock/gmock.h>

#include "fovea/io/image_file.h"
#include "fovea/io/npy.h"
#include "io/images.h"

namespace fovea::io {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Image read(const std::string& name) { return read_webp(image_path(name + ".webp")); }

TEST(Webp, WithoutLossItIsExactAndAlphaIsDroppedWithANote) {
  expect_image(read("rgb"), Sample::u8, 3, twice);
  EXPECT_THAT(read("rgb").notes, IsEmpty());
  expect_image(read("rgba"), Sample::u8, 3, twice);
  EXPECT_THAT(read("rgba").notes, ElementsAre("alpha channel dropped"));
}

TEST(Webp, WithLossItIsWhatPillowReads) {
  EXPECT_EQ(read("lossy").pixels, read_npy(image_path("lossy_webp.npy")).bytes);
}

TEST(Webp, TheFirstFrameOfAnAnimationIsReadAndTheOthersAreCounted) {
  expect_image(read("animated"), Sample::u8, 3, twice);
  EXPECT_THAT(read("animated").notes,
              ElementsAre("animated: 2 frames after the first are left out"));
}

TEST(Webp, AFirstFrameThatIsSmallerLiesOnItsBackground) {
  std::string file = bytes_of_file("animated.webp");
  file[24] = 13;               // VP8X: 14 wide, less 1
  file[27] = 12;               // 13 high
  file.replace(38, 3, "abc");  // ANIM: blue, green, red
  file[52] = 1;                // ANMF: half of 2 to the right
  const Image image = decode_webp(file, "a.webp");
  ASSERT_EQ(image.width, 14);
  ASSERT_EQ(image.height, 13);
  for (int y = 0; y < 13; ++y) {
    for (int x = 0; x < 14; ++x) {
      const bool inside = x >= 2 && x < 12 && y < 12;
      for (int c = 0; c < 3; ++c)
        ASSERT_EQ(image.data<uint8_t>()[3 * (14 * y + x) + c],
                  inside ? twice(10 * y + x - 2, c) : 'c' - c)
            << y << " " << x;
    }
  }
  EXPECT_THAT(image.notes, testing::Contains(HasSubstr("the rest is background")));
}

TEST(Webp, TheExifOrientationIsAppliedWithANote) {
  const Image image = read("turned");
  ASSERT_EQ(image.height, 10);
  ASSERT_EQ(image.width, 12);
  EXPECT_THAT(image.notes, ElementsAre("EXIF orientation 6 applied"));
  for (int y = 0; y < 10; ++y) {
    for (int x = 0; x < 12; ++x)
      ASSERT_EQ(image.data<uint8_t>()[3 * (12 * y + x)], twice(10 * (11 - x) + y, 0));
  }
}

TEST(Webp, AHugeSizeIsRefusedFromTheHeader) {
  std::string file = bytes_of_file("animated.webp");
  file.replace(24, 6, std::string("\xff\x3f\x00\xff\xff\x00", 6));
  EXPECT_THAT(refusal(decode_webp, file),
              AllOf(HasSubstr("16384 x 65536"), HasSubstr("max_decoded_bytes")));
  EXPECT_THAT(refusal(decode_webp, bytes_of_file("rgb.webp"), {.max_decoded_bytes = 359}),
              HasSubstr("360 bytes"));
}

TEST(Webp, EveryTruncationIsRefused) {
  for (const std::string name : {"rgb", "rgba", "lossy", "turned", "animated"})
    cut(decode_webp, bytes_of_file(name + ".webp"));
  EXPECT_THAT(refusal(decode_webp, bytes_of_file("lossy.webp").substr(0, 60)),
              HasSubstr("not whole within its 60 bytes"));
  EXPECT_THAT(refusal(decode_webp, bytes_of_file("grey8.png")), HasSubstr("header of WebP"));
}

TEST(Webp, NoChangedByteDoesMoreThanChangeTheImageOrRefuseIt) {
  for (const std::string name : {"rgb", "rgba", "lossy", "turned", "animated"})
    damage(decode_webp, bytes_of_file(name + ".webp"));
}

}  // namespace
}  // namespace fovea::io
