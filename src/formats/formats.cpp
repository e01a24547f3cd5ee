#include "fovea/formats/formats.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/array_image.h"
#include "fovea/core/error.h"
#include "fovea/dicom/image.h"
#include "fovea/dicom/scan.h"
#include "fovea/io/image_file.h"
#include "fovea/io/npy.h"
#include "fovea/storage/file.h"

namespace fovea::formats {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

io::ImageLimits limits(const FormatOptions& options) { return {options.max_decoded_mb << 20}; }

dicom::ReadOptions dicom_options(const FormatOptions& options) {
  const WindowOptions& window = options.dicom.window;
  dicom::ReadOptions read;
  if (window.from_file) read.window = dicom::WindowFrom::file;
  if (window.given) {
    read.window = dicom::WindowFrom::given;
    read.given = {.centre = window.centre, .width = window.width};
  }
  if (options.dicom.jpeg_predictor6 != "refuse")
    read.decode.jpeg_predictor6 = options.dicom.jpeg_predictor6 == "standard"
                                      ? dicom::JpegPredictor6::standard
                                      : dicom::JpegPredictor6::overflowed;
  read.limits.max_decoded_bytes = static_cast<uint64_t>(options.max_decoded_mb) << 20;
  read.limits.max_inflated_bytes = read.limits.max_decoded_bytes + (uint64_t{64} << 20);
  return read;
}

// "89 50 4e 47 …"
std::string hex(std::string_view head) {
  std::string text;
  for (const unsigned char c : head.substr(0, 8)) text += fmt::format("{:02x} ", c);
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace

const std::vector<Format>& formats() {
  static const std::vector<Format> table{
      {"dicom", "DICOM (PS3.10), uncompressed, deflated, RLE, JPEG, JPEG-LS, JPEG 2000",
       [](std::string_view head) { return dicom::looks_like_dicom(bytes(head)); },
       [](std::string_view file, const fs::path& path, const FormatOptions& options) {
         return dicom::read(bytes(file), storage::shown(path), dicom_options(options));
       }},
      {"png", "PNG (ISO 15948), 8 and 16 bits", io::is_png,
       [](std::string_view file, const fs::path& path, const FormatOptions& options) {
         return io::decode_png(file, path, limits(options));
       }},
      {"jpeg", "JPEG (ITU-T T.81), grey and RGB", io::is_jpeg,
       [](std::string_view file, const fs::path& path, const FormatOptions& options) {
         return io::decode_jpeg(file, path, limits(options));
       }},
      {"tiff", "TIFF 6.0, 8 to 32 bits and floating point, pages as slices", io::is_tiff,
       [](std::string_view file, const fs::path& path, const FormatOptions& options) {
         return io::decode_tiff(file, path, limits(options));
       }},
      {"bmp", "BMP, palettes, run lengths and bit fields", io::is_bmp,
       [](std::string_view file, const fs::path& path, const FormatOptions& options) {
         return io::decode_bmp(file, path, limits(options));
       }},
      {"webp", "WebP, the first frame", io::is_webp,
       [](std::string_view file, const fs::path& path, const FormatOptions& options) {
         return io::decode_webp(file, path, limits(options));
       }},
      {"gif", "GIF, the first frame", io::is_gif,
       [](std::string_view file, const fs::path& path, const FormatOptions& options) {
         return io::decode_gif(file, path, limits(options));
       }},
      {"npy", "NumPy array: an image or a volume, channels first or last", io::is_npy,
       [](std::string_view file, const fs::path& path, const FormatOptions& options) {
         return array_image(io::decode_npy(file, storage::shown(path)), storage::shown(path),
                            options.axes);
       }},
  };
  return table;
}

const Format* format_of(std::string_view head) {
  const auto found =
      std::ranges::find_if(formats(), [&](const Format& format) { return format.matches(head); });
  return found == formats().end() ? nullptr : &*found;
}

Image decode_image(std::string_view file, const fs::path& path, const FormatOptions& options) {
  if (file.empty())
    throw data_error(storage::shown(path) +
                     ": found 0 bytes, wanted an image; export it again or remove it");
  const std::string_view head = file.substr(0, kHeadBytes);
  if (const Format* format = format_of(head)) return format->decode(file, path, options);
  std::vector<std::string> known;
  for (const Format& format : formats()) known.push_back(format.name);
  throw data_error(
      fmt::format("{}: the content is of no known format: found the bytes {} at offset 0 of "
                  "{}, wanted one of {}; the file's name does not matter",
                  storage::shown(path), hex(head), file.size(), join(known)));
}

Image read_image(const fs::path& path, const FormatOptions& options) {
  return decode_image(storage::read_file(path), path, options);
}

void WindowOptions::describe(Fields& f) {
  f("centre", centre, "in physical units").required();
  f("width", width, "in physical units").above(0).required();
}

void read_value(const Node& node, WindowOptions& window) {
  window = {};
  if (node.kind == Node::Kind::map) {
    Fields::read(node, window);
    window.given = true;
  } else if (node.kind == Node::Kind::scalar && node.text == "file") {
    window.from_file = true;
  } else if (node.kind != Node::Kind::scalar || node.text != "none") {
    wrong_kind(node, type_name(window));
  }
}

Node write_value(const WindowOptions& window) {
  if (window.given) return Fields::write(window);
  return Node::scalar(window.from_file ? "file" : "none");
}

std::string type_name(const WindowOptions&) { return "none, file or {centre: …, width: …}"; }

bool named_as_image(const fs::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* known : {".dcm", ".dicom", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp",
                            ".webp", ".gif", ".npy"})
    if (ending == known) return true;
  return false;
}

std::string why_not_image(const fs::path& path) {
  const std::string head = storage::read_head(path, kHeadBytes);
  if (head.empty()) return "";  // an empty file is a damaged one
  const Format* format = format_of(head);
  if (!format) return named_as_image(path) ? "" : "no known format";
  if (format->name != "dicom") return "";
  try {
    dicom::scan(path);
  } catch (const dicom::NotAnImage& error) {
    return "DICOM without pixels: " + error.object() + ", no PixelData";
  } catch (const Error&) {
  }
  return "";
}

}  // namespace fovea::formats
