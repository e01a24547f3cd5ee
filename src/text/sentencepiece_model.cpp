#include "text/sentencepiece_model.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace fovea::text {
namespace {

/// The fields of a protocol-buffer message, one after the other.
class Message {
 public:
  explicit Message(std::string_view bytes) : left_(bytes) {}

  /// False at the end, and where the rest is not a field.
  bool next() {
    if (left_.empty()) return false;
    const auto key = varint();
    if (!key) return broken();
    number = *key >> 3;
    content = {};
    switch (*key & 7) {
      case 0:
        return varint() ? true : broken();
      case 1:
        return take(8);
      case 2: {
        const auto length = varint();
        return length ? take(*length) : broken();
      }
      case 5:
        return take(4);
      default:
        return broken();
    }
  }

  uint64_t number = 0;
  std::string_view content;  // of a field that has a length
  bool whole = true;         // all so far were fields

 private:
  bool broken() { return whole = false; }
  bool take(uint64_t bytes) {
    if (bytes > left_.size()) return broken();
    content = left_.substr(0, bytes);
    left_.remove_prefix(bytes);
    return true;
  }
  std::optional<uint64_t> varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(left_[0]);
      left_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::string_view left_;
};

uint32_t number_at(std::string_view bytes, size_t at) {
  uint32_t number;  // little endian, as this machine
  std::memcpy(&number, bytes.data() + at, 4);
  return number;
}

/// The size of a double array (darts-clone), the array, and the texts that its leaves point into.
bool sound_table(std::string_view table) {
  if (table.empty()) return true;  // a normalizer without a table
  if (table.size() < 4) return false;
  const size_t bytes = number_at(table, 0);
  if (bytes > table.size() - 4 || bytes == 0 || bytes % (256 * 4) != 0) return false;
  const size_t units = bytes / 4;
  const std::string_view texts = table.substr(4 + bytes);
  if (texts.empty() || texts.back() != '\0') return false;
  const auto unit = [&](size_t i) { return number_at(table, 4 + 4 * i); };
  for (size_t i = 0; i < units; ++i) {
    const uint32_t one = unit(i);
    if (i > 0 && one >> 31) continue;  // a leaf
    // Children differ in the low byte alone, so blocks of 256 hold all of them.
    const size_t children = i ^ static_cast<size_t>((one >> 10) << ((one & 0x200u) >> 6));
    if (children >= units) return false;
    const bool ends_here = one >> 8 & 1;
    if (ends_here && (unit(children) & 0x7fffffffu) >= texts.size()) return false;
  }
  return true;
}

}  // namespace

bool sound_normalizer(std::string_view model) {
  // ModelProto: normalizer_spec = 3, denormalizer_spec = 5; in both precompiled_charsmap = 2. A
  // field may come twice, then the last one holds: all of them must be sound.
  Message fields(model);
  while (fields.next()) {
    if (fields.number != 3 && fields.number != 5) continue;
    Message parts(fields.content);
    while (parts.next())
      if (parts.number == 2 && !sound_table(parts.content)) return false;
    if (!parts.whole) return false;
  }
  return fields.whole;
}

}  // namespace fovea::text
