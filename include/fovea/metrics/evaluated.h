// The evaluated cases of one target, whatever it is: what intervals, subgroups and comparisons are made of.
//
// A kind of target that is an `Evaluated` has them all. To add one: derive from it, give it a function that
// makes it below, and let the task's evaluation hand it out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fovea/metrics/bootstrap.h"
#include "fovea/metrics/entities.h"
#include "fovea/metrics/goal.h"
#include "fovea/metrics/interval.h"
#include "fovea/metrics/metric_value.h"
#include "fovea/metrics/predictions.h"
#include "fovea/metrics/regression.h"

namespace fovea::metrics {

/// Which metric: over all cases, or of one class.
struct MetricKey {
  std::string name;      ///< of the catalogue
  std::string of_class;  ///< empty: over all
  Goal goal = kHigher;
  bool operator==(const MetricKey&) const = default;
};

/// An interval, and how it was made.
struct Bounds {
  Interval interval;
  std::string method;  ///< "DeLong", "bootstrap by patients, BCa"
};

/// Whether two models differ in a metric, as a closed form has it.
struct ClosedTest {
  Bounds bounds;  ///< of the difference; without a method where there is none in closed form
  MetricValue p;  ///< two-sided
  std::string test;
};

class Evaluated {
 public:
  virtual ~Evaluated() = default;

  virtual size_t cases() const = 0;
  /// Those over all cases, the main one first, then those of single classes.
  const std::vector<MetricKey>& keys() const { return keys_; }
  size_t overall() const;  ///< how many of the keys are over all cases
  /// Counts case i weights[i] times from now on.
  virtual void weigh(std::span<const int32_t> weights) = 0;
  /// The first `count` metrics (of -1 all), in the order of the keys.
  virtual std::vector<MetricValue> values(size_t count = SIZE_MAX) const = 0;
  /// The cases (entities, tokens) that each metric is a mean, a share or a rank over; unweighted.
  virtual std::vector<int64_t> counts() const = 0;
  /// The interval of a metric that needs no bootstrap, of the unweighted cases. Where patients have several
  /// cases, only what holds for these.
  virtual std::optional<Bounds> closed_form(size_t metric, const Clusters& clusters) const;
  /// The same for this metric here less there. `other` has the same type, metrics and cases.
  virtual std::optional<ClosedTest> closed_test(size_t metric, const Evaluated& other,
                                                const Clusters& clusters) const;
  /// The cases `rows`, unweighted, in this order.
  virtual std::unique_ptr<Evaluated> part(std::span<const uint32_t> rows) const = 0;

 protected:
  std::vector<MetricKey> keys_;
};
using EvaluatedPtr = std::unique_ptr<Evaluated>;

/// Each checks what it is given, as its type says.
EvaluatedPtr evaluated(const Predictions& predictions);
EvaluatedPtr evaluated(Numbers numbers);
EvaluatedPtr evaluated(std::span<const TaggedText> texts, const std::vector<std::string>& types);

/// The first `count` metrics as the bootstrap asks them. Each call makes a copy to be weighed.
Statistic statistic_of(const Evaluated& evaluated, size_t count);

}  // namespace fovea::metrics
