#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/io/wfdb.h"
#include "fovea/storage/text.h"

namespace fovea::io {
namespace {

/// By code, from 0 on; ecgmap.h and wfdb/ecgcodes.h of the WFDB library. "": none.
constexpr std::array<std::string_view, 42> kSymbols{
    "",  "N", "L", "R", "a", "V", "F", "J", "A",  "S", "E", "j", "/", "Q",
    "~", "",  "|", "",  "s", "T", "*", "D", "\"", "=", "p", "B", "^", "t",
    "+", "u", "?", "!", "[", "]", "e", "n", "@",  "x", "f", "(", ")", "r"};

// Codes that are not annotations.
constexpr int kNote = 22;
constexpr std::string_view kResolution = "## time resolution:";
constexpr int kSkip = 59, kNumber = 60, kSubtype = 61, kChannel = 62, kAux = 63;

class AnnotationReader {
 public:
  explicit AnnotationReader(const std::filesystem::path& path)
      : path_(path), bytes_(storage::read_file(path)) {}

  WfdbAnnotations read() {
    int64_t time = 0, number = 0, channel = 0;
    for (int word = take_word(); word != 0; word = take_word()) {
      const int code = word >> 10, value = word & 0x3ff;
      if (code == kSkip) {
        const int high = take_word();  // of 32 bits, the high half first
        time += static_cast<int32_t>(static_cast<uint32_t>(high) << 16 |
                                     static_cast<uint32_t>(take_word()));
      } else if (code >= kNumber) {
        take_field(code, value, number, channel);
      } else {
        time += value;
        if (time < 0) throw fail("found a sample before the first one");
        found_.push_back({.sample = time, .channel = channel, .number = number});
        codes_.push_back(code);
      }
    }
    apply_definitions();
    return std::move(result_);
  }

 private:
  Error fail(const std::string& problem) const {
    Error error = data_error(problem);
    error.add_place(
        fmt::format("reading WFDB annotations {}: byte {}", storage::shown(path_), at_));
    return error;
  }

  // A field of the last annotation; number and channel hold for the next ones, too.
  void take_field(int code, int value, int64_t& number, int64_t& channel) {
    if (found_.empty()) throw fail("found a field of an annotation before the first one");
    WfdbAnnotation& last = found_.back();
    const int small = value >= 512 ? value - 1024 : value;
    if (code == kNumber) last.number = number = small;
    if (code == kSubtype) last.subtype = small;
    if (code == kChannel) last.channel = channel = value;
    if (code == kAux) last.aux = take_text(static_cast<size_t>(value));
  }

  // Notes at sample 0 in front of all others are what the file says of itself; a code of 0 only
  // carries time.
  void apply_definitions() {
    bool opening = true, defining = false;
    for (size_t i = 0; i < found_.size(); ++i) {
      WfdbAnnotation& one = found_[i];
      opening = opening && one.sample == 0 && codes_[i] == kNote;
      if (opening && (defining || one.aux.starts_with("## "))) {
        if (one.aux == "## annotation type definitions")
          defining = true;
        else if (one.aux == "## end of definitions")
          defining = false;
        else if (defining)
          define(one.aux);
        else if (one.aux.starts_with(kResolution))
          result_.resolution = resolution_of(one.aux);
        continue;
      }
      if (codes_[i] == 0) continue;
      const auto own = own_symbols_.find(codes_[i]);
      one.symbol = own == own_symbols_.end() ? symbol(static_cast<size_t>(codes_[i])) : own->second;
      result_.all.push_back(std::move(one));
    }
  }

  // "42 W what it means"
  void define(std::string_view aux) {
    int code = 0;
    const auto [end, error] = std::from_chars(aux.data(), aux.data() + aux.size(), code);
    aux.remove_prefix(static_cast<size_t>(end - aux.data()));
    const size_t begin = aux.find_first_not_of(' ');
    if (error != std::errc() || code < 1 || code >= kSkip || begin == std::string_view::npos)
      throw fail(
          fmt::format("found '{}' among the definitions of types, wanted a code and a symbol",
                      storage::escaped(aux, 40)));
    aux.remove_prefix(begin);
    own_symbols_[code] = std::string(aux.substr(0, aux.find(' ')));
  }

  double resolution_of(std::string_view aux) const {
    const std::string_view text =
        aux.substr(std::min(aux.find_first_not_of(' ', kResolution.size()), aux.size()));
    double ticks = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ticks);
    const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
    if (error != std::errc() || !(ticks > 0) || !std::isfinite(ticks) ||
        rest.find_first_not_of(' ') != std::string_view::npos)
      throw fail(fmt::format("found the time resolution '{}', wanted a number above 0",
                             storage::escaped(text, 40)));
    return ticks;
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
  std::vector<int> codes_;  // of each
  std::map<int, std::string> own_symbols_;
  WfdbAnnotations result_;
};

}  // namespace

std::vector<WfdbAnnotation> WfdbAnnotations::at(double frequency) const {
  constexpr double kMost = 0x1p62;
  std::vector<WfdbAnnotation> result = all;
  if (resolution <= 0) return result;
  for (WfdbAnnotation& one : result) {
    const double sample = static_cast<double>(one.sample) * frequency / resolution;
    if (!(sample < kMost))
      throw data_error(fmt::format(
          "found an annotation at tick {} of {} a second, which is no sample of {} a second",
          one.sample, number(resolution), number(frequency)));
    one.sample = static_cast<int64_t>(std::floor(sample + 0.5));
  }
  return result;
}

WfdbAnnotations read_wfdb_annotations(const std::filesystem::path& path) {
  return AnnotationReader(path).read();
}

}  // namespace fovea::io
