#include "sources/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/text.h"
#include "sources/numbers.h"

namespace fovea::sources {

namespace {

// Of the training cases; of all where there is no training split.
void measure(TargetSpec& spec, const torch::Tensor& values,
             const std::vector<std::string>& splits) {
  const bool any = std::ranges::find(splits, "train") != splits.end();
  std::vector<double> numbers;
  for (size_t i = 0; i < splits.size(); ++i) {
    if (any && splits[i] != "train") continue;
    const auto value = values[static_cast<int64_t>(i)].item<double>();
    if (!std::isnan(value)) numbers.push_back(value);
  }
  if (numbers.empty())
    throw data_error(fmt::format("target '{}': no training case has its number", spec.name));
  const Spread spread = spread_of(numbers);
  spec.mean = spread.mean;
  spec.deviation = spread.deviation > 0 ? spread.deviation : 1;
}

void count_classes(TargetSpec& spec, const torch::Tensor& values,
                   const std::vector<std::string>& splits) {
  const bool any = std::ranges::find(splits, "train") != splits.end();
  spec.counts.assign(spec.classes.size(), 0);
  if (spec.multi_label()) spec.known.assign(spec.classes.size(), 0);
  for (size_t i = 0; i < splits.size(); ++i) {
    if (any && splits[i] != "train") continue;
    const auto row = static_cast<int64_t>(i);
    if (!spec.multi_label()) {
      const auto k = values[row].item<int64_t>();
      if (k >= 0) ++spec.counts[static_cast<size_t>(k)];
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

}  // namespace

TargetSpec learned_from_training(const Labels& labels, const std::vector<std::string>& splits) {
  TargetSpec spec = labels.spec;
  if (spec.kind == TargetKind::number) {
    measure(spec, labels.values, splits);
  } else if (spec.kind == TargetKind::tags) {
    const bool any = std::ranges::find(splits, "train") != splits.end();
    spec.counts.assign(spec.classes.size(), 0);
    for (size_t i = 0; i < splits.size(); ++i)
      if (!any || splits[i] == "train")
        for (const TextSpan& span : labels.spans_of(static_cast<int64_t>(i)))
          ++spec.counts[static_cast<size_t>(span.type)];
  } else {
    count_classes(spec, labels.values, splits);
  }
  return spec;
}

namespace {

// What is left of a rare stratum joins the cases without a label (stratum `width`); where those are
// few too, there are no strata.
std::vector<int64_t> with_rare_joined(std::vector<int64_t> result, size_t width,
                                      const std::vector<std::string>& groups, int64_t least) {
  const size_t n = result.size();
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

}  // namespace

std::vector<int64_t> strata(const Labels& labels, const std::vector<std::string>& groups,
                            int64_t least) {
  const auto n = static_cast<size_t>(labels.values.size(0));
  const auto width = labels.spec.classes.size();
  std::vector<int64_t> result(n, static_cast<int64_t>(width));
  if (labels.spec.kind == TargetKind::classes) {
    const auto* values = labels.values.data_ptr<int64_t>();
    result.assign(values, values + n);
    if (std::ranges::find(result, -1) == result.end()) return result;
    std::ranges::replace(result, int64_t{-1}, static_cast<int64_t>(width));
    return with_rare_joined(std::move(result), width, groups, least);
  }
  const auto* values = labels.values.data_ptr<float>();
  std::vector<int64_t> cases(width, 0);
  std::vector<std::set<std::string_view>> holders(width);
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < width; ++k)
      if (values[i * width + k] == 1) {
        ++cases[k];
        if (!groups.empty()) holders[k].insert(groups[i]);
      }
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < width; ++k) {
      const int64_t own = groups.empty() ? cases[k] : static_cast<int64_t>(holders[k].size());
      if (values[i * width + k] != 1 || own < least) continue;
      const auto best = static_cast<size_t>(result[i]);
      if (best == width || cases[k] < cases[best]) result[i] = static_cast<int64_t>(k);
    }
  return with_rare_joined(std::move(result), width, groups, least);
}

namespace {

const std::vector<std::pair<std::string, std::string>>& known_splits() {
  static const std::vector<std::pair<std::string, std::string>> known = {
      {"train", "train"},    {"training", "train"}, {"val", "val"},   {"valid", "val"},
      {"validation", "val"}, {"dev", "val"},        {"test", "test"}, {"testing", "test"}};
  return known;
}

std::string lower_trimmed(std::string_view word) {
  std::string low(storage::trimmed(word));
  for (char& c : low)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return low;
}

}  // namespace

std::string split_named(std::string_view word) {
  const std::string low = lower_trimmed(word);
  for (const auto& [name, split] : known_splits())
    if (low == name) return split;
  return std::string(storage::trimmed(word));
}

std::string why_no_split(std::string_view word) {
  const std::string low = lower_trimmed(word);
  std::vector<std::string> names;
  for (const auto& [name, split] : known_splits()) {
    if (low == name) return "";
    names.push_back(name);
  }
  std::string near = nearest(low, names);
  // testset, validate and trainingset, but not test_hospital_b.
  for (const char* begin : {"train", "val", "test"})
    if (near.empty() && low.starts_with(begin) &&
        std::isalnum(static_cast<unsigned char>(low[std::string_view(begin).size()])))
      near = begin;
  constexpr size_t kShortest = 4;  // 0, 1, tr, cv: names that say nothing
  if (near.empty() && low.size() >= kShortest &&
      low.find_first_not_of("0123456789.") != std::string::npos)
    return "";
  return fmt::format(
      "'{}' is no split{}; the splits are train (training), val (valid, validation, "
      "dev) and test (testing)",
      storage::escaped(word, 40), near.empty() ? "" : " (did you mean '" + near + "'?)");
}

std::vector<std::string> draw_splits(const SplitOptions& options, const std::vector<Labels>& labels,
                                     const std::vector<std::string>& groups, size_t cases,
                                     uint64_t seed) {
  if (options.fractions.empty())
    throw config_error(
        "nothing says which cases train, validate and test",
        "set DataOptions::split to a column of the table, or to shares such as {train: 0.7, "
        "val: 0.1, test: 0.2} or {test: 1}");
  Fractions fractions = options.fractions;
  for (auto& [name, share] : fractions) {
    if (const std::string why = why_no_split(name); !why.empty())
      throw config_error("DataOptions::split: " + why);
    name = split_named(name);
  }
  std::vector<int64_t> classes(cases, 0);
  const auto first = std::ranges::find_if(labels, [](const Labels& one) {
    return one.spec.kind == TargetKind::classes || one.spec.multi_label();
  });
  if (first != labels.end())
    classes = strata(*first, groups, static_cast<int64_t>(fractions.size()));
  return split(groups, classes, fractions, seed);
}

}  // namespace fovea::sources
