#include "fovea/tasks/regression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/test_files.h"
#include "tasks/cases.h"

namespace fovea::tasks {
namespace {

using testing::HasSubstr;
using torch::Tensor;

TargetSpec cycles() {
  return {.name = "rul", .classes = {}, .type = "number", .mean = 100, .deviation = 20};
}

double loss_of(const char* name, Tensor outputs, Tensor targets) {
  RegressionOptions options;
  options.loss.select(name);
  return loss_of(regression(options, {cycles()})
                     ->loss({outputs_of("rul", std::move(outputs))},
                            batch_of("rul", std::move(targets))))
      .item<double>();
}

TEST(Regression, LossesAreOfDeviationsFromTheMean) {
  const Tensor outputs = torch::tensor({{0.5f}, {-2.0f}}), targets = torch::tensor({120.f, 100.f});
  // In deviations the targets are 1 and 0, so the errors are -0.5 and -2.
  EXPECT_NEAR(loss_of("mse", outputs, targets), (0.25 + 4) / 2, 1e-6);
  EXPECT_NEAR(loss_of("mae", outputs, targets), (0.5 + 2) / 2, 1e-6);
  EXPECT_NEAR(loss_of("huber", outputs, targets), (0.125 + 1.5) / 2, 1e-6);
}

TEST(Regression, AMissingNumberCostsNothingAndPushesNothing) {
  for (const char* name : {"mse", "mae", "huber"}) {
    RegressionOptions options;
    options.loss.select(name);
    const Tensor outputs = torch::tensor({{0.5f}, {3.0f}}).requires_grad_();
    loss_of(regression(options, {cycles()})
                ->loss({outputs_of("rul", outputs)}, batch_of("rul", torch::tensor({100.f, NAN}))))
        .backward();
    EXPECT_EQ(outputs.grad()[1].item<float>(), 0) << name;
    EXPECT_GT(outputs.grad()[0].item<float>(), 0) << name;
    EXPECT_EQ(loss_of(name, torch::ones({2, 1}), torch::full({2}, NAN)), 0) << name;
  }
}

TEST(Regression, DecodedNumbersAreInTheUnitOfTheTarget) {
  const auto task = regression({}, {cycles()});
  const auto decoded = task->decode({outputs_of("rul", torch::tensor({{0.0f}, {-1.5f}}))}, {});
  EXPECT_DOUBLE_EQ(decoded.at("rul")[0].item<double>(), 100);
  EXPECT_DOUBLE_EQ(decoded.at("rul")[1].item<double>(), 70);
  const auto answers = task->answers(decoded, {}, 1);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_DOUBLE_EQ(answers[0].number.value(), 70);
  EXPECT_EQ(answers[0].decision, "70");
  EXPECT_EQ(task->columns(), std::vector<std::string>{"predicted"});
}

TEST(Regression, TheMainMetricIsTheRmseOverTheCasesThatAreKnown) {
  const auto evaluation = regression({}, {cycles()})->evaluation();
  EXPECT_EQ(evaluation->metrics().front().why_undefined, "no case was evaluated");
  evaluation->add(outputs_of("rul", torch::tensor({90.0, 50.0, 104.0}, torch::kDouble)),
                  batch_of("rul", torch::tensor({87.f, NAN, 100.f})), sums(1, 2));
  const auto metrics = evaluation->metrics();
  EXPECT_EQ(metrics.front().name, "rmse");
  EXPECT_EQ(metrics.front().goal, metrics::kLower);
  EXPECT_DOUBLE_EQ(metrics.front().value, std::sqrt((9 + 16) / 2.0));
  EXPECT_DOUBLE_EQ(metrics.back().value, 0.5);
  const test::TempFolder folder;
  EXPECT_THAT(evaluation->write(folder.path(), "test"),
              HasSubstr("split=test n=2 unknown=1 rmse=3.5355"));
  EXPECT_TRUE(std::filesystem::exists(folder / "bland_altman.svg"));
}

TEST(Regression, LossesAndTasksOfTheOtherTypeAreRefusedInWords) {
  RegressionOptions options;
  EXPECT_THAT(refusal([&] {
                regression(options, {{.name = "label", .classes = {"a", "b"}}});
              }),
              HasSubstr("use cross_entropy"));
  options.loss.select("cross_entropy");
  EXPECT_THAT(refusal([&] { regression(options, {cycles()}); }), HasSubstr("use mse"));
  EXPECT_THAT(refusal([&] {
                tasks().find("classification")->make(Held<ClassificationOptions>(), {cycles()});
              }),
              HasSubstr("regression"));
}

}  // namespace
}  // namespace fovea::tasks
