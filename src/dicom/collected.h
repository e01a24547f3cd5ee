// What the walk over a file hands to the checks: the kept values, raw, each at the place where it
// stood.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fovea/dicom/scan.h"

namespace fovea::dicom {

/// Tag -> bytes. Words are little endian whatever the file.
using Values = std::map<uint32_t, std::string>;

struct Collected {
  Values top;                  ///< the data set itself
  Values shared;               ///< shared functional groups
  std::vector<Values> frames;  ///< per-frame functional groups
  Values modality_lut;         ///< first item
  Values voi_lut;              ///< first item

  uint32_t pixel_tag = 0;  ///< 0: none met
  uint64_t pixel_element_offset = 0;
  bool pixel_words = false;
  bool encapsulated = false;
  Fragment pixels;
  uint64_t pixel_bytes_left = 0;  ///< what the file really holds of `pixels`
  std::vector<Fragment> fragments;
  std::vector<std::array<uint8_t, 12>> beginnings;  ///< of each fragment; zeros where it is shorter
  std::string offset_table;                         ///< basic offset table, raw
};

/// Checks that everything agrees and fits, and says what the image is. `header` brings name, syntax
/// and notes.
void understand(const Collected& from, const Limits& limits, Header& header);

/// "(0028,0010)"
std::string tag_text(uint32_t tag);

/// A short English name of a SOP class, or the UID itself.
std::string sop_class_name(const std::string& uid);

}  // namespace fovea::dicom
