#include "fovea/targets/classes.h"

#include <fmt/format.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "targets/labels.h"

namespace fovea::targets {
namespace {

/// One class of several: int64 [N], -1 where it is not known. Several labels at once: float32 [N, L]
/// of 0 and 1, NaN where one is not known.
class ClassTarget final : public TensorTarget {
 public:
  ClassTarget(TargetSpec spec, torch::Tensor values, tables::Findings findings) {
    spec_ = std::move(spec);
    values_ = std::move(values);
    findings_ = std::move(findings);
  }

  bool has_classes() const override { return true; }

  std::vector<int64_t> classes_of(int64_t index) const override {
    if (!spec_.multi_label()) {
      const int64_t k = values_.const_data_ptr<int64_t>()[index];
      return k < 0 ? std::vector<int64_t>{} : std::vector{k};
    }
    std::vector<int64_t> classes;
    for (size_t k = 0; k < spec_.classes.size(); ++k)
      if (answer(index, k) == 1) classes.push_back(static_cast<int64_t>(k));
    return classes;
  }

  std::vector<TruthColumn> columns() const override {
    std::vector<TruthColumn> all(spec_.multi_label() ? spec_.classes.size() : 1);
    for (size_t k = 0; k < all.size(); ++k) {
      if (spec_.multi_label()) all[k].label = spec_.classes[k];
      for (int64_t i = 0; i < values_.size(0); ++i) {
        const double value = spec_.multi_label()
                                 ? answer(i, k)
                                 : static_cast<double>(values_.const_data_ptr<int64_t>()[i]);
        all[k].values.push_back(value < 0 ? std::nan("") : value);
      }
    }
    return all;
  }

  std::string summary() const override {
    std::vector<int64_t> counts(spec_.classes.size());
    int64_t unknown = 0;
    for (int64_t i = 0; i < values_.size(0); ++i) {
      for (const int64_t k : classes_of(i)) ++counts[static_cast<size_t>(k)];
      unknown += !known(i);
    }
    std::vector<std::string> shown;
    for (size_t k = 0; k < counts.size(); ++k)
      shown.push_back(fmt::format("{} {}", spec_.classes[k], counts[k]));
    return fmt::format("{} {}{}", spec_.type, join(shown, ", ", 20),
                       unknown > 0 ? fmt::format("; {} not known", unknown) : "");
  }

  void fit(const std::vector<int64_t>& training, bool any) override {
    spec_.counts.assign(spec_.classes.size(), 0);
    if (spec_.multi_label()) spec_.known.assign(spec_.classes.size(), 0);
    for (const int64_t i : training) {
      for (const int64_t k : classes_of(i)) ++spec_.counts[static_cast<size_t>(k)];
      for (size_t k = 0; k < spec_.known.size(); ++k) spec_.known[k] += !std::isnan(answer(i, k));
    }
    std::vector<std::string> shown;
    for (size_t k = 0; k < spec_.counts.size(); ++k)
      shown.push_back(fmt::format("{} {}", spec_.classes[k], spec_.counts[k]));
    for (size_t k = 0; any && k < spec_.counts.size(); ++k)
      if (spec_.counts[k] == 0)
        throw data_error(fmt::format(
            "target '{}': the class '{}' has no case in the split 'train' (counts: {}); leave it "
            "out of the classes or split otherwise",
            spec_.name, spec_.classes[k], join(shown)));
  }

 private:
  float answer(int64_t index, size_t k) const {
    return values_.const_data_ptr<float>()[static_cast<size_t>(index) * spec_.classes.size() + k];
  }
};

}  // namespace

TargetPtr classes_of_cases(TargetSpec spec, torch::Tensor values, tables::Findings findings) {
  return std::make_shared<ClassTarget>(std::move(spec), std::move(values), std::move(findings));
}

TargetPtr class_target(const ClassesOptions& options, const TargetPlace& place) {
  if (options.column.empty())
    throw config_error(
        "the target '" + place.name + "' has no column",
        "name the table's column of labels in DataOptions::targets." + place.name + ".column");
  LabelTexts texts;
  texts.where = fmt::format("{}: column{} '{}'", place.where, options.column.size() > 1 ? "s" : "",
                            join(options.column, "', '", 8));
  texts.columns = options.column;
  for (const std::string& column : options.column) texts.cells.push_back(place.cells(column));
  texts.place = place.line;
  texts.decimal = place.format.decimal;
  texts.symbols = place.symbols;
  return read_labels(place.name, options, texts);
}

TargetChoice::TargetChoice(ClassesOptions options) : TargetChoice() {
  set("classes", std::move(options));
}

ClassesOptions classes_options(const std::string& name, const TargetChoice& target) {
  if (const auto* classes = target.as<ClassesOptions>()) return *classes;
  throw config_error("DataOptions::targets." + name + ": found the type '" + target.name() +
                     "', wanted classes: only the rows of a table have other targets");
}

}  // namespace fovea::targets
