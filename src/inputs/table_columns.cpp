#include "inputs/table_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/text.h"
#include "tables/cells.h"
#include "tables/names.h"
#include "tables/numbers.h"

namespace fovea::inputs {
namespace {

constexpr size_t kMostCategories = 1000;
constexpr size_t kShown = 5;

bool has_digit(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

class ColumnFit {
 public:
  ColumnFit(const TableOptions& options, const InputPlace& place, const std::string& name)
      : options_(options),
        place_(place),
        name_(name),
        position_(place.rows.column(name)),
        format_(tables::number_format(place.read.numbers, place.rows.table)),
        setting_(settings_of_table(place.name)) {}

  FittedColumn fit() const {
    const bool listed = std::ranges::find(options_.categories, name_) != options_.categories.end();
    FittedColumn column{.name = name_, .category = listed};
    if (!column.category) column.category = type() == Type::words;
    if (column.category) {
      column.categories = categories();
      return column;
    }
    tables::NumberReader reader(format_, options_.missing, tables::NumberReader::Dates::either);
    std::vector<double> numbers;
    for (const size_t i : place_.training)
      if (const auto cell = reader.read(raw(i)); cell.type == tables::NumberReader::Cell::number)
        numbers.push_back(cell.value);
    if (numbers.empty())
      throw data_error(where() + ": no training row has a value", "leave it out");
    column.date = reader.dates();
    column.indicator = numbers.size() < place_.training.size();
    const tables::Spread spread = tables::spread_of(numbers);
    column.mean = spread.mean;
    column.deviation = spread.deviation > 0 ? spread.deviation : 1;
    const auto middle = numbers.begin() + static_cast<int64_t>((numbers.size() - 1) / 2);
    std::nth_element(numbers.begin(), middle, numbers.end());
    column.median = *middle;
    return column;
  }

 private:
  std::string where() const {
    return fmt::format("{}: column '{}'", place_.rows.table.name(), name_);
  }

  std::string_view raw(size_t i) const { return place_.rows.cell(i, position_); }

  enum class Type { numbers, words };

  // Numbers and words together are not for a majority to decide: either some of the numbers are not
  // such, or the column is of categories, which only its owner knows.
  Type type() const {
    tables::NumberReader reader(format_, options_.missing, tables::NumberReader::Dates::either);
    std::vector<size_t> numbers, others;
    for (const size_t i : place_.training) {
      const auto type = reader.read(raw(i)).type;
      if (type != tables::NumberReader::Cell::missing)
        (type == tables::NumberReader::Cell::number ? numbers : others).push_back(i);
    }
    if (others.empty()) {
      if (!reader.dates()) refuse_compact_dates(numbers);
      return Type::numbers;
    }
    const auto cell = [&](size_t i) { return storage::trimmed(raw(i)); };
    const std::string missing = setting_ + ".missing";
    std::map<std::string, int64_t> texts;  // up to a few
    size_t odd = others[0];                // the first that is not a word like others
    bool words = true;
    for (const size_t i : others) {
      const bool word = tables::why_not_a_number(cell(i), format_, missing).problem.empty() ||
                        tables::means_missing(cell(i)) || !has_digit(cell(i));
      if (words && !word) odd = i;
      words &= word;
      if (texts.size() < kShown || texts.contains(std::string(cell(i))))
        ++texts[std::string(cell(i))];
    }
    if (numbers.empty() && words) return Type::words;
    std::vector<std::string> shown;
    for (const auto& [text, count] : texts)
      shown.push_back(fmt::format("'{}'{}", storage::escaped(text, 40),
                                  count > 1 ? fmt::format(" {} times", count) : ""));
    // Of dates the reader knows what it wanted of the others.
    const tables::NotANumber why = tables::why_not_a_number(cell(odd), format_, missing);
    const Error refusal = reader.refusal(raw(odd), missing);
    const std::string problem = reader.dates() || why.problem.empty() ? "" : ", " + why.problem;
    throw data_error(
        fmt::format("{}: of {} training cells {} are {} and {} are not: {} ({}{}){}; wanted all "
                    "numbers or none",
                    where(), numbers.size() + others.size(), numbers.size(),
                    reader.dates() ? "dates" : "numbers", others.size(), join(shown),
                    places(others), others.size() > kShown ? ", …" : "", problem),
        fmt::format("{}; where the column is of categories list it in {}.categories",
                    refusal.remedy(), setting_));
  }

  std::string places(const std::vector<size_t>& cases) const {
    std::vector<std::string> places;
    for (const size_t i : cases)
      if (places.size() < kShown) places.push_back(place_.rows.place(i));
    return join(places);
  }

  // 20240131 and 20240201 are 70 apart as numbers, and one day.
  void refuse_compact_dates(const std::vector<size_t>& cases) const {
    std::set<std::string_view> texts;
    for (const size_t i : cases) {
      const std::string_view text = storage::trimmed(raw(i));
      if (text.size() != 8 || (!text.starts_with("19") && !text.starts_with("20")) ||
          !tables::date_in(
              fmt::format("{}-{}-{}", text.substr(0, 4), text.substr(4, 2), text.substr(6))))
        return;
      texts.insert(text);
    }
    if (texts.size() > 2)
      throw data_error(
          fmt::format(
              "{}: found numbers that look like dates, such as '{}' ({}), wanted 2024-03-05",
              where(), *texts.begin(), place_.rows.place(cases[0])),
          "write them with hyphens; where they are names, list the column in " + setting_ +
              ".categories");
  }

  std::vector<std::string> categories() const {
    const tables::NumberReader reader(format_, options_.missing);
    tables::NameReader names(format_.decimal);
    std::set<std::string> found, all;
    for (size_t i = 0; i < place_.rows.size(); ++i)
      if (const std::string_view cell = raw(i); !reader.is_missing(cell))
        if (all.size() <= kMostCategories) all.insert(names.key(cell));
    for (const size_t i : place_.training)
      if (const std::string_view cell = raw(i); !reader.is_missing(cell))
        if (found.size() <= kMostCategories) found.insert(names.key(cell));
    if (found.size() > kMostCategories)
      throw data_error(
          fmt::format("{}: found more than {} different texts among the training rows, wanted "
                      "categories or numbers",
                      where(), kMostCategories),
          "is this the right column?");
    if (found.empty()) throw data_error(where() + ": no training row has a value", "leave it out");
    refuse_doubtful(all);
    return {found.begin(), found.end()};
  }

  void refuse_doubtful(const std::set<std::string>& keys) const {
    std::vector<std::string> problems;
    const auto shown = [&](const std::string& key) {
      for (size_t i = 0; i < place_.rows.size(); ++i)
        if (tables::name_key(raw(i), format_.decimal) == key)
          return fmt::format("'{}' ({})", storage::escaped(key, 40), place_.rows.place(i));
      return "'" + key + "'";
    };
    for (const tables::Clash& clash : tables::clashes({keys.begin(), keys.end()}))
      problems.push_back(fmt::format(
          "{} and {} {}", shown(clash.first), shown(clash.second),
          clash.truths ? "are two ways to say yes and no" : "are spellings of one category"));
    for (const std::string& key : keys)
      if (tables::is_nested(key)) {
        problems.push_back(shown(key) + " is a list or an object");
        break;
      }
    if (!problems.empty())
      throw data_error(fmt::format("{}: {}", where(), join(problems, "; ", 5)),
                       "write each category in one way");
  }

  const TableOptions& options_;
  const InputPlace& place_;
  const std::string& name_;
  int64_t position_;
  tables::NumberFormat format_;
  std::string setting_;
};

}  // namespace

std::string settings_of_table(const std::string& name) {
  return "DataOptions::inputs." + name + (name == "table" ? "" : ".table");
}

FittedColumn fit_column(const TableOptions& options, const InputPlace& place,
                        const std::string& name) {
  return ColumnFit(options, place, name).fit();
}

}  // namespace fovea::inputs
