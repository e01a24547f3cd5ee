// Every metric of the catalogue against scikit-learn: tests/reference/make_metrics.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "fovea/metrics/catalogue.h"
#include "fovea/metrics/summary.h"
#include "support/test_files.h"

namespace fovea::metrics {
namespace {

using Json = nlohmann::json;

Json cases_of(const char* file) {
  return Json::parse(test::read_text(test::reference(file)))["cases"];
}

void expect_metrics(const std::vector<NamedMetric>& metrics, const Json& expected) {
  EXPECT_EQ(metrics.size(), expected.size());
  for (const auto& [name, value] : metrics) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(expected.contains(name));
    if (expected[name].is_null()) {
      EXPECT_FALSE(value.defined()) << value.value;
      EXPECT_TRUE(std::isnan(value.value));
      continue;
    }
    ASSERT_TRUE(value.defined()) << value.why_undefined;
    const double wanted = expected[name].get<double>();
    // Relative 1e-12; sums of cancelling terms (kappa near 0) are compared on the scale of 1.
    EXPECT_NEAR(value.value, wanted, 1e-12 * std::max(1.0, std::abs(wanted)));
  }
}

Predictions predictions_of(Mode mode, const Json& expected) {
  Predictions predictions;
  predictions.mode = mode;
  for (size_t k = 0; k < expected["classes"]; ++k)
    predictions.classes.push_back("class " + std::to_string(k));
  for (const Json& row : expected["probabilities"]) {
    predictions.ids.push_back(std::to_string(predictions.ids.size()));
    for (double p : row) predictions.probabilities.push_back(p);
  }
  predictions.labels = expected["labels"].get<std::vector<int>>();
  return predictions;
}

TEST(ScikitLearn, BinaryMetricsAreEqual) {
  for (const Json& expected : cases_of("metrics_binary.json")) {
    SCOPED_TRACE(expected["what"]);
    Predictions predictions;
    predictions.classes = {"no", "yes"};
    predictions.labels = expected["labels"].get<std::vector<int>>();
    for (double p : expected["scores"]) {
      predictions.ids.push_back(std::to_string(predictions.ids.size()));
      predictions.probabilities.push_back(1 - p);
      predictions.probabilities.push_back(p);
    }
    const ClassificationSummary summary = summarize(predictions);
    expect_metrics(summary.overall, expected["figures"]);
    ASSERT_EQ(summary.classes.size(), 1u);
    EXPECT_EQ(summary.classes[0].name, "yes");
  }
}

TEST(ScikitLearn, CurvesAreEqual) {
  size_t compared = 0;
  for (const Json& expected : cases_of("metrics_binary.json")) {
    if (!expected.contains("roc")) continue;
    SCOPED_TRACE(expected["what"]);
    const auto labels = expected["labels"].get<std::vector<uint8_t>>();
    const Ranking ranking(expected["scores"].get<std::vector<double>>(), labels);
    const auto roc = roc_curve(ranking);
    const Json& wanted = expected["roc"];
    ASSERT_EQ(roc.size(), wanted[0].size());
    for (size_t i = 0; i < roc.size(); ++i) {
      EXPECT_NEAR(roc[i].false_positive_rate, wanted[0][i], 1e-15);
      EXPECT_NEAR(roc[i].true_positive_rate, wanted[1][i], 1e-15);
      if (i > 0) {
        EXPECT_EQ(roc[i].threshold, wanted[2][i - 1]);
      }
    }
    const auto pr = precision_recall_curve(ranking);
    const Json& steps = expected["precision_recall"];
    ASSERT_EQ(pr.size(), steps[0].size());
    for (size_t i = 0; i < pr.size(); ++i) {
      EXPECT_NEAR(pr[i].recall, steps[0][i], 1e-15);
      EXPECT_NEAR(pr[i].precision, steps[1][i], 1e-15);
      EXPECT_EQ(pr[i].threshold, steps[2][i]);
    }
    ++compared;
  }
  EXPECT_GT(compared, 8u);
}

TEST(ScikitLearn, MulticlassMetricsAreEqual) {
  for (const Json& expected : cases_of("metrics_multiclass.json")) {
    SCOPED_TRACE(expected["what"]);
    const Predictions predictions = predictions_of(Mode::multiclass, expected);
    const ClassificationSummary summary = summarize(predictions);
    expect_metrics(summary.overall, expected["figures"]);
    ASSERT_EQ(summary.classes.size(), predictions.width());
    for (size_t k = 0; k < predictions.width(); ++k) {
      SCOPED_TRACE(k);
      expect_metrics(summary.classes[k].metrics, expected["per_class"][k]);
      for (size_t j = 0; j < predictions.width(); ++j) {
        EXPECT_EQ(summary.confusion.at(k, j), expected["confusion"][k][j]);
      }
    }
  }
}

TEST(ScikitLearn, MultilabelMetricsAreEqualWithUnknownLabelsLeftOut) {
  for (const Json& expected : cases_of("metrics_multilabel.json")) {
    SCOPED_TRACE(expected["what"]);
    const Predictions predictions = predictions_of(Mode::multilabel, expected);
    const ClassificationSummary summary = summarize(predictions);
    expect_metrics(summary.overall, expected["figures"]);
    ASSERT_EQ(summary.classes.size(), predictions.width());
    for (size_t k = 0; k < predictions.width(); ++k) {
      SCOPED_TRACE(k);
      expect_metrics(summary.classes[k].metrics, expected["per_class"][k]);
      int64_t known = 0;
      for (size_t i = 0; i < predictions.cases(); ++i) {
        known += predictions.labels[i * predictions.width() + k] >= 0;
      }
      EXPECT_EQ(summary.classes[k].counts.cases(), known);
    }
  }
}

}  // namespace
}  // namespace fovea::metrics
