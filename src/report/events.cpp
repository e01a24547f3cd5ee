#include "fovea/report/events.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"

namespace fovea::report {
namespace {

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);  // reflected 0x1edc6f41
    table[i] = crc;
  }
  return table;
}();

/// TFRecord stores checksums rotated and shifted, so that data holding checksums can be
/// checksummed.
uint32_t masked(uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8u; }

template <class Number>
std::string little_endian(Number number) {
  using Bits = std::conditional_t<sizeof(Number) == 8, uint64_t, uint32_t>;
  Bits bits = std::bit_cast<Bits>(number);
  std::string bytes;
  for (size_t i = 0; i < sizeof(Number); ++i, bits >>= 8) bytes += static_cast<char>(bits & 0xff);
  return bytes;
}

// The wire format of protocol buffers: a field is a key (number, wire type) and a payload.
enum Wire { varint_type = 0, fixed64 = 1, counted = 2, fixed32 = 5 };

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string key(int field, Wire wire) { return varint(static_cast<uint64_t>(field) << 3 | wire); }
std::string field_double(int field, double value) {
  return key(field, fixed64) + little_endian(value);
}
std::string field_float(int field, float value) {
  return key(field, fixed32) + little_endian(value);
}
std::string field_int(int field, int64_t value) {
  return key(field, varint_type) + varint(static_cast<uint64_t>(value));
}
std::string field_bytes(int field, std::string_view value) {
  return key(field, counted) + varint(value.size()) + std::string(value);
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

uint32_t crc32c(std::string_view data) {
  uint32_t crc = 0xffffffff;
  for (const char c : data) crc = crc >> 8 ^ kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xff];
  return ~crc;
}

EventWriter::EventWriter(const std::filesystem::path& folder) {
  static std::atomic<int> number = 0;
  storage::make_folder(folder);
  const double start = now();
  do {
    path_ = folder / fmt::format("events.out.tfevents.{}.{}.{}", static_cast<int64_t>(start),
                                 getpid(), number++);
  } while (storage::exists(path_));
  stream_.open(path_, std::ios::binary);
  if (!stream_) {
    throw io_error(fmt::format("writing TensorBoard events: cannot create {}: {}",
                               storage::shown(path_), std::strerror(errno)));
  }
  record(field_double(1, start) + field_bytes(3, "brain.Event:2"));
  flush();
}

EventWriter::~EventWriter() = default;

void EventWriter::scalar(std::string_view tag, int64_t step, double value) {
  scalar(tag, step, value, now());
}

void EventWriter::scalar(std::string_view tag, int64_t step, double value, double wall_time) {
  // Event { wall_time = 1, step = 2, summary = 5 { value = 1 { tag = 1, simple_value = 2 } } }
  const std::string entry = field_bytes(1, tag) + field_float(2, static_cast<float>(value));
  // As every writer of proto3: a number that is 0 is left out, except in a oneof (simple_value).
  record(field_double(1, wall_time) + (step == 0 ? "" : field_int(2, step)) +
         field_bytes(5, field_bytes(1, entry)));
}

void EventWriter::record(std::string_view event) {
  const std::string length = little_endian(static_cast<uint64_t>(event.size()));
  stream_ << length << little_endian(masked(crc32c(length))) << event
          << little_endian(masked(crc32c(event)));
}

void EventWriter::flush() {
  if (stream_.flush()) return;
  throw io_error(fmt::format("writing TensorBoard events: {} took less than it was given: {}",
                             storage::shown(path_), std::strerror(errno)),
                 "free some space, then go on with the run (Opening::resume)");
}

}  // namespace fovea::report
