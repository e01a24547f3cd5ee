#include "fovea/metrics/subgroups.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "metrics/check.h"

namespace fovea::metrics {
namespace {

using Rows = std::vector<std::vector<uint32_t>>;  // by group

Rows rows_of(const Grouping& grouping) {
  Rows rows(grouping.values.size());
  for (size_t i = 0; i < grouping.of_case.size(); ++i)
    rows.at(grouping.of_case[i]).push_back(static_cast<uint32_t>(i));
  return rows;
}

/// The two groups that are farthest apart in one metric; none where fewer than two are large enough, or all
/// have the same value.
struct Pair {
  size_t low, high;
};
std::optional<Pair> farthest(const std::vector<GroupEstimates>& groups, size_t metric) {
  std::optional<Pair> pair;
  for (size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].small || groups[g].withheld || !groups[g].estimates[metric].value.defined())
      continue;
    const auto value = [&](size_t group) { return groups[group].estimates[metric].value.value; };
    if (!pair) pair = {g, g};
    if (value(g) < value(pair->low)) pair->low = g;
    if (value(g) > value(pair->high)) pair->high = g;
  }
  return pair && pair->low != pair->high ? pair : std::nullopt;
}

/// All metrics of some groups under one draw of patients, of whom several groups may have cases.
class GroupStatistic {
 public:
  GroupStatistic(const Evaluated& evaluated, const Rows& rows, size_t metrics)
      : rows_(rows), metrics_(metrics), values_(rows.size() * metrics) {
    for (const std::vector<uint32_t>& some : rows)
      parts_.push_back(some.empty() ? Statistic() : statistic_of(*evaluated.part(some), metrics));
  }

  const std::vector<double>& operator()(std::span<const int32_t> weights) {
    for (size_t g = 0; g < parts_.size(); ++g) {
      if (!parts_[g]) continue;
      own_.clear();
      for (const uint32_t row : rows_[g]) own_.push_back(weights[row]);
      parts_[g](own_, std::span(values_).subspan(g * metrics_, metrics_));
    }
    return values_;
  }

 private:
  const Rows& rows_;
  size_t metrics_;
  std::vector<Statistic> parts_;
  std::vector<double> values_;  // [group, metric]
  std::vector<int32_t> own_;
};

Clusters clusters_of_rows(const Clusters& clusters, std::span<const uint32_t> rows) {
  Clusters some;
  std::vector<uint32_t> number(clusters.count, UINT32_MAX);
  for (const uint32_t row : rows) {
    uint32_t& known = number[clusters.of_case[row]];
    if (known == UINT32_MAX) known = static_cast<uint32_t>(some.count++);
    some.of_case.push_back(known);
  }
  return some;
}

}  // namespace

std::vector<uint8_t> withheld(std::span<const int64_t> cases,
                              std::span<const std::vector<uint32_t>> lines) {
  std::vector<uint8_t> hidden(cases.size());
  for (size_t g = 0; g < cases.size(); ++g) hidden[g] = cases[g] > 0 && cases[g] < kWithheldBelow;
  std::vector<uint32_t> everything(cases.size());
  std::iota(everything.begin(), everything.end(), 0u);
  const std::vector<std::vector<uint32_t>> one_line{everything};
  if (lines.empty()) lines = one_line;
  // One more at a time, until no line needs one: each round withholds a group, so it ends.
  for (bool changed = true; changed;) {
    changed = false;
    for (const std::vector<uint32_t>& line : lines) {
      int64_t held = 0, groups = 0;
      const uint32_t* smallest = nullptr;
      for (const uint32_t& g : line) {
        if (hidden[g]) {
          held += cases[g];
          ++groups;
        } else if (cases[g] > 0 && (!smallest || cases[g] < cases[*smallest])) {
          smallest = &g;
        }
      }
      if (groups == 0 || (groups > 1 && held >= kWithheldBelow) || !smallest) continue;
      hidden[*smallest] = 1;
      changed = true;
    }
  }
  return hidden;
}

SubgroupEstimates subgroups(const Evaluated& evaluated, const Clusters& clusters,
                            const Grouping& grouping, const BootstrapOptions& options,
                            bool tell_all) {
  check_sizes("groups, one per case", grouping.of_case.size(), evaluated.cases());
  const Rows rows = rows_of(grouping);
  const size_t count = evaluated.overall();
  SubgroupEstimates all{.name = grouping.name};
  std::vector<int64_t> sizes;
  for (const auto& some : rows) sizes.push_back(static_cast<int64_t>(some.size()));
  const std::vector<uint8_t> hidden =
      tell_all ? std::vector<uint8_t>(rows.size()) : withheld(sizes, grouping.lines);
  for (size_t g = 0; g < rows.size(); ++g) {
    GroupEstimates& group = all.groups.emplace_back();
    const Clusters patients = clusters_of_rows(clusters, rows[g]);
    group.value = grouping.values[g];
    group.cases = sizes[g];
    group.patients = static_cast<int64_t>(patients.count);
    group.small = sizes[g] < kSmallGroup;
    group.withheld = hidden[g] != 0;
    if (!group.withheld)
      group.estimates = estimates(*evaluated.part(rows[g]), patients, options, count);
  }

  std::vector<std::optional<Pair>> pairs;
  for (size_t k = 0; k < count; ++k) pairs.push_back(farthest(all.groups, k));
  if (std::ranges::none_of(pairs, [](const auto& pair) { return pair.has_value(); })) return all;
  std::vector<Resampled> gaps(count);
  if (options.replicates > 0)
    gaps = bootstrap(
        clusters.of_case, clusters.count, count,
        [&]() -> Statistic {
          return [&pairs, count, of_groups = GroupStatistic(evaluated, rows, count)](
                     std::span<const int32_t> weights, std::span<double> values) mutable {
            const std::vector<double>& found = of_groups(weights);
            for (size_t k = 0; k < count; ++k)
              values[k] = pairs[k]
                              ? found[pairs[k]->high * count + k] - found[pairs[k]->low * count + k]
                              : NAN;
          };
        },
        options);
  const std::string by =
      clusters.single() ? "bootstrap, percentile" : "bootstrap by patients, percentile";
  for (size_t k = 0; k < count; ++k) {
    if (!pairs[k]) continue;
    const GroupEstimates &low = all.groups[pairs[k]->low], &high = all.groups[pairs[k]->high];
    all.gaps.push_back({evaluated.keys()[k],
                        low.value,
                        high.value,
                        high.estimates[k].value.value - low.estimates[k].value.value,
                        {gaps[k].percentile, by}});
  }
  return all;
}

}  // namespace fovea::metrics
