#include "fovea/inputs/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/hash.h"
#include "fovea/storage/text.h"
#include "inputs/table_columns.h"
#include "tables/cells.h"
#include "tables/names.h"
#include "tables/numbers.h"
#include "tables/problems.h"

namespace fovea::inputs {
namespace {

struct FittedTable {
  std::vector<FittedColumn> columns{};
  void describe(Fields& f) { f("columns", columns, ""); }
};

class TableInput final : public Input {
 public:
  TableInput(const TableOptions& options, torch::Tensor values, FittedTable fitted,
             std::vector<std::vector<bool>> missing, std::vector<bool> there,
             std::map<int64_t, Error> bad)
      : options_(options),
        values_(std::move(values)),
        fitted_(std::move(fitted)),
        missing_(std::move(missing)),
        there_(std::move(there)),
        bad_(std::move(bad)) {}

  torch::Tensor read(int64_t index, Origin&) const override {
    if (const auto own = bad_.find(index); own != bad_.end()) throw own->second;
    return values_[index];
  }

  bool has(int64_t index) const override {
    return there_.empty() || there_.at(static_cast<size_t>(index));
  }

  InputShape shape() const override {
    InputShape shape{.sizes = {values_.size(1)}, .optional = !there_.empty()};
    for (const FittedColumn& column : fitted_.columns) {
      shape.categories.push_back(
          column.category ? static_cast<int64_t>(column.categories.size()) + 1 : 0);
      shape.columns.push_back(column.name);
      if (!column.indicator) continue;
      shape.categories.push_back(0);
      shape.columns.push_back(column.name + " missing");
    }
    return shape;
  }

  std::vector<SeenColumn> columns() const override {
    std::vector<SeenColumn> seen;
    for (const std::string& name : options_.columns)
      seen.push_back({.name = name,
                      .indicator = true,
                      .category = std::ranges::count(options_.categories, name) > 0,
                      .missing = options_.missing});
    return seen;
  }
  Node fitted() const override { return Fields::write(fitted_); }

  std::vector<ColumnValues> values() const override {
    std::vector<ColumnValues> all;
    int64_t at = 0;
    for (size_t k = 0; k < fitted_.columns.size(); ++k) {
      const FittedColumn& column = fitted_.columns[k];
      ColumnValues& values = all.emplace_back(ColumnValues{column.name, column.category});
      const torch::Tensor cells = values_.select(1, at).contiguous();
      for (size_t i = 0; i < missing_[k].size(); ++i) {
        const double cell = cells.const_data_ptr<float>()[i];
        if (column.category)
          values.categories.push_back(missing_[k][i] ? "" : category(column, cell));
        else
          values.numbers.push_back(missing_[k][i] ? std::nan("")
                                                  : cell * column.deviation + column.mean);
      }
      at += 1 + column.indicator;
    }
    return all;
  }

  std::string fingerprint() const override {
    return storage::sha256({static_cast<const char*>(values_.const_data_ptr()), values_.nbytes()});
  }

 private:
  static std::string category(const FittedColumn& column, double index) {
    return index > 0 ? column.categories.at(static_cast<size_t>(index) - 1) : "(unknown)";
  }

  TableOptions options_;
  torch::Tensor values_;  // float32 [cases, features]
  FittedTable fitted_;
  std::vector<std::vector<bool>> missing_;  // of each column and case
  std::vector<bool> there_;                 // of each case; empty where none may lack it
  std::map<int64_t, Error> bad_;  // cases whose cells cannot be read, where others shall be
};

class Maker {
 public:
  Maker(const TableOptions& options, const InputPlace& place)
      : options_(options),
        place_(place),
        format_(tables::number_format(place.read.numbers, place.rows.table)),
        setting_(settings_of_table(place.name)) {}

  InputPtr make() {
    FittedTable fitted;
    if (place_.fitted)
      Fields::read(*place_.fitted, fitted);
    else
      for (const std::string& name : options_.columns)
        problems_.collect([&] { fitted.columns.push_back(fit_column(options_, place_, name)); });
    problems_.raise();
    if (fitted.columns.empty())
      throw config_error(setting_ + ".columns: found none, wanted one or more");
    int64_t width = 0;
    for (const FittedColumn& column : fitted.columns) width += 1 + column.indicator;
    const torch::Tensor values = torch::zeros({static_cast<int64_t>(place_.rows.size()), width});
    int64_t at = 0;
    for (const FittedColumn& column : fitted.columns) {
      float* to = values.mutable_data_ptr<float>() + at;
      missing_.emplace_back(place_.rows.size());
      column.category ? fill_categories(column, to, width) : fill_numbers(column, to, width);
      at += 1 + column.indicator;
    }
    problems_.raise();
    return std::make_shared<TableInput>(options_, values, std::move(fitted), std::move(missing_),
                                        there(), std::move(bad_));
  }

