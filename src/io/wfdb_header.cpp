#include "fovea/io/wfdb.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "fovea/core/error.h"
#include "fovea/storage/text.h"

namespace fovea::io {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostSignals = 1024;
constexpr int64_t kLargestHeader = 1 << 20;  // bytes

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> result;
  constexpr std::string_view kBlanks = " \t\r";
  for (size_t at = line.find_first_not_of(kBlanks); at != std::string_view::npos;
       at = line.find_first_not_of(kBlanks, at)) {
    const size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
    result.push_back(line.substr(at, end - at));
    at = end;
  }
  return result;
}

/// The number that `text` begins with, which then begins after it.
template <class T>
std::optional<T> take_number(std::string_view& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return {};
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

class HeaderReader {
 public:
  explicit HeaderReader(const fs::path& path)
      : path_(path), text_(storage::read_file(path, kLargestHeader)) {}

  WfdbHeader read() {
    if (!next_line()) throw fail("found no record line");
    record_line();
    for (int64_t k = 0; k < signals_; ++k) {
      if (!next_line())
        throw fail(
            fmt::format("found {} signal lines, wanted {} as the record line says", k, signals_));
      header_.signals.push_back(signal_line());
    }
    return std::move(header_);
  }

 private:
  Error fail(const std::string& problem, const std::string& remedy = "") const {
    Error error = data_error(problem, remedy);
    error.add_place(fmt::format("reading WFDB header {}: line {}", storage::shown(path_), line_));
    return error;
  }

  bool next_line() {
    while (at_ < text_.size()) {
      const size_t end = std::min(text_.find('\n', at_), text_.size());
      const std::string_view line(text_.data() + at_, end - at_);
      at_ = end + 1;
      ++line_;
      words_ = words(line);
      if (!words_.empty() && !words_[0].starts_with('#')) return true;
    }
    return false;
  }

  int64_t whole(size_t word, const char* what, int64_t least, int64_t most) const {
    std::string_view text = words_[word];
    const auto value = take_number<int64_t>(text);
    if (!value || !text.empty() || *value < least || *value > most)
      throw fail(fmt::format("found '{}' as {}, wanted a whole number of {} to {}",
                             storage::escaped(words_[word], 40), what, least, most));
    return *value;
  }

  void record_line() {
    if (words_.size() < 2) throw fail("wanted a record's name and the number of its signals");
    header_.record = storage::escaped(words_[0], 100);
    if (words_[0].find('/') != std::string_view::npos)
      throw fail("found a record of several segments, wanted one",
                 "name its segments, each a record of its own");
    signals_ = whole(1, "the number of signals", 1, kMostSignals);
    if (words_.size() > 2) {
      std::string_view text = words_[2];  // 360, or 360/counter(base)
      const auto frequency = take_number<double>(text);
      if (!frequency || !(*frequency > 0) || !std::isfinite(*frequency) ||
          !(text.empty() || text[0] == '/'))
        throw fail("wanted a number above 0 as the sampling frequency");
      header_.frequency = *frequency;
    }
    constexpr int64_t kMost = int64_t{1} << 40;
    if (words_.size() > 3) header_.samples = whole(3, "the number of samples", 0, kMost);
    if (header_.samples == 0) header_.samples = -1;
  }

  WfdbSignal signal_line() const {
    WfdbSignal signal;
    if (words_.size() < 2) throw fail("wanted a file and a format");
    signal.file = words_[0];
    if (signal.file.find('/') != std::string::npos || signal.file == "~" || signal.file[0] == '.')
      throw fail("wanted a signal file beside the header");
    read_format(signal);
    signal.calibrated = words_.size() > 2;
    if (words_.size() > 2) read_gain(signal);
    constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
    if (words_.size() > 3) whole(3, "the resolution in bits", 0, 64);
    const int64_t zero =
        words_.size() > 4 ? whole(4, "the zero of the converter", -kMost, kMost) : 0;
    if (!baseline_given(words_)) signal.baseline = zero;
    if (words_.size() > 5) signal.first = whole(5, "the first sample", -kMost, kMost);
    if (words_.size() > 6) signal.checksum = whole(6, "the checksum", -kMost, kMost);
    for (size_t k = 8; k < words_.size(); ++k)
      signal.name += (k > 8 ? " " : "") + storage::escaped(words_[k], 100);
    return signal;
  }

  void read_format(WfdbSignal& signal) const {
    std::string_view text = words_[1];  // format[xSAMPLES][:skew][+offset]
    const auto format = take_number<int64_t>(text);
    signal.format = format.value_or(0);
    if (signal.format != 16 && signal.format != 212)
      throw fail(
          fmt::format("found the format '{}', wanted 16 or 212", storage::escaped(words_[1], 40)),
          "convert the record (xform of the WFDB tools)");
    if (text.starts_with("x1") && (text.size() == 2 || text[2] == ':' || text[2] == '+'))
      text.remove_prefix(2);
    if (text.starts_with(":0")) text.remove_prefix(2);
    if (text.starts_with('+')) {
      text.remove_prefix(1);
      signal.offset = take_number<int64_t>(text).value_or(-1);
    }
    if (!text.empty() || signal.offset < 0)
      throw fail(fmt::format("found the format '{}', wanted one sample per frame and no skew",
                             storage::escaped(words_[1], 40)),
                 "bring all signals to one rate (xform of the WFDB tools)");
  }

  static bool baseline_given(const std::vector<std::string_view>& words) {
    return words.size() > 2 && words[2].find('(') != std::string_view::npos;
  }

  void read_gain(WfdbSignal& signal) const {
    std::string_view text = words_[2];  // gain[(baseline)][/units]
    const auto gain = take_number<double>(text);
    bool good = gain && std::isfinite(*gain) && *gain >= 0;
    signal.calibrated = good && *gain > 0;
    if (signal.calibrated) signal.gain = *gain;
    if (good && text.starts_with('(')) {
      text.remove_prefix(1);
      const auto baseline = take_number<int64_t>(text);
      good = baseline && text.starts_with(')');
      if (good) text.remove_prefix(1);
      signal.baseline = baseline.value_or(0);
    }
    if (good && text.starts_with('/')) {
      signal.units = storage::escaped(text.substr(1), 40);
      text = {};
    }
    if (!good || !text.empty())
      throw fail(fmt::format("found '{}', wanted a gain such as 200, 200(1024) or 200(1024)/mV",
                             storage::escaped(words_[2], 40)));
  }

  fs::path path_;
  std::string text_;
  size_t at_ = 0;
  int64_t line_ = 0;
  int64_t signals_ = 0;
  std::vector<std::string_view> words_;  // of the line
  WfdbHeader header_;
};

}  // namespace

std::vector<std::string> WfdbHeader::labels() const {
  std::vector<std::string> labels;
  for (size_t k = 0; k < signals.size(); ++k) {
    const std::string& name = signals[k].name;
    const std::string place = fmt::format("signal {}", k + 1);
    const bool one = std::ranges::count(signals, name, &WfdbSignal::name) == 1;
    std::string label = name.empty() ? place : one ? name : fmt::format("{} ({})", name, place);
    while (std::ranges::find(labels, label) != labels.end()) label += "'";  // a name like a label
    labels.push_back(std::move(label));
  }
  return labels;
}

WfdbHeader read_wfdb_header(const fs::path& header) { return HeaderReader(header).read(); }

}  // namespace fovea::io
