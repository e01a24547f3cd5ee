#include "report/section_parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace fovea::report {

using metrics::Clusters;

Section begin_section(const metrics::Evaluated& evaluated, std::span<const std::string> groups,
                      const metrics::Coverage& coverage, const Asked& asked) {
  Section section;
  section.coverage = coverage;
  section.n = evaluated.cases();
  const bool named = std::ranges::any_of(groups, [](const auto& group) { return !group.empty(); });
  const Clusters clusters =
      metrics::clusters_of(named ? groups : std::span<const std::string>(), evaluated.cases());
  section.patients = named ? clusters.count : 0;
  section.clustered = !clusters.single();
  section.estimates = metrics::estimates(evaluated, clusters, asked.bootstrap);
  for (const metrics::Grouping& grouping : asked.groupings) {
    metrics::Grouping own = grouping;  // of the cases that are used
    own.of_case.clear();
    for (const uint32_t row : coverage.rows) own.of_case.push_back(grouping.of_case.at(row));
    section.subgroups.push_back(
        metrics::subgroups(evaluated, clusters, own, asked.bootstrap, asked.tell_all));
  }
  if (section.n == 0) {
    section.warnings.emplace_back("No case was evaluated.");
    return section;
  }
  if (!named) {
    section.warnings.emplace_back(
        "The data name no patients, so each case is taken for a patient of its own: where patients "
        "have several cases, the intervals are too narrow.");
  } else if (section.patients == 1) {
    section.warnings.emplace_back("All cases are of one patient: nothing can be said of others.");
  }
  return section;
}

void keep_worst(std::vector<Failure>& failures) {
  std::ranges::stable_sort(failures,
                           [](const Failure& a, const Failure& b) { return a.margin > b.margin; });
  std::vector<std::pair<std::string, size_t>> counted;
  std::erase_if(failures, [&](const Failure& failure) {
    auto known = std::ranges::find(counted, failure.type, &std::pair<std::string, size_t>::first);
    if (known == counted.end()) known = counted.insert(counted.end(), {failure.type, 0});
    return ++known->second > kFailures;
  });
}

}  // namespace fovea::report
