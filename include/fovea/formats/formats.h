// The formats of images: one table, told apart by content and never by name.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/fields.h"
#include "fovea/image/image.h"

namespace fovea::formats {

/// `none`: physical values; `file`: the window that the file gives; or {centre: 40, width: 400} in
/// physical values (Hounsfield units for CT). With a window images are float32 in 0..1.
struct WindowOptions {
  bool from_file = false;
  bool given = false;
  double centre = 0;
  double width = 0;

  void describe(Fields& f);
};
void read_value(const Node& node, WindowOptions& window);
Node write_value(const WindowOptions& window);
std::string type_name(const WindowOptions& window);

struct DicomOptions {
  WindowOptions window;
  std::string jpeg_predictor6 = "refuse";

  void describe(Fields& f) {
    f("window", window,
      "grey-scale window in the file's own values: none, file, or {centre: 40, width: 400}");
    f("jpeg_predictor6", jpeg_predictor6,
      "16-bit lossless JPEG with predictor 6, which some encoders wrote with an overflow: refuse "
      "where that matters, read as the standard says, or read as those encoders wrote it")
        .one_of({"refuse", "standard", "overflowed"});
  }
};

struct FormatOptions {
  DicomOptions dicom{};
  int64_t max_decoded_mb = 2048;  ///< of one file, checked before it is decoded
  std::string axes{};             ///< of NumPy arrays: ImageOptions::axes
};

/// One line of the table.
struct Format {
  std::string name;
  std::string help;
  bool (*matches)(std::string_view head);  ///< the first kHeadBytes of a file
  Image (*decode)(std::string_view file, const std::filesystem::path& path,
                  const FormatOptions& options);
};

constexpr int64_t kHeadBytes = 1024;

const std::vector<Format>& formats();  ///< the table: src/formats/formats.cpp

/// The format of a file that begins like this; null where none matches.
const Format* format_of(std::string_view head);

/// Reads an image of any format. A data Error with path and first bytes where the content is of no
/// known format; dicom::NotAnImage for DICOM without pixels.
Image read_image(const std::filesystem::path& path, const FormatOptions& options = {});

/// The same of a file already in memory; `path` is for messages.
Image decode_image(std::string_view file, const std::filesystem::path& path,
                   const FormatOptions& options = {});

/// Whoever gave the file such a name took it for an image: if it is none, that is worth an error.
bool named_as_image(const std::filesystem::path& path);
/// Why a file is not an image: "no known format", or what dicom says of an object without pixels;
/// empty where it is one, or a damaged one.
std::string why_not_image(const std::filesystem::path& path);

}  // namespace fovea::formats
