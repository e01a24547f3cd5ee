// DICOM files that are cut off, damaged or not images: D01 to D18 and D24.
#include <zlib.h>

#include "bad_input/made.h"
#include "support/encapsulated.h"
#include "support/jpeg_bytes.h"

namespace fovea::test {
namespace {

const std::string kHello = "hello, this is a text and not an image\n";

/// Every `step`-th cut of a file from `from` on, all inspected by one process: each must be refused by name.
void cuts_are_refused(Trial& t, const std::string& whole, size_t from, size_t to, size_t step) {
  Texts arguments{"inspect"};
  for (size_t size = from; size < to; size += step)
    arguments.push_back(t.write("cut-" + std::to_string(size) + ".dcm", whole.substr(0, size)));
  const Answer answer = t.expect(3, arguments, {});
  for (size_t i = 1; i < arguments.size(); ++i)
    t.check(answer.err.find(arguments[i] + ": ") != std::string::npos,
            arguments[i] + " was not refused");
}

void d02(Trial& t) {
  t.inspect(3, "text.dcm", kHello, {"68 65 6c 6c 6f 2c 20 74", "offset 0", "dicom"});
  // One stray byte before a data set.
  t.inspect(3, "no_meta.dcm", " " + ramp().data_set(),
            {"20 08 00 16 00 55 49", "offset 0", "dicom"});
  // A PNG is told by its content, whatever its name is: it is read as what it is.
  t.accepted({"inspect", t.write("png.dcm", read_text(reference("images/grey8.png")))},
             {"png.dcm: PNG"});
}

void d03(Trial& t) {
  for (const auto as : {DicomBytes::As::explicit_little, DicomBytes::As::explicit_big,
                        DicomBytes::As::implicit_little}) {
    DicomImage bare = ramp();
    bare.as = as;
    bare.pixel_vr = "OB";
    const char* name = as == DicomBytes::As::explicit_little ? "Explicit VR Little Endian"
                       : as == DicomBytes::As::explicit_big  ? "Explicit VR Big Endian"
                                                             : "Implicit VR Little Endian";
    t.inspect(0, "bare.dcm", bare.data_set(),
              {"the meta header is missing", std::string("guessed ") + name});
    t.inspect(3, "bare.dcm", bare.data_set().substr(0, bare.data_set().size() - 7), {"PixelData"});
  }
}

void d04(Trial& t) {
  DicomImage made = ramp();
  DicomBytes sequence;
  sequence.header(0x300A00B0, "SQ", 0xFFFFFFFF)
      .item()
      .text(0x300A012C, "DS", "-212.5\\-130\\-10.0\\11");
  made.before_pixels = sequence.item_end().sequence_end().bytes();
  const std::string whole = made.file();
  const size_t tag = whole.find(std::string("\x0A\x30\x2C\x01", 4));
  t.inspect(3, "plan.dcm", whole.substr(0, tag + 8 + 9),
            {"element (300a,012c)", "offset " + std::to_string(tag), "length of 20 bytes",
             "9 are left", "copy or export it again"});
  cuts_are_refused(t, whole, 1, whole.size() - 256, 3);
  t.refused(
      {"inspect", Trial::data("dicom_encodings/malformed/rtplan_truncated.dcm")},
      {"rtplan_truncated.dcm", "element (300a,012c)", "offset 2092", "50 bytes", "29 are left"});
  const std::string ct = read_text(Trial::data("dicom_encodings/uncompressed/CT_small.dcm"));
  cuts_are_refused(t, ct, 0, 6300, 7);
}

void d05(Trial& t) {
  const std::string whole = ramp().file();
  const std::string at = std::to_string(whole.size() - 256 - 12);
  t.inspect(3, "cut.dcm", whole.substr(0, whole.size() - 62),
            {"PixelData at offset " + at, "194 bytes", "wanted 256", "cut off", "again"});
  cuts_are_refused(t, whole, whole.size() - 256, whole.size(), 5);
  t.refused({"inspect", Trial::data("dicom_encodings/malformed/MR_truncated.dcm")},
            {"MR_truncated.dcm", "PixelData at offset 1488", "8130 bytes", "wanted 8192"});
}

void d06(Trial& t) {
  DicomBytes text, binary;
  text.header(0x00081030, "LO", 0xFFF0).raw("few");
  t.inspect(3, "short.dcm", dicom_file(text.bytes()),
            {"(0008,1030)", "offset", "65520 bytes", "3 are left"});
  binary.header(0x00091010, "OB", 0x7FFFFFF0).raw("few");
  t.inspect(3, "long.dcm", dicom_file(binary.bytes()),
            {"(0009,1010)", "offset", "2147483632 bytes", "3 are left"});
}

void d07(Trial& t) {
  DicomBytes open;
  open.header(0x00081140, "SQ", 0xFFFFFFFF).item().us(0x00280010, 1).item_end();
  const std::string file = dicom_file(open.bytes());
  const size_t tag = file.find(std::string("\x08\x00\x40\x11", 4));
  t.inspect(3, "open.dcm", file,
            {"(0008,1140)", "offset " + std::to_string(tag), "end of the file", "(fffe,e0dd)"});
}

void d08(Trial& t) {
  std::string data;
  for (int i = 0; i < 10'000; ++i)
    data += DicomBytes().header(0x00081140, "SQ", 0xFFFFFFFF).item().bytes();
  t.inspect(3, "deep.dcm", dicom_file(data), {"(0008,1140)", "offset", "depth 65", "at most 64"});
}

void d09(Trial& t) {
  DicomImage made = ramp();
  made.rows = 0;
  t.inspect(3, "rows.dcm", made.file(), {"Rows is 0", "wanted 1..65535"});
  made = ramp();
  made.columns = 0;
  t.inspect(3, "columns.dcm", made.file(), {"Columns is 0", "wanted 1..65535"});
  const std::string pixels = DicomBytes().element(0x7FE00010, "OW", "ab").bytes();
  t.inspect(3, "absent.dcm", dicom_file(pixels), {"Rows is absent", "wanted 1..65535"});
  t.refused({"inspect", Trial::data("dicom_encodings/malformed/meta_missing_tsyntax.dcm")},
            {"Rows is absent", "Columns is absent", "wanted 1..65535"});
}

void d10(Trial& t) {
  DicomImage made;
  made.rows = made.columns = 65535;
  made.pixels = std::string(16, 'x');
  t.inspect(3, "huge.dcm", made.file(),
            {"Rows 65535", "Columns 65535", "NumberOfFrames 1", "SamplesPerPixel 1", "8 bits",
             "16 bytes", "4294836225"});
  DicomImage many;
  many.frames = "2000000000";
  t.inspect(3, "many.dcm", many.file(), {"NumberOfFrames 2000000000", "6 bytes", "12000000000"});
  DicomImage large = ramp();
  large.rows = 1024;
  large.columns = 1025;
  std::string frame(64, '\0');  // 8,200 runs of 128 samples
  frame[0] = 1;
  frame[4] = 64;
  for (int i = 0; i < 8200; ++i) frame += "\x81x";
  Texts names = good_images(t, 9);
  t.write("large.dcm", encapsulated(large, item("") + item(frame) + kEnd));
  names.insert(names.begin(), "large.dcm");
  t.expect(3, {"check", image_config(t, names, "  max_decoded_mb: 1\n")},
           {"large.dcm", "1049600 bytes", "Rows 1024", "Columns 1025", "NumberOfFrames 1",
            "SamplesPerPixel 1", "8 bits", "at most 1048576", "data.max_decoded_mb"});
}

void d11(Trial& t) {
  for (const std::string text : {"0", "-3", "1A"}) {
    DicomImage made = ramp();
    made.frames = text;
    t.inspect(3, "frames.dcm", made.file(),
              {"NumberOfFrames is '" + text + "'", "256 bytes", "wanted an integer from 1"});
  }
  DicomImage three = ramp();
  three.frames = "3";
  three.pixels += three.pixels;
  t.inspect(3, "three.dcm", three.file(), {"NumberOfFrames 3", "512 bytes", "wanted 768"});
  DicomImage coded;
  coded.frames = "3";
  t.inspect(3, "coded.dcm",
            encapsulated(coded, item("") + item(rle_frame()) + item(rle_frame()) + kEnd),
            {"NumberOfFrames is 3", "2 fragments"});
  t.refused({"inspect", Trial::data("dicom_encodings/malformed/badVR.dcm")},
            {"badVR.dcm", "NumberOfFrames is '1A'", "wanted an integer from 1"});
}

void d13(Trial& t) {
  DicomImage made = ramp();
  made.pixels.clear();
  t.inspect(3, "empty.dcm", made.file(), {"PixelData at offset", "0 bytes", "wanted 256"});
  t.inspect(3, "table.dcm", encapsulated({}, item("") + kEnd),
            {"PixelData", "0 fragments", "1 frames"});
}

void d14(Trial& t) {
  struct Depth {
    uint16_t allocated, stored, high;
  };
  for (const Depth& d :
       {Depth{0, 0, 0}, {3, 3, 2}, {12, 12, 11}, {16, 17, 16}, {16, 0, 0}, {16, 12, 3}}) {
    DicomImage made;
    made.allocated = d.allocated;
    made.stored = d.stored;
    made.high = d.high;
    made.pixels = std::string(64, 'x');
    t.inspect(3, "depth.dcm", made.file(),
              {"BitsAllocated is " + std::to_string(d.allocated),
               "BitsStored is " + std::to_string(d.stored), "HighBit is " + std::to_string(d.high),
               "wanted", d.allocated == 16 ? "BitsStored" : "BitsAllocated 1, 8, 16 or 32"});
  }
  // Twelve bits that end at bit 13: 0x1234 is 0x48D, 1165.
  DicomImage shifted;
  shifted.rows = shifted.columns = 1;
  shifted.allocated = 16;
  shifted.stored = 12;
  shifted.high = 13;
  shifted.pixels = "\x34\x12";
  t.inspect(0, "shifted.dcm", shifted.file(), {"1165 to 1165"});
}

void d15(Trial& t) {
  const auto pair = [&](uint16_t samples, const char* photometric, const Texts& texts) {
    DicomImage made;
    made.samples = samples;
    made.photometric = photometric;
    made.pixels = std::string(18, 'x');
    t.inspect(3, "pair.dcm", made.file(), texts);
  };
  pair(3, "MONOCHROME2", {"SamplesPerPixel is 3", "MONOCHROME2", "wanted 1"});
  pair(1, "RGB", {"SamplesPerPixel is 1", "RGB", "wanted 3"});
  pair(2, "RGB", {"SamplesPerPixel is 2", "RGB", "wanted 3"});
  pair(2, "MONOCHROME2", {"SamplesPerPixel is 2", "MONOCHROME2", "wanted 1"});
}

void d16(Trial& t) {
  for (const std::string name : {"HSV", "CMYK", "ARGB", "", "FOO"}) {
    DicomImage made;
    made.photometric = name;
    t.inspect(3, "colour.dcm", made.file(),
              {"PhotometricInterpretation is '" + name + "'", "MONOCHROME1", "MONOCHROME2", "RGB",
               "PALETTE COLOR", "YBR_FULL"});
  }
}

void d17(Trial& t) {
  const std::string data = ramp().data_set(), root = "1.2.840.10008.1.2.4.";
  t.inspect(3, "xl.dcm", dicom_file(data, root + "110"),
            {root + "110", "JPEG XL", "no decoder", "transcode"});
  t.inspect(3, "video.dcm", dicom_file(data, root + "102"),
            {root + "102", "H.264", "not decoded", "export"});
  t.inspect(3, "jpip.dcm", dicom_file(data, root + "94"), {root + "94", "JPIP", "server"});
  t.inspect(3, "other.dcm", dicom_file(data, "1.2.3.4"), {"unknown", "1.2.3.4", "transcode"});
}

/// Sets the US value of a tag in an explicit little-endian file.
std::string with_us(std::string file, uint32_t tag, int change) {
  const size_t at = file.find(DicomBytes().header(tag, "US", 2).bytes());
  file.at(at + 8) = static_cast<char>(file[at + 8] + change);
  return file;
}

void d18(Trial& t) {
  JpegBytes jpeg;
  jpeg.values = {{100}};
  t.inspect(0, "right.dcm", dicom_of_jpeg(jpeg.file(), 8, 8), {});
  t.inspect(3, "rows.dcm", dicom_of_jpeg(jpeg.file(), 9, 8),
            {"frame 1", "8 x 8", "8 x 9", "Columns x Rows"});
  t.inspect(3, "columns.dcm", dicom_of_jpeg(jpeg.file(), 8, 7),
            {"frame 1", "8 x 8", "7 x 8", "Columns x Rows"});
  for (const char* name :
       {"jpeg_baseline/SC_rgb_jpeg_dcmtk.dcm", "jpeg_lossless/SC_rgb_jpeg_gdcm.dcm",
        "jpeg_ls/MR_small_jpeg_ls_lossless.dcm", "jpeg2000/MR_small_jp2klossless.dcm"}) {
    const std::string whole = read_text(Trial::data(std::string("dicom_encodings/") + name));
    for (const uint32_t tag : {0x00280010u, 0x00280011u})
      for (const int change : {-1, 1})
        t.inspect(3, "changed.dcm", with_us(whole, tag, change), {"frame 1", "Columns x Rows"});
  }
}

/// 10 GB of zeros: a block of a MiB that ends on a byte, again and again.
std::string ten_gigabytes() {
  std::string zeros(1 << 20, '\0'), block(1 << 16, '\0');
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  z.next_in = reinterpret_cast<Bytef*>(zeros.data());
  z.avail_in = static_cast<uInt>(zeros.size());
  z.next_out = reinterpret_cast<Bytef*>(block.data());
  z.avail_out = static_cast<uInt>(block.size());
  deflate(&z, Z_FULL_FLUSH);
  block.resize(z.total_out);
  deflateEnd(&z);
  std::string all;
  for (int i = 0; i < 10'000; ++i) all += block;
  return all;
}

/// An element of 2 GB, packed without a block of its own that would be compressed.
std::string stored_header() {
  const std::string head = DicomBytes().header(0x00091010, "OB", 0xFFFFFFF0).bytes();
  const auto size = static_cast<uint16_t>(head.size());
  std::string block(1, '\0');  // stored, not the last one
  for (const uint16_t word : {size, static_cast<uint16_t>(~size)})
    block += std::string{static_cast<char>(word & 0xFF), static_cast<char>(word >> 8)};
  return block + head;
}

void d24(Trial& t) {
  const std::string bomb = dicom_file(stored_header() + ten_gigabytes(), "1.2.840.10008.1.2.1.99");
  Texts names = good_images(t, 10);
  const std::string smallest = image_config(t, names, "  max_decoded_mb: 16\n");
  const Texts small{"check", smallest};
  const int64_t floor = t.run(small).peak_mib;
  t.write("g0.dcm", bomb);
  const Answer answer =
      t.expect(3, small, {"g0.dcm", "bytes in", "out", "83886080", "data.max_decoded_mb"});
  // Twice, while it grows.
  t.check(answer.peak_mib <= floor + 2 * (16 + 64) + 64, "took " + std::to_string(answer.peak_mib) +
                                                             " MiB, the smallest input " +
                                                             std::to_string(floor));
}

}  // namespace

Rows dicom_rows() {
  return {
      {"D01", "a file of 0 bytes",
       [](Trial& t) {
         t.inspect(3, "empty.dcm", "", {"0 bytes", "wanted", "export it again or remove it"});
       }},
      {"D02", "a text, a PNG and a stray byte called .dcm", d02},
      {"D03", "data sets without preamble and meta header", d03},
      {"D04", "a file cut off before PixelData", d04},
      {"D05", "a file cut off inside PixelData", d05},
      {"D06", "an element whose length goes beyond the file", d06},
      {"D07", "a sequence without its delimiter", d07},
      {"D08", "10,000 nested sequences", d08},
      {"D09", "no rows, no columns", d09},
      {"D10", "more pixels than bytes, or than the limit", d10},
      {"D11", "NumberOfFrames that is no count of the frames", d11},
      {"D13", "PixelData without pixels", d13},
      {"D14", "depths that cannot be", d14},
      {"D15", "samples that contradict the photometric interpretation", d15},
      {"D16", "unknown photometric interpretations", d16},
      {"D17", "transfer syntaxes without a decoder", d17},
      {"D18", "a code stream of another size than the header says", d18},
      {"D22", "a decoder that crashes", nullptr},
      {"D23", "a decoder that never returns", nullptr},
      {"D24", "a deflated data set of 10 MB that becomes 10 GB", d24},
      {"D28", "a series with a slice without position", nullptr},
      {"D29", "one slice twice", nullptr},
      {"D30", "two series in one folder", nullptr},
      {"D31", "a series with a gap, a tilted gantry", nullptr},
      {"D37", "a DICOMDIR that leaves its folder", nullptr},
  };
}

}  // namespace fovea::test
