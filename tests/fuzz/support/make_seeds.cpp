// Writes the first inputs of the fuzz targets that are no text, with the makers of the tests:
// make_fuzz_seeds tests/fuzz/corpus. The inputs that are text were written by hand, those called
// found-… are what the fuzzer found.
#include <zlib.h>

#include <fstream>
#include <vector>

#include "fovea/bundle/card.h"
#include "fovea/storage/manifest.h"
#include "fovea/storage/safetensors.h"
#include "fuzz/support/jpeg2000_bytes.h"
#include "support/encapsulated.h"
#include "support/jpeg_bytes.h"

namespace {

namespace fs = std::filesystem;
using namespace fovea;
using fuzz::jpeg2000;
using test::dicom_file;
using test::DicomBytes;
using test::DicomImage;
using test::in_fragments;
using test::JpegBytes;

fs::path corpus;

void write(const std::string& target, const std::string& name, const std::string& content) {
  fs::create_directories(corpus / target);
  std::ofstream(corpus / target / name, std::ios::binary) << content;
}

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

// --- DICOM ----------------------------------------------------------------------------------------

std::string deflated(const std::string& text) {
  z_stream z{};
  std::string packed(2 * text.size() + 100, '\0');
  deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

std::string rle_frame() {
  std::string frame(64, '\0');
  frame[0] = 1;
  frame[4] = 64;
  return frame + "\x02\x01\x02\x03" + bytes({0xfe, 7});
}

/// Groups of functional groups: rescale, window, measures, position and orientation of each frame.
std::string functional_groups() {
  DicomBytes b;
  b.header(0x52009229, "SQ", 0xFFFFFFFF).item();
  b.header(0x00209116, "SQ", 0xFFFFFFFF).item();
  b.text(0x00200037, "DS", "1\\0\\0\\0\\1\\0").item_end().sequence_end();
  b.header(0x00289110, "SQ", 0xFFFFFFFF).item().text(0x00180050, "DS", "2.5");
  b.text(0x00180088, "DS", "3").text(0x00280030, "DS", "0.5\\0.75").item_end().sequence_end();
  b.item_end().sequence_end().header(0x52009230, "SQ", 0xFFFFFFFF);
  for (const char* z : {"0", "3"}) {
    b.item().header(0x00209113, "SQ", 0xFFFFFFFF).item();
    b.text(0x00200032, "DS", std::string("-10\\20\\") + z).item_end().sequence_end();
    b.header(0x00289145, "SQ", 0xFFFFFFFF).item().text(0x00281052, "DS", z);
    b.text(0x00281053, "DS", "1.5").item_end().sequence_end();
    b.header(0x00289132, "SQ", 0xFFFFFFFF).item().text(0x00281050, "DS", "40");
    b.text(0x00281051, "DS", "80").text(0x00281056, "CS", "SIGMOID").item_end().sequence_end();
    b.item_end();
  }
  return b.sequence_end().bytes();
}

/// The attributes of a slice of CT, of dose, and what is skipped: private groups and sequences.
std::string attributes(DicomBytes::As as) {
  DicomBytes b(as);
  b.text(0x00080060, "CS", "CT").text(0x00180050, "DS", "2.5").text(0x00180088, "DS", "3");
  b.text(0x00181164, "DS", "0.2\\0.3").text(0x00200032, "DS", "-1\\2\\3.5");
  b.text(0x00200037, "DS", "1\\0\\0\\0\\1\\0").text(0x00280030, "DS", "0.5\\0.75");
  b.us(0x00280120, 3).us(0x00280121, 4).text(0x00280301, "CS", "YES");
  b.text(0x00281050, "DS", "3\\4").text(0x00281051, "DS", "2\\4").text(0x00281052, "DS", "-1024");
  b.text(0x00281053, "DS", "2").text(0x00281054, "LO", "HU");
  b.text(0x00281056, "CS", "LINEAR_EXACT").text(0x3004000E, "DS", "0.001");
  b.header(0x00081140, "SQ", 0xFFFFFFFF).item().text(0x00081150, "UI", "1.2").item_end();
  b.sequence_end().header(0x00091010, "UN", 4).raw("abcd");
  return b.bytes();
}

void dicom_files() {
  const auto scan = [](const std::string& name, const std::string& file) {
    write("dicom_scan", name, file);
  };
  for (const auto& [name, as] : {std::pair{"little", DicomBytes::As::explicit_little},
                                 {"big", DicomBytes::As::explicit_big},
                                 {"implicit", DicomBytes::As::implicit_little}}) {
    DicomImage made;
    made.as = as;
    made.before_pixels = attributes(as);
    scan(name, made.file());
    scan(std::string("bare-") + name, made.data_set());
  }
  scan("deflated", dicom_file(deflated(DicomImage().data_set()), "1.2.840.10008.1.2.1.99"));
  scan("no-pixels", dicom_file(DicomBytes().text(0x00080016, "UI", "1.2.840.1").bytes()));

  DicomImage frames;
  frames.frames = "2";
  frames.pixels += frames.pixels;
  frames.before_pixels = functional_groups();
  scan("functional-groups", frames.file());

  DicomImage tables;
  tables.stored = 4, tables.high = 3;
  tables.before_pixels = DicomBytes()
                             .header(0x00283000, "SQ", 0xFFFFFFFF)
                             .item()
                             .words(0x00283002, "US", {2, 0, 16})
                             .words(0x00283006, "US", {1, 2})
                             .item_end()
                             .sequence_end()
                             .header(0x00283010, "SQ", 40)
                             .item(32)
                             .words(0x00283002, "US", {3, 1, 8})
                             .words(0x00283006, "OW", {0, 128, 255})
                             .bytes();
  scan("tables", tables.file());

  DicomImage palette;
  palette.photometric = "PALETTE COLOR";
  DicomBytes colours;
  for (const uint32_t tag : {0x00281101, 0x00281102, 0x00281103})
    colours.words(tag, "US", {4, 1, 16});
  for (const uint32_t tag : {0x00281201, 0x00281202, 0x00281203})
    colours.words(tag, "OW", {0, 256, 512, 65535});
  palette.before_pixels = colours.bytes();
  scan("palette", palette.file());
  DicomBytes segments;
  for (const uint32_t tag : {0x00281101, 0x00281102, 0x00281103})
    segments.words(tag, "US", {8, 0, 16});
  for (const uint32_t tag : {0x00281221, 0x00281222, 0x00281223})
    segments.words(tag, "OW", {0, 2, 5, 6, 1, 4, 400, 2, 1, 0, 0});
  palette.before_pixels = segments.bytes();
  scan("segmented-palette", palette.file());

  DicomImage colour;
  colour.samples = 3;
  colour.columns = 2;
  colour.pixels += colour.pixels;
  for (const char* name : {"RGB", "YBR_FULL"}) {
    colour.photometric = name;
    colour.planar = name[0] == 'R';
    scan(name, colour.file());
  }
  colour.photometric = "YBR_FULL_422";
  colour.planar = 0;
  colour.pixels.resize(8);
  scan("422", colour.file());

  DicomImage bits;
  bits.allocated = bits.stored = 1, bits.high = 0;
  bits.pixels = "\x2a\x01";
  scan("one-bit", bits.file());
  DicomImage wide;
  wide.allocated = 16, wide.stored = 12, wide.high = 11, wide.sign = 1;
  wide.pixels += wide.pixels;
  wide.photometric = "MONOCHROME1";
  scan("signed", wide.file());
  for (const uint16_t allocated : {8, 16, 32})
    for (const uint16_t sign : {0, 1}) {
      DicomImage made;
      made.allocated = allocated, made.sign = sign;
      made.stored = allocated - 3, made.high = allocated - 4;
      for (int i = 8; i < allocated; i += 8) made.pixels += "\x01\x02\x00\x00\x05\x01";
      made.pixels.resize(static_cast<size_t>(6 * allocated / 8));
      made.before_pixels =
          DicomBytes().text(0x00281050, "DS", "3").text(0x00281051, "DS", "4").bytes();
      scan("stored-" + std::to_string(allocated) + (sign ? "-signed" : ""), made.file());
    }
  DicomImage floats;
  floats.allocated = 32;
  floats.pixels = std::string(24, '\x3f');
  std::string real = floats.data_set();
  const size_t at = real.find(bytes({0xE0, 0x7F, 0x10, 0}));
  real.replace(at, 6, bytes({0xE0, 0x7F, 0x08, 0, 'O', 'F'}));
  scan("floats", dicom_file(real));

  scan("rle", in_fragments(DicomImage(), {rle_frame()}, "1.2.840.10008.1.2.5"));
  const std::string whole = rle_frame();
  scan("two-fragments",
       in_fragments(DicomImage(), {whole.substr(0, 66), whole.substr(66)}, "1.2.840.10008.1.2.5"));
  scan("no-preamble", DicomImage().file().substr(132));
  DicomImage block;
  block.rows = block.columns = 8;
  block.frames = "2";
  const std::string one = JpegBytes{.values = {{10}}}.file();
  scan("jpeg", in_fragments(block, {one, one}, "1.2.840.10008.1.2.4.50",
                            bytes({0, 0, 0, 0, static_cast<int>(one.size() + one.size() % 2 + 8), 0,
                                   0, 0})));
}

// --- frames ---------------------------------------------------------------------------------------

/// What support/frames.h reads: rows, columns, three samples or one, containers of 8, 16 or 32 bits.
std::string header(int rows, int columns, bool colour, int bits, int stored, bool sign = false) {
  const int width = bits == 8 ? 0 : bits == 16 ? 1 : 2;
  return bytes({rows - 1, columns - 1, (colour ? 1 : 0) | width << 1 | (sign ? 8 : 0), stored - 1});
}

/// Lossless JPEG, 4 x 4, in which every difference is zero.
std::string lossless(int precision, int predictor) {
  return bytes({0xFF, 0xD8, 0xFF, 0xC4, 0, 20, 0}) + bytes({1}) + std::string(15, '\0') +
         bytes({0, 0xFF, 0xC3, 0, 11, precision, 0, 4, 0, 4, 1, 1, 0x11, 0}) +
         bytes({0xFF, 0xDA, 0, 8, 1, 1, 0, predictor, 0, 0, 0, 0, 0xFF, 0xD9});
}

void frames() {
  write("dicom_rle", "grey", header(2, 3, false, 8, 8) + rle_frame());
  std::string wide(64, '\0');
  wide[0] = 2, wide[4] = 64, wide[8] = 68;
  write("dicom_rle", "two-bytes",
        header(1, 3, false, 16, 12) + wide + bytes({2, 0, 1, 2, 0x80, 0xfe, 9, 0}));

  for (const bool colour : {false, true}) {
    JpegBytes jpeg{.values = colour ? std::vector<std::vector<int>>{{100}, {90}, {160}}
                                    : std::vector<std::vector<int>>{{100}}};
    jpeg.jfif = !colour;
    jpeg.adobe = colour ? 1 : -1;
    write("dicom_jpeg_markers", colour ? "colour" : "grey",
          header(8, 8, colour, 8, 8) + jpeg.file());
  }
  for (const int predictor : {1, 4, 6, 7})
    for (const int precision : {8, 12, 16})
      write(
          "dicom_jpeg_markers",
          "lossless-" + std::to_string(precision) + "-" + std::to_string(predictor),
          header(4, 4, false, precision == 8 ? 8 : 16, precision) + lossless(precision, predictor));

  DicomImage four;
  four.rows = four.columns = 4;
  four.allocated = 16, four.stored = 12, four.high = 11;
  write("dicom_scan", "jpeg-lossless",
        in_fragments(four, {lossless(12, 1)}, "1.2.840.10008.1.2.4.57"));

  // ITU-T T.87, annex H.3.
  write("dicom_jpeg_ls", "grey",
        header(4, 4, false, 8, 8) +
            bytes({0xFF, 0xD8, 0xFF, 0xF7, 0x00, 0x0B, 0x08, 0x00, 0x04, 0x00, 0x04, 0x01,
                   0x01, 0x11, 0x00, 0xFF, 0xDA, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00,
                   0x00, 0xC0, 0x00, 0x00, 0x6C, 0x80, 0x20, 0x8E, 0x01, 0xC0, 0x00, 0x00,
                   0x57, 0x40, 0x00, 0x00, 0x6E, 0xE6, 0x00, 0x00, 0x01, 0xBC, 0x18, 0x00,
                   0x00, 0x05, 0xD8, 0x00, 0x00, 0x91, 0x60, 0xFF, 0xD9}));

  const auto wavelets = [](const char* name, int components, int precision, bool sign, bool boxes) {
    write("dicom_jpeg2000", name,
          header(8, 8, components == 3, precision <= 8 ? 8 : 16, precision, sign) +
              jpeg2000(8, components, precision, sign, boxes));
  };
  wavelets("grey", 1, 8, false, false);
  wavelets("signed", 1, 12, true, false);
  wavelets("colour", 3, 8, false, false);
  wavelets("boxes", 3, 8, false, true);
  const std::string colour = JpegBytes{.values = {{100}, {90}, {160}}, .jfif = true}.file();
  for (const char* photometric : {"MONOCHROME2", "MONOCHROME1", "RGB", "YBR_FULL"}) {
    DicomImage made;
    made.rows = made.columns = 8;
    made.photometric = photometric;
    made.samples = photometric[0] == 'M' ? 1 : 3;
    const std::string name = photometric;
    for (const bool boxes : {false, true})
      write("dicom_scan", "jpeg2000-" + name + (boxes ? "-boxes" : ""),
            in_fragments(made, {jpeg2000(8, made.samples, boxes ? 7 : 8, boxes, boxes)},
                         "1.2.840.10008.1.2.4.90"));
    if (made.samples == 3)
      write("dicom_scan", "jpeg-" + name, in_fragments(made, {colour}, "1.2.840.10008.1.2.4.50"));
  }
}

// --- others ---------------------------------------------------------------------------------------

std::string annotation(int code, int value) {
  const int word = code << 10 | value;
  return bytes({word & 0xff, word >> 8});
}

std::string note(std::string text) {
  const int length = static_cast<int>(text.size());
  if (text.size() % 2 != 0) text += '\0';
  return annotation(22, 0) + annotation(63, length) + text;
}

void waveforms() {
  const std::string end(2, '\0');
  write("wfdb_annotations", "beats",
        annotation(28, 5) + annotation(63, 2) + "(N" + annotation(1, 200) + annotation(61, 3) +
            annotation(5, 1000) + annotation(62, 1) + annotation(60, 1022) + annotation(59, 0) +
            bytes({1, 0, 2, 0}) + annotation(14, 1) + end);
  write("wfdb_annotations", "definitions",
        note("## time resolution: 1000") + note("## annotation type definitions") +
            note("42 W what it means") + note("## end of definitions") + annotation(42, 700) + end);
  const std::string samples = bytes({1, 0, 2, 3, 0x10, 4, 0xff, 0x0f, 0x80, 0, 0x80, 0});
  write("wfdb", "212",
        std::string("r 2 360 4\ns 212 200(1024)/mV 11 1024 1 0 0 MLII\ns 212 200 12 0\n") + '\0' +
            samples);
  write("wfdb", "16", std::string("r 2 250\ns 16 100.5/uV\nt 16+2 0(-5) 16 0\n") + '\0' + samples);
  write("wfdb", "checksum", std::string("r 1 250 2\ns 16 100 16 0 1 770\n") + '\0' + samples);
}

void models() {
  fs::create_directories(corpus / "manifest");
  fs::create_directories(corpus / "model_json");
  const fs::path folder = corpus / "manifest";
  std::ofstream(folder / "a") << "abc";
  storage::write_manifest(folder, "checkpoint", {"a"}, 7);
  fs::remove(folder / "a");
  fs::rename(folder / storage::kManifestName, folder / "one-file");

  bundle::ModelCard card;
  card.inputs = {{"image", {.sizes = {1, 8, 8}}},
                 {"labs", {.sizes = {2}, .categories = {0, 3}, .columns = {"age", "sex"}}}};
  Node fitted;
  fitted.at("mean") = Node::scalar("0.5");
  fitted.at("words").kind = Node::Kind::list;
  fitted.at("words").items = {Node::scalar("a", true), Node::scalar("true"), Node{}};
  card.fitted.entries.emplace_back("labs", fitted);
  card.targets = {{.name = "label", .classes = {"no", "yes"}, .counts = {3, 4}, .known = {7, 7}}};
  bundle::write_card(corpus / "model_json" / "two-inputs", card);

  const std::vector<std::byte> numbers(24);
  storage::write_safetensors(
      corpus / "safetensors" / "two",
      {{"a", storage::DType::f32, {2, 3}, numbers}, {"b", storage::DType::u8, {0}, {}}},
      {{"key", "value"}});
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  corpus = arguments[1];
  fs::create_directories(corpus / "safetensors");
  dicom_files();
  frames();
  waveforms();
  models();
}
