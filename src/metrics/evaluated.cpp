#include "fovea/metrics/evaluated.h"

#include <algorithm>
#include <numeric>

namespace fovea::metrics {

size_t Evaluated::overall() const {
  return static_cast<size_t>(
      std::ranges::find_if(keys_, [](const MetricKey& key) { return !key.of_class.empty(); }) -
      keys_.begin());
}

std::optional<Bounds> Evaluated::closed_form(size_t, const Clusters&) const { return {}; }

std::optional<ClosedTest> Evaluated::closed_test(size_t, const Evaluated&, const Clusters&) const {
  return {};
}

Statistic statistic_of(const Evaluated& evaluated, size_t count) {
  std::vector<uint32_t> all(evaluated.cases());
  std::iota(all.begin(), all.end(), 0u);
  return [own = std::shared_ptr<Evaluated>(evaluated.part(all)), count](
             std::span<const int32_t> weights, std::span<double> values) {
    own->weigh(weights);
    const std::vector<MetricValue> found = own->values(count);
    for (size_t k = 0; k < found.size(); ++k) values[k] = found[k].value;
  };
}

}  // namespace fovea::metrics
