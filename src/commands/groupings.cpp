#include "commands/groupings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/sources/quantities.h"

namespace fovea::commands {
namespace {

constexpr size_t kMostNumbers = 10, kMostWords = 50, kBands = 4;
constexpr const char* kBlank = "(blank)";

std::optional<double> number_in(const std::string& cell) {
  double value = 0;
  const char* end = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) return {};
  return value;
}

/// Bands of about equal size in place of numbers: "20 to 41". Equal numbers are in one band.
void cut_into_bands(std::vector<std::string>& values) {
  std::vector<double> sorted;
  for (const std::string& value : values)
    if (const auto number = number_in(value)) sorted.push_back(*number);
  std::ranges::sort(sorted);
  std::vector<double> uppers;
  for (size_t band = 1; band <= kBands; ++band)
    uppers.push_back(sorted[(sorted.size() * band + kBands - 1) / kBands - 1]);
  for (std::string& value : values) {
    const auto number = number_in(value);
    if (!number) continue;
    const double upper = *std::ranges::lower_bound(uppers, *number);
    const auto band = std::ranges::find(uppers, upper);  // the first of equal ones
    const double lower =
        band == uppers.begin() ? sorted[0] : *std::ranges::upper_bound(sorted, *(band - 1));
    value = fovea::number(lower) + " to " + fovea::number(upper);
  }
}

/// The values in their order: numbers by size, words by the alphabet, blanks last.
std::vector<std::string> in_order(const std::set<std::string>& values) {
  std::vector<std::string> all(values.begin(), values.end());
  std::ranges::stable_sort(all, {}, [](const std::string& value) {
    const auto number = number_in(value.substr(0, value.find(' ')));
    return std::pair(value == kBlank ? 2 : number ? 0 : 1, number.value_or(0));
  });
  return all;
}

/// One value for each case, of few enough that each is a group.
void make_groups(const std::string& column, std::vector<std::string>& values) {
  std::set<std::string> different;
  bool all_numbers = true;
  for (std::string& value : values) {
    if (value.empty()) value = kBlank;
    if (value == kBlank) continue;
    different.insert(value);
    all_numbers &= number_in(value).has_value();
  }
  if (all_numbers && different.size() > kMostNumbers) return cut_into_bands(values);
  if (different.size() > kMostWords)
    throw data_error(fmt::format("data.subgroups: the column '{}' has {} different values, wanted "
                                 "at most {}",
                                 column, different.size(), kMostWords),
                     "name a column that puts cases into groups, or leave it out");
}

/// The values of one column, of the cases of a split, grouped.
std::vector<std::string> values_of(const sources::Source& source, const std::string& split,
                                   const std::string& column) {
  const auto known =
      std::ranges::find_if(source.subgroups, [&](const auto& one) { return one.first == column; });
  if (known == source.subgroups.end())
    throw config_error(
        fmt::format("DataOptions::subgroups: found no column '{}' among them", column));
  std::vector<std::string> values;
  for (const int64_t i : sources::cases_of(source, split))
    values.push_back(known->second[static_cast<size_t>(i)]);
  make_groups(column, values);
  return values;
}

std::vector<std::string> parts_of(const std::string& entry) {
  std::vector<std::string> parts{""};
  for (const char letter : entry) {
    if (letter == '+')
      parts.emplace_back();
    else
      parts.back() += letter;
  }
  return parts;
}

/// One column, or the values of several together; each line of groups shares the values of all columns but one.
metrics::Grouping grouping_of(const std::vector<std::string>& columns,
                              const std::vector<std::vector<std::string>>& values) {
  metrics::Grouping grouping{
      .name = join(columns, " x "), .values = {}, .of_case = {}, .lines = {}};
  std::vector<std::vector<std::string>> orders;  // the values of each column
  for (const auto& of_column : values)
    orders.push_back(in_order({of_column.begin(), of_column.end()}));
  std::map<std::vector<size_t>, uint32_t> places;
  std::vector<std::vector<size_t>> keys(values[0].size());
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t c = 0; c < columns.size(); ++c)
      keys[i].push_back(
          static_cast<size_t>(std::ranges::find(orders[c], values[c][i]) - orders[c].begin()));
    places.emplace(keys[i], 0);
  }
  std::map<std::pair<size_t, std::vector<size_t>>, std::vector<uint32_t>> lines;
  for (auto& [key, place] : places) {
    place = static_cast<uint32_t>(grouping.values.size());
    std::vector<std::string> words;
    for (size_t c = 0; c < columns.size(); ++c) words.push_back(orders[c][key[c]]);
    grouping.values.push_back(join(words, ", "));
    if (columns.size() == 1) continue;
    for (size_t c = 0; c < columns.size(); ++c) {
      std::vector<size_t> others = key;
      others[c] = 0;
      lines[{c, others}].push_back(place);
    }
  }
  for (const auto& key : keys) grouping.of_case.push_back(places.at(key));
  for (auto& [what, line] : lines) grouping.lines.push_back(std::move(line));
  return grouping;
}

}  // namespace

std::vector<std::string> columns_of(const std::vector<std::string>& by) {
  std::vector<std::string> columns;
  for (const std::string& entry : by)
    for (const std::string& column : parts_of(entry))
      if (std::ranges::find(columns, column) == columns.end()) columns.push_back(column);
  return columns;
}

std::vector<metrics::Grouping> groupings(const sources::Source& source, const std::string& split,
                                         const std::vector<std::string>& by) {
  std::vector<metrics::Grouping> all;
  for (const std::string& entry : by) {
    const std::vector<std::string> columns = parts_of(entry);
    std::vector<std::vector<std::string>> values;
    for (const std::string& column : columns) values.push_back(values_of(source, split, column));
    all.push_back(grouping_of(columns, values));
  }
  return all;
}

}  // namespace fovea::commands
