// The section of entities in texts. It holds nothing of the texts themselves.
#include <fmt/format.h>

#include "report/section_parts.h"

namespace fovea::report {

Section section_of(const std::vector<metrics::TaggedText>& texts,
                   const std::vector<std::string>& ids, const std::vector<std::string>& groups,
                   const std::vector<std::string>& types, const metrics::Coverage& coverage,
                   const Asked& asked) {
  Section section = begin_section(*metrics::evaluated(texts, types), groups, coverage, asked);
  section.type = "tagging";
  int64_t cut = 0, unalignable = 0;
  for (size_t k = 0; k < types.size(); ++k) {
    const metrics::EntityCounts counts = metrics::count_entities(texts, k);
    section.classes.push_back({types[k], counts.truth, counts.truth});
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    cut += texts[i].cut;
    unalignable += texts[i].unalignable;
    const metrics::EntityCounts counts = metrics::count_entities({&texts[i], 1});
    const int64_t wrong = counts.truth + counts.found - 2 * counts.right;
    if (wrong == 0) continue;
    section.failures.push_back(
        {row_of(coverage, i), ids[i], "entities", "", fmt::format("{} entities", counts.truth),
         fmt::format("{} found, {} of them right", counts.found, counts.right),
         static_cast<double>(wrong)});
  }
  if (cut + unalignable > 0)
    section.warnings.push_back(
        fmt::format("Of the true entities {} lie beyond what the model was given of their texts, "
                    "and {} inside a "
                    "token or another entity: it could not find them, and they count as missed.",
                    cut, unalignable));
  keep_worst(section.failures);
  return section;
}

}  // namespace fovea::report
