#include <fmt/format.h>

#include <array>

#include "fovea/core/error.h"
#include "fovea/io/wfdb.h"
#include "fovea/storage/text.h"

namespace fovea::io {
namespace {

/// By code, from 0 on; ecgmap.h and wfdb/ecgcodes.h of the WFDB library. "": none.
constexpr std::array<std::string_view, 42> kSymbols{
    "",  "N", "L", "R", "a", "V", "F", "J", "A",  "S", "E", "j", "/", "Q",
    "~", "",  "|", "",  "s", "T", "*", "D", "\"", "=", "p", "B", "^", "t",
    "+", "u", "?", "!", "[", "]", "e", "n", "@",  "x", "f", "(", ")", "r"};

// Codes that are no annotation.
constexpr int kSkip = 59, kNumber = 60, kSubtype = 61, kChannel = 62, kAux = 63;

class AnnotationReader {
 public:
  explicit AnnotationReader(const std::filesystem::path& path)
      : path_(path), bytes_(storage::read_file(path)) {}

  std::vector<WfdbAnnotation> read() {
    int64_t time = 0, number = 0, channel = 0;
    for (int word = take_word(); word != 0; word = take_word()) {
      const int code = word >> 10, value = word & 0x3ff;
      if (code == kSkip) {
        const int high = take_word();  // of 32 bits, the high half first
        time += static_cast<int32_t>(static_cast<uint32_t>(high) << 16 |
                                     static_cast<uint32_t>(take_word()));
      } else if (code >= kNumber) {
        if (found_.empty()) throw fail("found a field of an annotation before the first one");
        WfdbAnnotation& last = found_.back();
        const int small = value >= 512 ? value - 1024 : value;
        if (code == kNumber) last.number = number = small;
        if (code == kSubtype) last.subtype = small;
        if (code == kChannel) last.channel = channel = value;
        if (code == kAux) last.aux = take_text(static_cast<size_t>(value));
      } else {
        time += value;
        if (time < 0) throw fail("found a sample before the first one");
        found_.push_back({.sample = time,
                          .symbol = symbol(static_cast<size_t>(code)),
                          .channel = channel,
                          .number = number});
      }
    }
    return std::move(found_);
  }

 private:
  Error fail(const std::string& what) const {
    return data_error(
        fmt::format("reading WFDB annotations {}: byte {}: {}", storage::shown(path_), at_, what));
  }

  static std::string symbol(size_t code) {
    if (code < kSymbols.size() && !kSymbols[code].empty()) return std::string(kSymbols[code]);
    return fmt::format("[{}]", code);
  }

  int take_word() {
    if (at_ + 2 > bytes_.size()) throw fail("the file is cut off before its end mark (two zeros)");
    const auto low = static_cast<uint8_t>(bytes_[at_]),
               high = static_cast<uint8_t>(bytes_[at_ + 1]);
    at_ += 2;
    return high << 8 | low;
  }

  std::string take_text(size_t length) {
    if (at_ + length > bytes_.size())
      throw fail("the file is cut off in the text of an annotation");
    const std::string_view text(bytes_.data() + at_, length);
    at_ += length + length % 2;
    return storage::escaped(text.substr(0, text.find('\0')));
  }

  std::filesystem::path path_;
  std::string bytes_;
  size_t at_ = 0;
  std::vector<WfdbAnnotation> found_;
};

}  // namespace

std::vector<WfdbAnnotation> read_wfdb_annotations(const std::filesystem::path& path) {
  return AnnotationReader(path).read();
}

}  // namespace fovea::io
