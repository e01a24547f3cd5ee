#include "fovea/storage/text.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <iterator>

namespace fovea::storage {
namespace {

// Length of the UTF-8 character at the start of `text` and its code point; 0 where there is none.
size_t character(std::string_view text, uint32_t& code) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return code = byte(0), 1;
  const size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length) return 0;
  code = byte(0) & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < kSmallest[length] || code > 0x10ffff || surrogate ? 0 : length;
}

bool misleading(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

bool is_blank(uint32_t code) {
  return (code >= 0x09 && code <= 0x0d) || code == 0x20 || code == 0x85 || code == 0xa0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200f) || code == 0x2028 || code == 0x2029 ||
         code == 0x202f || code == 0x205f || code == 0x2060 || code == 0x3000 || code == 0xfeff;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  uint32_t code = 0;
  while (!text.empty()) {
    const size_t length = character(text, code);
    if (length == 0 || !is_blank(code)) break;
    text.remove_prefix(length);
  }
  while (!text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && text.size() - begin < 4 && (text[begin] & 0xc0) == 0x80) --begin;
    if (character(text.substr(begin), code) != text.size() - begin || !is_blank(code)) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

size_t valid_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    uint64_t eight;
    if (at + 8 <= text.size() &&
        (std::memcpy(&eight, text.data() + at, 8), (eight & 0x8080808080808080u) == 0)) {
      at += 8;
      continue;
    }
    uint32_t code;
    const size_t length = character(text.substr(at), code);
    if (length == 0) return at;
    at += length;
  }
  return at;
}

std::string escaped(std::string_view text, size_t most) {
  std::string out;
  size_t at = 0;
  while (at < text.size() && at < most) {
    uint32_t code = 0;
    size_t length = character(text.substr(at), code);
    const bool plain = length > 0 && !misleading(code);
    if (length == 0) length = 1;
    for (size_t i = at; i < at + length; ++i) {
      if (plain)
        out += text[i];
      else
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[i]));
    }
    at += length;
  }
  if (at < text.size()) out += "…";
  return out;
}

bool json_too_deep(std::string_view json) {
  int depth = 0;
  bool text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') text = !text;
    if (c == '\\') ++i;
    if (text) continue;
    if ((c == '[' || c == '{') && ++depth > kDeepestJson) return true;
    if (c == ']' || c == '}') --depth;
  }
  return false;
}

}  // namespace fovea::storage
