#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "fovea/core/error.h"
#include "fovea/sources/inputs.h"
#include "fovea/storage/hash.h"
#include "fovea/storage/text.h"
#include "sources/numbers.h"

namespace fovea::sources {
namespace {

constexpr size_t kMostCategories = 1000;

/// What is learned of one column.
struct LearnedColumn {
  std::string name;
  double mean = 0, deviation = 1;
  double median = 0;       // stands in for a missing value
  bool indicator = false;  // some training value was missing
  bool category = false;
  std::vector<std::string> categories{};  // index 1, 2, …; 0 is for any other

  void describe(Fields& f) {
    f("name", name, "");
    f("mean", mean, "");
    f("deviation", deviation, "");
    f("median", median, "");
    f("indicator", indicator, "");
    f("category", category, "");
    f("categories", categories, "");
  }
};

struct LearnedTable {
  std::vector<LearnedColumn> columns{};
  void describe(Fields& f) { f("columns", columns, ""); }
};

class TableInput final : public Input {
 public:
  TableInput(torch::Tensor values, LearnedTable learned, std::vector<bool> there)
      : values_(std::move(values)), learned_(std::move(learned)), there_(std::move(there)) {}

  torch::Tensor read(int64_t index) const override { return values_[index]; }

  bool has(int64_t index) const override {
    return there_.empty() || there_.at(static_cast<size_t>(index));
  }

  InputShape shape() const override {
    InputShape shape{.sizes = {values_.size(1)}, .optional = !there_.empty()};
    for (const LearnedColumn& column : learned_.columns) {
      shape.categories.push_back(
          column.category ? static_cast<int64_t>(column.categories.size()) + 1 : 0);
      shape.columns.push_back(column.name);
      if (!column.indicator) continue;
      shape.categories.push_back(0);
      shape.columns.push_back(column.name + " missing");
    }
    return shape;
  }

  Node learned() const override { return Fields::write(learned_); }

  std::string fingerprint() const override {
    return storage::sha256({static_cast<const char*>(values_.const_data_ptr()), values_.nbytes()});
  }

 private:
  torch::Tensor values_;  // float32 [cases, features]
  LearnedTable learned_;
  std::vector<bool> there_;  // of each case; empty where none may lack it
};

class Maker {
 public:
  Maker(const TableOptions& options, const InputPlace& place) : options_(options), place_(place) {}

  InputPtr make() {
    LearnedTable learned;
    if (place_.learned)
      Fields::read(*place_.learned, learned);
    else
      for (const std::string& name : options_.columns) learned.columns.push_back(learn(name));
    if (learned.columns.empty())
      throw config_error("data.inputs." + place_.name + ".columns: found none, wanted one or more");
    int64_t width = 0;
    for (const LearnedColumn& column : learned.columns) width += 1 + column.indicator;
    const torch::Tensor values = torch::zeros({static_cast<int64_t>(place_.rows.size()), width});
    int64_t at = 0;
    for (const LearnedColumn& column : learned.columns) {
      fill(column, values.mutable_data_ptr<float>() + at, width);
      at += 1 + column.indicator;
    }
    return std::make_shared<TableInput>(values, std::move(learned), there());
  }

 private:
  /// Whether a row has any of the columns; empty where each must.
  std::vector<bool> there() const {
    if (!options_.optional) return {};
    std::vector<bool> result(place_.rows.size());
    for (const std::string& name : options_.columns) {
      const int64_t position = place_.rows.table.column(name);
      for (size_t i = 0; i < result.size(); ++i)
        if (!missing(place_.rows.cell(i, position))) result[i] = true;
    }
    return result;
  }

  bool missing(std::string_view cell) const {
    return std::ranges::find(options_.missing, cell) != options_.missing.end();
  }

  bool listed(const std::string& name) const {
    return std::ranges::find(options_.categories, name) != options_.categories.end();
  }

  LearnedColumn learn(const std::string& name) const {
    const int64_t position = place_.rows.table.column(name);
    LearnedColumn column{.name = name, .category = listed(name)};
    std::vector<double> numbers;
    std::set<std::string> texts;
    size_t words = 0;
    for (const size_t i : place_.training) {
      const std::string_view cell = place_.rows.cell(i, position);
      if (missing(cell)) continue;
      const auto number = finite_number(cell);
      if (number)
        numbers.push_back(*number);
      else
        ++words;
      if (texts.size() <= kMostCategories) texts.emplace(cell);
    }
    // One odd cell among numbers is a slip of the pen, which `fill` complains of by its line.
    column.category |= words > numbers.size();
    if (column.category) {
      if (texts.size() > kMostCategories)
        throw data_error(fmt::format(
            "{}: column '{}': found more than {} different texts among the training rows, wanted "
            "categories or numbers; is this the right column?",
            place_.rows.table.name(), name, kMostCategories));
      column.categories.assign(texts.begin(), texts.end());
      return column;
    }
    if (numbers.empty())
      throw data_error(fmt::format("{}: column '{}': no training row has a value; leave it out",
                                   place_.rows.table.name(), name));
    column.indicator = numbers.size() + words < place_.training.size();
    const Spread spread = spread_of(numbers);
    column.mean = spread.mean;
    column.deviation = spread.deviation > 0 ? spread.deviation : 1;
    const auto middle = numbers.begin() + static_cast<int64_t>((numbers.size() - 1) / 2);
    std::nth_element(numbers.begin(), middle, numbers.end());
    column.median = *middle;
    return column;
  }

  void fill(const LearnedColumn& column, float* to, int64_t width) const {
    const int64_t position = place_.rows.table.column(column.name);
    for (size_t i = 0; i < place_.rows.size(); ++i, to += width) {
      const std::string_view cell = place_.rows.cell(i, position);
      const bool absent = missing(cell);
      if (column.category) {
        const auto found = std::ranges::find(column.categories, cell);
        const bool known = !absent && found != column.categories.end();
        to[0] = known ? static_cast<float>(found - column.categories.begin() + 1) : 0;
        continue;
      }
      const auto number = absent ? column.median : finite_number(cell);
      if (!number)
        throw data_error(fmt::format(
            "{}: {}: column '{}': found '{}', wanted a finite number; correct it, name it in "
            "data.inputs.{}.missing, or list the column in its `categories`",
            place_.rows.table.name(), place_.rows.place(i), column.name, storage::escaped(cell, 40),
            place_.name));
      to[0] = static_cast<float>((*number - column.mean) / column.deviation);
      if (column.indicator) to[1] = absent ? 1.0f : 0.0f;
    }
  }

  const TableOptions& options_;
  const InputPlace& place_;
};

}  // namespace

InputPtr table_input(const TableOptions& options, const InputPlace& place) {
  for (const std::string& name : options.categories)
    if (std::ranges::find(options.columns, name) == options.columns.end())
      throw config_error(
          fmt::format("data.inputs.{}.categories: found '{}', which `columns` does not list",
                      place.name, name));
  return Maker(options, place).make();
}

}  // namespace fovea::sources
