#include "sources/suspicions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "fovea/core/text.h"
#include "fovea/storage/text.h"
#include "sources/open.h"
#include "tables/cells.h"
#include "tables/names.h"

namespace fovea::sources {
namespace {

// By chance a column of two values is a copy of a target of two in 1 of 2^(rows - 2) cases.
constexpr size_t kEvidence = 8;
constexpr size_t kFewestOfAnIdentifier = 10;

class Suspicions {
 public:
  Suspicions(const TableInUse& table, tables::Findings& findings)
      : t_(table),
        findings_(findings),
        format_(tables::number_format(read_options(table.options, "").numbers, table.table)) {
    for (const targets::TargetPtr& target : t_.targets) add_answers(*target);
  }

  void add() {
    for (const auto& [name, input] : t_.inputs)
      for (const inputs::SeenColumn& column : input->columns()) {
        const auto position = t_.table.find_column(column.name);
        const std::string named = name + "." + column.name;
        if (position && !is_target(column.name, named) && column.indicator)
          look_at(column, *position, named);
      }
  }

 private:
  /// A target, or one of its labels, of the training rows; NaN where it is not known.
  struct Answers {
    std::string target, label{};
    bool number = false;
    std::vector<double> values{};
  };

  void add_answers(const targets::Target& target) {
    for (targets::TruthColumn& column : target.columns()) {
      Answers& answers = answers_.emplace_back(
          Answers{.target = target.spec().name, .label = column.label, .number = column.number});
      for (const size_t i : t_.training) answers.values.push_back(column.values.at(i));
    }
  }

  bool is_target(const std::string& column, const std::string& named) {
    for (const auto& [name, columns] : t_.target_columns)
      if (std::ranges::count(columns, column) > 0) {
        findings_.problems.push_back(fmt::format(
            "{} is the column of the target '{}': the model is told what it shall find out", named,
            name));
        return true;
      }
    return false;
  }

  void look_at(const inputs::SeenColumn& column, int64_t position, const std::string& named) {
    const std::pair<const char*, const std::string&> roles[] = {
        {"patient", t_.options.group}, {"id", t_.options.id}, {"split", t_.options.split.column}};
    for (const auto& [role, own] : roles)
      if (own == column.name) {
        findings_.warnings.push_back(fmt::format(
            "{} is the column of the {}: what is learned from it holds for no other case", named,
            role));
        return;
      }
    std::vector<std::string> keys;  // of the training rows
    for (const size_t i : t_.training)
      keys.push_back(tables::name_key(t_.table.cell(t_.used[i], position), format_.decimal));
    for (const Answers& answers : answers_) {
      const std::string how = copied(keys, answers);
      if (how.empty()) continue;
      findings_.problems.push_back(fmt::format(
          "{} looks like a copy of the target '{}': {} in all {} training rows: the model is told "
          "what it shall find out",
          named, answers.target, how, keys.size()));
      return;
    }
    warn_of_identifier(keys, named);
    if (!column.category) warn_of_code_for_missing(keys, column.missing, named);
  }

  // --- copies

  /// Whether keys and values determine each other, with enough rows to be no chance.
  static bool one_to_one(const std::vector<std::string>& keys, const std::vector<double>& values) {
    std::unordered_map<std::string_view, double> to;
    std::map<double, std::string_view> from;
    size_t known = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (std::isnan(values[i])) continue;
      ++known;
      if (to.try_emplace(keys[i], values[i]).first->second != values[i]) return false;
      if (from.try_emplace(values[i], keys[i]).first->second != keys[i]) return false;
    }
    return to.size() > 1 && known >= to.size() + kEvidence;
  }

  /// Whether the values are a multiple of the numbers plus something, up to single precision.
  bool linear(const std::vector<std::string>& keys, const std::vector<double>& values) const {
    std::vector<std::pair<double, double>> points;
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto number = tables::number_in(keys[i], format_);
      if (number && !std::isnan(values[i])) points.emplace_back(number->value, values[i]);
    }
    if (points.size() < kEvidence || points.size() < keys.size() / 2) return false;
    const auto [low, high] = std::ranges::minmax(points);
    if (std::set<std::pair<double, double>>(points.begin(), points.end()).size() < 4) return false;
    const double slope = (high.second - low.second) / (high.first - low.first);
    if (!std::isfinite(slope) || slope == 0) return false;
    const double tolerance = 1e-5 * std::abs(high.second - low.second) +
                             2e-7 * std::max(std::abs(low.second), std::abs(high.second));
    return std::ranges::all_of(points, [&, low = low](const auto& point) {
      const double expected = low.second + slope * (point.first - low.first);
      return std::abs(point.second - expected) <= tolerance;
    });
  }

  std::string copied(const std::vector<std::string>& keys, const Answers& answers) const {
    if (one_to_one(keys, answers.values))
      return "each of its values goes with one of the target's" +
             (answers.label.empty() ? "" : " label '" + answers.label + "'");
    return answers.number && linear(keys, answers.values) ? "it is the target, or a multiple of it,"
                                                          : "";
  }

