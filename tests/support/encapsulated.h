// DICOM files whose pixels are items (PS3.5 A.4), made byte by byte.
#pragma once

#include <string>
#include <vector>

#include "support/dicom_bytes.h"

namespace fovea::test {

inline constexpr const char* kRle = "1.2.840.10008.1.2.5";
inline const std::string kEnd = DicomBytes().sequence_end().bytes();

inline std::string item(const std::string& bytes) {
  return DicomBytes().item(static_cast<uint32_t>(bytes.size())).raw(bytes).bytes();
}

/// 1 2 3 4 5 6 in one segment.
inline std::string rle_frame() {
  std::string frame(64, '\0');
  frame[0] = 1;
  frame[4] = 64;
  return frame + std::string("\x05\x01\x02\x03\x04\x05\x06\x00", 8);
}

/// The elements of `image` and, in the place of its pixels, these items.
inline std::string encapsulated(const DicomImage& image, const std::string& items,
                                const std::string& syntax = kRle) {
  DicomImage made = image;
  made.pixels.clear();
  std::string data = made.data_set();
  data.resize(data.size() - 12);  // without its PixelData
  return dicom_file(data + DicomBytes().header(0x7FE00010, "OB", 0xFFFFFFFF).raw(items).bytes(),
                    syntax);
}

/// The same with an item for each fragment, of an even length, behind an offset table.
inline std::string in_fragments(const DicomImage& image, const std::vector<std::string>& fragments,
                                const std::string& syntax, const std::string& table = "") {
  std::string items = item(table);
  for (std::string one : fragments) {
    if (one.size() % 2 != 0) one += '\0';
    items += item(one);
  }
  return encapsulated(image, items + kEnd, syntax);
}

}  // namespace fovea::test
