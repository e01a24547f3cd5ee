#include "fovea/core/text.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

namespace fovea {
namespace {

/// Names that differ in case are the same: "AUC" is meant as "auc". Letters beyond ASCII stay.
std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// Letters inserted, left out, replaced, or swapped with their neighbour.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last, last, row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row.back();
}

/// "resnet18" of "resnet".
bool is_numbered(std::string_view word, std::string_view known) {
  return word.size() > known.size() && word.starts_with(known) &&
         std::ranges::all_of(word.substr(known.size()),
                             [](char c) { return '0' <= c && c <= '9'; });
}

}  // namespace

std::string nearest(std::string_view given, const std::vector<std::string>& candidates) {
  const std::string word = in_lower_case(given);
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::string known = in_lower_case(candidate);
    if (is_numbered(word, known)) return candidate;  // resnet18 is a resnet, no resnet1d
    const size_t distance = edit_distance(word, known);
    const bool begins = word.size() >= 3 && known.starts_with(word);
    if (distance < best_distance || (begins && best.empty())) {
      best = candidate;
      best_distance = std::min(distance, best_distance);
    }
  }
  return best;
}

std::string join(const std::vector<std::string>& words, std::string_view separator, size_t limit) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i == limit) return text + " … (" + std::to_string(words.size() - limit) + " more)";
    if (i > 0) text += separator;
    text += words[i];
  }
  return text;
}

std::string number(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

}  // namespace fovea
