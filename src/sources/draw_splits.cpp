#include "sources/draw_splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/text.h"

namespace fovea::sources {
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

std::vector<std::vector<int64_t>> classes_of(const targets::Target& target,
                                             const std::vector<int64_t>& cases) {
  std::vector<std::vector<int64_t>> result;
  for (const int64_t i : cases) result.push_back(target.classes_of(i));
  return result;
}

std::vector<int64_t> strata(const std::vector<std::vector<int64_t>>& classes, bool exclusive,
                            size_t width, const std::vector<std::string>& groups, int64_t least) {
  const size_t n = classes.size();
  const auto none = static_cast<int64_t>(width);
  std::vector<int64_t> result(n, none);
  if (exclusive) {
    for (size_t i = 0; i < n; ++i)
      if (!classes[i].empty()) result[i] = classes[i][0];
    if (std::ranges::find(result, none) == result.end()) return result;
    return with_rare_joined(std::move(result), width, groups, least);
  }
  std::vector<int64_t> cases(width, 0);
  std::vector<std::set<std::string_view>> holders(width);
  for (size_t i = 0; i < n; ++i)
    for (const int64_t k : classes[i]) {
      ++cases[static_cast<size_t>(k)];
      if (!groups.empty()) holders[static_cast<size_t>(k)].insert(groups[i]);
    }
  for (size_t i = 0; i < n; ++i)
    for (const int64_t k : classes[i]) {
      const auto own = static_cast<size_t>(k);
      if ((groups.empty() ? cases[own] : std::ssize(holders[own])) < least) continue;
      const auto best = static_cast<size_t>(result[i]);
      if (best == width || cases[own] < cases[best]) result[i] = k;
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

std::string why_not_a_split(std::string_view word) {
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
      "'{}' is not a split{}; the splits are train (training), val (valid, validation, "
      "dev) and test (testing)",
      storage::escaped(word, 40), near.empty() ? "" : " (did you mean '" + near + "'?)");
}

std::vector<std::string> draw_splits(const SplitOptions& options,
                                     const std::vector<targets::TargetPtr>& targets,
                                     const std::vector<int64_t>& cases,
                                     const std::vector<std::string>& groups, uint64_t seed) {
  if (options.fractions.empty())
    throw config_error(
        "nothing says which cases train, validate and test",
        "set DataOptions::split to a column of the table, or to shares such as {train: 0.7, "
        "val: 0.1, test: 0.2} or {test: 1}");
  Fractions fractions = options.fractions;
  for (auto& [name, share] : fractions) {
    if (const std::string why = why_not_a_split(name); !why.empty())
      throw config_error("DataOptions::split: " + why);
    name = split_named(name);
  }
  std::vector<int64_t> classes(cases.size(), 0);
  const auto first = std::ranges::find_if(
      targets, [](const targets::TargetPtr& one) { return one->has_classes(); });
  if (first != targets.end())
    classes = strata(classes_of(**first, cases), !(*first)->spec().multi_label(),
                     (*first)->spec().classes.size(), groups, std::ssize(fractions));
  const bool named = first != targets.end();
  return split(groups, classes, fractions, seed,
               named ? (*first)->spec().classes : std::vector<std::string>());
}

}  // namespace fovea::sources
