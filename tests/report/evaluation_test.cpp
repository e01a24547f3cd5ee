#include "fovea/report/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fovea/core/error.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/hash.h"
#include "support/test_files.h"

namespace fovea::report {
namespace {

using metrics::Mode;
using metrics::Predictions;
using Json = nlohmann::json;

Predictions two_classes() {
  return {.mode = Mode::binary,
          .classes = {"normal", "pneumonia"},
          .ids = {"a.dcm", "b, \"c\".dcm", "=d", "e"},
          .groups = {"p1", "p1", "p2", "p3"},
          .probabilities = {0.9, 0.1, 0.2, 0.8, 0.45, 0.55, 0.75, 0.25},
          .labels = {0, 1, 0, 1}};
}

Predictions three_labels() {
  return {.mode = Mode::multilabel,
          .classes = {"edema", "mass", "hernia"},
          .ids = {"a", "b", "c"},
          .groups = {},
          .probabilities = {0.9, 0.1, 0.3, 0.2, 0.8, 0.2, 0.4, 0.6, 0.6},
          .labels = {1, 0, 0, 0, 1, 0, 1, metrics::kUnknown, 0}};
}

Json written(const test::TempFolder& folder) {
  return Json::parse(test::read_text(folder / "metrics.json"));
}

TEST(Evaluation, WritesTheMetricsOfAHandCount) {
  test::TempFolder folder;
  const std::string line = write_evaluation(folder.path(), two_classes(), {.split = "val"});
  const Json json = written(folder);
  EXPECT_EQ(json["schema_version"], kMetricsSchema);
  EXPECT_EQ(json["split"], "val");
  EXPECT_EQ(json["n"], 4);
  EXPECT_EQ(json["n_groups"], 3);
  EXPECT_EQ(json["positive_class"], "pneumonia");
  EXPECT_EQ(json["decision"]["threshold"], 0.5);
  EXPECT_EQ(json["figures"]["auc"], 0.75);  // 0.8 over 0.1 and 0.55; 0.25 over 0.1
  EXPECT_EQ(json["figures"]["sensitivity"], 0.5);
  EXPECT_EQ(json["confusion_matrix"]["counts"], Json::parse("[[1,1],[1,1]]"));
  EXPECT_EQ(json["per_class"][0]["positives"], 2);
  EXPECT_THAT(line, testing::StartsWith("split=val n=4 auc=0.7500 accuracy=0.5000 "));
}

TEST(Evaluation, SaysInItsLastLineWhatItWroteToTheFile) {
  test::TempFolder folder;
  for (const Predictions& predictions : {two_classes(), three_labels()}) {
    std::istringstream words(write_evaluation(folder.path(), predictions));
    const Json json = written(folder);
    std::string word;
    size_t compared = 0;
    while (words >> word) {
      const std::string name = word.substr(0, word.find('=')),
                        value = word.substr(word.find('=') + 1);
      if (name == "split" || name == "n") continue;
      ASSERT_TRUE(json["figures"].contains(name)) << name;
      if (value == "undefined") {
        EXPECT_TRUE(json["figures"][name].is_null());
        EXPECT_TRUE(json["undefined"].contains(name));
      } else {
        EXPECT_NEAR(json["figures"][name].get<double>(), std::stod(value), 0.5001e-4) << name;
      }
      ++compared;
    }
    EXPECT_EQ(compared, json["figures"].size());
    EXPECT_GT(compared, 12u);
  }
}

TEST(Evaluation, WritesNullAndTheReasonWhereAMetricIsUndefined) {
  test::TempFolder folder;
  Predictions healthy = two_classes();
  healthy.labels = {0, 0, 0, 0};
  const std::string line = write_evaluation(folder.path(), healthy);
  EXPECT_THAT(line, testing::HasSubstr(" auc=undefined "));
  const Json json = written(folder);
  EXPECT_TRUE(json["figures"]["auc"].is_null());
  EXPECT_EQ(json["undefined"]["auc"], "no positive case");
  EXPECT_EQ(json["figures"]["specificity"], 0.5);
  EXPECT_THAT(test::read_text(folder / "roc.svg"),
              testing::HasSubstr("undefined: no positive case"));
}

TEST(Evaluation, NamesTheLabelsThatAMeanLeavesOut) {
  test::TempFolder folder;
  write_evaluation(folder.path(), three_labels());
  const Json json = written(folder);
  EXPECT_THAT(json["notes"]["auc"].get<std::string>(),
              testing::HasSubstr("hernia (no positive case)"));
  EXPECT_EQ(json["per_class"][1]["n"], 2);
  EXPECT_EQ(json["per_class"][2]["undefined"]["auc"], "no positive case");
  EXPECT_FALSE(json.contains("confusion_matrix"));
  EXPECT_TRUE(json["n_groups"].is_null());
  EXPECT_FALSE(std::filesystem::exists(folder / "confusion_matrix.svg"));
}

TEST(Evaluation, WritesPredictionsThatReadBackToTheSameNumbers) {
  test::TempFolder folder;
  Predictions predictions = two_classes();
  predictions.points = {{.threshold = 0.2, .chosen = "by hand"}};
  write_evaluation(folder.path(), predictions);
  const storage::Table table = storage::read_csv(folder / "predictions.csv");
  EXPECT_THAT(table.columns(),
              testing::ElementsAre("id", "group", "label", "p_normal", "p_pneumonia", "decision"));
  ASSERT_EQ(table.rows(), 4);
  for (int64_t i = 0; i < 4; ++i) {
    // An apostrophe stands before what a spreadsheet would run (storage/csv.h).
    const std::string& id = predictions.ids[static_cast<size_t>(i)];
    EXPECT_EQ(table.cell(i, 0), id.starts_with('=') ? "'" + id : id);
    const std::string& patient = predictions.groups[static_cast<size_t>(i)];
    EXPECT_EQ(table.cell(i, 1), storage::pseudonym(patient));  // never the name
    const double p = predictions.probabilities[static_cast<size_t>(2 * i + 1)];
    EXPECT_EQ(std::stod(std::string(table.cell(i, 4))), p);
    EXPECT_EQ(table.cell(i, 5), p >= 0.2 ? "pneumonia" : "normal");
  }
  EXPECT_EQ(table.cell(3, 2), "pneumonia");
}

TEST(Evaluation, NamesTheThresholdOfEachLabelWhereTheyHaveTheirOwn) {
  test::TempFolder folder;
  Predictions labels = three_labels();
  labels.points = {{0.5, "youden on val"}, {0.7, "youden on val"}, {0.25, "youden on val"}};
  write_evaluation(folder.path(), labels);
  const Json decision = written(folder)["decision"];
  EXPECT_TRUE(decision["threshold"].is_null());
  EXPECT_EQ(decision["thresholds"], Json::parse(R"({"edema": 0.5, "mass": 0.7, "hernia": 0.25})"));
  EXPECT_EQ(decision["thresholds_chosen"]["mass"], "youden on val");
  EXPECT_THAT(predictions_csv(labels), testing::HasSubstr("\nc,1,,0,0.4,0.6,0.6,0,0,1\n"));
}

TEST(Evaluation, LeavesAnUnknownLabelBlank) {
  const std::string csv = predictions_csv(three_labels());
  EXPECT_THAT(csv,
              testing::StartsWith("id,label_edema,label_mass,label_hernia,p_edema,p_mass,p_hernia,"
                                  "decision_edema,decision_mass,decision_hernia\n"
                                  "a,1,0,0,0.9,0.1,0.3,1,0,0\n"));
  EXPECT_THAT(csv, testing::HasSubstr("\nc,1,,0,0.4,0.6,0.6,0,1,1\n"));
}

TEST(Evaluation, OfNoCasesStillWritesEveryFile) {
  test::TempFolder folder;
  Predictions none;
  none.classes = {"a", "b"};
  write_evaluation(folder.path(), none);
  EXPECT_EQ(written(folder)["n"], 0);
  for (const char* name : {"predictions.csv", "roc.svg", "precision_recall.svg", "reliability.svg",
                           "confusion_matrix.svg", "net_benefit.svg"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  }
}

TEST(Evaluation, WritesNothingWhereThePredictionsAreRefused) {
  test::TempFolder folder;
  Predictions bad = two_classes();
  bad.probabilities[0] = NAN;
  EXPECT_THROW(write_evaluation(folder / "out", bad), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
}

TEST(Evaluation, NamesTheFolderItCannotWrite) {
  test::TempFolder folder;
  const auto file = folder.write("file", "");
  try {
    write_evaluation(file / "out", two_classes());
    FAIL() << "a file was taken for a folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::io);
    EXPECT_THAT(error.what(), testing::HasSubstr("file"));
  }
}

}  // namespace
}  // namespace fovea::report
