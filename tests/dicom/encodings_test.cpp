// Every file of the public set shared/data/dicom_encodings against the SHA-256 that another decoder
// gave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "fovea/dicom/image.h"
#include "support/dicom_bytes.h"
#include "support/sha256.h"
#include "support/test_files.h"

namespace fovea::dicom {
namespace {

using test::as_bytes;
using test::read_text;
using testing::HasSubstr;

const std::filesystem::path& folder() {
  static const auto path = test::test_data() / "dicom_encodings";
  return path;
}

/// CSV with quotes, no line breaks inside: rows of column name -> cell.
std::vector<std::map<std::string, std::string>> expected() {
  std::ifstream stream(folder() / "expected.csv");
  std::vector<std::string> names;
  std::vector<std::map<std::string, std::string>> rows;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"')
        quoted = !quoted;
      else if (c == ',' && !quoted)
        cells.emplace_back();
      else
        cells.back() += c;
    }
    if (names.empty()) {
      names = cells;
      continue;
    }
    auto& row = rows.emplace_back();
    for (size_t c = 0; c < names.size() && c < cells.size(); ++c) row[names[c]] = cells[c];
  }
  return rows;
}

Image decode_file(const std::string& relative, const DecodeOptions& options = {}) {
  const std::string bytes = read_text(folder() / relative);
  const Header header = scan(as_bytes(bytes), relative);
  return decode(as_bytes(bytes), header, options);
}

std::string hash(const Image& image) { return test::sha256(image.pixels); }

std::string dtype(Sample sample) {
  static const char* const kNames[] = {"uint8",  "int8",  "uint16",  "int16",
                                       "uint32", "int32", "float32", "float64"};
  return kNames[static_cast<size_t>(sample)];
}

std::string shape(const Image& image) {
  std::string text;
  if (image.frames > 1) text += std::to_string(image.frames) + "x";
  text += std::to_string(image.height) + "x" + std::to_string(image.width);
  if (image.channels > 1) text += "x" + std::to_string(image.channels);
  return text;
}

template <class T>
double mean(const Image& image) {
  return std::accumulate(image.data<T>(), image.data<T>() + image.samples(), 0.0) /
         static_cast<double>(image.samples());
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    return error.what();
  }
  return "";
}

// What the reference decoder returned for these is not the stored pixel value, or we refuse by
// name.
const std::map<std::string, std::string> kRight = {
    {"uncompressed/mlut_18.dcm",
     "9195d8833fb4ec4fd38b7ba84b5025859211d62e76af3188dfb426683485d58a"},
    {"jpeg_ls/JLSL_16_15_1_1F.dcm",
     "bb0a20c386271e836966f81064e1b439a2951b1faa35b48ddbd34e11fb926b6c"},
    {"uncompressed_colour/SC_rgb_small_odd_big_endian.dcm",
     "ef2df252ba3cd066405c4dd121d0efea1341083ae2f676e1f4c844b5a4838cb8"},
};
const ReadOptions kFileWindow = [] {
  ReadOptions options;
  options.window = WindowFrom::file;
  return options;
}();
const std::string kSevenBits = "jpeg_ls/JLSL_08_07_0_1F.dcm";

TEST(Encodings, EveryFileDecodesToTheReferenceHash) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  const auto rows = expected();
  ASSERT_EQ(rows.size(), 78u);
  int right = 0, refused = 0;
  for (const auto& row : rows) {
    const std::string& file = row.at("file");
    SCOPED_TRACE(file);
    try {
      const Image image = decode_file(file);
      EXPECT_EQ(shape(image), row.at("array_shape"));
      EXPECT_EQ(dtype(image.sample), row.at("array_dtype"));
      const auto special = kRight.find(file);
      EXPECT_EQ(hash(image), special == kRight.end() ? row.at("sha256_decoded") : special->second);
      ++right;
    } catch (const Error& error) {
      EXPECT_EQ(file, kSevenBits) << error.what();
      EXPECT_THAT(error.what(), HasSubstr("JPEG-LS, 7 bits"));
      ++refused;
    }
  }
  EXPECT_EQ(right, 77);
  EXPECT_EQ(refused, 1);
}

TEST(Encodings, TheSameScanWithAFileWindowAndInMemoryAgree) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  for (const auto& row : expected()) {
    SCOPED_TRACE(row.at("file"));
    const auto path = folder() / row.at("file");
    const std::string bytes = read_text(path);
    EXPECT_EQ(describe(scan(path)), describe(scan(as_bytes(bytes), "memory")));
  }
}

