// What a report says of one target: the same for every kind of target, so that a page, a comparison and a
// table on the terminal know only this.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fovea/metrics/coverage.h"
#include "fovea/metrics/entities.h"
#include "fovea/metrics/predictions.h"
#include "fovea/metrics/regression.h"
#include "fovea/metrics/subgroups.h"

namespace fovea::report {

/// What is asked of an evaluation.
struct Asked {
  std::string split = "test";
  std::vector<metrics::Grouping> groupings = {};  ///< of_case: of each case of the split
  metrics::BootstrapOptions bootstrap = {};
  bool tell_all = false;                  ///< also of groups whose cases could be recognised
  std::optional<double> prevalence = {};  ///< where the model will be used: for ppv and npv there
};

struct PlotFile {
  std::string file, title, alt;
};

/// A table for the reader. A cell that is NaN has no number.
struct Table {
  std::string title, note;
  std::vector<std::string> columns;
  std::vector<std::vector<std::variant<std::string, double>>> rows;
};

struct ClassCount {
  std::string name;
  int64_t cases = 0;
  int64_t known = 0;  ///< of which it is known whether they are of it
};

/// A case that was decided wrongly.
struct Failure {
  uint32_t row = 0;  ///< its position among all cases of the split
  std::string id;
  std::string type;      ///< "false positive", "false negative", "wrong class", "error", "entities"
  std::string of_class;  ///< which was called, or missed
  std::string truth, answer;
  double margin = 0;  ///< how far beyond the operating point; of numbers the error
  std::string image = {}, link = {};
};
inline constexpr size_t kFailures = 20;  ///< of each type

/// What a threshold decides, of a yes-or-no question: [threshold, true positives, false positives].
struct Thresholds {
  std::string of_class;
  int64_t positives = 0, negatives = 0;
  std::vector<std::array<double, 3>> steps;  ///< falling; at most kThresholdSteps
};
inline constexpr size_t kThresholdSteps = 400;

struct Section {
  std::string target;
  std::string type;    ///< "binary", "multiclass", "multilabel", "regression", "tagging"
  std::string folder;  ///< of its files, within the report's; empty: the same
  std::string line;    ///< key=value
  metrics::Coverage coverage;
  size_t n = 0;            ///< cases that the metrics are over
  size_t patients = 0;     ///< 0 where the data name none
  bool clustered = false;  ///< patients have several cases
  std::vector<ClassCount> classes;
  std::string positive_class;                                           ///< of "binary"
  std::string rule;                                                     ///< of the decision
  std::vector<std::pair<std::string, metrics::OperatingPoint>> points;  ///< by class
  std::vector<metrics::Estimate> estimates;  ///< over all cases first, the main metric at the front
  std::vector<Table> tables;
  std::vector<PlotFile> plots;
  std::optional<metrics::ConfusionMatrix> confusion;
  std::optional<Thresholds> thresholds;
  std::vector<metrics::SubgroupEstimates> subgroups;
  std::vector<Failure> failures;
  std::vector<std::string> warnings;
};

/// Of classes or labels; of numbers; of entities in texts (`ids`, `groups`: of each text).
Section section_of(const metrics::Predictions& predictions, const metrics::Coverage& coverage,
                   const Asked& asked);
Section section_of(const metrics::Numbers& numbers, const metrics::Coverage& coverage,
                   const Asked& asked);
Section section_of(const std::vector<metrics::TaggedText>& texts,
                   const std::vector<std::string>& ids, const std::vector<std::string>& groups,
                   const std::vector<std::string>& types, const metrics::Coverage& coverage,
                   const Asked& asked);

/// What the predictions reach at operating points that were chosen on other cases, by rule.
Table at_other_points(
    const metrics::Predictions& predictions,
    const std::vector<std::pair<std::string, std::vector<metrics::OperatingPoint>>>& points);

/// The main metric's cases for a half-width of this much: what this many cases can show.
inline constexpr double kWantedHalfWidth = 0.03;

/// The table that a person reads on a terminal: metric, value, interval, n.
std::string terminal_table(const Section& section);

}  // namespace fovea::report
