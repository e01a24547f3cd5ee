#include "metrics/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "fovea/core/error.h"
#include "metrics/check.h"

namespace fovea::metrics {
namespace {

constexpr int64_t kMost =
    1'000'000'000'000'000;  // cases of a cell, or pairs; sums of them are exact

}  // namespace

Cells regrouped(const Cells& cells, std::span<const int> group, size_t groups) {
  Cells result{.counts = std::vector<int64_t>(groups), .patients = cells.patients, .pairs = {}};
  for (size_t i = 0; i < group.size(); ++i)
    if (group[i] >= 0) result.counts[static_cast<size_t>(group[i])] += cells.counts[i];
  if (cells.single()) return result;
  result.pairs.resize(groups * (groups + 1) / 2);
  for (size_t i = 0; i < group.size(); ++i)
    for (size_t j = 0; j < group.size(); ++j)
      if (group[j] >= 0 && group[i] >= group[j])
        result.pairs[place(static_cast<size_t>(group[i]), static_cast<size_t>(group[j]))] +=
            cells.pairs[place(i, j)];
  return result;
}

int64_t Cells::cases() const { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }

void Cells::check() const {
  const auto refuse = [](const std::string& what) {
    throw data_error("counts of cells: " + what, "make the profile of the training data anew");
  };
  const size_t k = counts.size();
  for (const int64_t count : counts)
    if (count < 0 || count > kMost) refuse(fmt::format("a cell holds {} cases", count));
  if (patients < 0 || patients > cases() || (patients == 0) != (cases() == 0))
    refuse(fmt::format("found {} patients with {} cases", patients, cases()));
  if (single()) {
    if (patients != cases())
      refuse(fmt::format("found {} patients with {} cases, and no pairs of their cases", patients,
                         cases()));
    return;
  }
  if (pairs.size() != k * (k + 1) / 2)
    refuse(fmt::format("found {} numbers of pairs for {} cells, wanted {}", pairs.size(), k,
                       k * (k + 1) / 2));
  for (const int64_t number : pairs)
    if (number < 0 || number > kMost) refuse(fmt::format("two cells have {} pairs", number));
  for (size_t i = 0; i < k; ++i)
    if (pairs[place(i, i)] < counts[i])
      refuse(fmt::format("a cell with {} cases has {} pairs", counts[i], pairs[place(i, i)]));
}

Cells count_cells(std::span<const int32_t> cells, size_t count,
                  std::span<const uint32_t> clusters) {
  if (!clusters.empty()) check_clusters(clusters, cells.size());
  Cells result{.counts = std::vector<int64_t>(count), .patients = 0, .pairs = {}};
  std::vector<uint32_t> cases;  // those in a cell
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] < 0) continue;
    if (static_cast<size_t>(cells[i]) >= count)
      throw config_error(fmt::format("counting cells: case {} is in cell {}; wanted one below {}",
                                     i, cells[i], count));
    ++result.counts[static_cast<size_t>(cells[i])];
    cases.push_back(static_cast<uint32_t>(i));
  }
  result.patients = static_cast<int64_t>(cases.size());
  if (clusters.empty()) return result;
  std::ranges::sort(cases, {}, [&](uint32_t i) { return std::pair(clusters[i], cells[i]); });
  result.patients = 0;
  result.pairs.resize(count * (count + 1) / 2);
  std::vector<std::pair<size_t, int64_t>> own;  // the cells of a patient, and his cases in each
  for (size_t first = 0, end = 0; first < cases.size(); first = end) {
    own.clear();
    for (; end < cases.size() && clusters[cases[end]] == clusters[cases[first]]; ++end) {
      const auto cell = static_cast<size_t>(cells[cases[end]]);
      if (own.empty() || own.back().first != cell) own.emplace_back(cell, 0);
      ++own.back().second;
    }
    ++result.patients;
    for (size_t i = 0; i < own.size(); ++i)
      for (size_t j = 0; j <= i; ++j)
        result.pairs[place(own[i].first, own[j].first)] += own[i].second * own[j].second;
  }
  if (result.patients == result.cases()) result.pairs.clear();
  return result;
}

Cells pool_after(const Cells& cells, size_t kept) {
  std::vector<int> group;
  for (size_t i = 0; i < cells.counts.size(); ++i)
    group.push_back(static_cast<int>(std::min(i, kept)));
  return regrouped(cells, group, kept + 1);
}

}  // namespace fovea::metrics