 private:
  /// Whether a row has any of the columns; empty where each must.
  std::vector<bool> there() const {
    if (!options_.optional) return {};
    std::vector<bool> result(place_.rows.size());
    for (const std::string& name : options_.columns) {
      const int64_t position = place_.rows.column(name);
      const tables::NumberReader reader(format_, options_.missing);
      for (size_t i = 0; i < result.size(); ++i)
        if (!reader.is_missing(place_.rows.cell(i, position))) result[i] = true;
    }
    return result;
  }

  /// A cell that cannot be read: of a case that a model is asked about its failure, else of all.
  void refuse(size_t i, const std::string& column, const Error& why) {
    Error error = why;
    error.add_place(
        fmt::format("{}: {}: column '{}'", place_.rows.table.name(), place_.rows.place(i), column));
    if (place_.cases)
      bad_.emplace(static_cast<int64_t>(i), std::move(error));
    else
      problems_.add(std::move(error));
  }

  void fill_numbers(const FittedColumn& column, float* to, int64_t width) {
    using Dates = tables::NumberReader::Dates;
    const int64_t position = place_.rows.column(column.name);
    tables::NumberReader reader(format_, options_.missing,
                                column.date ? Dates::always : Dates::never);
    tables::Range range;
    bool whole = true;
    for (size_t i = 0; i < place_.rows.size(); ++i, to += width) {
      const std::string_view text = place_.rows.cell(i, position);
      const tables::NumberReader::Cell cell = reader.read(text);
      const bool absent = cell.type == tables::NumberReader::Cell::missing;
      missing_.back()[i] = absent;
      if (cell.type == tables::NumberReader::Cell::wrong) {
        refuse(i, column.name, reader.refusal(text, setting_ + ".missing"));
        continue;
      }
      const double value = absent ? column.median : cell.value;
      // Each divided for itself: the difference of two large numbers may be beyond a double.
      to[0] = static_cast<float>(std::abs(value) < 1e300 && std::abs(column.mean) < 1e300
                                     ? (value - column.mean) / column.deviation
                                     : value / column.deviation - column.mean / column.deviation);
      if (!std::isfinite(to[0]))
        refuse(i, column.name,
               data_error(fmt::format("found '{}', which lies too far from the training rows (mean "
                                      "{:g}, deviation {:g}) for single precision",
                                      storage::escaped(text, 40), column.mean, column.deviation),
                          "correct it, or name it in " + setting_ + ".missing"));
      if (column.indicator) to[1] = absent ? 1.0f : 0.0f;
      range.missing += absent;
      if (absent) continue;
      range.add(value);
      whole &= value == std::floor(value);
    }
    const std::string named = place_.name + "." + column.name;
    reader.add_notes(named, place_.findings.notes);
    if (range.missing > 0 && !column.indicator)
      place_.findings.notes.push_back(fmt::format(
          "{}: {} of {} cells are missing, as none was in training: read as the median there, {}",
          named, range.missing, place_.rows.size(),
          column.date ? tables::date_text(column.median) : fmt::format("{:g}", column.median)));
    say(column.name, (column.date ? "date, "
                      : whole     ? "whole number, "
                                  : "number, ") +
                         range.text(column.date, place_.rows.size()));
  }

