// How an element is encoded (PS3.5 7.1): its numbers and its value representation.
#pragma once

#include <cstdint>

namespace fovea::dicom {

uint16_t u16_at(const uint8_t* p, bool big_endian);
uint32_t u32_at(const uint8_t* p, bool big_endian);
uint32_t tag_at(const uint8_t* p, bool big_endian);

bool is_vr(const uint8_t* two_letters);

constexpr uint16_t vr_code(const char (&text)[3]) {
  return static_cast<uint16_t>(static_cast<uint8_t>(text[0]) << 8 | static_cast<uint8_t>(text[1]));
}

constexpr uint16_t kSQ = vr_code("SQ"), kUN = vr_code("UN"), kOW = vr_code("OW"),
                   kOB = vr_code("OB");

/// Value representations whose length takes four bytes after two reserved ones.
bool has_long_length(uint16_t vr);

}  // namespace fovea::dicom