TEST(Encodings, FilesNamedAsTheSameImageDecodeToTheSameBytes) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  int pairs = 0;
  for (const auto& row : expected()) {
    std::stringstream others(row.at("same_pixels_as"));
    const Image first = row.at("same_pixels_as").empty() ? Image{} : decode_file(row.at("file"));
    for (std::string other; std::getline(others, other, ';');) {
      ++pairs;
      EXPECT_EQ(first.pixels, decode_file(other).pixels) << row.at("file") << " and " << other;
    }
  }
  EXPECT_GT(pairs, 60);
}

TEST(Encodings, StoredValuesAreSignExtendedFromBitsStored) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  const Image lut = decode_file("uncompressed/mlut_18.dcm");
  EXPECT_NEAR(mean<int16_t>(lut), 25.112, 0.0005);
  const Image ls = decode_file("jpeg_ls/JLSL_16_15_1_1F.dcm");
  EXPECT_NEAR(mean<int16_t>(ls), -4043.624, 0.0005);
  const auto [lo, hi] = std::minmax_element(ls.data<int16_t>(), ls.data<int16_t>() + ls.samples());
  EXPECT_EQ(*lo, -16384);
  EXPECT_EQ(*hi, 16383);
}

TEST(Encodings, ThroughputJpeg2000DecodesWithinOneLevel) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  const Image image = decode_file("malformed/HTJ2K_08_RGB.dcm");
  EXPECT_EQ(shape(image), "480x640x3");
  EXPECT_NEAR(mean<uint8_t>(image), 127.10, 0.05);
}

TEST(Encodings, PredictorSixIsRefusedUnlessToldWhich) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  const std::string file = "malformed/JPEGLossless_1s_1f_i_16_16_bad.dcm";
  EXPECT_THAT(error_of([&] { decode_file(file); }),
              testing::AllOf(HasSubstr(file), HasSubstr("frame 1"),
                             HasSubstr("DecodeOptions::jpeg_predictor6")));
  const Image image = decode_file(file, {.jpeg_predictor6 = JpegPredictor6::overflowed});
  EXPECT_THAT(hash(image), testing::StartsWith("6ac1ebb0"));
  EXPECT_NEAR(mean<int16_t>(image), 193.816, 0.0005);
}

TEST(Encodings, MalformedFilesAreRefusedForTheRightReason) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  const std::map<std::string, std::vector<std::string>> wanted = {
      {"JPEG2000-embedded-sequence-delimiter.dcm", {"frame 1", "tiles for 256 x 1024"}},
      {"MR_truncated.dcm", {"PixelData", "1488", "8130", "8192"}},
      {"rtplan_truncated.dcm", {"(300a,012c)", "2092", "50", "29"}},
      {"badVR.dcm", {"NumberOfFrames", "'1A'"}},
      {"no_meta.dcm", {"20 08 00 05 00 43 53 0a", "DICM"}},
      {"meta_missing_tsyntax.dcm", {"Rows is absent", "Columns is absent"}},
  };
  for (const auto& [name, parts] : wanted) {
    const std::string message = error_of([&, name = name] { decode_file("malformed/" + name); });
    EXPECT_THAT(message, HasSubstr(name));
    for (const std::string& part : parts) EXPECT_THAT(message, HasSubstr(part));
  }
}

TEST(Encodings, ObjectsWithoutPixelsAreNamedAndNotAnImage) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  for (const char* name :
       {"test-SR.dcm", "rtstruct.dcm", "waveform_ecg.dcm", "no_meta_group_length.dcm",
        "ExplVR_LitEndNoMeta.dcm", "ExplVR_BigEndNoMeta.dcm"}) {
    SCOPED_TRACE(name);
    EXPECT_THROW(scan(folder() / "malformed" / name), NotAnImage);
    EXPECT_THAT(error_of([&] { scan(folder() / "malformed" / name); }), HasSubstr("no PixelData"));
  }
  EXPECT_THAT(error_of([&] { scan(folder() / "malformed" / "rtstruct.dcm"); }),
              HasSubstr("RT Structure Set"));
}

