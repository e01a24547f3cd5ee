#include "sources/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/storage/text.h"

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

// Collects what is wrong, so that one message tells it all.
class Complaints {
 public:
  void add(size_t i, std::string_view found) {
    ++count_;
    if (cases_.size() < 5) cases_.push_back(i);
    if (values_.size() < 10) values_.insert("'" + storage::escaped(found, 40) + "'");
  }

  void raise(const LabelTexts& texts, const std::string& wanted) const {
    if (count_ == 0) return;
    std::vector<std::string> places;
    for (const size_t i : cases_) places.push_back(texts.place(i));
    throw data_error(fmt::format(
        "{}: {} labels are wrong ({}{}): found {}, wanted {}; correct them, or name the text that "
        "means 'not known' in `missing`",
        texts.where, count_, join(places), count_ > places.size() ? ", …" : "",
        join({values_.begin(), values_.end()}), wanted));
  }

 private:
  size_t count_ = 0;
  std::vector<size_t> cases_;
  std::set<std::string> values_;
};

class Reader {
 public:
  Reader(const TargetOptions& options, const LabelTexts& texts)
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
    complaints.raise(texts_, class_list());
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
    complaints.raise(texts_, class_list());
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
    complaints.raise(texts_, "0 or 1 in each of the columns " + join(texts_.columns));
  }

  float* room() {
    labels_.spec.multi_label = true;
    labels_.values = torch::zeros(
        {static_cast<int64_t>(cases_), static_cast<int64_t>(labels_.spec.classes.size())});
    return labels_.values.data_ptr<float>();
  }

  std::string class_list() const {
    return fmt::format("one of the {} classes {} or an index from 0 on", index_.size(),
                       join(labels_.spec.classes, ", ", 20));
  }

  const TargetOptions& options_;
  const LabelTexts& texts_;
  size_t cases_;
  Labels labels_;
  std::unordered_map<std::string, int64_t> index_;
};

}  // namespace

Labels read_labels(const std::string& name, const TargetOptions& options, const LabelTexts& texts) {
  return Reader(options, texts).read(name);
}

void count_classes(TargetSpec& spec, const torch::Tensor& values,
                   const std::vector<std::string>& splits) {
  const bool any = std::ranges::find(splits, "train") != splits.end();
  spec.counts.assign(spec.classes.size(), 0);
  if (spec.multi_label) spec.known.assign(spec.classes.size(), 0);
  for (size_t i = 0; i < splits.size(); ++i) {
    if (any && splits[i] != "train") continue;
    const auto row = static_cast<int64_t>(i);
    if (!spec.multi_label) {
      ++spec.counts[static_cast<size_t>(values[row].item<int64_t>())];
      continue;
    }
    for (size_t k = 0; k < spec.counts.size(); ++k) {
      const float answer = values[row][static_cast<int64_t>(k)].item<float>();
      spec.counts[k] += answer == 1;
      spec.known[k] += !std::isnan(answer);
    }
  }
  std::vector<std::string> shown;
  for (size_t k = 0; k < spec.counts.size(); ++k)
    shown.push_back(fmt::format("{} {}", spec.classes[k], spec.counts[k]));
  for (size_t k = 0; any && k < spec.counts.size(); ++k)
    if (spec.counts[k] == 0)
      throw data_error(fmt::format(
          "target '{}': the class '{}' has no case in the split 'train' (counts: {}); leave it out "
          "of the classes or split otherwise",
          spec.name, spec.classes[k], join(shown)));
}

std::vector<int64_t> strata(const Labels& labels, const std::vector<std::string>& groups,
                            int64_t least) {
  const auto n = static_cast<size_t>(labels.values.size(0));
  if (!labels.spec.multi_label) {
    const auto* values = labels.values.data_ptr<int64_t>();
    return {values, values + n};
  }
  const auto width = static_cast<size_t>(labels.values.size(1));
  const auto* values = labels.values.data_ptr<float>();
  std::vector<int64_t> cases(width, 0);
  std::vector<std::set<std::string_view>> holders(width);
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < width; ++k)
      if (values[i * width + k] == 1) {
        ++cases[k];
        if (!groups.empty()) holders[k].insert(groups[i]);
      }
  std::vector<int64_t> result(n, static_cast<int64_t>(width));
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < width; ++k) {
      const int64_t own = groups.empty() ? cases[k] : static_cast<int64_t>(holders[k].size());
      if (values[i * width + k] != 1 || own < least) continue;
      const auto best = static_cast<size_t>(result[i]);
      if (best == width || cases[k] < cases[best]) result[i] = static_cast<int64_t>(k);
    }
  // What is left of a rare stratum joins the cases without a label; where those are few too, there
  // are no strata.
  const auto too_rare = [&](int64_t stratum) {
    std::set<std::string> own;
    for (size_t i = 0; i < n; ++i)
      if (result[i] == stratum) own.insert(groups.empty() ? std::to_string(i) : groups[i]);
    return !own.empty() && static_cast<int64_t>(own.size()) < least;
  };
  const auto unlabelled = static_cast<int64_t>(width);
  for (int64_t k = 0; k < unlabelled; ++k)
    if (too_rare(k)) std::ranges::replace(result, k, unlabelled);
  if (too_rare(unlabelled)) std::ranges::fill(result, 0);
  return result;
}

std::string split_named(std::string_view word) {
  std::string low(word);
  std::ranges::transform(low, low.begin(), [](unsigned char c) { return std::tolower(c); });
  if (low == "training" || low == "train") return "train";
  if (low == "validation" || low == "valid" || low == "val" || low == "dev") return "val";
  if (low == "testing" || low == "test") return "test";
  return std::string(word);
}

std::vector<std::string> draw_splits(const SplitOptions& options, const std::vector<Labels>& labels,
                                     const std::vector<std::string>& groups, size_t cases,
                                     uint64_t seed) {
  if (options.fractions.empty())
    throw config_error(
        "data.split is missing: name a column of the table, or give shares such as {train: 0.7, "
        "val: 0.1, test: 0.2} or {test: 1}");
  Fractions fractions = options.fractions;
  for (auto& [name, share] : fractions) name = split_named(name);
  std::vector<int64_t> classes(cases, 0);
  if (!labels.empty()) classes = strata(labels[0], groups, static_cast<int64_t>(fractions.size()));
  return split(groups, classes, fractions, seed);
}

}  // namespace fovea::sources
