#include <gmock/gmock.h>

#include "fovea/io/image_file.h"
#include "io/images.h"

namespace fovea::io {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Image read(const std::string& name) { return read_gif(image_path(name + ".gif")); }

TEST(Gif, APaletteBecomesRgbAndOneOfGreysGrey) {
  for (const std::string name : {"palette", "interlaced"}) {
    SCOPED_TRACE(name);
    expect_image(read(name), Sample::u8, 3, twice);
    EXPECT_THAT(read(name).notes, ElementsAre("palette expanded to RGB"));
  }
  expect_image(read("grey"), Sample::u8, 1, twice);
  EXPECT_THAT(read("grey").notes, IsEmpty());
}

TEST(Gif, ATransparentColourIsWhatItIsBeneath) {
  expect_image(read("transparent"), Sample::u8, 3, twice);
  EXPECT_THAT(read("transparent").notes,
              ElementsAre("palette expanded to RGB", "transparent colour ignored"));
}

TEST(Gif, TheFirstFrameIsReadAndTheOthersAreCounted) {
  expect_image(read("animated"), Sample::u8, 3, twice);
  EXPECT_THAT(
      read("animated").notes,
      ElementsAre("palette expanded to RGB", "animated: 2 frames after the first are left out"));
}

TEST(Gif, AFirstFrameThatIsSmallerLiesOnItsBackground) {
  std::string file = bytes_of_file("palette.gif");
  const size_t frame = file.find(std::string("\x2c\0\0\0\0\x0a\0\x0c\0", 9));
  ASSERT_NE(frame, std::string::npos);
  file[frame + 1] = 2;  // to the right
  file[6] = 14;         // wide
  file[8] = 13;         // high
  file[11] = 5;         // colour of the background
  const Image image = decode_gif(file, "a.gif");
  ASSERT_EQ(image.width, 14);
  ASSERT_EQ(image.height, 13);
  for (int y = 0; y < 13; ++y) {
    for (int x = 0; x < 14; ++x) {
      const bool inside = x >= 2 && x < 12 && y < 12;
      for (int c = 0; c < 3; ++c)
        ASSERT_EQ(image.data<uint8_t>()[3 * (14 * y + x) + c],
                  inside ? twice(10 * y + x - 2, c) : 10 + c)
            << y << " " << x;
    }
  }
  EXPECT_THAT(image.notes, testing::Contains(HasSubstr("the rest is background")));
}

TEST(Gif, AHugeSizeIsRefusedFromTheHeader) {
  std::string file = bytes_of_file("palette.gif");
  file.replace(6, 4, "\x60\xea\x60\xea");  // 60000 twice
  EXPECT_THAT(refusal(decode_gif, file), AllOf(HasSubstr("60000 x 60000"), HasSubstr("10800000000"),
                                               HasSubstr("max_decoded_bytes")));
}

TEST(Gif, EveryTruncationIsRefused) {
  for (const std::string name : {"grey", "palette", "interlaced", "animated"})
    cut(decode_gif, bytes_of_file(name + ".gif"));
  EXPECT_THAT(refusal(decode_gif, bytes_of_file("grey.gif").substr(0, 800)),
              HasSubstr("cut off or damaged (giflib: "));
  EXPECT_THAT(refusal(decode_gif, bytes_of_file("grey8.png")), HasSubstr("header of GIF"));
}

TEST(Gif, WithoutAnImageOrItsColoursItIsRefused) {
  std::string file = bytes_of_file("palette.gif");
  const size_t palette = size_t{3} << ((file[10] & 7) + 1);
  const std::string none = file.substr(0, 13 + palette) + ";";
  EXPECT_THAT(refusal(decode_gif, none), HasSubstr("found no image"));
  file[10] = static_cast<char>(file[10] & 0x7f);  // no palette of the screen
  file.erase(13, palette);
  EXPECT_THAT(refusal(decode_gif, file), HasSubstr("0 colours"));
}

TEST(Gif, NoChangedByteDoesMoreThanChangeTheImageOrRefuseIt) {
  for (const std::string name : {"grey", "palette", "interlaced", "transparent", "animated"})
    damage(decode_gif, bytes_of_file(name + ".gif"));
}

}  // namespace
}  // namespace fovea::io
