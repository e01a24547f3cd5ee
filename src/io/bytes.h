// Numbers inside a file in memory, by offset and byte order. The caller has checked that they are
// there.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fovea::io {

enum class Order { little, big };

inline uint16_t swapped(uint16_t value) { return __builtin_bswap16(value); }
inline uint32_t swapped(uint32_t value) { return __builtin_bswap32(value); }
inline uint64_t swapped(uint64_t value) { return __builtin_bswap64(value); }

template <class T>
T number_at(std::string_view bytes, size_t offset, Order order) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return order == Order::big ? swapped(value) : value;
}
inline uint16_t u16_at(std::string_view bytes, size_t offset, Order order) {
  return number_at<uint16_t>(bytes, offset, order);
}
inline uint32_t u32_at(std::string_view bytes, size_t offset, Order order) {
  return number_at<uint32_t>(bytes, offset, order);
}

}  // namespace fovea::io
