// A drawing that looks a little like a chest radiograph, as a PNG file.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>

namespace fovea::test {

inline std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

inline std::string png_chunk(const std::string& type, const std::string& data) {
  uint32_t crc = ~0U;
  for (const char byte : type + data) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0U);
  }
  return big_endian(static_cast<uint32_t>(data.size())) + type + data + big_endian(~crc);
}

/// Grey pixels [side x side] of 8 bits, stored without compression; side at most 250.
inline std::string grey_png(const std::string& pixels, uint32_t side) {
  std::string rows;
  for (uint32_t y = 0; y < side; ++y) rows += std::string(1, '\0') + pixels.substr(y * side, side);
  uint32_t a = 1, b = 0;
  for (const char byte : rows) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  const auto length = static_cast<uint16_t>(rows.size());
  std::string deflated = "\x78\x01\x01";
  for (const int part : {length & 0xFF, length >> 8, ~length & 0xFF, ~length >> 8 & 0xFF})
    deflated += static_cast<char>(part);
  deflated += rows + big_endian(b << 16 | a);
  const std::string header = big_endian(side) + big_endian(side) + std::string("\x08\0\0\0\0", 5);
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + png_chunk("IDAT", deflated) +
         png_chunk("IEND", "");
}

inline std::string chest_png(uint32_t seed) {
  constexpr uint32_t kSide = 160;
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  const double shift = 4 * uniform(random), dense = 0.5 + 0.5 * uniform(random);
  std::string pixels;
  for (uint32_t y = 0; y < kSide; ++y) {
    for (uint32_t x = 0; x < kSide; ++x) {
      const double u = (x - 80.0 - shift) / 80, v = (y - 80.0) / 80;
      const auto lung = [&](double side) {
        return std::exp(-std::pow((u - side) / 0.27, 4) - std::pow((v - 0.02) / 0.62, 4));
      };
      double light = 0.78 - 0.6 * (lung(-0.42) + lung(0.42)) - 0.3 * std::pow(std::abs(u), 5);
      light += 0.1 * std::exp(-std::pow(u / 0.09, 2));  // the spine
      light += 0.35 * std::exp(-std::pow((u - 0.14) / 0.3, 2) - std::pow((v - 0.35) / 0.3, 2));
      light += 0.05 * std::sin(26 * (v + 0.5 * u * u)) * (lung(-0.42) + lung(0.42));  // ribs
      light +=
          0.4 * dense * std::exp(-std::pow((u + 0.42) / 0.14, 2) - std::pow((v - 0.3) / 0.2, 2));
      light += 0.025 * uniform(random);
      pixels += static_cast<char>(static_cast<uint8_t>(std::clamp(light, 0.02, 0.98) * 255));
    }
  }
  return grey_png(pixels, kSide);
}

}  // namespace fovea::test
