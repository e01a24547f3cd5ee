#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <set>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "sources/complaints.h"
#include "sources/targets.h"

namespace fovea::sources {
namespace {

constexpr size_t kMostClasses = 1000;

std::optional<int64_t> whole(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// Numbers by value, then words by letters.
bool before(const std::string& a, const std::string& b) {
  const auto x = whole(a);
  const auto y = whole(b);
  if (x && y) return *x < *y;
  if (x.has_value() != y.has_value()) return x.has_value();
  return a < b;
}

std::vector<std::string_view> parts(std::string_view text, const std::string& separator) {
  std::vector<std::string_view> result;
  while (true) {
    const size_t at = text.find(separator);
    result.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return result;
    text.remove_prefix(at + separator.size());
  }
}

class Reader {
 public:
  Reader(const ClassesOptions& options, const LabelTexts& texts)
      : options_(options), texts_(texts), cases_(texts.cells[0].size()) {}

  Labels read(const std::string& name) {
    labels_.spec.name = name;
    if (texts_.cells.size() > 1) {
      read_columns();
    } else {
      choose_classes();
      options_.separator.empty() ? read_classes() : read_lists();
    }
    return std::move(labels_);
  }

 private:
  bool missing(std::string_view text) const {
    return std::ranges::find(options_.missing, text) != options_.missing.end();
  }

  std::vector<std::string_view> labels_of(std::string_view cell) const {
    if (options_.separator.empty()) return {cell};
    if (!options_.none.empty() && cell == options_.none) return {};
    return parts(cell, options_.separator);
  }

  void choose_classes() {
    std::vector<std::string>& classes = labels_.spec.classes;
    classes = options_.classes;
    if (classes.empty()) {
      std::set<std::string, bool (*)(const std::string&, const std::string&)> found(before);
      for (const std::string_view cell : texts_.cells[0]) {
        if (missing(cell)) continue;
        for (const std::string_view label : labels_of(cell))
          if (!label.empty()) found.emplace(label);
        if (found.size() > kMostClasses)
          throw data_error(fmt::format(
              "{}: found more than {} different values, wanted classes; is this the right column? "
              "Else list its `classes`",
              texts_.where, kMostClasses));
      }
      classes.assign(found.begin(), found.end());
    }
    if (classes.size() < 2 && options_.separator.empty())
      throw data_error(fmt::format("{}: found {} class{}, wanted at least 2", texts_.where,
                                   classes.size(),
                                   classes.empty() ? "es" : " ('" + classes[0] + "')"));
    for (size_t k = 0; k < classes.size(); ++k)
      if (!index_.emplace(classes[k], static_cast<int64_t>(k)).second)
        throw config_error(fmt::format("targets: the class '{}' is listed twice", classes[k]));
  }

  // A name of the list wins; a whole number is an index.
  int64_t class_of(std::string_view text) const {
    const auto found = index_.find(std::string(text));
    if (found != index_.end()) return found->second;
    const auto number = whole(text);
    return number && *number >= 0 && *number < static_cast<int64_t>(index_.size()) ? *number : -1;
  }

  void read_classes() {
    labels_.values = torch::full({static_cast<int64_t>(cases_)}, -1, torch::kInt64);
    auto* values = labels_.values.data_ptr<int64_t>();
    Complaints complaints;
    for (size_t i = 0; i < cases_; ++i) {
      const std::string_view cell = texts_.cells[0][i];
      if (missing(cell)) continue;
      values[i] = class_of(cell);
      if (values[i] < 0) complaints.add(i, cell);
    }
    complaints.raise(texts_.where, texts_.place, class_list());
  }

  void read_lists() {
    float* values = room();
    const size_t width = labels_.spec.classes.size();
    Complaints complaints;
    for (size_t i = 0; i < cases_; ++i) {
      const std::string_view cell = texts_.cells[0][i];
      if (missing(cell)) {
        std::fill_n(values + i * width, width, std::numeric_limits<float>::quiet_NaN());
        continue;
      }
      for (const std::string_view label : labels_of(cell)) {
        const int64_t k = class_of(label);
        if (k < 0)
          complaints.add(i, label);
        else
          values[i * width + static_cast<size_t>(k)] = 1;
      }
    }
    complaints.raise(texts_.where, texts_.place, class_list());
  }

  void read_columns() {
    labels_.spec.classes = options_.classes.empty() ? texts_.columns : options_.classes;
    if (labels_.spec.classes.size() != texts_.columns.size())
      throw config_error(fmt::format("targets: found {} classes for {} columns, wanted one each",
                                     labels_.spec.classes.size(), texts_.columns.size()));
    float* values = room();
    const size_t width = texts_.columns.size();
    Complaints complaints;
    for (size_t i = 0; i < cases_; ++i)
      for (size_t k = 0; k < width; ++k) {
        const std::string_view cell = texts_.cells[k][i];
        float& value = values[i * width + k];
        if (missing(cell))
          value = std::numeric_limits<float>::quiet_NaN();
        else if (cell == "1" || cell == "1.0")
          value = 1;
        else if (cell != "0" && cell != "0.0")
          complaints.add(i, cell);
      }
    complaints.raise(texts_.where, texts_.place,
                     "0 or 1 in each of the columns " + join(texts_.columns));
  }

  float* room() {
    labels_.spec.kind = TargetKind::labels;
    labels_.values = torch::zeros(
        {static_cast<int64_t>(cases_), static_cast<int64_t>(labels_.spec.classes.size())});
    return labels_.values.data_ptr<float>();
  }

  std::string class_list() const {
    return fmt::format("one of the {} classes {} or an index from 0 on", index_.size(),
                       join(labels_.spec.classes, ", ", 20));
  }

  const ClassesOptions& options_;
  const LabelTexts& texts_;
  size_t cases_;
  Labels labels_;
  std::unordered_map<std::string, int64_t> index_;
};

}  // namespace

Labels read_labels(const std::string& name, const ClassesOptions& options,
                   const LabelTexts& texts) {
  return Reader(options, texts).read(name);
}

Labels class_target(const ClassesOptions& options, const TargetPlace& place) {
  if (options.column.empty())
    throw config_error("data.targets." + place.name +
                       ".column is missing: name the table's column of labels");
  LabelTexts texts;
  texts.where = fmt::format("{}: column{} '{}'", place.where, options.column.size() > 1 ? "s" : "",
                            join(options.column, "', '", 8));
  texts.columns = options.column;
  for (const std::string& column : options.column) texts.cells.push_back(place.cells(column));
  texts.place = place.line;
  return read_labels(place.name, options, texts);
}

}  // namespace fovea::sources
