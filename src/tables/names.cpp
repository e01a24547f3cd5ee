#include "tables/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "fovea/core/text.h"
#include "fovea/storage/text.h"
#include "tables/cells.h"

namespace fovea::tables {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Base letters of U+00C0 to U+00FF in lower case; '?' stays as it is.
constexpr std::string_view kLatin =
    "aaaaaa?ceeeeiiii?nooooo?ouuuuy??aaaaaa?ceeeeiiii?nooooo?ouuuuy?y";

/// Lower case of Greek and Cyrillic, base letters of Latin; marks that combine vanish.
void append_alike(std::string& to, char32_t code, std::string_view bytes) {
  const auto put = [&](char32_t c) {
    to += static_cast<char>(0xc0 | (c >> 6));
    to += static_cast<char>(0x80 | (c & 0x3f));
  };
  if (code >= 0x300 && code < 0x370) return;
  if (code >= 0xc0 && code < 0x100 && kLatin[code - 0xc0] != '?')
    to += kLatin[code - 0xc0];
  else if (code >= 0x391 && code <= 0x3a9)
    put(code + 0x20);
  else if (code >= 0x410 && code <= 0x42f)
    put(code + 0x20);
  else if (code >= 0x400 && code <= 0x40f)
    put(code + 0x50);
  else
    to += bytes;
}

std::string folded(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    const std::string_view bytes = text.substr(i, length);
    i += length;
    const bool blank = length == 1 ? byte <= ' ' || byte == '_' : storage::trimmed(bytes).empty();
    if (blank) {
      if (!result.empty() && result.back() != ' ') result += ' ';
    } else if (length == 1) {
      result += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
    } else if (length == 2 && bytes.size() == 2) {
      append_alike(result, static_cast<char32_t>((byte & 0x1f) << 6 | (bytes[1] & 0x3f)), bytes);
    } else {
      result += bytes;
    }
  }
  if (result.ends_with(' ') && !text.ends_with('_')) result.pop_back();
  return result;
}

/// Sign, whole part without zeros before it and fraction without those behind it: exact, however
/// many digits there are. "" where it is not a number written with digits alone.
std::string number_key(std::string_view text) {
  std::string sign;
  if (text.starts_with("\xe2\x88\x92")) {
    sign = "-";
    text.remove_prefix(3);
  } else if (text.starts_with('-') || text.starts_with('+')) {
    if (text[0] == '-') sign = "-";
    text.remove_prefix(1);
  }
  const size_t point = std::min(text.find('.'), text.size());
  std::string_view whole = text.substr(0, point);
  std::string_view fraction = point < text.size() ? text.substr(point + 1) : "";
  if (whole.empty() && fraction.empty()) return "";
  if (!std::ranges::all_of(whole, is_digit) || !std::ranges::all_of(fraction, is_digit)) return "";
  while (whole.starts_with('0')) whole.remove_prefix(1);
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  if (whole.empty() && fraction.empty()) return "0";
  return sign + (whole.empty() ? "0" : std::string(whole)) +
         (fraction.empty() ? "" : "." + std::string(fraction));
}

/// Ways to say no and yes.
const std::vector<std::pair<std::string, std::string>>& truths() {
  static const std::vector<std::pair<std::string, std::string>> words = {
      {"0", "1"},         {"false", "true"}, {"no", "yes"}, {"nein", "ja"}, {"non", "oui"},
      {"falsch", "wahr"}, {"n", "y"},        {"f", "t"},    {"n", "j"}};
  return words;
}

constexpr size_t kWords = 6;  // the ways behind are letters, which may stand for anything

/// Which way a name is of.
std::optional<size_t> way_of(const std::string& alike, bool& yes) {
  for (size_t way = 0; way < truths().size(); ++way) {
    yes = alike == truths()[way].second;
    if (yes || alike == truths()[way].first) return way;
  }
  return {};
}

/// Of a column that says yes or no throughout, the first two names that do so in two ways.
std::optional<Clash> two_ways(const std::vector<std::string>& keys) {
  std::vector<std::pair<size_t, size_t>> found;  // way, name
  std::map<bool, std::pair<size_t, size_t>> by_answer;
  std::optional<Clash> same_answer;
  for (size_t i = 0; i < keys.size(); ++i) {
    bool yes = false;
    const auto way = way_of(alike_key(keys[i]), yes);
    if (!way) continue;
    found.emplace_back(*way, i);
    const auto [first, added] = by_answer.try_emplace(yes, *way, i);
    const auto [other, name] = first->second;
    if (!added && other != *way && other < kWords && *way < kWords && !same_answer)
      same_answer = Clash{keys[name], keys[i], true};
  }
  if (same_answer || found.size() < keys.size() || keys.size() < 2) return same_answer;
  for (const auto& [way, i] : found)
    if (way != found[0].first && (way < kWords || found[0].first < kWords))
      return Clash{keys[found[0].second], keys[i], true};
  return {};
}

}  // namespace

std::string name_key(std::string_view cell, char decimal) {
  std::string_view text = storage::trimmed(cell);
  const size_t sign = text.starts_with('-') || text.starts_with('+');
  const size_t point = text.find(decimal);
  if (point == std::string_view::npos || point == sign) return std::string(text);
  const std::string_view whole = text.substr(sign, point - sign), fraction = text.substr(point + 1);
  if (!std::ranges::all_of(whole, is_digit) || !std::ranges::all_of(fraction, is_digit))
    return std::string(text);
  while (text.ends_with('0')) text.remove_suffix(1);
  if (text.ends_with(decimal)) text.remove_suffix(1);
  return std::string(text);
}

bool is_whole(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, is_digit);
}

std::string alike_key(std::string_view key) {
  const std::string number = number_key(key);
  return number.empty() ? folded(key) : number;
}

std::vector<Clash> clashes(const std::vector<std::string>& keys) {
  std::vector<Clash> result;
  std::map<std::string, std::string> known;
  for (const std::string& key : keys) {
    const auto [first, added] = known.try_emplace(alike_key(key), key);
    if (!added && first->second != key) result.push_back({first->second, key});
  }
  if (const auto ways = two_ways(keys)) result.push_back(*ways);
  return result;
}

std::optional<Truth> truth_in(std::string_view key) {
  bool yes = false;
  const auto way = way_of(alike_key(key), yes);
  if (!way || *way >= kWords) return {};
  return Truth{*way, yes};
}

bool is_nested(std::string_view cell) {
  const std::string_view text = storage::trimmed(cell);
  return text.size() > 1 && ((text.front() == '[' && text.back() == ']') ||
                             (text.front() == '{' && text.back() == '}'));
}

std::string NameReader::key(std::string_view cell) {
  ++cells_;
  const std::string_view text = storage::trimmed(cell);
  padded_ += text.size() < cell.size() && !text.empty();
  std::string key = name_key(text, decimal_);
  if (key.size() < text.size() && zeros_++ == 0)
    example_ = fmt::format("'{}' as '{}'", storage::escaped(text, 40), storage::escaped(key, 40));
  return key;
}

void NameReader::add_notes(const std::string& column, std::vector<std::string>& notes) const {
  if (padded_ > 0)
    notes.push_back(fmt::format("{}: {} of {} cells have blanks around, which are left out", column,
                                padded_, cells_));
  if (zeros_ > 0)
    notes.push_back(
        fmt::format("{}: {} of {} cells are read without the zeros of their fraction, {}", column,
                    zeros_, cells_, example_));
}

}  // namespace fovea::tables
