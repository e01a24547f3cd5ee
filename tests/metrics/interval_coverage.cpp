// Whether the 95 % intervals hold the truth 95 times out of 100, in simulated studies of designs with at least
// 100 cases per class and areas of at most 0.9. Between 93 and 97 % is asked of each.
//   interval_coverage [STUDIES] [REPLICATES]
//   interval_coverage extremes [STUDIES] [REPLICATES]   the table of docs/evaluation.md: smaller and more extreme
//                                                       designs, of which nothing is asked
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "fovea/core/random.h"
#include "fovea/core/threads.h"
#include "fovea/metrics/bootstrap.h"
#include "fovea/metrics/counts.h"
#include "fovea/metrics/delong.h"
#include "fovea/metrics/ranking.h"

namespace fovea::metrics {
namespace {

/// Normal scores, of ill cases `apart` higher, of which `shared` of the variance belongs to the patient.
struct Design {
  const char* name;
  int patients;
  int cases_each;
  double prevalence;
  double apart;
  double shared;
};

struct Study {
  std::vector<double> scores, others;  // of two models
  std::vector<uint8_t> labels;
  std::vector<uint32_t> patients;
};

Study simulate(const Design& design, int number) {
  Random random(2026, Purpose::phantom,
                static_cast<uint64_t>(design.patients * 1000 * design.apart),
                static_cast<uint64_t>(number));
  Study study;
  for (int patient = 0; patient < design.patients; ++patient) {
    const double own = std::sqrt(design.shared) * random.normal();
    for (int i = 0; i < design.cases_each; ++i) {
      const bool ill = random.chance(design.prevalence);
      const double common = own + std::sqrt((1 - design.shared) / 2) * random.normal();
      const auto seen = [&] {
        return common + std::sqrt((1 - design.shared) / 2) * random.normal() + design.apart * ill;
      };
      study.scores.push_back(seen());
      study.others.push_back(seen());
      study.labels.push_back(ill);
      study.patients.push_back(static_cast<uint32_t>(patient));
    }
  }
  return study;
}

/// The area that studies of this design estimate: pairs of cases of one patient share what belongs to them.
double true_area(const Design& design) {
  const double within = static_cast<double>(design.cases_each - 1) /
                        (static_cast<double>(design.patients) * design.cases_each - 1);
  return (1 - within) * normal_cdf(design.apart / std::sqrt(2.0)) +
         within * normal_cdf(design.apart / std::sqrt(2 * (1 - design.shared)));
}

/// Area, difference of two areas, and sensitivity at 0.5 under weights.
Statistic statistic_of(const Study& study) {
  auto first = std::make_shared<Ranking>(study.scores, study.labels);
  auto second = std::make_shared<Ranking>(study.others, study.labels);
  return [=, &study](std::span<const int32_t> weights, std::span<double> values) {
    first->weigh(weights);
    second->weigh(weights);
    values[0] = roc_auc(*first).value;
    values[1] = values[0] - roc_auc(*second).value;
    values[2] = sensitivity(count(study.scores, study.labels, 0.5, weights)).value;
  };
}

constexpr const char* kMethods[] = {"area, DeLong or Obuchowski",
                                    "difference of areas, DeLong or Obuchowski",
                                    "area, bootstrap, percentile",
                                    "area, bootstrap, BCa",
                                    "difference of areas, bootstrap, percentile",
                                    "difference of areas, bootstrap, BCa",
                                    "sensitivity, bootstrap, percentile",
                                    "sensitivity, bootstrap, BCa",
                                    "sensitivity, Wilson"};
constexpr size_t kCount = std::size(kMethods);

/// The share of studies whose interval holds the truth, by method. A study without an interval holds nothing.
std::array<double, kCount> coverage(const Design& design, int studies, int64_t replicates) {
  const bool clustered = design.cases_each > 1;
  const double area = true_area(design);
  const double true_sensitivity = normal_cdf(design.apart - 0.5);
  std::array<std::atomic<int>, kCount> inside{};
  for_each_index(studies, 0, [&](int64_t number) {
    const Study study = simulate(design, static_cast<int>(number));
    const std::span<const uint32_t> clusters =
        clustered ? std::span<const uint32_t>(study.patients) : std::span<const uint32_t>();
    const auto resampled =
        bootstrap(study.patients, static_cast<size_t>(design.patients), 3,
                  [&] { return statistic_of(study); },
                  {.replicates = replicates, .seed = static_cast<uint64_t>(number), .threads = 1});
    const Counts counts = count(study.scores, study.labels, 0.5);
    const std::pair<Interval, double> intervals[] = {
        {estimate_auc(study.scores, study.labels, clusters).interval, area},
        {compare_auc(study.scores, study.others, study.labels, clusters).interval, 0},
        {resampled[0].percentile, area},
        {resampled[0].bca, area},
        {resampled[1].percentile, 0},
        {resampled[1].bca, 0},
        {resampled[2].percentile, true_sensitivity},
        {resampled[2].bca, true_sensitivity},
        {wilson(static_cast<double>(counts.true_positives),
                static_cast<double>(counts.positives())),
         true_sensitivity}};
    for (size_t i = 0; i < kCount; ++i)
      inside[i] += intervals[i].first.low <= intervals[i].second &&
                   intervals[i].second <= intervals[i].first.high;
  });
  std::array<double, kCount> shares{};
  for (size_t i = 0; i < kCount; ++i) shares[i] = inside[i] / static_cast<double>(studies);
  return shares;
}

int check(const Design& design, int studies, int64_t replicates, int& total) {
  int passed = 0;
  const std::array<double, kCount> shares = coverage(design, studies, replicates);
  for (size_t i = 0; i < kCount; ++i) {
    if (design.cases_each > 1 && i + 1 == kCount) continue;  // for independent cases
    const double share = shares[i];
    const bool holds = share >= 0.93 && share <= 0.97;
    fmt::print("  {:42} {:44} {:.4f}{}\n", design.name, kMethods[i], share, holds ? "" : "  <-");
    passed += holds;
    ++total;
  }
  return passed;
}

void print_extremes(int studies, int64_t replicates) {
  constexpr Design kExtremes[] = {
      {"10 of 200 ill, area 0.85", 200, 1, 0.05, 1.47, 0},
      {"20 of 100 ill, area 0.85", 100, 1, 0.2, 1.47, 0},
      {"20 of 100 ill, area 0.97", 100, 1, 0.2, 2.66, 0},
      {"15 of 30 ill, area 0.70", 30, 1, 0.5, 0.74, 0},
      {"25 of 50 ill, area 0.90", 50, 1, 0.5, 1.81, 0},
      {"100 of 200 ill, area 0.97", 200, 1, 0.5, 2.66, 0},
      {"30 patients of 3, 36 of 90 ill, area 0.85", 30, 3, 0.4, 1.47, 0.5},
  };
  constexpr size_t kShown[] = {0, 2, 3, 6, 7, 8};
  fmt::print("| cases (prevalence on average) |");
  for (const size_t i : kShown) fmt::print(" {} |", kMethods[i]);
  fmt::print("\n| --- |{}\n", " --- | --- | --- | --- | --- | --- |");
  for (const Design& design : kExtremes) {
    const auto shares = coverage(design, studies, replicates);
    fmt::print("| {} |", design.name);
    for (const size_t i : kShown)
      fmt::print(" {} |",
                 design.cases_each > 1 && i + 1 == kCount ? "-" : fmt::format("{:.3f}", shares[i]));
    fmt::print("\n");
  }
}

}  // namespace
}  // namespace fovea::metrics

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "extremes") {
    fovea::metrics::print_extremes(argc > 2 ? std::atoi(argv[2]) : 4000,
                                   argc > 3 ? std::atoi(argv[3]) : 1000);
    return 0;
  }
  const int studies = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int64_t replicates = argc > 2 ? std::atoi(argv[2]) : 2000;
  constexpr fovea::metrics::Design kDesigns[] = {
      {"independent, area 0.70", 240, 1, 0.5, 0.74, 0},
      {"independent, area 0.85", 240, 1, 0.5, 1.47, 0},
      {"independent, area 0.90, one in four ill", 480, 1, 0.25, 1.81, 0},
      {"3 per patient, area 0.70", 120, 3, 0.4, 0.74, 0.5},
      {"3 per patient, area 0.85", 120, 3, 0.4, 1.47, 0.5},
  };
  int passed = 0, total = 0;
  for (const auto& design : kDesigns)
    passed += fovea::metrics::check(design, studies, replicates, total);
  fmt::print("coverage: {}/{}\n", passed, total);
  return passed == total ? 0 : 1;
}
