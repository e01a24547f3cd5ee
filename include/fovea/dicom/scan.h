// The pre-flight scanner: everything that describes a DICOM image, checked before a pixel is
// touched.
//
// It is plain C++ (zlib for the deflated syntax), does not recurse, reads a file through a 64 KiB
// window, and keeps only the values below. What it accepts can be decoded with the sizes it states;
// all else is refused by name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fovea/core/error.h"
#include "fovea/dicom/syntax.h"
#include "fovea/image/grid.h"

namespace fovea::dicom {

struct Limits {
  uint64_t max_decoded_bytes = uint64_t{2} << 30;  ///< per file
  uint64_t max_inflated_bytes =
      (uint64_t{2} << 30) + (64ull << 20);  ///< deflated syntax; whole files
  uint64_t max_value_bytes = 1 << 20;       ///< a kept value other than pixels
  int64_t max_nesting = 64;                 ///< sequences in sequences
  int64_t max_frames = 100'000;
  int64_t max_elements = 1'000'000;  ///< elements, items and fragments together
};

/// A sound DICOM object that holds no pixels (a report, a plan, a waveform): to be listed and
/// counted, not repaired.
class NotAnImage : public Error {
 public:
  NotAnImage(const std::string& name, std::string object)
      : Error(Fault::data, name + ": not an image: " + object + ", no PixelData"),
        object_(std::move(object)) {}
  /// What it is instead: "RT Plan".
  const std::string& object() const noexcept { return object_; }

 private:
  std::string object_;
};

enum class Photometric {
  monochrome1,
  monochrome2,
  palette,
  rgb,
  ybr_full,
  ybr_full_422,
  ybr_rct,
  ybr_ict
};
enum class PixelType { integer, float32, float64 };
enum class WindowFunction { linear, linear_exact, sigmoid };

/// Physical value = stored * slope + intercept.
struct Rescale {
  double slope = 1;
  double intercept = 0;
  bool operator==(const Rescale&) const = default;
};

/// A grey-scale window in modality values (PS3.3 C.11.2.1).
struct Window {
  double centre = 0;
  double width = 1;
  WindowFunction function = WindowFunction::linear;
  bool operator==(const Window&) const = default;
};

/// out = values[clamp(stored - first, 0, n - 1)], each of `bits` bits.
struct Lut {
  int64_t first = 0;
  int bits = 16;
  std::vector<uint16_t> values;
};

/// Where coded bytes lie: in the file, or in `Header::inflated`.
struct Fragment {
  uint64_t offset = 0;
  uint64_t length = 0;
};

struct Header {
  std::string name;  ///< the path, for messages
  const TransferSyntax* syntax = nullptr;
  std::string sop_class;  ///< UID
  std::string modality;   ///< CT, MR, …

  int64_t rows = 0, columns = 0, frames = 1, samples = 1;
  Photometric photometric = Photometric::monochrome2;
  bool planar = false;  ///< native colour by plane
  PixelType type = PixelType::integer;
  int bits_allocated = 0, bits_stored = 0, high_bit = 0;
  bool is_signed = false;

  std::optional<Rescale> rescale;  ///< the same for all frames; dose grid scaling comes here too
  std::vector<Rescale> frame_rescale;  ///< one per frame where they differ, else empty
  std::optional<Lut> modality_lut;     ///< wins over rescale
  std::vector<Window> windows;         ///< of the file, or the common ones of its functional groups
  std::vector<std::vector<Window>> frame_windows;  ///< where frames differ, else empty
  std::optional<Lut> voi_lut;                      ///< the first one
  std::array<Lut, 3> palette;                      ///< red, green, blue; empty values where absent
  bool segmented_palette = false;
  std::optional<int64_t> padding_value;  ///< stored units
  std::optional<int64_t> padding_limit;
  std::array<double, 3> spacing_mm{0, 0, 0};  ///< between slices, rows, columns; 0 where unknown
  std::string spacing_from;                   ///< the attribute that gave it
  /// Columns, rows and frames to millimetres in the patient (PS3.3 C.7.6.2.1.1); nothing where the
  /// file does not say it, or its frames do not lie on each other in even steps.
  std::optional<Affine> affine;
  bool burned_in_annotation = false;

  Fragment pixels;                    ///< native: the value of PixelData
  uint64_t pixel_element_offset = 0;  ///< where the element starts, for messages
  bool pixel_words = false;  ///< sent as OW: 8-bit samples in big endian come in swapped pairs
  std::vector<Fragment> fragments;   ///< encapsulated: without the offset table
  std::vector<size_t> frame_starts;  ///< first fragment of each frame, then fragments.size()
  std::shared_ptr<const std::vector<std::byte>> inflated;  ///< the data set of a deflated file
  std::vector<std::string> notes;  ///< guesses and oddities, no tag values of the patient

  /// Bytes of one frame as fovea hands it out: 1-bit samples take a byte each.
  int64_t frame_samples() const { return rows * columns * samples; }
  uint64_t decoded_bytes() const {
    return static_cast<uint64_t>(frames * frame_samples()) * ((bits_allocated + 7) / 8);
  }
  /// Of PixelData in a native syntax, without padding. Chrominance of 4:2:2 is sent once for two
  /// pixels.
  uint64_t native_bytes() const {
    const auto bits =
        static_cast<uint64_t>(frames * frame_samples()) * static_cast<uint64_t>(bits_allocated);
    const uint64_t bytes = (bits + 7) / 8;
    return photometric == Photometric::ybr_full_422 ? bytes / 3 * 2 : bytes;
  }
};

/// True where the bytes (a few hundred of the beginning suffice) can be the start of a DICOM file:
/// the DICM mark, or a first element as a data set without preamble begins.
bool looks_like_dicom(std::span<const std::byte> beginning);

/// Reads the header of a file. Throws NotAnImage where it has no pixels, Error (data) for what is
/// damaged or not supported, Error (io) where it cannot be read.
Header scan(const std::filesystem::path& path, const Limits& limits = {});

/// The same of a file already in memory; `name` stands for it in messages.
Header scan(std::span<const std::byte> file, const std::string& name, const Limits& limits = {});

}  // namespace fovea::dicom
