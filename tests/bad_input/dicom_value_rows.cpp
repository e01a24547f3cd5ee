// DICOM files that are odd: what is accepted with a note, and values that cannot be: D12, D19 to D21, D25 to D39.
#include <random>

#include "bad_input/made.h"

namespace fovea::test {
namespace {

const std::string kNote = "note";

std::string encoding(const std::string& name) { return Trial::data("dicom_encodings/" + name); }

void d12(Trial& t) {
  const std::string report =
      dicom_file(DicomBytes().text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.11").bytes());
  const std::string plan =
      dicom_file(DicomBytes().text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.481.5").bytes());
  t.write("f/report.dcm", report);
  t.write("f/plan.dcm", plan);
  t.write("f/other.dcm", plan);
  t.write("f/good.dcm", ramp().file());
  const std::string run = image_run().run;
  // Found in a folder: left out, with a count.
  t.expect(0, {"infer", run, "f"},
           {"good,f/good.dcm", "2 files", "left out", "f/other.dcm, f/plan.dcm", "RT Plan",
            "1 files", "f/report.dcm", "Basic Text Structured Report", "no PixelData"});
  // Named: refused.
  t.refused({"infer", run, "f/report.dcm"},
            {"f/report.dcm", "not an image", "Basic Text Structured Report", "no PixelData"});
  t.refused({"inspect", "f/plan.dcm"}, {"f/plan.dcm", "not an image", "RT Plan", "no PixelData"});
  for (const char* name : {"test-SR", "rtstruct", "waveform_ecg", "no_meta_group_length",
                           "ExplVR_LitEndNoMeta", "ExplVR_BigEndNoMeta"})
    t.refused({"inspect", encoding(std::string("malformed/") + name + ".dcm")},
              {"not an image", "no PixelData"});
}

void d19(Trial& t) {
  t.accepted({"inspect", encoding("jpeg2000/J2K_pixelrep_mismatch.dcm")},
             {"PixelRepresentation is 1", "unsigned with 13 bits", "sign-extended", "-2000 to"});
  // The reverse: PixelRepresentation 0 for a signed stream, without and with negative values.
  const auto reversed = [](std::string file) {
    const size_t at = file.find(DicomBytes().header(0x00280103, "US", 2).bytes());
    file.at(at + 8) = '\0';
    return file;
  };
  t.inspect(0, "positive.dcm", reversed(read_text(encoding("jpeg2000/MR_small_jp2klossless.dcm"))),
            {"PixelRepresentation is 0", "signed", "127 to 2145"});
  t.inspect(3, "negative.dcm", reversed(read_text(encoding("jpeg2000/693_J2KR.dcm"))),
            {"PixelRepresentation", "signed", "negative"});
}

/// One byte of each compressed file flipped, five times: an image or a refusal, within a second each.
void flipped_bytes(Trial& t) {
  std::mt19937 random(20240607);
  Texts arguments{"inspect"};
  for (const char* folder : {"jpeg2000", "jpeg_baseline", "jpeg_extended", "jpeg_lossless",
                             "jpeg_ls", "rle", "deflated"})
    for (const auto& entry : fs::directory_iterator(encoding(folder))) {
      const std::string whole = read_text(entry.path());
      for (int round = 0; round < 2; ++round) {
        std::string file = whole;
        file[random() % file.size()] ^= static_cast<char>(1 << random() % 8);
        arguments.push_back(t.write(std::to_string(arguments.size()) + ".dcm", file));
      }
    }
  const Answer answer = t.run(arguments, {.seconds = 120});
  t.check(answer.code == 0 || answer.code == 3,
          "flipped bytes end with " + std::to_string(answer.code));
  for (size_t i = 1; i < arguments.size(); ++i)
    t.check(answer.text().find(arguments[i]) != std::string::npos, arguments[i] + " is not named");
}

void d21(Trial& t) {
  t.refused(
      {"inspect", encoding("malformed/JPEG2000-embedded-sequence-delimiter.dcm")},
      {"frame 1", "fragment at offset 3042", "JPEG 2000", "tiles for 256 x 1024", "transcode"});
  t.refused({"inspect", encoding("malformed/JPEGLossless_1s_1f_i_16_16_bad.dcm")},
            {"frame 1", "fragment at offset 1796", "predictor 6", "data.dicom.jpeg_predictor6"});
  flipped_bytes(t);
}

std::string with(const std::string& elements, uint16_t frames = 1) {
  DicomImage made = ramp();
  made.before_pixels = elements;
  if (frames > 1) {
    made.frames = std::to_string(frames);
    std::string pixels;
    for (int i = 0; i < frames; ++i) pixels += made.pixels;
    made.pixels = pixels;
  }
  return made.file();
}

void d25(Trial& t) {
  const auto rescale = [](const char* slope, const char* intercept) {
    DicomBytes b;
    if (intercept) b.text(0x00281052, "DS", intercept);
    if (slope) b.text(0x00281053, "DS", slope);
    return b.bytes();
  };
  const Texts wanted{"RescaleSlope", "RescaleIntercept", "wanted", "finite", "other than 0"};
  for (const std::string slope : {"0", "NaN", "abc"}) {
    const Answer answer = t.inspect(3, "slope.dcm", with(rescale(slope.c_str(), "1")),
                                    {"RescaleSlope is '" + slope + "'"});
    t.contains(answer, wanted);
  }
  t.inspect(3, "slope.dcm", with(rescale("1", nullptr)),
            {"RescaleSlope is '1'", "RescaleIntercept is absent"});
  DicomBytes group;
  group.header(0x52009229, "SQ", 0xFFFFFFFF).item().header(0x00289145, "SQ", 0xFFFFFFFF).item();
  group.raw(rescale("1", nullptr)).item_end().sequence_end().item_end().sequence_end();
  t.inspect(3, "group.dcm", with(group.bytes()),
            {"RescaleSlope is '1'", "RescaleIntercept is absent"});
  DicomBytes frames;
  frames.header(0x52009230, "SQ", 0xFFFFFFFF);
  for (const char* slope : {"1", "0"})
    frames.item()
        .header(0x00289145, "SQ", 0xFFFFFFFF)
        .item()
        .raw(rescale(slope, "5"))
        .item_end()
        .sequence_end()
        .item_end();
  frames.sequence_end();
  t.inspect(3, "frames.dcm", with(frames.bytes(), 2), {"frame 2", "RescaleSlope is '0'"});
}

void d26(Trial& t) {
  for (const std::string spacing : {"0\\0", "-1\\1", "1\\1\\1", "0,5\\0,5"}) {
    const std::string element = DicomBytes().text(0x00280030, "DS", spacing).bytes();
    t.inspect(0, "flat.dcm", with(element),
              {"PixelSpacing is '" + spacing + "'", "two numbers above 0", "unknown"});
    t.inspect(3, "volume.dcm", with(element, 3),
              {"PixelSpacing is '" + spacing + "'", "wanted two numbers above 0", "export"});
  }
  // An empty value is the same as none.
  const std::string empty = DicomBytes().text(0x00280030, "DS", "").bytes();
  t.lacks(t.inspect(0, "flat.dcm", with(empty), {}), {"spacing "});
  t.lacks(t.inspect(0, "volume.dcm", with(empty, 3), {}), {"spacing "});
}

void d27(Trial& t) {
  const auto oriented = [](const char* cosines) {
    return with(DicomBytes()
                    .text(0x00200032, "DS", "0\\0\\0")
                    .text(0x00200037, "DS", cosines)
                    .text(0x00280030, "DS", "1\\1")
                    .bytes());
  };
  t.inspect(0, "right.dcm", oriented("1\\0\\0\\0\\1\\0"), {"a slice (0, 0, 1) mm"});
  t.inspect(3, "long.dcm", oriented("1.01\\0\\0\\0\\1\\0"),
            {"ImageOrientationPatient", "lengths 1.01 and 1", "dot product 0", "0.001"});
  // 2 degrees: cos 88 = 0.0349.
  t.inspect(3, "skew.dcm", oriented("1\\0\\0\\0.0348995\\0.9993908\\0"),
            {"ImageOrientationPatient", "lengths 1 and 1", "dot product 0.0348995", "0.001"});
}

void d32(Trial& t) {
  const auto map = [](const std::vector<float>& values) {
    DicomImage made;
    made.rows = 2;
    made.columns = 3;
    made.allocated = 32;
    made.stored = 32;
    made.high = 31;
    made.pixels.clear();
    std::string data = made.data_set();
    data.resize(data.size() - 12);
    std::string bytes(values.size() * 4, '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return dicom_file(data + DicomBytes().element(0x7FE00008, "OF", bytes).bytes());
  };
  t.inspect(0, "map.dcm", map({1, 2, 3, 4, 5, 6}), {"1 to 6"});
  t.inspect(3, "map.dcm", map({1, NAN, 3, INFINITY, -INFINITY, 6}),
            {"3 pixels are not finite", "frame 1 at row 0, column 1", "export"});
}

void d33(Trial& t) {
  Texts names = good_images(t, 10);
  DicomImage flat = ramp();
  flat.pixels = std::string(256, '\x07');
  t.write("g2.dcm", flat.file());
  t.write("g4.dcm", flat.file());
  t.write("g4.dcm", [&] {
    flat.pixels = std::string(256, '\x08');
    return flat.file();
  }());
  const std::string config = image_config(t, names);
  t.accepted({"check", config}, {"2 cases", "g2.dcm", "one value"});
  t.accepted({"train", config, "--out", "run", "--device", "cpu", "--set",
              "transforms.train=[{resize: 16}, {scale: zscore}]"});
}

void d34(Trial& t) {
  Texts names = good_images(t, 10);
  for (const int i : {1, 3}) {
    DicomImage made = ramp(i);
    made.before_pixels = DicomBytes().text(0x00280301, "CS", "YES").bytes();
    t.write(names[static_cast<size_t>(i)], made.file());
  }
  const Texts texts{"BurnedInAnnotation is YES", "text that identifies", "2 of 10", "g1.dcm"};
  const std::string config = image_config(t, names);
  t.accepted({"check", config}, texts);
  t.accepted({"train", config, "--out", "run", "--device", "cpu"},
             {"BurnedInAnnotation is YES", "text that identifies"});
}

void d35(Trial& t) {
  for (const std::string set : {"", "ISO_IR 999", "ISO_IR 192"}) {
    DicomBytes text;
    if (!set.empty()) text.text(0x00080005, "CS", set);
    text.text(0x00081030, "LO", "R\xF6ntgen").text(0x00100010, "PN", "M\xFCller^J\xF6rg");
    const Answer answer = t.inspect(0, "text.dcm", with(text.bytes()), {"16 rows x 16 columns"});
    t.lacks(answer, {"ller"});
  }
}

void d36(Trial& t) {
  DicomImage made = ramp();
  made.before_pixels = DicomBytes().element(0x00281040, "CS", "LIN").bytes();
  made.pixels += std::string(128, '\0');
  t.inspect(0, "padded.dcm", made.file(), {"384 bytes", "256 are needed", "padding"});
  t.accepted({"inspect", encoding("uncompressed/MR_small_padded.dcm")},
             {"8320 bytes", "8192 are needed", "127 to 2145"});
}

void d38(Trial& t) {
  const std::string long_uid = std::string(200, '1');
  for (const std::string& uid :
       {std::string("../../escaped"), std::string("/tmp/escaped-uid"), long_uid}) {
    DicomImage made = ramp();
    made.before_pixels = "";
    DicomBytes uids;
    uids.text(0x00080018, "UI", uid).text(0x0020000D, "UI", uid).text(0x0020000E, "UI", uid);
    t.write("in/deep/image.dcm", dicom_file(uids.bytes() + made.data_set()));
    const Answer answer =
        t.accepted({"infer", image_run().run, "in/deep/image.dcm", "--out", "a.csv"});
    t.lacks(answer, {"escaped", long_uid});
    t.lacks({.out = t.read("a.csv")}, {"escaped", long_uid});
    for (const auto& entry : fs::recursive_directory_iterator(t.path("")))
      t.check(entry.path().string().find("escaped") == std::string::npos &&
                  entry.path().string().find("1111111") == std::string::npos,
              "a file is named after the UID: " + entry.path().string());
    t.check(!fs::exists("/tmp/escaped-uid"), "a file was written outside");
    t.check(t.read("a.csv").find("image,in/deep/image.dcm") != std::string::npos,
            "the safe name is absent");
  }
}

void d39(Trial& t) {
  // A private sequence inside UN, and PixelSpacing sent as UN, read with the VR of the dictionary.
  DicomBytes inner(DicomBytes::As::implicit_little);
  inner.item().text(0x00091011, "", "private text").item_end().sequence_end();
  DicomBytes b;
  b.header(0x00091010, "UN", 0xFFFFFFFF).raw(inner.bytes()).element(0x00280030, "UN", "2.5\\1.5 ");
  t.inspect(0, "un.dcm", with(b.bytes()), {"spacing", "2.5 x 1.5 mm", "16 rows x 16 columns"});
  for (const char* name :
       {"jpeg_lossless/bad_sequence.dcm", "jpeg2000/explicit_VR-UN.dcm", "rle/rtdose_rle.dcm"})
    t.accepted({"inspect", encoding(name)}, {"values"});
}

}  // namespace

Rows dicom_value_rows() {
  return {
      {"D12", "DICOM objects without pixels", d12},
      {"D19", "a code stream of another sign than PixelRepresentation", d19},
      {"D20", "JP2 boxes around a code stream",
       [](Trial& t) {
         t.accepted({"inspect", encoding("jpeg2000/GDCMJ2K_TextGBR.dcm")},
                    {"JP2 boxes", "1 frames"});
       }},
      {"D21", "damaged code streams", d21},
      {"D25", "a rescale that cannot be applied", d25},
      {"D26", "PixelSpacing that is not two numbers above 0", d26},
      {"D27", "an orientation that is not of unit vectors at a right angle", d27},
      {"D32", "values that are not finite", d32},
      {"D33", "images of one value", d33},
      {"D34", "BurnedInAnnotation YES", d34},
      {"D35", "text in a character set that is absent, wrong or unknown", d35},
      {"D36", "more bytes than needed, odd lengths", d36},
      {"D38", "UIDs that would leave a folder", d38},
      {"D39", "private content in UN", d39},
  };
}

}  // namespace fovea::test
