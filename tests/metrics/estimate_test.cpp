// Evaluated cases of each kind, and what a report says of them.
#include "fovea/metrics/estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "fovea/metrics/catalogue.h"
#include "fovea/metrics/delong.h"
#include "metrics/drawn.h"

namespace fovea::metrics {
namespace {

using test::drawn;
using test::drawn_numbers;
using test::drawn_texts;

const Estimate& named(const std::vector<Estimate>& all, std::string_view name,
                      std::string_view of_class = "") {
  for (const Estimate& one : all)
    if (one.key.name == name && one.key.of_class == of_class) return one;
  throw std::runtime_error("no such estimate");
}

std::vector<int32_t> weights_for(size_t cases) {
  Random random(5, Purpose::sample);
  std::vector<int32_t> weights;
  for (size_t i = 0; i < cases; ++i) weights.push_back(static_cast<int32_t>(random.below(3)));
  return weights;
}

/// Each row as often as its weight says.
std::vector<uint32_t> written_out(const std::vector<int32_t>& weights) {
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < weights.size(); ++i) rows.insert(rows.end(), weights[i], i);
  return rows;
}

void expect_weights_count(Evaluated& evaluated) {
  const std::vector<int32_t> weights = weights_for(evaluated.cases());
  const auto wanted = evaluated.part(written_out(weights))->values();
  evaluated.weigh(weights);
  const auto found = evaluated.values();
  ASSERT_EQ(found.size(), evaluated.keys().size());
  for (size_t k = 0; k < found.size(); ++k) {
    SCOPED_TRACE(evaluated.keys()[k].name + " " + evaluated.keys()[k].of_class);
    ASSERT_TRUE(wanted[k].defined());
    EXPECT_NEAR(found[k].value, wanted[k].value, 1e-12 * std::max(1.0, std::abs(wanted[k].value)));
  }
}

TEST(Evaluated, AWeightCountsACaseAsOftenAsItSays) {
  for (const Mode mode : {Mode::binary, Mode::multiclass, Mode::multilabel})
    expect_weights_count(*evaluated(drawn(mode, 120, 2)));
  expect_weights_count(*evaluated(drawn_numbers(90)));
  const auto texts = drawn_texts(60);
  expect_weights_count(*evaluated(texts, {"DRUG", "DOSE"}));
}

TEST(Evaluated, HasTheMetricsOfTheSummaryInItsOrder) {
  for (const Mode mode : {Mode::binary, Mode::multiclass, Mode::multilabel}) {
    const Predictions predictions = drawn(mode, 80, 1);
    const ClassificationSummary summary = summarize(predictions);
    const EvaluatedPtr cases = evaluated(predictions);
    const auto values = cases->values();
    ASSERT_EQ(cases->overall(), summary.overall.size());
    for (size_t k = 0; k < summary.overall.size(); ++k) {
      EXPECT_EQ(cases->keys()[k].name, summary.overall[k].name);
      EXPECT_EQ(values[k].value, summary.overall[k].value.value);
    }
    if (mode == Mode::binary) continue;
    size_t k = summary.overall.size();
    for (const ClassSummary& of_class : summary.classes)
      for (const NamedMetric& metric : of_class.metrics) {
        EXPECT_EQ(cases->keys()[k].of_class, of_class.name);
        EXPECT_EQ(values[k++].value, metric.value.value);
      }
    EXPECT_EQ(k, values.size());
  }
}

TEST(Evaluated, CountsWhatEachMetricIsAShareOf) {
  const Predictions predictions = drawn(Mode::binary, 100, 1);
  const Counts counts = score(predictions).questions[0].counts;
  const EvaluatedPtr cases = evaluated(predictions);
  const auto all = estimates(*cases, clusters_of({}, 100), {.replicates = 0});
  EXPECT_EQ(named(all, "auc").cases, 100);
  EXPECT_EQ(named(all, "sensitivity").cases, counts.positives());
  EXPECT_EQ(named(all, "specificity").cases, counts.negatives());
  EXPECT_EQ(named(all, "ppv").cases, counts.true_positives + counts.false_positives);
  EXPECT_EQ(named(all, "npv").cases, counts.true_negatives + counts.false_negatives);
}

TEST(Estimates, OfIndependentCasesAreDeLongsAndWilsonsWithTheBootstrapBeside) {
  const Predictions predictions = drawn(Mode::binary, 150, 1);
  const Question question = score(predictions).questions[0];
  const auto all = estimates(*evaluated(predictions), clusters_of({}, 150), {.replicates = 300});
  const Estimate& auc = named(all, "auc");
  EXPECT_EQ(auc.bounds.method, "DeLong");
  EXPECT_EQ(auc.bounds.interval.low,
            estimate_auc(question.probabilities, question.labels).interval.low);
  ASSERT_EQ(auc.also.size(), 2u);
  EXPECT_EQ(auc.also[0].method, "bootstrap, BCa");
  EXPECT_NEAR(auc.also[0].interval.low, auc.bounds.interval.low, 0.03);
  const Estimate& sensitivity = named(all, "sensitivity");
  EXPECT_EQ(sensitivity.bounds.method, "Wilson");
  EXPECT_EQ(sensitivity.bounds.interval.high,
            wilson(static_cast<double>(question.counts.true_positives),
                   static_cast<double>(question.counts.positives()))
                .high);
  EXPECT_EQ(named(all, "f1").bounds.method, "bootstrap, BCa");
}

TEST(Estimates, OfPatientsWithSeveralCasesAreNeverThoseOfIndependentOnes) {
  for (const Mode mode : {Mode::binary, Mode::multiclass, Mode::multilabel}) {
    const Predictions predictions = drawn(mode, 150, 3);
    const Clusters clusters = clusters_of(predictions.groups, predictions.cases());
    const auto all = estimates(*evaluated(predictions), clusters, {.replicates = 200});
    for (const Estimate& one : all) {
      SCOPED_TRACE(one.key.name);
      std::vector<Bounds> shown = one.also;
      shown.push_back(one.bounds);
      for (const Bounds& bounds : shown)
        EXPECT_THAT(bounds.method, testing::AnyOf("Obuchowski", "Wilson over patients",
                                                  testing::StartsWith("bootstrap by patients")));
    }
    if (mode == Mode::binary) EXPECT_EQ(named(all, "auc").bounds.method, "Obuchowski");
  }
}

TEST(Estimates, AShareOfAllCasesOfPatientsIsAsWideAsOneCaseOfEachWouldBe) {
  Predictions predictions = drawn(Mode::binary, 60, 3);
  for (size_t i = 0; i < predictions.cases(); ++i) {  // every positive case is called
    predictions.probabilities[2 * i + 1] =
        predictions.labels[i] ? 0.9 : predictions.probability(i, 1);
    predictions.probabilities[2 * i] = 1 - predictions.probabilities[2 * i + 1];
  }
  std::set<std::string> patients;
  for (size_t i = 0; i < predictions.cases(); ++i)
    if (predictions.labels[i]) patients.insert(predictions.groups[i]);
  const auto all =
      estimates(*evaluated(predictions), clusters_of(predictions.groups, predictions.cases()),
                {.replicates = 99});
  const Estimate& found = named(all, "sensitivity");
  const auto n = static_cast<double>(patients.size());
  EXPECT_EQ(found.value.value, 1);
  EXPECT_EQ(found.bounds.method, "Wilson over patients");
  EXPECT_NEAR(found.bounds.interval.low, n / (n + 3.8414588206941236), 1e-12);  // Wilson of n in n
}

TEST(Estimates, ThatNoSampleChangesHaveNoInterval) {
  Predictions sure;
  sure.classes = {"no", "yes"};
  for (int i = 0; i < 40; ++i) {
    sure.ids.push_back(std::to_string(i));
    sure.labels.push_back(i % 2);
    sure.probabilities.insert(sure.probabilities.end(), {i % 2 ? 0.0 : 1.0, i % 2 ? 1.0 : 0.0});
  }
  const auto all = estimates(*evaluated(sure), clusters_of({}, 40), {.replicates = 100});
  EXPECT_EQ(named(all, "auc").value.value, 1);
  EXPECT_FALSE(named(all, "auc").bounds.interval.defined());
  EXPECT_EQ(named(all, "mcc").bounds.interval.why_undefined,
            "all samples of patients have this value");
  EXPECT_TRUE(named(all, "accuracy").bounds.interval.defined());  // Wilson's
}

// Of an honest model the expected calibration error is noise alone, and a sample has more of it.
TEST(Estimates, AnIntervalThatDoesNotHoldTheValueIsNone) {
  Random random(2, Purpose::sample);
  Predictions honest;
  honest.classes = {"no", "yes"};
  for (int i = 0; i < 400; ++i) {
    const double p = random.uniform();
    honest.ids.push_back(std::to_string(i));
    honest.labels.push_back(random.chance(p));
    honest.probabilities.insert(honest.probabilities.end(), {1 - p, p});
  }
  for (const Estimate& one :
       estimates(*evaluated(honest), clusters_of({}, 400), {.replicates = 400})) {
    if (!one.bounds.interval.defined()) {
      EXPECT_EQ(one.key.name, "ece");
      EXPECT_THAT(one.bounds.interval.why_undefined, testing::HasSubstr("biased"));
      continue;
    }
    EXPECT_LE(one.bounds.interval.low, one.value.value) << one.key.name;
    EXPECT_GE(one.bounds.interval.high, one.value.value) << one.key.name;
  }
}

TEST(Estimates, OfWhatIsUndefinedOrOfNoCasesSayWhy) {
  Predictions healthy = drawn(Mode::binary, 30, 1);
  std::ranges::fill(healthy.labels, 0);
  const auto all = estimates(*evaluated(healthy), clusters_of({}, 30), {.replicates = 50});
  EXPECT_EQ(named(all, "auc").value.why_undefined, "no positive case");
  EXPECT_EQ(named(all, "auc").bounds.interval.why_undefined, "the metric is undefined");
  EXPECT_TRUE(named(all, "specificity").bounds.interval.defined());
  const auto none = estimates(*evaluated(Numbers()), clusters_of({}, 0), {.replicates = 50});
  for (const Estimate& one : none) EXPECT_FALSE(one.value.defined());
  const auto one = estimates(*evaluated(drawn_numbers(1)), clusters_of({}, 1), {.replicates = 50});
  EXPECT_TRUE(named(one, "mae").value.defined());
  EXPECT_THAT(named(one, "mae").bounds.interval.why_undefined, testing::HasSubstr("one patient"));
}

}  // namespace
}  // namespace fovea::metrics
