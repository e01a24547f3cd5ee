// Writes small DICOM files element by element, right or wrong as a test wishes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::test {

/// Elements in one way of writing. Everything is a plain append, so that a test can write nonsense
/// too.
class DicomBytes {
 public:
  enum class As { explicit_little, explicit_big, implicit_little };
  explicit DicomBytes(As as = As::explicit_little) : as_(as) {}

  DicomBytes& us(uint32_t tag, uint16_t value) { return element(tag, "US", word(value)); }
  DicomBytes& words(uint32_t tag, std::string_view vr, const std::vector<uint16_t>& values) {
    std::string bytes;
    for (const uint16_t v : values) bytes += word(v);
    return element(tag, vr, bytes);
  }
  DicomBytes& text(uint32_t tag, std::string_view vr, std::string value) {
    if (value.size() % 2 != 0) value += vr == "UI" ? '\0' : ' ';
    return element(tag, vr, value);
  }
  DicomBytes& element(uint32_t tag, std::string_view vr, std::string_view value) {
    header(tag, vr, static_cast<uint32_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  /// Tag, VR and any length, true or not.
  DicomBytes& header(uint32_t tag, std::string_view vr, uint32_t length) {
    bytes_ += word(static_cast<uint16_t>(tag >> 16)) + word(static_cast<uint16_t>(tag));
    if (as_ == As::implicit_little || tag >> 16 == 0xFFFE) {
      bytes_ += dword(length);
      return *this;
    }
    bytes_ += vr;
    static constexpr std::string_view kLong = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";
    if (kLong.find(vr) != std::string_view::npos)
      bytes_ += word(0) + dword(length);
    else
      bytes_ += word(static_cast<uint16_t>(length));
    return *this;
  }
  DicomBytes& item(uint32_t length = 0xFFFFFFFF) { return header(0xFFFEE000, "", length); }
  DicomBytes& item_end() { return header(0xFFFEE00D, "", 0); }
  DicomBytes& sequence_end() { return header(0xFFFEE0DD, "", 0); }
  DicomBytes& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string word(uint16_t v) const {
    const char lo = static_cast<char>(v & 0xFF), hi = static_cast<char>(v >> 8);
    return as_ == As::explicit_big ? std::string{hi, lo} : std::string{lo, hi};
  }
  std::string dword(uint32_t v) const {
    const auto hi = static_cast<uint16_t>(v >> 16), lo = static_cast<uint16_t>(v);
    return as_ == As::explicit_big ? word(hi) + word(lo) : word(lo) + word(hi);
  }

  As as_;
  std::string bytes_;
};

/// Preamble, DICM and a meta header that states `syntax`, then the data set.
inline std::string dicom_file(const std::string& data_set,
                              const std::string& syntax = "1.2.840.10008.1.2.1") {
  DicomBytes meta;
  meta.text(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.7").text(0x00020010, "UI", syntax);
  return std::string(128, '\0') + "DICM" + meta.bytes() + data_set;
}

/// The image module as plain numbers; a test changes one and writes the file.
struct DicomImage {
  uint16_t rows = 2, columns = 3, samples = 1, allocated = 8, stored = 8, high = 7, sign = 0,
           planar = 0;
  std::string photometric = "MONOCHROME2";
  std::string frames;  ///< empty: no NumberOfFrames
  std::string pixels = std::string("\x01\x02\x03\x04\x05\x06", 6);
  std::string pixel_vr = "OW";
  std::string before_pixels;  ///< more elements, already written in the same way
  DicomBytes::As as = DicomBytes::As::explicit_little;

  std::string data_set() const {
    DicomBytes b(as);
    b.text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7")
        .us(0x00280002, samples)
        .text(0x00280004, "CS", photometric);
    if (samples > 1) b.us(0x00280006, planar);
    if (!frames.empty()) b.text(0x00280008, "IS", frames);
    b.us(0x00280010, rows).us(0x00280011, columns).us(0x00280100, allocated).us(0x00280101, stored);
    b.us(0x00280102, high).us(0x00280103, sign).raw(before_pixels);
    return b.element(0x7FE00010, pixel_vr, pixels).bytes();
  }
  std::string file() const {
    const char* syntax = as == DicomBytes::As::explicit_big      ? "1.2.840.10008.1.2.2"
                         : as == DicomBytes::As::implicit_little ? "1.2.840.10008.1.2"
                                                                 : "1.2.840.10008.1.2.1";
    return dicom_file(data_set(), syntax);
  }
};

inline std::span<const std::byte> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace fovea::test
