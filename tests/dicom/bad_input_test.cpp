// The bad files of the list D01 to D39, made in memory: each must end in an Error that names what
// is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "fovea/dicom/image.h"
#include "support/encapsulated.h"
#include "support/test_files.h"

namespace fovea::dicom {
namespace {

using test::as_bytes;
using test::dicom_file;
using test::DicomBytes;
using test::DicomImage;
using test::encapsulated;
using test::item;
using test::kEnd;
using test::kRle;
using test::read_text;
using test::rle_frame;
using testing::AllOf;
using testing::HasSubstr;

std::string error_of(const std::string& file, const Limits& limits = {}) {
  ReadOptions options;
  options.limits = limits;
  try {
    read(as_bytes(file), "bad.dcm", options);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_THAT(error.what(), HasSubstr("bad.dcm"));
    return error.what();
  }
  return "";
}

std::filesystem::path encodings() { return test::test_data() / "dicom_encodings"; }

TEST(BadInput, D01AnEmptyFile) {
  EXPECT_THAT(error_of(""), AllOf(HasSubstr("0 bytes"), HasSubstr("wanted a DICOM file")));
}

TEST(BadInput, D02ATextFileAndAPng) {
  EXPECT_THAT(error_of("Hello, this is not an image."),
              AllOf(HasSubstr("48 65 6c 6c 6f"), HasSubstr("DICM")));
  EXPECT_THAT(error_of("\x89PNG\r\n\x1a\n plus some more bytes"), HasSubstr("89 50 4e 47"));
  EXPECT_FALSE(looks_like_dicom(as_bytes("\x89PNG\r\n\x1a\n plus some more bytes")));
  EXPECT_FALSE(looks_like_dicom(as_bytes("filename,patient_id,label\n1,2,3\n")));
}

TEST(BadInput, D03ADataSetWithoutMetaHeaderIsGuessedAndSaysSo) {
  for (const auto as : {DicomBytes::As::explicit_little, DicomBytes::As::explicit_big,
                        DicomBytes::As::implicit_little}) {
    DicomImage made;
    made.as = as;
    made.pixel_vr = "OB";
    const std::string file = made.data_set();
    EXPECT_TRUE(looks_like_dicom(as_bytes(file)));
    const Image image = read(as_bytes(file), "bare.dcm");
    EXPECT_EQ(image.data<uint8_t>()[5], 6);
    EXPECT_THAT(image.notes, testing::Contains(HasSubstr("guessed")));
  }
  EXPECT_TRUE(looks_like_dicom(as_bytes(DicomImage().file())));
}

TEST(BadInput, D04EveryCutIsRefused) {
  DicomImage made;
  DicomBytes b;
  b.header(0x00283000, "SQ", 0xFFFFFFFF)
      .item()
      .words(0x00283002, "US", {2, 0, 16})
      .words(0x00283006, "US", {1, 2})
      .item_end();
  made.before_pixels =
      b.sequence_end().header(0x00409096, "SQ", 20).item(12).text(0x00080100, "SH", "code").bytes();
  const std::string whole = made.file();
  ASSERT_EQ(error_of(whole), "");
  for (size_t size = 0; size < whole.size(); ++size)
    ASSERT_NE(error_of(whole.substr(0, size)), "") << size;
}

TEST(BadInput, D04EveryCutOfACtFileIsRefused) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  const std::string whole = read_text(encodings() / "uncompressed/CT_small.dcm");
  for (size_t size = 0; size < 6300; ++size) ASSERT_NE(error_of(whole.substr(0, size)), "") << size;
  // Inside the pixels, and inside the padding element after them.
  EXPECT_THAT(error_of(whole.substr(0, 20000)),
              AllOf(HasSubstr("PixelData at offset 6288"), HasSubstr("13700"), HasSubstr("32768")));
}

TEST(BadInput, D06ALengthBeyondTheFileNamesTheElement) {
  EXPECT_THAT(error_of(dicom_file(DicomBytes().header(0x00080060, "CS", 0xFFF0).raw("CT").bytes())),
              AllOf(HasSubstr("(0008,0060)"), HasSubstr("65520"), HasSubstr("2 are left")));
  EXPECT_THAT(
      error_of(dicom_file(DicomBytes().header(0x00091010, "UN", 0x7FFFFFF0).raw("CT").bytes())),
      AllOf(HasSubstr("(0009,1010)"), HasSubstr("2147483632"), HasSubstr("2 are left")));
}

TEST(BadInput, D07ASequenceWithoutItsEnd) {
  DicomBytes b;
  b.header(0x00081140, "SQ", 0xFFFFFFFF).item().us(0x00280010, 1).item_end();
  EXPECT_THAT(
      error_of(dicom_file(b.bytes())),
      AllOf(HasSubstr("(0008,1140)"), HasSubstr("end of the file"), HasSubstr("(fffe,e0dd)")));
  EXPECT_THAT(
      error_of(dicom_file(DicomBytes().header(0x00081140, "SQ", 0xFFFFFFFF).item().bytes())),
      HasSubstr("(fffe,e00d)"));
}

TEST(BadInput, D08TenThousandNestedSequences) {
  std::string data;
  for (int i = 0; i < 10'000; ++i)
    data += DicomBytes().header(0x00081140, "SQ", 0xFFFFFFFF).item().bytes();
  EXPECT_THAT(error_of(dicom_file(data)),
              AllOf(HasSubstr("depth 65"), HasSubstr("at most 64 are read")));
}

TEST(BadInput, D09NoRowsOrColumns) {
  DicomImage made;
  made.rows = 0;
  EXPECT_THAT(error_of(made.file()), AllOf(HasSubstr("Rows is 0"), HasSubstr("1..65535")));
  made.rows = 2;
  made.columns = 0;
  EXPECT_THAT(error_of(made.file()), HasSubstr("Columns is 0"));
  EXPECT_THAT(error_of(dicom_file(DicomBytes().element(0x7FE00010, "OW", "ab").bytes())),
              HasSubstr("Rows is absent"));
}

TEST(BadInput, D10MorePixelsThanBytesOrThanTheLimit) {
  DicomImage made;
  made.rows = made.columns = 65535;
  made.pixels = std::string(16, 'x');
  EXPECT_THAT(error_of(made.file()), AllOf(HasSubstr("16 bytes"), HasSubstr("4294836225"),
                                           HasSubstr("its header is wrong")));
  DicomImage many;
  many.frames = "2000000000";
  EXPECT_THAT(error_of(many.file()), AllOf(HasSubstr("2000000000"), HasSubstr("12000000000")));
  Limits small;
  small.max_decoded_bytes = 5;
  EXPECT_THAT(error_of(DicomImage().file(), small),
              AllOf(HasSubstr("6 bytes"), HasSubstr("at most 5 are read"),
                    HasSubstr("Limits::max_decoded_bytes")));
}

TEST(BadInput, D11NumberOfFrames) {
  for (const char* text : {"0", "-3", "1A", "2.5"}) {
    DicomImage made;
    made.frames = text;
    EXPECT_THAT(error_of(made.file()),
                AllOf(HasSubstr("'" + std::string(text) + "'"), HasSubstr("integer from 1")));
  }
  DicomImage three;
  three.frames = "3";
  EXPECT_THAT(error_of(three.file()), AllOf(HasSubstr("6 bytes"), HasSubstr("NumberOfFrames 3")));
}

TEST(BadInput, D11FragmentsMustMatchTheFrames) {
  const std::string one = encapsulated({}, item("") + item(rle_frame()) + kEnd, kRle);
  const Image image = read(as_bytes(one), "rle.dcm");
  EXPECT_EQ(image.data<uint8_t>()[4], 5);
  DicomImage three;
  three.frames = "3";
  EXPECT_THAT(
      error_of(encapsulated(three, item("") + item(rle_frame()) + item(rle_frame()) + kEnd, kRle)),
      AllOf(HasSubstr("NumberOfFrames is 3"), HasSubstr("2 fragments")));
}

TEST(Fragments, OfOneFrameAreJoinedByTheOffsetTable) {
  DicomImage two;
  two.frames = "2";
  const std::string frame = rle_frame();
  // Frame 1 in two fragments, frame 2 in one; offsets count from the first fragment's item tag.
  const std::string table = std::string("\x00\x00\x00\x00", 4) +
                            std::string(1, static_cast<char>(16 + frame.size())) +
                            std::string(3, '\0');
  const std::string items =
      item(table) + item(frame.substr(0, 40)) + item(frame.substr(40)) + item(frame);
  const Image image = read(as_bytes(encapsulated(two, items + kEnd, kRle)), "two.dcm");
  for (int64_t i = 0; i < 12; ++i) EXPECT_EQ(image.data<uint8_t>()[i], i % 6 + 1);
  std::string wrong = items;
  wrong[12] = 4;
  EXPECT_THAT(error_of(encapsulated(two, wrong + kEnd, kRle)),
              HasSubstr("entry 2 of the offset table"));
}

TEST(Fragments, ADelimiterPatternInsideAnItemIsData) {
  DicomImage eight;
  eight.rows = 2;
  eight.columns = 4;
  std::string frame = rle_frame().substr(0, 64) + "\x07" + kEnd + std::string(1, '\0');
  EXPECT_EQ(error_of(encapsulated(eight, item("") + item(frame) + kEnd, kRle)), "");
}

TEST(BadInput, D12AnObjectWithoutPixelsIsNotAnImage) {
  const std::string file =
      dicom_file(DicomBytes().text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.11").bytes());
  EXPECT_THROW(scan(as_bytes(file), "report.dcm"), NotAnImage);
  EXPECT_THAT(error_of(file),
              AllOf(HasSubstr("Basic Text Structured Report"), HasSubstr("no PixelData")));
}

TEST(BadInput, D13NoPixelsInPixelData) {
  DicomImage made;
  made.pixels.clear();
  EXPECT_THAT(error_of(made.file()),
              AllOf(HasSubstr("PixelData at offset"), HasSubstr("0 bytes"), HasSubstr("wanted 6")));
  EXPECT_THAT(error_of(encapsulated({}, item("") + kEnd, kRle)),
              AllOf(HasSubstr("0 fragments"), HasSubstr("1 frames")));
}

TEST(BadInput, D14ImpossibleDepths) {
  struct Depth {
    uint16_t allocated, stored, high;
  };
  for (const Depth& d : {Depth{0, 0, 0},
                         {3, 3, 2},
                         {12, 12, 11},
                         {16, 17, 16},
                         {16, 0, 0},
                         {16, 12, 3},
                         {16, 12, 16},
                         {64, 64, 63}}) {
    DicomImage made;
    made.allocated = d.allocated;
    made.stored = d.stored;
    made.high = d.high;
    made.pixels = std::string(64, 'x');
    EXPECT_THAT(error_of(made.file()),
                AllOf(HasSubstr("BitsAllocated"), HasSubstr("BitsStored"), HasSubstr("HighBit")));
  }
}

TEST(BadInput, D15SamplesAgainstPhotometricInterpretation) {
  const auto with = [](uint16_t samples, const char* photometric) {
    DicomImage made;
    made.samples = samples;
    made.photometric = photometric;
    made.pixels = std::string(64, 'x');
    return made.file();
  };
  EXPECT_THAT(error_of(with(3, "MONOCHROME2")),
              AllOf(HasSubstr("SamplesPerPixel is 3"), HasSubstr("wanted 1")));
  EXPECT_THAT(error_of(with(1, "RGB")),
              AllOf(HasSubstr("SamplesPerPixel is 1"), HasSubstr("wanted 3")));
  EXPECT_THAT(error_of(with(2, "RGB")), HasSubstr("SamplesPerPixel is 2"));
}

TEST(BadInput, D16UnknownPhotometricInterpretation) {
  for (const char* name : {"HSV", "CMYK", "ARGB", "", "FOO"}) {
    DicomImage made;
    made.photometric = name;
    EXPECT_THAT(error_of(made.file()),
                AllOf(HasSubstr("'" + std::string(name) + "'"), HasSubstr("MONOCHROME1")));
  }
}

TEST(BadInput, D17TransferSyntaxesWithoutDecoder) {
  const std::string data = DicomImage().data_set();
  const std::string root = "1.2.840.10008.1.2.4.";
  EXPECT_THAT(error_of(dicom_file(data, root + "110")),
              AllOf(HasSubstr("JPEG XL"), HasSubstr("transcode")));
  EXPECT_THAT(error_of(dicom_file(data, root + "102")),
              AllOf(HasSubstr("H.264"), HasSubstr("video")));
  EXPECT_THAT(error_of(dicom_file(data, root + "94")),
              AllOf(HasSubstr("JPIP"), HasSubstr("server")));
  EXPECT_THAT(error_of(dicom_file(data, "1.2.3.4")),
              AllOf(HasSubstr("unknown transfer syntax 1.2.3.4")));
}

/// Sets the US value of a tag in the explicit little-endian data set of a file.
std::string with_us(std::string file, uint32_t tag, int change) {
  const std::string head = DicomBytes().header(tag, "US", 2).bytes();
  const size_t at = file.find(head);
  EXPECT_NE(at, std::string::npos);
  file[at + 8] = static_cast<char>(file[at + 8] + change);
  return file;
}

TEST(BadInput, D18TheCodeStreamHasAnotherSizeThanTheHeader) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  for (const char* name :
       {"jpeg_baseline/SC_rgb_jpeg_dcmtk.dcm", "jpeg_lossless/SC_rgb_jpeg_gdcm.dcm",
        "jpeg_ls/MR_small_jpeg_ls_lossless.dcm", "jpeg2000/MR_small_jp2klossless.dcm"})
    for (const uint32_t tag : {0x00280010u, 0x00280011u})
      for (const int change : {-1, 1}) {
        SCOPED_TRACE(name);
        EXPECT_THAT(error_of(with_us(read_text(encodings() / name), tag, change)),
                    AllOf(HasSubstr("frame 1"), HasSubstr("Columns x Rows")));
      }
}

TEST(BadInput, D24ADeflateBombStopsAtTheCap) {
  const std::string bomb =
      DicomBytes().header(0x00091010, "UN", 0x7FFFFFF0).raw(std::string(8 << 20, '\0')).bytes();
  z_stream z{};
  ASSERT_EQ(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&z, bomb.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bomb.data()));
  z.avail_in = static_cast<uInt>(bomb.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  packed.resize(z.total_out);
  deflateEnd(&z);
  ASSERT_LT(packed.size(), 20'000u);
  Limits limits;
  limits.max_inflated_bytes = 1 << 20;
  const std::string file = dicom_file(packed, "1.2.840.10008.1.2.1.99");
  EXPECT_THAT(
      error_of(file, limits),
      AllOf(HasSubstr("above 1048576 bytes, the most that are read"), HasSubstr("1048576 out")));
  EXPECT_THAT(error_of(file.substr(0, file.size() - 10)), HasSubstr("ends early"));
}

TEST(BadInput, D25RescaleThatCannotBeApplied) {
  const auto with = [](const char* slope, const char* intercept) {
    DicomImage made;
    DicomBytes b;
    if (intercept) b.text(0x00281052, "DS", intercept);
    if (slope) b.text(0x00281053, "DS", slope);
    made.before_pixels = b.bytes();
    return made.file();
  };
  EXPECT_THAT(error_of(with("0", "1")),
              AllOf(HasSubstr("RescaleSlope is '0'"), HasSubstr("other than 0")));
  EXPECT_THAT(error_of(with("NaN", "1")), HasSubstr("RescaleSlope is 'NaN'"));
  EXPECT_THAT(error_of(with("abc", "1")), HasSubstr("RescaleSlope is 'abc'"));
  EXPECT_THAT(error_of(with("1", nullptr)), HasSubstr("RescaleIntercept is absent"));
  EXPECT_THAT(error_of(with(nullptr, "1")), HasSubstr("RescaleSlope is absent"));
  EXPECT_EQ(error_of(with(nullptr, nullptr)), "");
}

TEST(BadInput, D36OddLengthsAndBytesToSpareAreAccepted) {
  DicomImage made;
  made.before_pixels = DicomBytes().element(0x00281040, "CS", "LIN").bytes();
  made.pixels += std::string(128, '\0');
  const Image image = read(as_bytes(made.file()), "padded.dcm");
  EXPECT_THAT(image.notes, testing::Contains(HasSubstr("134 bytes, 6 are needed")));
}

TEST(BadInput, TagsOfAnIconInASequenceDoNotDescribeTheImage) {
  DicomImage made;
  DicomBytes icon;
  icon.header(0x00880200, "SQ", 0xFFFFFFFF)
      .item()
      .us(0x00280010, 64)
      .us(0x00280100, 16)
      .element(0x7FE00010, "OW", "icon");
  made.before_pixels = icon.item_end().sequence_end().bytes();
  EXPECT_EQ(read(as_bytes(made.file()), "icon.dcm").height, 2);
}

TEST(BadInput, AKnownTagSentAsUnknownIsRead) {
  DicomBytes inner(DicomBytes::As::implicit_little);
  inner.item()
      .words(0x00283002, "", {2, 1, 16})
      .words(0x00283006, "", {7, 8})
      .item_end()
      .sequence_end();
  DicomImage made;
  made.before_pixels = DicomBytes().header(0x00283000, "UN", 0xFFFFFFFF).raw(inner.bytes()).bytes();
  const Image image = read(as_bytes(made.file()), "un.dcm");
  EXPECT_EQ(image.data<uint8_t>()[0], 7);
  EXPECT_EQ(image.data<uint8_t>()[5], 8);
}

TEST(BadInput, AMissingFileOrAFolderIsAnInputError) {
  const test::TempFolder folder;
  try {
    read(folder / "absent.dcm");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::io);
    EXPECT_THAT(error.what(), HasSubstr("absent.dcm"));
  }
  EXPECT_THROW(scan(folder.path()), Error);
}

/// Reads what comes; success and Error are both fine, anything else fails the test or ends the
/// program.
void expect_calm(const std::string& file) {
  Limits limits;
  limits.max_decoded_bytes = limits.max_inflated_bytes = 8 << 20;
  ReadOptions options;
  options.limits = limits;
  try {
    read(as_bytes(file), "mutated.dcm", options);
  } catch (const Error& error) {
    EXPECT_NE(error.fault(), Fault::internal) << error.what();
  }
}

TEST(Robustness, FlippedBytesEndInAnImageOrAnError) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  std::mt19937 random(20240607);
  for (const char* name :
       {"uncompressed/MR_small_implicit.dcm", "uncompressed/MR_small_expb.dcm",
        "uncompressed/rtdose.dcm", "uncompressed_colour/SC_rgb_small_odd.dcm",
        "rle/SC_rgb_rle_16bit.dcm", "rle/MR_small_RLE.dcm", "jpeg_baseline/SC_rgb_jpeg_dcmtk.dcm",
        "jpeg_baseline/SC_rgb_small_odd_jpeg.dcm", "jpeg_lossless/SC_rgb_jpeg_gdcm.dcm",
        "jpeg_ls/MR_small_jpeg_ls_lossless.dcm", "jpeg_ls/JPEGLSNearLossless_08.dcm",
        "jpeg2000/MR_small_jp2klossless.dcm", "jpeg2000/SC_rgb_gdcm_KY.dcm",
        "jpeg2000/JPEG2000.dcm", "malformed/test-SR.dcm"}) {
    SCOPED_TRACE(name);
    const std::string whole = read_text(encodings() / name);
    for (int round = 0; round < 300; ++round) {
      std::string file = whole;
      const int flips = 1 + static_cast<int>(random() % 4);
      for (int i = 0; i < flips; ++i) file[random() % file.size()] = static_cast<char>(random());
      if (random() % 8 == 0) file.resize(random() % file.size());
      expect_calm(file);
    }
  }
}

TEST(Robustness, TruncatedCodeStreamsEndInAnImageOrAnError) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  // The item keeps its length, the rest of it is zero: the decoder meets the end early.
  for (const char* name :
       {"jpeg_baseline/SC_rgb_small_odd_jpeg.dcm", "jpeg_ls/JPEGLSNearLossless_16.dcm",
        "jpeg2000/JPEG2000.dcm", "rle/SC_rgb_rle.dcm"}) {
    const std::string whole = read_text(encodings() / name);
    for (size_t cut = whole.size() - 9; cut > whole.size() - 300 && cut > 600; cut -= 7) {
      std::string file = whole;
      std::fill(file.begin() + static_cast<long>(cut), file.end() - 8, '\0');
      expect_calm(file);
    }
  }
}

}  // namespace
}  // namespace fovea::dicom
