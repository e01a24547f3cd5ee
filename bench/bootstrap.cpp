// Replicates a second of a bootstrap by patients.    bench_bootstrap auc|all [CASES] [REPLICATES]
// auc: the area alone; all: every metric of a binary classification.
#include "fovea/metrics/bootstrap.h"
#include "fovea/core/error.h"
#include "fovea/core/random.h"
#include "fovea/metrics/catalogue.h"
#include "measure.h"

using namespace fovea;

namespace {

metrics::Predictions drawn(int64_t cases, int64_t cases_each) {
  Random random(1, Purpose::sample);
  metrics::Predictions predictions;
  predictions.classes = {"no", "yes"};
  for (int64_t i = 0; i < cases; ++i) {
    const int label = random.chance(0.3);
    const double p = (random.uniform() + label * random.uniform()) / 2;
    predictions.ids.push_back(std::to_string(i));
    predictions.groups.push_back(std::to_string(i / cases_each));
    predictions.labels.push_back(label);
    predictions.probabilities.insert(predictions.probabilities.end(), {1 - p, p});
  }
  return predictions;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what != "auc" && what != "all")
      throw config_error("wanted: bench_bootstrap auc|all [CASES] [REPLICATES]");
    const int64_t cases = argc > 2 ? std::stoll(argv[2]) : 10'000;
    const int64_t replicates = argc > 3 ? std::stoll(argv[3]) : 2'000;
    const metrics::Predictions predictions = drawn(cases, 3);
    const metrics::Clusters clusters =
        metrics::clusters_of(predictions.groups, predictions.cases());
    const metrics::Scored scored = metrics::score(predictions);
    std::vector<const metrics::Metric*> asked;
    for (const metrics::Metric& metric : metrics::catalogue())
      if (metric.applies(metrics::Mode::binary)) asked.push_back(&metric);
    const auto area = [&]() -> metrics::Statistic {
      return [ranking = scored.questions[0].ranking](std::span<const int32_t> weights,
                                                     std::span<double> values) mutable {
        ranking.weigh(weights);
        values[0] = metrics::roc_auc(ranking).value;
      };
    };
    const auto all = [&]() -> metrics::Statistic {
      return [own = scored, &asked](std::span<const int32_t> weights,
                                    std::span<double> values) mutable {
        metrics::weigh(own, weights);
        for (size_t k = 0; k < asked.size(); ++k) values[k] = (*asked[k])(own).value;
      };
    };
    const auto measure = [&] {
      const double seconds = bench::seconds_of([&] {
        what == "auc" ? metrics::bootstrap(clusters.of_case, clusters.count, 1, area,
                                           {.replicates = replicates})
                      : metrics::bootstrap(clusters.of_case, clusters.count, asked.size(), all,
                                           {.replicates = replicates});
      });
      return static_cast<double>(replicates) / seconds;
    };
    measure();
    std::cout << "ready" << std::endl;
    while (bench::our_turn()) std::cout << measure() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "bench_bootstrap: " << error.what() << '\n';
    return 1;
  }
}
