// Outputs that are not finite are not decisions: the case has failed, and that is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "fovea/tasks/multi_task.h"
#include "fovea/tasks/regression.h"
#include "fovea/tasks/token_classification.h"
#include "support/test_files.h"
#include "tasks/cases.h"

namespace fovea::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using torch::Tensor;
using Json = nlohmann::json;

TargetSpec finding() { return {.name = "label", .classes = {"normal", "pneumonia"}}; }
TargetSpec labels() {
  return {.name = "label", .classes = {"nodule", "effusion"}, .type = "labels"};
}
TargetSpec age() {
  return {.name = "label", .classes = {}, .type = "number", .mean = 50, .deviation = 9};
}

/// The answers of one case, or the refusal.
std::string answer(const TaskPtr& task, const TensorMap& outputs, int64_t row) {
  return refusal([&] { task->answers(task->decode({outputs}, {}), {}, row); });
}

TEST(NotFinite, IsNeverADecisionAndDoesNotTouchTheOtherCases) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    const Tensor two = torch::tensor({{bad, 0.f}, {0.f, 1.f}, {0.f, bad}});
    for (const TaskPtr& task : {classification({}, {finding()}), classification({}, {labels()})}) {
      EXPECT_THAT(answer(task, outputs_of("label", two), 0), HasSubstr("'label' is not finite"));
      EXPECT_EQ(answer(task, outputs_of("label", two), 1), "(accepted)");
      EXPECT_THAT(answer(task, outputs_of("label", two), 2), HasSubstr("not finite"));
    }
    const TaskPtr number = regression({}, {age()});
    const Tensor one = torch::tensor({{bad}, {1.f}});
    EXPECT_THAT(answer(number, outputs_of("label", one), 0), HasSubstr("not finite"));
    EXPECT_EQ(answer(number, outputs_of("label", one), 1), "(accepted)");
  }
}

TEST(NotFinite, OfTagsOnlyWhatStandsOnTheTextCounts) {
  const TargetSpec target{.name = "label", .classes = {"a"}, .type = "tags", .input = "text"};
  for (const bool crf : {true, false}) {
    const TaskPtr task = token_classification({.crf = crf}, {target});
    Tensor emissions = torch::zeros({3, 2, 3});
    emissions[0][1][0] = NAN;  // behind the end of a text of one token
    emissions[1][0][2] = INFINITY;
    nn::Outputs outputs{outputs_of("label", emissions)};
    outputs.lengths["label"] = torch::tensor({1, 2, 0});
    if (crf) outputs.transitions["label"] = torch::zeros({4, 4});
    const Tensor tags = task->decode(outputs, {}).at("label");
    EXPECT_TRUE(torch::equal(tags[0], torch::tensor({0, -1})));
    EXPECT_TRUE(torch::equal(tags[1], torch::tensor({kNotFinite, kNotFinite})));
    EXPECT_TRUE(torch::equal(tags[2], torch::tensor({-1, -1})));
    if (!crf) continue;
    outputs.transitions["label"] = torch::full({4, 4}, NAN);
    EXPECT_TRUE(task->decode(outputs, {}).at("label").eq(kNotFinite).all().item<bool>());
  }
}

TEST(NotFinite, AnEvaluationCountsEveryCaseAndSaysWhichFailed) {
  const TaskPtr task = classification({}, {finding()});
  const auto evaluation = task->evaluation();
  // Known and answered, unknown, failed, known and answered.
  const TensorMap outputs =
      outputs_of("label", torch::tensor({{0.f, 1.f}, {0.f, 0.f}, {NAN, 0.f}, {2.f, 0.f}}));
  const Batch batch = batch_of("label", torch::tensor({1, -1, 0, 0}));
  evaluation->add(task->decode({outputs}, {}), batch, task->loss({outputs}, batch));
  EXPECT_THAT(evaluation->failed(), ElementsAre("case 2"));
  const auto metrics = evaluation->metrics();
  EXPECT_DOUBLE_EQ(metric(metrics, "auc").value, 1);
  EXPECT_EQ(metric(metrics, "loss").why_undefined, "not finite");
  const test::TempFolder folder;
  EXPECT_THAT(evaluation->write(folder.path(), "test"),
              testing::StartsWith("split=test n=2 unknown=1 failed=1 auc=1.0000"));
  const Json json = Json::parse(test::read_text(folder / "metrics.json"));
  EXPECT_EQ(json["cases"], 4);
  EXPECT_EQ(json["known"], 3);
  EXPECT_EQ(json["unknown"], 1);
  EXPECT_EQ(json["failed"], 1);
  EXPECT_EQ(json["failed_ids"], Json::parse("[\"case 2\"]"));
  EXPECT_EQ(json["n"], 2);
}

TEST(NotFinite, EveryTaskCountsItsOwn) {
  const TaskPtr many = classification({}, {labels()});
  auto evaluation = many->evaluation();
  evaluation->add(
      many->decode({outputs_of("label", torch::tensor({{1.f, 1.f}, {NAN, 0.f}, {0.f, 0.f}}))}, {}),
      batch_of("label", torch::tensor({{1.f, NAN}, {1.f, 0.f}, {NAN, NAN}})));
  EXPECT_THAT(evaluation->failed(), ElementsAre("case 1"));
  const test::TempFolder folder;
  EXPECT_THAT(evaluation->write(folder / "labels", "val"),
              testing::StartsWith("split=val n=1 unknown=1 failed=1 "));

  const TaskPtr number = regression({}, {age()});
  evaluation = number->evaluation();
  evaluation->add(
      number->decode({outputs_of("label", torch::tensor({{1.f}, {INFINITY}, {NAN}}))}, {}),
      batch_of("label", torch::tensor({59.f, 50.f, NAN})));
  EXPECT_THAT(evaluation->failed(), ElementsAre("case 1"));
  EXPECT_THAT(evaluation->write(folder / "number", "val"),
              testing::StartsWith("split=val n=1 unknown=1 failed=1 rmse=0.0000"));
  const Json json = Json::parse(test::read_text(folder / "number/metrics.json"));
  EXPECT_EQ(json["cases"], 3);
  EXPECT_EQ(json["undefined"]["limits_of_agreement"], "fewer than two cases");
}

TEST(NotFinite, OfSeveralTargetsACaseFailsOnce) {
  MultiTaskOptions options;
  options.tasks.entries.resize(2);
  options.tasks.entries[0].first = "label";
  options.tasks.entries[1].first = "age";
  options.tasks.entries[1].second.select("regression");
  TargetSpec number = age();
  number.name = "age";
  const TaskPtr task = multi_task(options, {finding(), number});
  TensorMap outputs = outputs_of("label", torch::tensor({{NAN, 0.f}, {0.f, 1.f}}));
  outputs["age"] = torch::tensor({{NAN}, {NAN}});
  Batch batch = batch_of("label", torch::tensor({0, 1}));
  batch.targets["age"] = torch::tensor({50.f, 60.f});
  const auto evaluation = task->evaluation();
  evaluation->add(task->decode({outputs}, {}), batch);
  EXPECT_THAT(evaluation->failed(), ElementsAre("case 0", "case 1"));
}

}  // namespace
}  // namespace fovea::tasks
