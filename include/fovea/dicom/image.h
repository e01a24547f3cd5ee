// A DICOM file as an image with physical values: Hounsfield units, dose, counts, or grey levels of
// a viewer.
//
//   Image chest = dicom::read("chest.dcm");  // stored samples; slope and intercept beside them
//   dicom::ReadOptions shown;
//   shown.window = dicom::WindowFrom::file;
//   Image radiograph = dicom::read("chest.dcm", shown);  // f32 in 0..1, white is dense
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fovea/dicom/decode.h"
#include "fovea/dicom/scan.h"
#include "fovea/image/image.h"

namespace fovea::dicom {

enum class Polarity {
  monochrome2,  ///< large is white: MONOCHROME1 is inverted within the range of BitsStored
  stored,       ///< as the file says
};

enum class WindowFrom {
  none,   ///< physical values
  file,   ///< window or VOI LUT of the file, each frame its own; refused where there is none
  range,  ///< all that BitsStored can say, from its lowest value to its highest
  file_or_range,  ///< `file`, and `range` for a file that gives nothing; the notes say which
  given,          ///< `ReadOptions::given`, in the file's own physical values
};

struct ReadOptions {
  Polarity polarity = Polarity::monochrome2;
  WindowFrom window = WindowFrom::none;
  Window given;             ///< for WindowFrom::given
  size_t window_index = 0;  ///< which of several windows of the file
  DecodeOptions decode;
  Limits limits;
};

/// Reads, decodes and interprets one file.
///
/// * Grey images: samples in their stored type with `slope` and `intercept`; where a modality LUT
///   or a rescale per frame rules, the physical values themselves (integers of the LUT, or f32).
///   The types are Sample's; 1-bit becomes u8.
/// * Colour: RGB, u8 or u16. YBR is converted and palettes are expanded, once; palettes with
///   entries above 8 bits give u16.
/// * With a window: f32 in 0..1. A window, the file's or a given one, belongs to the file's own
///   polarity: it is applied first and the result inverted, so that a MONOCHROME1 radiograph
///   comes out as a viewer shows it. Colour ignores windows, with a note.
///
/// `notes` tell what was done. Overlays are never burned in; the padding value is not masked.
/// Throws NotAnImage, or Error naming the path. The file is read once.
Image read(const std::filesystem::path& path, const ReadOptions& options = {});

/// The same of a file already in memory.
Image read(std::span<const std::byte> file, const std::string& name,
           const ReadOptions& options = {});

/// The window that the file gives to a frame (from 0); nothing where it gives none with this index.
std::optional<Window> file_window(const Header& header, size_t index = 0, int64_t frame = 0);

/// f32 in 0..1 of the physical values of `image`, by the formulas of PS3.3 C.11.2.1. Refuses a
/// width below 1 (LINEAR) or not above 0 (the others).
Image apply_window(const Image& image, const Window& window);

/// What `fovea inspect` prints: name and value of the attributes that describe the pixels. No
/// patient data.
std::vector<std::pair<std::string, std::string>> describe(const Header& header);

}  // namespace fovea::dicom
