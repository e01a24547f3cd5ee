#include "fovea/report/regression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fovea/storage/hash.h"
#include "support/test_files.h"

namespace fovea::report {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::json;

metrics::Numbers three() {
  return {.ids = {"a", "b", "c"},
          .groups = {"p", "p", "q"},
          .targets = {1, 2, 6},
          .predicted = {2, 2, 4}};
}

TEST(RegressionReport, WritesMetricsAndPredictionsOfAHandCount) {
  const test::TempFolder folder;
  storage::set_salt("grain");
  const std::string line = write_regression(folder.path(), three(), "rul", "test");
  EXPECT_THAT(line, StartsWith("split=test n=3 rmse=1.2910 mae=1.0000 r2=0.6429 bias=-0.3333"));
  const Json json = Json::parse(test::read_text(folder / "metrics.json"));
  EXPECT_EQ(json["mode"], "regression");
  EXPECT_EQ(json["target"], "rul");
  EXPECT_EQ(json["n_groups"], 2);
  EXPECT_EQ(json["figures"]["mae"], 1.0);
  EXPECT_EQ(json["limits_of_agreement"].size(), 2u);
  EXPECT_EQ(test::read_text(folder / "predictions.csv"),
            // From: printf 'grain\np' | sha256sum, and of q
            "id,group,target,predicted\na,f8ccb7ed,1,2\nb,f8ccb7ed,2,2\nc,841841f5,6,4\n");
}

TEST(RegressionReport, WithoutPatientsThereIsNoGroup) {
  const test::TempFolder folder;
  metrics::Numbers numbers = three();
  numbers.groups = {"", "", ""};
  write_regression(folder.path(), numbers, "rul", "test");
  EXPECT_THAT(test::read_text(folder / "predictions.csv"), StartsWith("id,target,predicted\n"));
}

TEST(RegressionReport, WithoutACaseItSaysWhy) {
  const test::TempFolder folder;
  EXPECT_THAT(write_regression(folder.path(), {}, "rul", "val"), HasSubstr("rmse=undefined"));
  const Json json = Json::parse(test::read_text(folder / "metrics.json"));
  EXPECT_TRUE(json["figures"]["r2"].is_null());
  EXPECT_EQ(json["undefined"]["r2"], "no case was evaluated");
  EXPECT_TRUE(json["limits_of_agreement"].is_null());
  EXPECT_EQ(json["undefined"]["limits_of_agreement"], "fewer than two cases");
}

TEST(RegressionReport, PlotsNameTheTargetAndStandAlone) {
  for (const metrics::Numbers& numbers : {three(), metrics::Numbers{}}) {
    EXPECT_THAT(scatter_svg(numbers, "r<l", "test"), HasSubstr("True r&lt;l"));
    EXPECT_THAT(bland_altman_svg(numbers, "r<l", "test"), HasSubstr("Predicted - true r&lt;l"));
  }
  EXPECT_THAT(bland_altman_svg(three(), "rul", "test"), HasSubstr("bias -0.3333"));
}

}  // namespace
}  // namespace fovea::report
