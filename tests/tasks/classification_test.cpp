#include "fovea/tasks/classification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/test_files.h"
#include "tasks/cases.h"

namespace fovea::tasks {
namespace {

using testing::HasSubstr;
using torch::Tensor;

TargetSpec finding() { return {.name = "label", .classes = {"normal", "pneumonia"}}; }
TargetSpec several() {
  return {.name = "findings", .classes = {"nodule", "effusion"}, .type = "labels"};
}

TEST(Classification, AHeadPerTargetWithAnOutputPerClass) {
  const auto heads = classification({}, {finding(), several()})->heads();
  ASSERT_EQ(heads.size(), 2u);
  EXPECT_EQ(heads[0].name, "label");
  EXPECT_EQ(std::get<nn::Pooled>(heads[0].of).outputs, 2);
  EXPECT_EQ(heads[1].name, "findings");
}

TEST(Classification, BinaryProbabilitiesAreTheSoftmaxOfTwoColumns) {
  const auto task = classification({}, {finding()});
  const auto decoded =
      task->decode({outputs_of("label", torch::tensor({{0.0f, std::log(3.0f)}}))}, {});
  EXPECT_NEAR(decoded.at("label")[0][1].item<double>(), 0.75, 1e-6);
  EXPECT_EQ(decoded.at("label").scalar_type(), torch::kFloat);
}

TEST(Classification, LogitsInHalfPrecisionGiveALossInSinglePrecision) {
  const auto task = classification({}, {finding()});
  const auto loss =
      loss_of(task->loss({outputs_of("label", torch::zeros({4, 2}, torch::kBFloat16))},
                         batch_of("label", torch::tensor({0, 1, 1, 0}))));
  EXPECT_EQ(loss.scalar_type(), torch::kFloat);
  EXPECT_NEAR(loss.item<double>(), std::log(2.0), 1e-6);
}

TEST(Classification, LossesOfTargetsAddUp) {
  const auto task = classification({}, {finding(), several()});
  Batch batch = batch_of("label", torch::tensor({0, 1}));
  batch.targets["findings"] = torch::tensor({{1.0f, 0.0f}, {1.0f, NAN}});
  TensorMap outputs = outputs_of("label", torch::zeros({2, 2}));
  outputs["findings"] = torch::zeros({2, 2});
  EXPECT_NEAR(loss_of(task->loss({outputs}, batch)).item<double>(), 2 * std::log(2.0), 1e-6);
}

TEST(Classification, TheMainMetricIsTheAucAndTheLastTheLoss) {
  const auto metrics = classification({}, {finding()})->metrics();
  EXPECT_EQ(metrics.front().name, "auc");
  EXPECT_EQ(metrics.front().goal, metrics::kHigher);
  EXPECT_EQ(metrics.back().name, "loss");
  EXPECT_EQ(metrics.back().goal, metrics::kLower);
  EXPECT_FALSE(metrics.front().why_undefined.empty());
}

TEST(Classification, ChoosesWherePositiveBeginsByItsRule) {
  ClassificationOptions options;
  options.operating_point.type = metrics::PointRule::Type::sensitivity;
  options.operating_point.wanted = 1;
  const auto task = classification(options, {finding()});
  const auto evaluation = task->evaluation();
  const Tensor p =
      torch::tensor({{0.75f, 0.25f}, {0.625f, 0.375f}, {0.5f, 0.5f}, {0.125f, 0.875f}});
  evaluation->add(outputs_of("label", p), batch_of("label", torch::tensor({0, 1, 0, 1})));
  const auto chosen = evaluation->choose_points("val");
  ASSERT_EQ(chosen.size(), 1u);
  EXPECT_EQ(chosen[0].target, "label");
  EXPECT_EQ(chosen[0].points,
            (std::vector<metrics::OperatingPoint>{{0.375, "sensitivity 1 on val"}}));
  EXPECT_EQ(chosen[0].more.size(), 6u);
  // A model that has it decides by it, in metrics and in answers.
  TargetSpec decided = finding();
  decided.points = chosen[0].points;
  const auto with = classification(options, {decided});
  const auto again = with->evaluation();
  again->add(outputs_of("label", p), batch_of("label", torch::tensor({0, 1, 0, 1})));
  EXPECT_EQ(metric(again->metrics(), "sensitivity").value, 1);
  EXPECT_EQ(metric(again->metrics(), "specificity").value, 0.5);
  EXPECT_EQ(with->answers(outputs_of("label", p), {}, 1)[0].decision, "pneumonia");
  EXPECT_EQ(task->answers(outputs_of("label", p), {}, 1)[0].decision, "normal");
}

TEST(Classification, ALabelHasAThresholdOfItsOwnAndSeveralClassesHaveNone) {
  TargetSpec target = several();
  target.points = {{0.5, "youden on val"}, {0.25, "youden on val"}};
  const auto task = classification({}, {target});
  const TensorMap p = outputs_of("findings", torch::tensor({{0.375f, 0.375f}}));
  EXPECT_EQ(task->answers(p, {}, 0)[0].decision, "effusion");
  const TargetSpec three{.name = "view", .classes = {"a", "b", "c"}};
  const auto evaluation = classification({}, {three})->evaluation();
  EXPECT_TRUE(evaluation->choose_points("val").empty());
  EXPECT_EQ(classification({}, {finding(), several()})->evaluation()->choose_points("val").size(),
            2u);
}

TEST(Classification, SectionsNameTheCasesByTheirPlaceInTheData) {
  const auto evaluation = classification({}, {finding()})->evaluation();
  Batch batch = batch_of("label", torch::tensor({0, -1, 1}));
  batch.indices = {7, 4, 9};
  evaluation->add(outputs_of("label", torch::tensor({{0.9f, 0.1f}, {0.5f, 0.5f}, {0.8f, 0.2f}})),
                  batch);
  const auto sections = evaluation->sections({.bootstrap = {.replicates = 0}});
  ASSERT_EQ(sections.size(), 1u);
  EXPECT_EQ(sections[0].target, "label");
  EXPECT_EQ(sections[0].coverage.rows, (std::vector<uint32_t>{7, 9}));
  ASSERT_EQ(sections[0].failures.size(), 1u);
  EXPECT_EQ(sections[0].failures[0].row, 9u);
  EXPECT_EQ(sections[0].failures[0].type, "false negative");
}

TEST(Classification, MetricsOfTwoBatchesAreThoseOfAllCases) {
  const auto task = classification({}, {finding()});
  const auto evaluation = task->evaluation();
  // Positive cases score 0.9 and 0.4, negative ones 0.5 and 0.2: 3 of 4 pairs in the right order.
  TensorMap first = outputs_of("label", torch::tensor({{0.1f, 0.9f}, {0.5f, 0.5f}}));
  TensorMap second = outputs_of("label", torch::tensor({{0.6f, 0.4f}, {0.8f, 0.2f}}));
  evaluation->add(first, batch_of("label", torch::tensor({1, 0})), sums(2, 2));
  evaluation->add(second, batch_of("label", torch::tensor({1, 0})), sums(8, 2));
  const auto metrics = evaluation->metrics();
  EXPECT_DOUBLE_EQ(metric(metrics, "auc").value, 0.75);
  EXPECT_DOUBLE_EQ(metric(metrics, "accuracy").value, 0.5);
  EXPECT_DOUBLE_EQ(metric(metrics, "loss").value, 2.5);
}

TEST(Classification, AMetricThatDoesNotExistSaysWhy) {
  const auto evaluation = classification({}, {finding()})->evaluation();
  evaluation->add(outputs_of("label", torch::tensor({{0.1f, 0.9f}})),
                  batch_of("label", torch::tensor({1})));
  const auto metrics = evaluation->metrics();
  EXPECT_TRUE(std::isnan(metric(metrics, "auc").value));
  EXPECT_FALSE(metric(metrics, "auc").why_undefined.empty());
  EXPECT_FALSE(metric(metrics, "loss").why_undefined.empty());
}

TEST(Classification, MissingLabelsDoNotCount) {
  const auto evaluation = classification({}, {several()})->evaluation();
  const auto p = torch::tensor({{0.9f, 0.1f}, {0.2f, 0.9f}, {0.8f, 0.3f}});
  // Without the hole, the third case would be a false alarm of the first label.
  evaluation->add(outputs_of("findings", p),
                  batch_of("findings", torch::tensor({{1.0f, 0.0f}, {0.0f, 1.0f}, {NAN, 0.0f}})));
  EXPECT_DOUBLE_EQ(metric(evaluation->metrics(), "accuracy").value, 1);
}

TEST(Classification, WithTwoTargetsMetricsCarryTheirNames) {
  const auto metrics = classification({}, {finding(), several()})->metrics();
  EXPECT_EQ(metrics.front().name, "label.auc");
  EXPECT_TRUE(std::ranges::any_of(metrics, [](auto& f) { return f.name == "findings.auc"; }));
}

TEST(Classification, WritesTheEvaluationAndReturnsItsLine) {
  const auto evaluation = classification({}, {finding()})->evaluation();
  evaluation->add(outputs_of("label", torch::tensor({{0.1f, 0.9f}, {0.6f, 0.4f}})),
                  batch_of("label", torch::tensor({1, 0})));
  const test::TempFolder folder;
  EXPECT_THAT(evaluation->write(folder.path(), "test"), HasSubstr("split=test n=2 auc=1.0000"));
  EXPECT_TRUE(std::filesystem::exists(folder / "metrics.json"));
  EXPECT_TRUE(std::filesystem::exists(folder / "predictions.csv"));
}

TEST(Classification, NoTargetAndASingleClassAreRefused) {
  EXPECT_THROW(classification({}, {}), Error);
  EXPECT_THROW(classification({}, {{.name = "label", .classes = {"only"}}}), Error);
  EXPECT_NO_THROW(classification({}, {{.name = "label", .classes = {"only"}, .type = "labels"}}));
}

}  // namespace
}  // namespace fovea::tasks
