#include "fovea/metrics/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "fovea/core/error.h"
#include "fovea/metrics/summary.h"

namespace fovea::metrics {
namespace {

using testing::HasSubstr;

Predictions three_classes() {
  return {.mode = Mode::multiclass,
          .classes = {"a", "b", "c"},
          .ids = {"1", "2", "3", "4"},
          .groups = {"p", "p", "q", "r"},
          .probabilities = {0.6, 0.3, 0.1, 0.2, 0.7, 0.1, 0.5, 0.4, 0.1, 0.1, 0.8, 0.1},
          .labels = {0, 1, 1, 0}};
}

Predictions two_classes() {
  return {.mode = Mode::binary,
          .classes = {"ill", "well"},
          .positive = 0,
          .ids = {"1", "2", "3"},
          .groups = {},
          .probabilities = {0.9, 0.1, 0.6, 0.4, 0.3, 0.7},
          .labels = {0, 1, 1}};
}

template <class Run>
std::string message_of(Run run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(MetricCatalogue, HasEveryNameOnceWithHelp) {
  std::set<std::string_view> names;
  for (const Metric& metric : catalogue()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_GT(metric.help.size(), 10u);
    EXPECT_TRUE(metric.applies(Mode::binary) || metric.applies(Mode::multiclass) ||
                metric.applies(Mode::multilabel));
  }
  for (const char* name :
       {"auc", "average_precision", "accuracy", "balanced_accuracy", "sensitivity", "specificity",
        "ppv", "npv", "f1", "mcc", "kappa", "log_loss", "brier", "ece"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_EQ(metric("auc").goal, kHigher);
  EXPECT_EQ(metric("log_loss").goal, kLower);
}

TEST(MetricCatalogue, NamesTheNearestOfWhatItKnows) {
  const std::string message = message_of([] { metric("acuracy"); });
  EXPECT_THAT(message, HasSubstr("unknown metric 'acuracy'"));
  EXPECT_THAT(message, HasSubstr("did you mean 'accuracy'?"));
  EXPECT_THAT(message, HasSubstr("log_loss"));
}

TEST(MetricCatalogue, TakesTheMeanOverTheClassesThatOccurAndNamesTheOthers) {
  const MetricValue auc = compute("auc", three_classes());
  // a: positives 0.6 and 0.1, negatives 0.2 and 0.5: 2 of 4 pairs. b: 0.7 and 0.4 over 0.3 and 0.8:
  // 2 of 4.
  EXPECT_DOUBLE_EQ(auc.value, 0.5);
  EXPECT_EQ(auc.note, "mean over 2 of 3 classes; left out: c (no positive case)");
}

TEST(MetricCatalogue, SaysWhereAMetricDoesNotApply) {
  const MetricValue value = compute("auc_micro", three_classes());
  EXPECT_THAT(value.why_undefined, HasSubstr("multiclass"));
  EXPECT_TRUE(metric("auc_micro").applies(Mode::multilabel));
  EXPECT_FALSE(metric("auc_weighted").applies(Mode::binary));
}

TEST(Summary, HonoursThePositiveClassAndTheThreshold) {
  const ClassificationSummary half = summarize(two_classes());
  EXPECT_EQ(half.classes[0].name, "ill");
  EXPECT_EQ(half.metric("auc").value, 1);
  EXPECT_EQ(half.metric("specificity").value, 0.5);  // 0.6 is called ill
  Predictions by_hand = two_classes();
  by_hand.points = {{.threshold = 0.8, .chosen = "by hand"}};
  const ClassificationSummary strict = summarize(by_hand);
  EXPECT_EQ(strict.metric("specificity").value, 1);
  EXPECT_EQ(strict.metric("sensitivity").value, 1);
  EXPECT_EQ(strict.confusion.at(0, 0), 1);
}

TEST(Summary, EachLabelHasAThresholdOfItsOwn) {
  Predictions labels;
  labels.mode = Mode::multilabel;
  labels.classes = {"effusion", "nodule"};
  labels.ids = {"x", "y"};
  labels.probabilities = {0.3, 0.3, 0.6, 0.6};
  labels.labels = {0, 1, 1, 0};
  labels.points = {{.threshold = 0.5}, {.threshold = 0.2}};
  const ClassificationSummary summary = summarize(labels);
  EXPECT_EQ(summary.classes[0].counts.false_positives, 0);
  EXPECT_EQ(summary.classes[1].counts.false_positives, 1);
  EXPECT_EQ(labels.part(std::vector<uint32_t>{1}).point(1).threshold, 0.2);
  labels.points.push_back({});
  EXPECT_THAT(message_of([&] { summarize(labels); }), HasSubstr("found 3 values, wanted 2"));
}

TEST(Summary, CountsPatientsApartFromCases) {
  const ClassificationSummary summary = summarize(three_classes());
  EXPECT_EQ(summary.cases, 4u);
  EXPECT_EQ(summary.groups, 3u);
  EXPECT_EQ(summarize(two_classes()).groups, 0u);
}

TEST(Summary, OfNoCasesIsUndefinedThroughout) {
  Predictions none;
  none.classes = {"a", "b"};
  for (Mode mode : {Mode::binary, Mode::multiclass, Mode::multilabel}) {
    none.mode = mode;
    for (const NamedMetric& entry : summarize(none).overall) {
      EXPECT_FALSE(entry.value.defined()) << entry.name;
      EXPECT_FALSE(entry.value.why_undefined.empty()) << entry.name;
    }
  }
}

TEST(Predictions, AreRefusedWhereTheyDoNotFitTogether) {
  Predictions nan = two_classes();
  nan.probabilities[2] = std::nan("");
  EXPECT_THAT(message_of([&] { summarize(nan); }), HasSubstr("case 1 has probability nan"));
  Predictions label = two_classes();
  label.labels[2] = 2;
  EXPECT_THAT(message_of([&] { summarize(label); }), HasSubstr("case 2 has class 2"));
  Predictions unknown = two_classes();
  unknown.labels[0] = kUnknown;
  EXPECT_THAT(message_of([&] { summarize(unknown); }), HasSubstr("case 0 has class -1"));
  Predictions ragged = two_classes();
  ragged.probabilities.pop_back();
  EXPECT_THAT(message_of([&] { summarize(ragged); }), HasSubstr("found 5 values, wanted 6"));
  Predictions single = two_classes();
  single.classes = {"only"};
  EXPECT_THROW(summarize(single), Error);
}

TEST(Predictions, AreAppendedBatchByBatch) {
  Predictions all = two_classes();
  all.append(two_classes());
  EXPECT_EQ(all.cases(), 6u);
  EXPECT_EQ(summarize(all).metric("auc").value, 1);
  EXPECT_THROW(all.append(three_classes()), Error);
}

}  // namespace
}  // namespace fovea::metrics