TEST(Encodings, PhysicalValuesFollowEachFilesOwnRule) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  const Image ct = read(folder() / "uncompressed/693_UNCR.dcm");
  EXPECT_EQ(ct.slope, 1);
  EXPECT_EQ(ct.intercept, -1024);
  const Image dose = read(folder() / "uncompressed/rtdose.dcm");
  EXPECT_NEAR(
      *std::max_element(dose.data<uint32_t>(), dose.data<uint32_t>() + dose.samples()) * dose.slope,
      1.254, 1e-9);
  const Image enhanced = read(folder() / "uncompressed/eCT_Supplemental.dcm");
  EXPECT_EQ(enhanced.frames, 2);
  EXPECT_EQ(enhanced.intercept, -1024);
  EXPECT_NEAR(enhanced.spacing_mm[1], 0.388672, 1e-12);
  const Image j2k = read(folder() / "jpeg2000/J2K_pixelrep_mismatch.dcm");
  EXPECT_EQ(*std::min_element(j2k.data<int16_t>(), j2k.data<int16_t>() + j2k.samples()), -2000);
  EXPECT_THAT(j2k.notes, testing::Contains(HasSubstr("sign-extended from bit 12")));
}

TEST(Encodings, TheModalityLutIsIndexedFromItsFirstValue) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  const auto path = folder() / "uncompressed/mlut_18.dcm";
  const Image stored = decode_file("uncompressed/mlut_18.dcm");
  const Image image = read(path);
  const Header header = scan(path);
  ASSERT_EQ(header.modality_lut->values.size(), 4096u);
  EXPECT_EQ(header.modality_lut->first, -2048);
  ASSERT_EQ(image.sample, Sample::u16);
  for (int64_t i = 0; i < stored.samples(); i += 997)
    EXPECT_EQ(image.data<uint16_t>()[i],
              header.modality_lut->values[static_cast<size_t>(stored.data<int16_t>()[i] + 2048)]);
}

TEST(Encodings, ColourComesOutAsRgbOnce) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  // YBR pixels of column 5, rows 0, 10, 20, 30, 50: (76,85,255), (166,109,192), (149,44,22),
  // (203,87,76), (143,192,115).
  const Image rgb = read(folder() / "uncompressed_colour/SC_rgb.dcm");
  const Image ybr = read(folder() / "uncompressed_colour/SC_ybr_full_uncompressed.dcm");
  const Image j2k = read(folder() / "jpeg2000/SC_rgb_gdcm_KY.dcm");
  EXPECT_EQ(rgb.pixels, j2k.pixels);
  const std::map<int, std::array<int, 3>> by_hand = {{0, {254, 0, 0}},
                                                     {10, {255, 127, 132}},
                                                     {20, {0, 254, 0}},
                                                     {30, {130, 254, 130}},
                                                     {50, {125, 130, 255}}};
  for (const auto& [row, wanted] : by_hand)
    for (int c = 0; c < 3; ++c)
      EXPECT_EQ(ybr.data<uint8_t>()[(row * 100 + 5) * 3 + c], wanted[static_cast<size_t>(c)]);
  const Image palette = read(folder() / "uncompressed_colour/examples_palette.dcm");
  EXPECT_EQ(shape(palette), "350x800x3");
  EXPECT_EQ(palette.sample, Sample::u16);
  EXPECT_THAT(error_of([] { read(folder() / "uncompressed_colour/gdcm-US-ALOKA-16.dcm"); }),
              HasSubstr("segmented palette"));
}

TEST(Encodings, AFileWindowGivesZeroToOne) {
  FOVEA_NEEDS_DATA("dicom_encodings");
  // 693: centre 40, width 100: HU -10 and below black, 89 and above white (LINEAR, whole numbers).
  const Image image = read(folder() / "uncompressed/693_UNCR.dcm", kFileWindow);
  const Image stored = decode_file("uncompressed/693_UNCR.dcm");
  ASSERT_EQ(image.sample, Sample::f32);
  for (int64_t i = 0; i < image.samples(); i += 331) {
    const double hu = stored.data<int16_t>()[i] - 1024.0;
    const double wanted = hu <= -10 ? 0 : hu > 89 ? 1 : (hu - 39.5) / 99 + 0.5;
    ASSERT_NEAR(image.data<float>()[i], wanted, 1e-6);
  }
  const Image radiograph = read(folder() / "jpeg2000/RG3_J2KI.dcm", kFileWindow);
  const Image raw = decode_file("jpeg2000/RG3_J2KI.dcm");
  for (int64_t i = 0; i < radiograph.samples();
       i += 9973) {  // MONOCHROME1: centre 550, width 1024, then white is dense
    const double y = std::clamp((raw.data<uint16_t>()[i] - 549.5) / 1023 + 0.5, 0.0, 1.0);
    ASSERT_NEAR(radiograph.data<float>()[i], 1 - y, 1e-6);
  }
  const Image voi = read(folder() / "uncompressed/vlut_04.dcm", kFileWindow);
  EXPECT_THAT(voi.notes, testing::Contains(HasSubstr("VOI LUT")));
}

}  // namespace
}  // namespace fovea::dicom