  void fill_categories(const FittedColumn& column, float* to, int64_t width) {
    const int64_t position = place_.rows.column(column.name);
    const tables::NumberReader reader(format_, options_.missing);
    tables::NameReader names(format_.decimal);
    std::map<std::string, size_t, std::less<>> index, alike;
    for (size_t k = 0; k < column.categories.size(); ++k)
      index.emplace(column.categories[k], k + 1);
    for (size_t k = 0; k < column.categories.size(); ++k) {
      const std::string key = tables::name_key(column.categories[k], format_.decimal);
      index.emplace(key, k + 1);
      alike.emplace(tables::alike_key(key), k + 1);
    }
    std::vector<size_t> counts(column.categories.size() + 1);
    std::map<std::string, int64_t> unseen, as_missing;
    size_t missing = 0, unknown = 0;
    for (size_t i = 0; i < place_.rows.size(); ++i, to += width) {
      const std::string_view cell = place_.rows.cell(i, position);
      if (reader.is_missing(cell)) {
        ++missing;
        missing_.back()[i] = true;
        if (!storage::trimmed(cell).empty()) ++as_missing[std::string(storage::trimmed(cell))];
        continue;
      }
      const std::string key = names.key(cell);
      const auto found = index.find(key);
      if (found != index.end()) {
        to[0] = static_cast<float>(found->second);
        ++counts[found->second];
        continue;
      }
      if (const auto near = alike.find(tables::alike_key(key));
          near != alike.end() && place_.fitted) {
        refuse(i, column.name,
               data_error(fmt::format("found '{}', wanted it as in training, '{}'",
                                      storage::escaped(cell, 40),
                                      storage::escaped(column.categories[near->second - 1], 40)),
                          "write each category in one way"));
        continue;
      }
      ++unseen[key];
      ++unknown;
    }
    const std::string named = place_.name + "." + column.name;
    const auto note = [&](int64_t count, const std::map<std::string, int64_t>& texts,
                          const char* what) {
      if (count > 0)
        place_.findings.notes.push_back(fmt::format("{}: {} of {} cells ({}) {}", named, count,
                                                    place_.rows.size(), listed(texts), what));
    };
    int64_t named_missing = 0;
    for (const auto& [text, count] : as_missing) named_missing += count;
    note(named_missing, as_missing, "are read as missing");
    note(static_cast<int64_t>(unknown), unseen,
         "are of no category of the training rows and are read as unknown");
    names.add_notes(named, place_.findings.notes);
    note_missing_words(column, named);
    say_categories(column, counts, missing, unknown);
  }

  static std::string listed(const std::map<std::string, int64_t>& texts) {
    std::vector<std::string> shown;
    for (const auto& [text, count] : texts) {
      if (shown.size() == kShown) return join(shown) + ", …";
      shown.push_back("'" + storage::escaped(text, 40) + "'");
    }
    return join(shown);
  }

  // As a category of its own it is seen by the model as well as one that is missing; it is not the
  // same.
  void note_missing_words(const FittedColumn& column, const std::string& named) const {
    if (place_.fitted) return;
    for (const std::string& text : column.categories)
      if (tables::means_missing(text))
        place_.findings.notes.push_back(
            fmt::format("{}: '{}' is read as a category of its own; where it means that nothing is "
                        "known name it in {}.missing",
                        named, storage::escaped(text, 40), setting_));
  }

  void say_categories(const FittedColumn& column, const std::vector<size_t>& counts, size_t missing,
                      size_t unknown) const {
    std::vector<std::string> shown;
    for (size_t k = 1; k < counts.size(); ++k)
      shown.push_back(
          fmt::format("{} {}", storage::escaped(column.categories[k - 1], 40), counts[k]));
    std::string reading =
        fmt::format("category of {}: {}", shown.size(), join(shown, ", ", 2 * kShown));
    if (unknown > 0) reading += fmt::format("; {} unknown", unknown);
    if (missing > 0) reading += fmt::format("; {} of {} missing", missing, place_.rows.size());
    say(column.name, std::move(reading));
  }

  void say(const std::string& column, std::string reading) const {
    place_.findings.columns.push_back({place_.name + "." + column, std::move(reading)});
  }

  static constexpr size_t kShown = 5;

  const TableOptions& options_;
  const InputPlace& place_;
  tables::NumberFormat format_;
  std::string setting_;
  tables::Problems problems_;
  std::vector<std::vector<bool>> missing_;  // of each column so far
  std::map<int64_t, Error> bad_;
};

InputPtr open(const TableOptions& options, const InputPlace& place) {
  for (const std::string& name : options.categories)
    if (std::ranges::find(options.columns, name) == options.columns.end())
      throw config_error(fmt::format(
          "DataOptions::inputs.{}.categories: found '{}', which `columns` does not list",
          place.name, name));
  return Maker(options, place).make();
}

}  // namespace

InputType table_input(const TableOptions& options) {
  return {.open = [options](const InputPlace& place) { return open(options, place); }};
}

}  // namespace fovea::inputs
