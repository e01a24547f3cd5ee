// The section of numbers.
#include <cmath>

#include "fovea/core/text.h"
#include "report/section_parts.h"

namespace fovea::report {

Section section_of(const metrics::Numbers& numbers, const metrics::Coverage& coverage,
                   const Asked& asked) {
  Section section = begin_section(*metrics::evaluated(numbers), numbers.groups, coverage, asked);
  section.type = "regression";
  const metrics::Agreement agreement = metrics::limits_of_agreement(numbers);
  section.tables.push_back(
      {.title = "Limits of agreement",
       .note =
           "Bland and Altman 1986: bias ± 1.96 standard deviations of predicted - true. Of cases "
           "like these, 95 % are expected to lie between them.",
       .columns = {"lower limit", "bias", "upper limit"},
       .rows = {{agreement.low.value, agreement.bias.value, agreement.high.value}}});
  section.plots = {{"scatter.svg", "Predicted against true",
                    "Predicted numbers against true ones, with the line where both are equal."},
                   {"bland_altman.svg", "Bland and Altman",
                    "Predicted less true against their mean, with the limits of agreement."}};
  for (size_t i = 0; i < numbers.cases(); ++i) {
    const double error = numbers.predicted[i] - numbers.targets[i];
    if (error == 0) continue;
    section.failures.push_back({row_of(coverage, i), numbers.ids[i], "error", "",
                                number(numbers.targets[i]), number(numbers.predicted[i]),
                                std::abs(error)});
  }
  keep_worst(section.failures);
  return section;
}

}  // namespace fovea::report
