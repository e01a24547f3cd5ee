#include "dicom/elements.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace fovea::dicom {

uint16_t u16_at(const uint8_t* p, bool big) {
  return static_cast<uint16_t>(big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

uint32_t u32_at(const uint8_t* p, bool big) {
  return big ? uint32_t{u16_at(p, true)} << 16 | u16_at(p + 2, true)
             : uint32_t{u16_at(p + 2, false)} << 16 | u16_at(p, false);
}

uint32_t tag_at(const uint8_t* p, bool big) {
  return uint32_t{u16_at(p, big)} << 16 | u16_at(p + 2, big);
}

bool is_vr(const uint8_t* vr) {
  static constexpr std::string_view kAll =
      "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN "
      "UR US UT UV";
  const char text[2] = {static_cast<char>(vr[0]), static_cast<char>(vr[1])};
  for (size_t i = 0; i + 1 < kAll.size(); i += 3)
    if (kAll[i] == text[0] && kAll[i + 1] == text[1]) return true;
  return false;
}

bool has_long_length(uint16_t vr) {
  static constexpr uint16_t kLong[] = {
      kOB,           vr_code("OD"), vr_code("OF"), vr_code("OL"), vr_code("OV"), kOW,          kSQ,
      vr_code("SV"), vr_code("UC"), kUN,           vr_code("UR"), vr_code("UT"), vr_code("UV")};
  return std::find(std::begin(kLong), std::end(kLong), vr) != std::end(kLong);
}

}  // namespace fovea::dicom
