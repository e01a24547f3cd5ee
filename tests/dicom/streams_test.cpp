// Where a header and the pixels contradict each other, the pixels decide or the file is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/dicom/image.h"
#include "support/encapsulated.h"
#include "support/jpeg_bytes.h"

namespace fovea::dicom {
namespace {

using test::as_bytes;
using test::dicom_file;
using test::DicomBytes;
using test::DicomImage;
using test::in_fragments;
using test::JpegBytes;
using test::kRle;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kJpeg = "1.2.840.10008.1.2.4.50";

Image read_bytes(const std::string& file) { return read(as_bytes(file), "made.dcm"); }

std::string error_of(const std::string& file) {
  try {
    read_bytes(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_THAT(error.what(), HasSubstr("made.dcm"));
    return error.what();
  }
  return "";
}

template <class T>
std::vector<int> values(const Image& image) {
  return {image.data<T>(), image.data<T>() + image.samples()};
}

DicomImage header(uint16_t rows, uint16_t columns, const std::string& photometric = "MONOCHROME2") {
  DicomImage made;
  made.rows = rows;
  made.columns = columns;
  made.photometric = photometric;
  made.samples = photometric.starts_with("MONO") ? 1 : 3;
  return made;
}

/// One block of a colour; the three numbers are as stored.
JpegBytes block(int first, int second, int third) {
  JpegBytes jpeg;
  jpeg.values = {{first}, {second}, {third}};
  return jpeg;
}

std::vector<int> first_pixel(const std::string& photometric, const JpegBytes& jpeg,
                             std::vector<std::string>* notes = nullptr) {
  const Image image = read_bytes(in_fragments(header(8, 8, photometric), {jpeg.file()}, kJpeg));
  if (notes) *notes = image.notes;
  const std::vector<int> all = values<uint8_t>(image);
  return {all.begin(), all.begin() + 3};
}

// Y 100, Cb 90, Cr 160: R = 100 + 1.402 * 32 = 144.9, G = 100 + 0.344136 * 38 - 0.714136 * 32 = 90.2,
// B = 100 - 1.772 * 38 = 32.7.
const std::vector<int> kStored{100, 90, 160}, kConverted{145, 90, 33};

TEST(StreamColour, TheMarkersOfAJpegStreamGoBeforeTheHeader) {
  std::vector<std::string> notes;
  JpegBytes jpeg = block(100, 90, 160);
  EXPECT_EQ(first_pixel("RGB", jpeg), kStored) << "nothing is said: as the header says";
  EXPECT_EQ(first_pixel("YBR_FULL", jpeg), kConverted);
  jpeg.jfif = true;
  EXPECT_EQ(first_pixel("RGB", jpeg, &notes), kConverted);
  EXPECT_THAT(notes, Contains(AllOf(HasSubstr("YBR by JFIF marker"), HasSubstr("says RGB"))));
  EXPECT_EQ(first_pixel("YBR_FULL_422", jpeg, &notes), kConverted);
  EXPECT_THAT(notes, Each(Not(HasSubstr("JFIF"))));
  jpeg.jfif = false;
  jpeg.adobe = 1;
  EXPECT_EQ(first_pixel("RGB", jpeg), kConverted);
  jpeg.adobe = 0;
  EXPECT_EQ(first_pixel("YBR_FULL", jpeg, &notes), kStored);
  EXPECT_THAT(notes, Contains(HasSubstr("RGB by Adobe marker")));
  jpeg.adobe = -1;
  jpeg.ids = "RGB";
  EXPECT_EQ(first_pixel("YBR_FULL_422", jpeg), kStored);
}

TEST(StreamColour, OfJpeg2000BelongsToJpeg2000) {
  EXPECT_THAT(error_of(in_fragments(header(8, 8, "YBR_RCT"), {block(1, 2, 3).file()}, kJpeg)),
              HasSubstr("belongs to JPEG 2000"));
}

TEST(StreamSize, OtherSidesOrChannelsThanTheHeaderAreRefused) {
  const std::string grey = JpegBytes{.values = {{7}}}.file();
  EXPECT_EQ(error_of(in_fragments(header(8, 8), {grey}, kJpeg)), "");
  EXPECT_THAT(error_of(in_fragments(header(8, 7), {grey}, kJpeg)), HasSubstr("8 x 8 x 1"));
  EXPECT_THAT(error_of(in_fragments(header(8, 8, "RGB"), {grey}, kJpeg)), HasSubstr("8 x 8 x 1"));
  EXPECT_THAT(error_of(in_fragments(header(8, 8), {block(1, 2, 3).file()}, kJpeg)),
              HasSubstr("8 x 8 x 3"));
}

TEST(Frames, ThatNumberOfFramesDoesNotCountAreRead) {
  const std::string one = JpegBytes{.values = {{10}}}.file(),
                    two = JpegBytes{.values = {{20}}}.file();
  for (const char* stated : {"", "1"}) {
    DicomImage made = header(8, 8);
    made.frames = stated;
    const Image image = read_bytes(in_fragments(made, {one, two}, kJpeg));
    ASSERT_EQ(image.frames, 2);
    EXPECT_EQ(values<uint8_t>(image)[0], 10);
    EXPECT_EQ(values<uint8_t>(image)[64], 20);
    EXPECT_THAT(image.notes, Contains(HasSubstr("PixelData holds 2 frames: all are read")));
  }
  DicomImage three = header(8, 8);
  three.frames = "3";
  EXPECT_THAT(error_of(in_fragments(three, {one, two}, kJpeg)), HasSubstr("NumberOfFrames is 3"));
}

TEST(Frames, AreToldFromTheFragmentsOfOneStreamByHowTheyBegin) {
  const std::string one = JpegBytes{.values = {{10}}}.file(),
                    two = JpegBytes{.values = {{20}}}.file();
  const size_t half = one.size() / 2 / 2 * 2;
  const std::string head = one.substr(0, half), rest = one.substr(half);
  const Image whole = read_bytes(in_fragments(header(8, 8), {head, rest}, kJpeg));
  EXPECT_EQ(whole.frames, 1);
  EXPECT_THAT(values<uint8_t>(whole), Each(10));
  DicomImage made = header(8, 8);
  made.frames = "2";
  const Image image = read_bytes(in_fragments(made, {head, rest, two}, kJpeg));
  EXPECT_EQ(values<uint8_t>(image)[63], 10);
  EXPECT_EQ(values<uint8_t>(image)[64], 20);
  EXPECT_THAT(error_of(in_fragments(header(8, 8), {one + two}, kJpeg)),
              HasSubstr("a second image begins"));
}

// The same bytes as a .jpg: tests/formats/formats_test.cpp.
TEST(Damage, ThatADecoderOnlyWarnsOfIsRefused) {
  JpegBytes jpeg{.blocks_wide = 3, .values = {{10, 20, 30}}};
  const auto error = [&] { return error_of(in_fragments(header(8, 24), {jpeg.file()}, kJpeg)); };
  EXPECT_EQ(error(), "");
  jpeg.bad_code = true;
  EXPECT_THAT(error(), HasSubstr("damaged"));
  jpeg.bad_code = false;
  jpeg.end = false;
  EXPECT_THAT(error(), HasSubstr("cut off"));
}

// The last segment's length is the last thing of a stream that is joined from two fragments.
TEST(Damage, AScanHeaderWithoutABodyIsNotReadBeyondTheStream) {
  std::string stream = JpegBytes{.values = {{10}}}.file();
  stream.resize(stream.find("\xFF\xDA"));
  stream += std::string("\xFF\xDA\0\x02", 4);
  const size_t half = stream.size() / 2 / 2 * 2;
  if (stream.size() % 2 != 0) stream.insert(2, "\xFF");
  EXPECT_THAT(
      error_of(in_fragments(header(8, 8), {stream.substr(0, half), stream.substr(half)}, kJpeg)),
      HasSubstr("scan header is damaged"));
}

// OpenJPEG would take 400 MB for the tables of these tiles.
TEST(Jpeg2000, ManyTilesOfFewPixelsAreRefusedBeforeTheyCostMemory) {
  const auto number = [](int value) {
    return std::string("\0\0", 2) + static_cast<char>(value >> 8) + static_cast<char>(value & 255);
  };
  const std::string side = number(255), none = number(0), one = number(1);
  const std::string stream = std::string("\xFF\x4F\xFF\x51\0\x29\0\0", 8) + side + side + none +
                             none + one + one + none + none + std::string("\0\1\7\1\1", 5);
  const std::string boxes =
      std::string("\0\0\0\x0CjP  \r\n\x87\n", 12) + std::string("\0\0\0\0jp2c", 8) + stream;
  for (const std::string& coded : {stream, boxes})
    EXPECT_THAT(error_of(in_fragments(header(255, 255), {coded}, "1.2.840.10008.1.2.4.90")),
                HasSubstr("65025 tiles for 255 x 255 pixels"));
}

TEST(Rle, ASegmentThatGoesOnBeyondTheHeaderIsRefused) {
  std::string frame(64, '\0');
  frame[0] = 1;
  frame[4] = 64;
  const std::string rows = "\x02\x01\x02\x03";  // three samples each
  EXPECT_EQ(error_of(in_fragments(header(2, 3), {frame + rows + rows}, kRle)), "");
  EXPECT_THAT(error_of(in_fragments(header(1, 3), {frame + rows + rows}, kRle)),
              AllOf(HasSubstr("goes on for 4 bytes"), HasSubstr("Rows x Columns")));
  const Image two =
      read_bytes(in_fragments(header(2, 3), {frame + rows + rows, frame + rows + rows}, kRle));
  EXPECT_EQ(two.frames, 2);
}

TEST(Native, TheLengthOfYbrFullUnderTheNameOf422IsReadAsThat) {
  DicomImage made = header(2, 2, "YBR_FULL");
  made.pixels = std::string("\x64\x5A\xA0\x64\x80\x80\x65\x80\x80\x66\x80\x80", 12);
  const Image wanted = read_bytes(made.file());
  made.photometric = "YBR_FULL_422";
  const Image image = read_bytes(made.file());
  EXPECT_EQ(image.pixels, wanted.pixels);
  EXPECT_EQ(values<uint8_t>(image)[0], kConverted[0]);
  EXPECT_THAT(image.notes, Contains(HasSubstr("the length of YBR_FULL")));
  made.pixels.resize(8);  // as the name says
  EXPECT_THAT(read_bytes(made.file()).notes, Each(Not(HasSubstr("length"))));
}

TEST(Native, MoreThanPaddingBehindThePixelsIsRefused) {
  DicomImage made = header(2, 3);
  made.pixels += made.pixels;  // two frames, or 16 bits
  EXPECT_THAT(error_of(made.file()), AllOf(HasSubstr("12 bytes"), HasSubstr("wanted 6")));
  made.pixels = std::string("\1\2\3\4\5\6", 6) + std::string(128, '\0');
  EXPECT_THAT(read_bytes(made.file()).notes, Contains(HasSubstr("134 bytes, 6 are needed")));
  made.pixels += std::string(600, '\0');
  EXPECT_THAT(error_of(made.file()), HasSubstr("header is wrong"));
}

TEST(Native, BitsBeyondBitsStoredAreSaid) {
  DicomImage made = header(1, 2);
  made.allocated = 16;
  made.stored = 8;
  made.pixels = std::string("\x10\x00\x20\x01", 4);
  EXPECT_THAT(read_bytes(made.file()).notes, Contains(HasSubstr("beyond BitsStored 8")));
  made.sign = 1;
  made.pixels = std::string("\x10\x00\xF0\xFF", 4);  // the sign repeated
  EXPECT_THAT(read_bytes(made.file()).notes, Each(Not(HasSubstr("BitsStored"))));
}

TEST(Units, AreSaid) {
  DicomImage made;
  made.before_pixels = DicomBytes().text(0x00281054, "LO", "HU").bytes();
  EXPECT_THAT(read_bytes(made.file()).notes, Contains("values are in HU"));
  made.before_pixels = DicomBytes().text(0x00280030, "DS", "0.5\\1").bytes();
  EXPECT_THAT(read_bytes(made.file()).notes, Contains(HasSubstr("not square, 0.5 x 1 mm")));
}

}  // namespace
}  // namespace fovea::dicom
