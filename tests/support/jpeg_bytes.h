// Writes small baseline JPEG files whose samples are known by hand: each block of 8 x 8 has one
// value, quantisation is 8, so that the difference to 128 is the coefficient itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/dicom_bytes.h"

namespace fovea::test {

struct JpegBytes {
  int64_t blocks_high = 1, blocks_wide = 1;
  std::vector<std::vector<int>> values;  ///< of each component, block after block: 0..255
  std::string ids = "\x01\x02\x03";
  bool jfif = false;
  int adobe = -1;  ///< the transform of an Adobe marker
  bool end = true;
  bool bad_code = false;  ///< the last block has a code that no table holds

  std::string file() const {
    std::string out = "\xFF\xD8";
    if (jfif) out += segment(0xE0, std::string("JFIF\0\1\1\0\0\1\0\1\0\0", 14));
    if (adobe >= 0)
      out += segment(0xEE, "Adobe" + std::string("\0\x64\0\0\0\0", 6) + static_cast<char>(adobe));
    out += segment(0xDB, std::string(1, '\0') + std::string(64, '\x08'));
    std::string frame("\x08", 1);
    frame += word(8 * blocks_high) + word(8 * blocks_wide) + byte(values.size());
    std::string scan = byte(values.size());
    for (size_t c = 0; c < values.size(); ++c) {
      frame += ids.substr(c, 1) + std::string("\x11\0", 2);
      scan += ids.substr(c, 1) + std::string(1, '\0');
    }
    out += segment(0xC0, frame);
    // Coefficients: twelve codes of four bits, the size of the number. No others: one code, "end".
    std::string dc(17, '\0'), ac(17, '\0');
    dc[4] = 12;
    for (int size = 0; size < 12; ++size) dc += byte(static_cast<size_t>(size));
    ac[0] = '\x10';
    ac[1] = 1;
    out += segment(0xC4, dc) + segment(0xC4, ac + std::string(1, '\0'));
    out += segment(0xDA, scan + std::string("\0\x3F\0", 3));
    return out + coded() + (end ? "\xFF\xD9" : "");
  }

 private:
  static std::string byte(size_t value) { return std::string(1, static_cast<char>(value)); }
  static std::string word(int64_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
  }
  static std::string segment(int marker, const std::string& body) {
    return std::string("\xFF") + static_cast<char>(marker) +
           word(static_cast<int64_t>(body.size()) + 2) + body;
  }

  std::string coded() const {
    std::string bits;
    const auto put = [&](int value, int count) {
      for (int i = count - 1; i >= 0; --i) bits += (value >> i & 1) != 0 ? '1' : '0';
    };
    std::vector<int> last(values.size(), 0);
    for (size_t block = 0; block < values[0].size(); ++block)
      for (size_t c = 0; c < values.size(); ++c) {
        const int coefficient = values[c][block] - 128, difference = coefficient - last[c];
        last[c] = coefficient;
        int size = 0;
        while (std::abs(difference) >> size != 0) ++size;
        if (bad_code && block + 1 == values[0].size()) size = 15;
        put(size, 4);
        if (size == 15) continue;
        put(difference < 0 ? difference + (1 << size) - 1 : difference, size);
        put(0, 1);
      }
    while (bits.size() % 8 != 0) bits += '1';
    std::string out;
    for (size_t i = 0; i < bits.size(); i += 8) {
      int value = 0;
      for (size_t k = 0; k < 8; ++k) value = 2 * value + (bits[i + k] - '0');
      out += static_cast<char>(value);
      if (value == 0xFF) out += '\0';
    }
    return out;
  }
};

/// A grey JPEG stream of this size as the only frame of a file.
inline std::string dicom_of_jpeg(std::string stream, uint16_t rows, uint16_t columns) {
  DicomImage made;
  made.rows = rows;
  made.columns = columns;
  made.pixels.clear();
  std::string data = made.data_set();
  data.resize(data.size() - 12);  // without its PixelData
  if (stream.size() % 2 != 0) stream += '\0';
  DicomBytes pixels;
  pixels.header(0x7FE00010, "OB", 0xFFFFFFFF).item(0);
  pixels.item(static_cast<uint32_t>(stream.size())).raw(stream).sequence_end();
  return dicom_file(data + pixels.bytes(), "1.2.840.10008.1.2.4.50");
}

}  // namespace fovea::test
