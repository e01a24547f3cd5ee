// Windows, polarity, modality tables and packing, each against a count by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "fovea/dicom/image.h"
#include "fovea/dicom/versions.h"
#include "support/dicom_bytes.h"

namespace fovea::dicom {
namespace {

using test::as_bytes;
using test::dicom_file;
using test::DicomBytes;
using test::DicomImage;
using testing::Contains;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

template <class T>
std::vector<T> values(const Image& image) {
  return {image.data<T>(), image.data<T>() + image.samples()};
}

Image floats(const std::vector<float>& v) {
  Image image;
  image.width = static_cast<int64_t>(v.size());
  image.height = 1;
  image.sample = Sample::f32;
  image.pixels.resize(4 * v.size());
  std::memcpy(image.pixels.data(), v.data(), image.pixels.size());
  return image;
}

Image read_bytes(const std::string& file, const ReadOptions& options = {}) {
  return read(as_bytes(file), "made.dcm", options);
}

ReadOptions with(WindowFrom from, Window window = {}) {
  ReadOptions options;
  options.window = from;
  options.given = window;
  return options;
}

std::string error_of(const std::string& file, const ReadOptions& options = {}) {
  try {
    read_bytes(file, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Centre 10, width 5: PS3.3 C.11.2.1.2 gives x <= 7.5: 0; x > 11.5: 1; else (x - 9.5)/4 + 0.5.
TEST(Window, LinearHasItsHalfPixelOffset) {
  const Image y =
      apply_window(floats({7, 7.5F, 8, 9.5F, 11, 11.5F, 12}), {10, 5, WindowFunction::linear});
  EXPECT_THAT(values<float>(y), ElementsAre(0, 0, 0.125F, 0.5F, 0.875F, 1, 1));
}

TEST(Window, LinearOfWidthOneIsAThreshold) {
  const Image y = apply_window(floats({9, 9.5F, 9.6F, 10}), {10, 1, WindowFunction::linear});
  EXPECT_THAT(values<float>(y), ElementsAre(0, 0, 1, 1));
}

TEST(Window, LinearExactIsCentred) {
  const Image y =
      apply_window(floats({7.5F, 8.75F, 10, 12.5F, 13}), {10, 5, WindowFunction::linear_exact});
  EXPECT_THAT(values<float>(y), ElementsAre(0, 0.25F, 0.5F, 1, 1));
}

TEST(Window, SigmoidIsHalfAtTheCentreAndSteepByItsWidth) {
  const Image y = apply_window(floats({5, 10, 15}), {10, 5, WindowFunction::sigmoid});
  EXPECT_THAT(values<float>(y), Pointwise(FloatNear(1e-7F), {1 / (1 + std::exp(4.0F)), 0.5F,
                                                             1 / (1 + std::exp(-4.0F))}));
}

TEST(Window, WorksOnPhysicalValues) {
  Image image = floats({0, 2});
  image.slope = 5;
  image.intercept = -2.5;  // -2.5 and 7.5
  EXPECT_THAT(values<float>(apply_window(image, {0, 10, WindowFunction::linear_exact})),
              ElementsAre(0.25F, 1));
  EXPECT_EQ(apply_window(image, {0, 10}).slope, 1);
}

TEST(Window, AnImpossibleWidthIsRefused) {
  for (const Window& w : {Window{10, 0.5}, Window{10, 0, WindowFunction::sigmoid}, Window{NAN, 4}})
    EXPECT_THROW(apply_window(floats({1}), w), Error);
}

TEST(Window, OfTheFileIsChosenByIndexAndFunction) {
  DicomImage made;
  made.before_pixels = DicomBytes()
                           .text(0x00281050, "DS", "3\\4")
                           .text(0x00281051, "DS", "2\\4")
                           .text(0x00281056, "CS", "LINEAR_EXACT")
                           .bytes();
  EXPECT_THAT(values<float>(read_bytes(made.file(), with(WindowFrom::file))),
              ElementsAre(0, 0, 0.5F, 1, 1, 1));
  ReadOptions second = with(WindowFrom::file);
  second.window_index = 1;
  EXPECT_THAT(values<float>(read_bytes(made.file(), second)),
              ElementsAre(0, 0, 0.25F, 0.5F, 0.75F, 1));
  second.window_index = 2;
  EXPECT_THAT(error_of(made.file(), second),
              testing::AllOf(HasSubstr("made.dcm"), HasSubstr("index 2"), HasSubstr("2 windows")));
}

TEST(Window, AFileWithoutOneIsRefusedWhenAskedForIt) {
  EXPECT_THAT(error_of(DicomImage().file(), with(WindowFrom::file)), HasSubstr("no usable window"));
  DicomImage bad;
  bad.before_pixels =
      DicomBytes().text(0x00281050, "DS", "3").text(0x00281051, "DS", "wide").bytes();
  EXPECT_THAT(error_of(bad.file(), with(WindowFrom::file)), HasSubstr("no usable window"));
  EXPECT_THAT(read_bytes(bad.file()).notes, Contains(HasSubstr("'wide'")));
}

TEST(Window, OverTheRangeOfBitsStoredWhereTheFileGivesNone) {
  DicomImage made;
  made.stored = 3;
  made.high = 2;
  made.sign = 1;  // 1 2 3 and 4 5 6 = -4 -3 -2, of -4..3
  made.before_pixels =
      DicomBytes().text(0x00281052, "DS", "100").text(0x00281053, "DS", "-2").bytes();
  const std::vector<float> down = {2 / 7.0F, 1 / 7.0F, 0,
                                   1,        6 / 7.0F, 5 / 7.0F};  // the slope is negative
  EXPECT_THAT(values<float>(read_bytes(made.file(), with(WindowFrom::range))),
              Pointwise(FloatNear(1e-6F), down));
  EXPECT_THAT(values<float>(read_bytes(made.file(), with(WindowFrom::file_or_range))),
              Pointwise(FloatNear(1e-6F), down));
  EXPECT_THAT(error_of(made.file(), with(WindowFrom::file)), HasSubstr("no usable window"));
}

TEST(Window, OverARangeThatIsNoneIsRefused) {
  for (const auto& [slope, intercept] : {std::pair{"1e308", "0"}, {"1e-20", "1"}}) {
    DicomImage made;
    made.before_pixels =
        DicomBytes().text(0x00281052, "DS", intercept).text(0x00281053, "DS", slope).bytes();
    EXPECT_THAT(error_of(made.file(), with(WindowFrom::range)), HasSubstr("no range of values"));
  }
}

TEST(Polarity, Monochrome1IsInvertedInTheRangeOfBitsStored) {
  DicomImage made;
  made.photometric = "MONOCHROME1";
  made.stored = 4;
  made.high = 3;
  EXPECT_THAT(values<uint8_t>(read_bytes(made.file())),
              ElementsAre(14, 13, 12, 11, 10, 9));  // 15 - v
  made.sign = 1;
  made.pixels = std::string("\x00\x07\x08\x0f\x01\x02", 6);  // 0 7 -8 -1 1 2
  EXPECT_THAT(values<int8_t>(read_bytes(made.file())),
              ElementsAre(-1, -8, 7, 0, -2, -3));  // -1 - v
  ReadOptions stored;
  stored.polarity = Polarity::stored;
  EXPECT_THAT(values<int8_t>(read_bytes(made.file(), stored)), ElementsAre(0, 7, -8, -1, 1, 2));
}

TEST(Polarity, AWindowComesBeforeTheTurn) {
  DicomImage made;
  made.photometric = "MONOCHROME1";
  made.before_pixels = DicomBytes()
                           .text(0x00281050, "DS", "2")
                           .text(0x00281051, "DS", "4")
                           .text(0x00281056, "CS", "LINEAR_EXACT")
                           .bytes();
  // Viewer: window 0..4 of 1 2 3 4 5 6 gives .25 .5 .75 1 1 1, shown inverted.
  EXPECT_THAT(values<float>(read_bytes(made.file(), with(WindowFrom::file))),
              ElementsAre(0.75F, 0.5F, 0.25F, 0, 0, 0));
  // A given one is in the file's own values, too: 2..6 gives 0 0 .25 .5 .75 1.
  EXPECT_THAT(values<float>(read_bytes(
                  made.file(), with(WindowFrom::given, {4, 4, WindowFunction::linear_exact}))),
              ElementsAre(1, 1, 0.75F, 0.5F, 0.25F, 0));
  ReadOptions stored = with(WindowFrom::given, {4, 4, WindowFunction::linear_exact});
  stored.polarity = Polarity::stored;
  EXPECT_THAT(values<float>(read_bytes(made.file(), stored)),
              ElementsAre(0, 0, 0.25F, 0.5F, 0.75F, 1));
}

TEST(Polarity, AModalityLutIsInvertedInItsOwnRange) {
  DicomImage made;
  made.stored = 2;
  made.high = 1;
  made.pixels = std::string("\x00\x01\x02\x03\x01\x02", 6);
  DicomBytes lut;
  lut.header(0x00283000, "SQ", 0xFFFFFFFF).item();
  lut.words(0x00283002, "US", {3, 1, 16})
      .words(0x00283006, "US", {100, 250, 400})
      .item_end()
      .sequence_end();
  made.before_pixels = lut.bytes();
  EXPECT_THAT(values<uint16_t>(read_bytes(made.file())), ElementsAre(100, 100, 250, 400, 100, 250));
  made.photometric = "MONOCHROME1";
  EXPECT_THAT(values<uint16_t>(read_bytes(made.file())), ElementsAre(400, 400, 250, 100, 400, 250));
}

TEST(Rescale, IsHandedOutBesideTheStoredValues) {
  DicomImage made;
  made.before_pixels =
      DicomBytes().text(0x00281052, "DS", "-1024").text(0x00281053, "DS", "+2.5e0").bytes();
  const Image image = read_bytes(made.file());
  EXPECT_EQ(image.slope, 2.5);
  EXPECT_EQ(image.intercept, -1024);
  EXPECT_THAT(values<uint8_t>(image), ElementsAre(1, 2, 3, 4, 5, 6));
}

std::string frame_groups(const std::vector<std::pair<std::string, std::string>>& slope_intercept) {
  DicomBytes b;
  b.header(0x52009230, "SQ", 0xFFFFFFFF);
  for (const auto& [slope, intercept] : slope_intercept) {
    b.item().header(0x00289145, "SQ", 0xFFFFFFFF).item();
    b.text(0x00281052, "DS", intercept)
        .text(0x00281053, "DS", slope)
        .item_end()
        .sequence_end()
        .item_end();
  }
  return b.sequence_end().bytes();
}

TEST(Rescale, PerFrameIsAppliedToEachFrame) {
  DicomImage made;
  made.rows = 1;
  made.frames = "2";
  made.before_pixels = frame_groups({{"2", "0"}, {"0.5", "-1"}});
  EXPECT_THAT(values<float>(read_bytes(made.file())), ElementsAre(2, 4, 6, 1, 1.5F, 2));
  made.before_pixels = frame_groups({{"2", "1"}, {"2", "1"}});
  EXPECT_EQ(read_bytes(made.file()).slope, 2);
  made.before_pixels = frame_groups({{"2", "0"}, {"0", "-1"}});
  EXPECT_THAT(error_of(made.file()), HasSubstr("frame 2: RescaleSlope is '0'"));
  made.before_pixels = frame_groups({{"2", "0"}});
  EXPECT_THAT(error_of(made.file()), HasSubstr("1 items"));
}

TEST(Native, OneBitFramesFollowEachOtherInsideAByte) {
  DicomImage made;
  made.rows = 23;
  made.columns = 38;
  made.frames = "3";
  made.allocated = made.stored = 1;
  made.high = 0;
  made.pixels.assign(328, '\0');  // 2622 bits
  std::vector<uint8_t> wanted(23 * 38 * 3);
  for (size_t i = 0; i < wanted.size(); ++i) {
    wanted[i] = i % 7 == 3 || i % 11 == 0;
    made.pixels[i / 8] = static_cast<char>(made.pixels[i / 8] | wanted[i] << (i % 8));
  }
  const Image image = read_bytes(made.file());
  EXPECT_EQ(image.frames, 3);
  EXPECT_EQ(values<uint8_t>(image), wanted);
}

TEST(Native, UpperAndLowerDirtAroundTheStoredBitsIsCutOff) {
  DicomImage made;
  made.rows = 1;
  made.columns = 2;
  made.allocated = 16;
  made.stored = 8;
  made.high = 11;                                    // bits 4..11
  made.pixels = std::string("\xAF\xF1\x5A\x0F", 4);  // f1af -> 1a, 0f5a -> f5
  EXPECT_THAT(values<uint16_t>(read_bytes(made.file())), ElementsAre(0x1A, 0xF5));
  made.sign = 1;
  EXPECT_THAT(values<int16_t>(read_bytes(made.file())), ElementsAre(0x1A, -11));
}

TEST(Native, AllWaysOfWritingGiveTheSameWords) {
  for (const uint16_t bits : {16, 32}) {
    DicomImage made;
    made.rows = 1;
    made.columns = 2;
    made.allocated = made.stored = bits;
    made.high = static_cast<uint16_t>(bits - 1);
    std::string little = bits == 16 ? std::string("\x01\x02\x03\x04", 4)
                                    : std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    made.pixels = little;
    const auto wanted = read_bytes(made.file()).pixels;
    made.as = DicomBytes::As::implicit_little;
    EXPECT_EQ(read_bytes(made.file()).pixels, wanted);
    made.as = DicomBytes::As::explicit_big;
    for (size_t i = 0; i < little.size(); i += bits / 8)
      std::reverse(made.pixels.begin() + static_cast<long>(i),
                   made.pixels.begin() + static_cast<long>(i) + bits / 8);
    EXPECT_EQ(read_bytes(made.file()).pixels, wanted);
  }
}

TEST(Native, PlanesAreInterleaved) {
  DicomImage made;
  made.rows = 1;
  made.columns = 2;
  made.samples = 3;
  made.planar = 1;
  made.photometric = "RGB";
  EXPECT_THAT(values<uint8_t>(read_bytes(made.file())), ElementsAre(1, 3, 5, 2, 4, 6));
}

TEST(Palette, IndicesBelowAndAboveTheTableTakeItsEnds) {
  DicomImage made;
  made.photometric = "PALETTE COLOR";
  DicomBytes b;
  for (uint32_t c = 0; c < 3; ++c) b.words(0x00281101 + c, "US", {2, 3, 8});
  b.element(0x00281201, "OW", "\x0A\x14")
      .element(0x00281202, "OW", "\x0B\x15")
      .words(0x00281203, "OW", {12, 22});
  made.before_pixels = b.bytes();  // 3 -> 10 11 12, 4 -> 20 21 22; blue has a word per entry
  EXPECT_THAT(values<uint8_t>(read_bytes(made.file())),
              ElementsAre(10, 11, 12, 10, 11, 12, 10, 11, 12, 20, 21, 22, 20, 21, 22, 20, 21, 22));
}

TEST(Spacing, IsTakenFromTheFirstAttributeThatGivesIt) {
  DicomImage made;
  made.before_pixels = DicomBytes().text(0x00181164, "DS", "0.2\\0.3").bytes();
  EXPECT_THAT(read_bytes(made.file()).spacing_mm, ElementsAre(0, 0.2, 0.3));
  made.before_pixels = DicomBytes().text(0x00280030, "DS", "0,5\\0,5").bytes();
  const Image unknown = read_bytes(made.file());
  EXPECT_THAT(unknown.spacing_mm, ElementsAre(0, 0, 0));
  EXPECT_THAT(unknown.notes, Contains(HasSubstr("the spacing is unknown")));
}

/// Rows 0.7 mm and columns 0.5 mm apart.
DicomBytes placed(const std::string& orientation, const std::string& position) {
  DicomBytes b;
  b.text(0x00180088, "DS", "2.5").text(0x00200032, "DS", position);
  return b.text(0x00200037, "DS", orientation).text(0x00280030, "DS", "0.7\\0.5");
}

TEST(Grid, OfOneSliceIsItsPositionOrientationAndSpacing) {
  DicomImage made;
  // Sagittal: a row of pixels runs to the back (+y), a column to the feet (-z).
  made.before_pixels = placed("0\\1\\0\\0\\0\\-1", "10\\-20\\30").bytes();
  const Grid grid = read_bytes(made.file()).grid();
  EXPECT_THAT(grid.size, ElementsAre(3, 2, 1));
  EXPECT_TRUE(grid.millimetres);
  EXPECT_THAT(grid.affine({0, 0, 0}), ElementsAre(10, -20, 30));
  EXPECT_THAT(grid.affine({2, 0, 0}), ElementsAre(10, -19, 30));
  EXPECT_THAT(grid.affine({0, 1, 0}), ElementsAre(10, -20, 29.3));
  // Along (0, 1, 0) x (0, 0, -1) = (-1, 0, 0), by SpacingBetweenSlices.
  EXPECT_THAT(grid.affine({0, 0, 1}), ElementsAre(7.5, -20, 30));
}

TEST(Grid, WithoutAPlaceIsThatOfThePixels) {
  DicomImage made;
  made.before_pixels = DicomBytes().text(0x00181164, "DS", "0.2\\0.3").bytes();
  const Grid grid = read_bytes(made.file()).grid();
  EXPECT_TRUE(grid.millimetres);
  EXPECT_THAT(grid.affine({1, 1, 0}), ElementsAre(0.3, 0.2, 0));
  made.before_pixels = "";
  EXPECT_EQ(read_bytes(made.file()).grid(), (Grid{{3, 2, 1}, {}, false}));
}

TEST(Grid, WhoseAxesAreNoneIsRefused) {
  DicomImage made;
  made.before_pixels = placed("1\\0\\0\\0.1\\1\\0", "0\\0\\0").bytes();
  EXPECT_THAT(
      [&] { read_bytes(made.file()); },
      testing::ThrowsMessage<Error>(HasSubstr("lengths 1 and 1.00499 with the dot product 0.1")));
  made.before_pixels = placed("1.0005\\0\\0\\0\\1\\0", "0\\0\\0").bytes();
  EXPECT_TRUE(read_bytes(made.file()).affine);
}

/// Three frames with these positions, the orientation and spacing shared.
Image frames_at(const std::vector<std::string>& positions) {
  DicomImage made;
  made.frames = std::to_string(positions.size());
  made.pixels = std::string(positions.size() * 6, 1);
  DicomBytes b;
  b.header(0x52009229, "SQ", 0xFFFFFFFF).item();
  b.header(0x00209116, "SQ", 0xFFFFFFFF).item().text(0x00200037, "DS", "1\\0\\0\\0\\1\\0");
  b.item_end().sequence_end().header(0x00289110, "SQ", 0xFFFFFFFF).item();
  b.text(0x00280030, "DS", "0.7\\0.5").item_end().sequence_end().item_end().sequence_end();
  b.header(0x52009230, "SQ", 0xFFFFFFFF);
  for (const std::string& position : positions) {
    b.item().header(0x00209113, "SQ", 0xFFFFFFFF).item().text(0x00200032, "DS", position);
    b.item_end().sequence_end().item_end();
  }
  made.before_pixels = b.sequence_end().bytes();
  return read_bytes(made.file());
}

TEST(Grid, OfFramesGoesFromTheFirstToTheLast) {
  const Grid grid = frames_at({"1\\2\\9", "1\\2\\6", "1\\2\\3"}).grid();
  EXPECT_THAT(grid.size, ElementsAre(3, 2, 3));
  EXPECT_THAT(grid.affine({0, 0, 2}), ElementsAre(1, 2, 3));
  EXPECT_THAT(grid.affine({2, 1, 1}), ElementsAre(2, 2.7, 6));
  // A gantry that is tilted shifts each slice as much.
  EXPECT_THAT(frames_at({"0\\0\\0", "0\\1\\3", "0\\2\\6"}).grid().affine({0, 0, 1}),
              ElementsAre(0, 1, 3));
}

TEST(Grid, OfFramesInUnevenStepsIsUnknown) {
  for (const std::vector<std::string>& positions :
       {std::vector<std::string>{"0\\0\\0", "0\\0\\3", "0\\0\\9"},
        {"0\\0\\0", "0\\0\\6", "0\\0\\3"},
        {"0\\0\\0", "0\\0\\0", "0\\0\\0"}}) {
    const Image image = frames_at(positions);
    EXPECT_FALSE(image.affine);
    EXPECT_THAT(image.notes, Contains(HasSubstr("the place in the patient is unknown")));
  }
}

TEST(Floats, ThatAreNotFiniteAreCountedAndRefused) {
  const float pixels[6] = {1, NAN, 2, INFINITY, -INFINITY, 3};
  DicomBytes b;
  b.us(0x00280002, 1)
      .text(0x00280004, "CS", "MONOCHROME2")
      .us(0x00280010, 2)
      .us(0x00280011, 3)
      .us(0x00280100, 32);
  b.element(0x7FE00008, "OF",
            std::string_view(reinterpret_cast<const char*>(pixels), sizeof pixels));
  EXPECT_THAT(error_of(dicom_file(b.bytes())),
              testing::AllOf(HasSubstr("3 pixels"), HasSubstr("row 0, column 1")));
}

TEST(Floats, AreNoIndicesOfAPalette) {
  DicomBytes b;
  b.us(0x00280002, 1).text(0x00280004, "CS", "PALETTE COLOR").us(0x00280010, 1).us(0x00280011, 1);
  b.us(0x00280100, 32).element(0x7FE00008, "OF", std::string(4, '\0'));
  EXPECT_THAT(error_of(dicom_file(b.bytes())), HasSubstr("PALETTE COLOR with floating-point"));
}

TEST(Describe, TellsThePixelsAndNothingOfThePatient) {
  DicomImage made;
  made.before_pixels =
      DicomBytes().text(0x00100010, "PN", "SECRET^NAME").text(0x00100020, "LO", "4711-ID").bytes();
  const auto rows = describe(scan(as_bytes(made.file()), "made.dcm"));
  EXPECT_THAT(rows, Contains(testing::Pair("rows", "2")));
  EXPECT_THAT(rows, Contains(testing::Pair("object", "Secondary Capture Image")));
  for (const auto& [name, value] : rows) {
    EXPECT_THAT(value, testing::Not(HasSubstr("SECRET")));
    EXPECT_THAT(value, testing::Not(HasSubstr("4711")));
  }
}

TEST(Versions, NameTheLoadedLibraries) {
  const auto versions = library_versions();
  ASSERT_EQ(versions.size(), 3u);
  EXPECT_EQ(versions[0].name, "DCMTK");
  for (const auto& v : versions) EXPECT_THAT(v.version, testing::MatchesRegex("[0-9]+\\..*"));
}

}  // namespace
}  // namespace fovea::dicom
