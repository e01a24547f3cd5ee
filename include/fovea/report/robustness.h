// How the main metric falls when inputs are perturbed more and more.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fovea/report/section.h"

namespace fovea::report {

/// One kind of perturbation: the metric at each strength, the first of which is 0, the cases as they are.
struct Robustness {
  std::string perturbation;  ///< "noise"
  std::string unit;          ///< of the strengths
  std::vector<double> strengths;
  std::vector<metrics::Estimate> estimates;
};

/// The metric against the strength, with its intervals.
std::string robustness_svg(const Robustness& robustness, std::string_view subtitle);

/// A row for each perturbation and strength.
Table robustness_table(const std::vector<Robustness>& all);

}  // namespace fovea::report
