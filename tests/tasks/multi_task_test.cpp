// Several targets of different types at once.
#include "fovea/tasks/multi_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/tasks/regression.h"
#include "support/test_files.h"
#include "tasks/cases.h"

namespace fovea::tasks {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<TargetSpec> targets() {
  return {{.name = "label", .classes = {"well", "ill"}},
          {.name = "age", .classes = {}, .type = "number", .mean = 50, .deviation = 10}};
}

MultiTaskOptions both() {
  MultiTaskOptions options;
  options.tasks.entries.resize(2);
  options.tasks.entries[0].first = "label";
  options.tasks.entries[1].first = "age";
  options.tasks.entries[1].second.select("regression");
  return options;
}

// Logits of 0 cost log 2; an age of 60 predicted as 50 costs 1.
TensorMap outputs() {
  TensorMap all = outputs_of("label", torch::zeros({2, 2}));
  all["age"] = torch::zeros({2, 1});
  return all;
}
Batch batch(torch::Tensor labels, torch::Tensor ages) {
  Batch one = batch_of("label", std::move(labels));
  one.targets["age"] = std::move(ages);
  return one;
}

TEST(MultiTask, LossesAddUpWithTheirWeights) {
  MultiTaskOptions options = both();
  const Batch cases = batch(torch::tensor({0, 1}), torch::tensor({60.f, 40.f}));
  EXPECT_NEAR(loss_of(multi_task(options, targets())->loss({outputs()}, cases)).item<double>(),
              std::log(2.0) + 1, 1e-6);
  options.weights.entries = {{"age", 0.25}};
  EXPECT_NEAR(loss_of(multi_task(options, targets())->loss({outputs()}, cases)).item<double>(),
              std::log(2.0) + 0.25, 1e-6);
}

TEST(MultiTask, ACaseWithoutOneTargetStillCountsForTheOther) {
  const auto task = multi_task(both(), targets());
  // The first case has no class, the second no age.
  const Batch cases = batch(torch::tensor({-1, 1}), torch::tensor({60.f, NAN}));
  TensorMap out = outputs();
  out["label"] = torch::tensor({{9.0f, 0.0f}, {0.0f, 0.0f}}).requires_grad_();
  const LossSums parts = task->loss({out}, cases);
  const auto loss = loss_of(parts);
  EXPECT_NEAR(loss.item<double>(), std::log(2.0) + 1, 1e-6);
  loss.backward();
  EXPECT_EQ(out.at("label").grad()[0].abs().max().item<float>(), 0);
  const auto evaluation = task->evaluation();
  evaluation->add(task->decode({out}, {}), cases, parts);
  const auto metrics = evaluation->metrics();
  EXPECT_DOUBLE_EQ(metric(metrics, "label.accuracy").value, 1);
  EXPECT_DOUBLE_EQ(metric(metrics, "age.mae").value, 10);
  EXPECT_NEAR(metric(metrics, "loss").value, std::log(2.0) + 1, 1e-6);
}

TEST(MultiTask, ABatchWithoutAnyClassCostsNothing) {
  for (const char* loss : {"cross_entropy", "focal"}) {
    ClassificationOptions options;
    options.loss.emplace().select(loss);
    const auto task = classification(options, {targets()[0]});
    const auto logits = torch::randn({2, 2}).requires_grad_();
    const auto value = loss_of(
        task->loss({outputs_of("label", logits)}, batch_of("label", torch::tensor({-1, -1}))));
    value.backward();
    EXPECT_EQ(value.item<float>(), 0) << loss;
    EXPECT_EQ(logits.grad().abs().max().item<float>(), 0) << loss;
  }
}

TEST(MultiTask, MetricsFilesAndColumnsCarryTheNameOfTheTarget) {
  const auto task = multi_task(both(), targets());
  EXPECT_EQ(task->metrics().front().name, "label.auc");
  EXPECT_THAT(task->columns(),
              ElementsAre("label.p_well", "label.p_ill", "label.decision", "age.predicted"));
  const auto evaluation = task->evaluation();
  evaluation->add(task->decode({outputs()}, {}),
                  batch(torch::tensor({0, 1}), torch::tensor({60.f, 40.f})));
  const test::TempFolder folder;
  EXPECT_THAT(
      evaluation->write(folder.path(), "test"),
      AllOf(HasSubstr("target=label split=test n=2"), HasSubstr("\ntarget=age split=test")));
  EXPECT_TRUE(std::filesystem::exists(folder / "label/roc.svg"));
  EXPECT_TRUE(std::filesystem::exists(folder / "age/scatter.svg"));
}

TEST(MultiTask, AnAnswerForEachTarget) {
  const auto task = multi_task(both(), targets());
  const auto answers = task->answers(task->decode({outputs()}, {}), {}, 0);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].decision, "ill");  // a probability of 0.5 is called positive
  EXPECT_DOUBLE_EQ(answers[1].number.value(), 50);
}

TEST(MultiTask, TasksAndTargetsMustAgree) {
  MultiTaskOptions options = both();
  options.tasks.entries.pop_back();
  EXPECT_THAT(refusal([&] { multi_task(options, targets()); }), HasSubstr("'age'"));
  options = both();
  options.tasks.entries[0].first = "lable";
  EXPECT_THAT(refusal([&] { multi_task(options, targets()); }),
              AllOf(HasSubstr("'lable'"), HasSubstr("label, age")));
  options = both();
  options.weights.entries = {{"sex", 1}};
  EXPECT_THAT(refusal([&] { multi_task(options, targets()); }), HasSubstr("weights"));
}

}  // namespace
}  // namespace fovea::tasks