  // --- identifiers

  void warn_of_identifier(const std::vector<std::string>& keys, const std::string& named) {
    if (keys.size() < kFewestOfAnIdentifier) return;
    const std::set<std::string_view> different(keys.begin(), keys.end());
    bool whole = true, numbers = true;
    for (const std::string& key : keys) {
      const auto number = tables::number_in(key, format_);
      numbers &= number.has_value();
      whole &= number && number->whole;
    }
    if (different.size() < keys.size()) {
      const bool words = std::ranges::none_of(keys, [&](const std::string& key) {
        return tables::number_in(key, format_) || tables::date_in(key);
      });
      if (words && different.size() >= kFewestOfAnIdentifier && 2 * different.size() > keys.size())
        findings_.warnings.push_back(
            fmt::format("{} is read as a category of {} different texts in {} training rows: is it "
                        "one, and are they no numbers?",
                        named, different.size(), keys.size()));
      return;
    }
    if (numbers && !whole) return;
    findings_.warnings.push_back(
        fmt::format("{} looks like an identifier: its {} in the {} training rows are all different",
                    named, numbers ? "whole numbers" : "texts", keys.size()));
  }

  // -9, 99, -999: a number of nines, several times, and far from all others.
  void warn_of_code_for_missing(const std::vector<std::string>& keys,
                                const std::vector<std::string>& missing, const std::string& named) {
    tables::NumberReader reader(format_, missing);
    std::map<double, size_t> counts;
    for (const std::string& key : keys)
      if (const auto cell = reader.read(key); cell.type == tables::NumberReader::Cell::number)
        ++counts[cell.value];
    constexpr size_t kOften = 3;
    if (counts.size() < kOften) return;
    const auto look = [&](const auto& end, double nearest, double farthest) {
      const auto& [value, count] = end;
      const std::string digits = fmt::format("{:g}", std::abs(value));
      const bool nines = digits.find_first_not_of('9') == std::string::npos;
      if (nines && count >= kOften && std::abs(value - nearest) > std::abs(nearest - farthest))
        findings_.warnings.push_back(fmt::format(
            "{}: {} training cells are {:g}, far from all others ({:g} to {:g}): does it mean that "
            "nothing was measured? Then name it in `missing`",
            named, count, value, std::min(nearest, farthest), std::max(nearest, farthest)));
    };
    look(*counts.begin(), std::next(counts.begin())->first, counts.rbegin()->first);
    look(*counts.rbegin(), std::next(counts.rbegin())->first, counts.begin()->first);
  }

  const TableInUse& t_;
  tables::Findings& findings_;
  tables::NumberFormat format_;
  std::vector<Answers> answers_;
};

}  // namespace

std::vector<std::string> notes_of_file(const storage::Table& table,
                                       const std::set<std::string>& columns) {
  std::vector<std::string> notes;
  for (const std::string& note : table.notes()) notes.push_back(table.name() + ": " + note);
  for (const std::string& name : columns)
    if (const auto column = table.find_column(name))
      for (const std::string& note : table.notes(*column))
        notes.push_back(fmt::format("{}: column '{}': {}", table.name(), name, note));
  return notes;
}

void add_suspicions(const TableInUse& table, tables::Findings& findings) {
  Suspicions(table, findings).add();
}

void add_alike_groups(const std::string& column, const storage::Table& table,
                      const std::vector<std::string>& groups, tables::Findings& findings) {
  std::unordered_map<std::string, size_t> first;  // row of each group
  std::vector<std::string> names;
  for (size_t row = 0; row < groups.size(); ++row)
    if (first.try_emplace(groups[row], row).second) names.push_back(groups[row]);
  std::vector<std::string> places;
  for (const tables::Clash& clash : tables::clashes(names))
    if (!clash.truths)
      places.push_back(fmt::format("{} and {}",
                                   table.place(static_cast<int64_t>(first.at(clash.first))),
                                   table.place(static_cast<int64_t>(first.at(clash.second)))));
  if (!places.empty())
    findings.warnings.push_back(
        fmt::format("{}: column '{}': {} times two patients differ only in case, blanks or zeros "
                    "({}): are they "
                    "one, who may then be in two splits?",
                    table.name(), column, places.size(), join(places, "; ", 3)));
}

std::optional<std::pair<size_t, size_t>> first_repeated(const std::vector<std::string>& texts) {
  std::vector<uint32_t> order(texts.size());  // of millions of rows a map would be large
  std::iota(order.begin(), order.end(), 0);
  const auto text = [&](uint32_t i) { return std::string_view(texts[i]); };
  std::ranges::sort(order, {}, [&](uint32_t i) { return std::pair(text(i), i); });
  const auto same = std::ranges::adjacent_find(order, {}, text);
  if (same == order.end()) return {};
  return std::pair<size_t, size_t>(same[0], same[1]);
}

}  // namespace fovea::sources
