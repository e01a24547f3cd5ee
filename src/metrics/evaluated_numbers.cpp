// Numbers as evaluated cases.
#include "fovea/metrics/evaluated.h"
#include "metrics/check.h"

namespace fovea::metrics {
namespace {

class EvaluatedNumbers final : public Evaluated {
 public:
  explicit EvaluatedNumbers(Numbers numbers) : numbers_(std::move(numbers)) {
    numbers_.check();
    numbers_.sort();
    for (const RegressionMetric& metric : regression_catalogue())
      keys_.push_back({std::string(metric.name), "", metric.goal});
  }

  size_t cases() const override { return numbers_.cases(); }

  void weigh(std::span<const int32_t> weights) override {
    check_weights(weights, cases());
    numbers_.weights.assign(weights.begin(), weights.end());
  }

  std::vector<MetricValue> values(size_t count) const override {
    std::vector<MetricValue> all;
    for (const RegressionMetric& metric : regression_catalogue())
      if (all.size() < count) all.push_back(metric.compute(numbers_));
    return all;
  }

  std::vector<int64_t> counts() const override {
    return std::vector<int64_t>(keys_.size(), static_cast<int64_t>(cases()));
  }

  EvaluatedPtr part(std::span<const uint32_t> rows) const override {
    return std::make_unique<EvaluatedNumbers>(numbers_.part(rows));
  }

 private:
  Numbers numbers_;
};

}  // namespace

EvaluatedPtr evaluated(Numbers numbers) {
  return std::make_unique<EvaluatedNumbers>(std::move(numbers));
}

}  // namespace fovea::metrics
