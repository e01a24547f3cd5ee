// Synthetic images as DICOM files: CR, Secondary Capture and CT objects (PS3.3 A.2, A.8.1, A.3).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fovea::phantom {

enum class Syntax { explicit_le, implicit_le, rle, jpeg_lossless };

struct Patient {
  std::string id;  ///< "PHANTOM-0001", also the name
  int64_t age = 0;
  char sex = 'O';
  bool lesions = false;
};

/// How values become stored samples.
struct Encoding {
  int64_t bits = 12;         ///< stored; 8 take one byte, more take two
  bool is_signed = false;    ///< 16 bits, with a rescale slope of 1/2
  bool monochrome1 = false;  ///< the smallest stored value is shown white
  Syntax syntax = Syntax::explicit_le;
};

struct Header {
  Patient patient;
  std::string study_uid, series_uid, instance_uid, frame_uid;
  int64_t series = 1;
  int64_t instance = 1;
  std::string study_date;  ///< YYYYMMDD
};

/// A radiograph whose values are 0 (air) … 1 (bone): a CR image, or a Secondary Capture where the
/// encoding is signed, which CR does not allow for. An io Error where the file cannot be written.
void write_radiograph(const std::filesystem::path& path, const Header& header,
                      const Encoding& encoding, int64_t size, const std::vector<float>& values);

/// An axial slice in HU: CT, 16 bits signed, or 12 bits unsigned with an intercept of -1024.
void write_slice(const std::filesystem::path& path, const Header& header, const Encoding& encoding,
                 int64_t size, const std::vector<float>& hounsfield,
                 std::array<double, 3> position_mm, std::array<double, 3> spacing_mm);

}  // namespace fovea::phantom
