// Which epoch is the best, and when a run ends early: with metrics that are written out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/train/evaluate.h"
#include "fovea/train/schedules/plateau.h"
#include "fovea/train/signals.h"
#include "train/small_run.h"

namespace fovea::train {
namespace {

using testing::HasSubstr;

struct Epoch {
  double metric, loss;
  std::vector<std::string> failed = {};
};

/// A classification whose evaluations find what was written down for each epoch.
class Scripted final : public tasks::Task {
 public:
  Scripted(tasks::TaskPtr inner, metrics::Goal goal, std::vector<Epoch> epochs)
      : inner_(std::move(inner)), goal_(goal), epochs_(std::move(epochs)) {}

  std::vector<nn::HeadSpec> heads() const override { return inner_->heads(); }
  tasks::LossSums loss(const nn::Outputs& outputs, const Batch& batch) const override {
    return inner_->loss(outputs, batch);
  }
  std::vector<torch::Tensor> loss_weights(const Batch& batch) const override {
    return inner_->loss_weights(batch);
  }
  TensorMap decode(const nn::Outputs& outputs, const Batch& batch) const override {
    return inner_->decode(outputs, batch);
  }
  std::vector<Answer> answers(const TensorMap&, const Batch&, int64_t) const override { return {}; }
  std::vector<std::string> columns() const override { return {}; }
  std::vector<tasks::NamedMetric> metrics() const override { return metrics_of({0, 0}, goal_); }
  std::unique_ptr<tasks::Evaluation> evaluation() const override {
    return std::make_unique<Read>(epochs_.at(next_++), goal_);
  }

 private:
  static std::vector<tasks::NamedMetric> metrics_of(const Epoch& epoch, metrics::Goal goal) {
    return {{.name = "metric", .value = epoch.metric, .why_undefined = "", .goal = goal},
            {.name = "loss", .value = epoch.loss, .why_undefined = "", .goal = metrics::kLower}};
  }
  struct Read final : tasks::Evaluation {
    Read(Epoch read, metrics::Goal goal_of_all) : epoch(std::move(read)), goal(goal_of_all) {}
    void add(const TensorMap&, const Batch&, const tasks::LossSums&) override {}
    std::vector<tasks::NamedMetric> metrics() const override { return metrics_of(epoch, goal); }
    std::vector<std::string> failed() const override { return epoch.failed; }
    std::string write(const std::filesystem::path&, const std::string&) const override {
      return "";
    }
    Epoch epoch;
    metrics::Goal goal;
  };

  tasks::TaskPtr inner_;
  metrics::Goal goal_;
  std::vector<Epoch> epochs_;
  mutable size_t next_ = 0;
};

Result result_of(metrics::Goal goal, const std::vector<Epoch>& epochs,
                 std::optional<int64_t> stop_after = {}) {
  SmallRun run;
  run.cases = 8;
  run.options.epochs = static_cast<int64_t>(epochs.size());
  run.options.stop_after = stop_after;
  Training training = run.prepare();
  training.task = std::make_shared<Scripted>(run.task, goal, epochs);
  return Trainer(training, run.options).fit();
}

TEST(Best, OfAMetricWithATargetIsTheNearest) {
  const std::vector<Epoch> bias{{-2.2, 1}, {0.5, 1}, {-0.04, 1}, {0.05, 1}, {-3, 1}};
  const Result result = result_of(metrics::near(0), bias);
  EXPECT_EQ(result.best_epoch, 3);
  EXPECT_DOUBLE_EQ(*result.best, -0.04);
  EXPECT_EQ(result_of(metrics::near(0), bias, 1).epochs, 4);
  EXPECT_EQ(result_of(metrics::kLower, bias).best_epoch, 5);
  EXPECT_EQ(result_of(metrics::kHigher, bias).best_epoch, 2);
}

TEST(Best, OfEqualValuesIsThatOfTheLowerLossAndEarlyStoppingWaitsForTheMetric) {
  const std::vector<Epoch> perfect{{0.9, 0.7}, {1, 0.6}, {1, 0.2}, {1, 0.3}, {1, 0.1}};
  const Result result = result_of(metrics::kHigher, perfect);
  EXPECT_EQ(result.best_epoch, 5);
  const Result early = result_of(metrics::kHigher, perfect, 2);
  EXPECT_EQ(early.end, Result::End::early);
  EXPECT_EQ(early.epochs, 4);
  EXPECT_EQ(early.best_epoch, 3);
  EXPECT_EQ(early.reason, "metric did not improve for 2 epochs");
}

TEST(Best, IsNoEpochOfWhichCasesFailed) {
  const Result result =
      result_of(metrics::kHigher, {{0.6, 1}, {0.9, 1, {"case 3"}}, {0.7, 1}, {0.65, 1}});
  EXPECT_EQ(result.best_epoch, 3);
}

TEST(Best, AMetricInCapitalsIsAnsweredWithTheOneThatIsMeant) {
  SmallRun run;
  run.options.best = "AUC";
  try {
    run.fit();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::config);
    EXPECT_THAT(error.problem(), HasSubstr("TrainOptions::best: found 'AUC'"));
    EXPECT_THAT(error.remedy(), HasSubstr("did you mean 'auc'?"));
  }
}

// PyTorch's rule for its relative threshold, taken by the size of values below 0.
TEST(Best, APlateauFollowsTheGoal) {
  ScheduleChoice choice;
  choice.set("plateau", PlateauOptions{.factor = 0.5, .patience = 0, .threshold = 0.1});
  const auto factor_after = [&](const metrics::Goal& goal, const std::vector<double>& values) {
    const SchedulePtr schedule = choice.make({.steps_per_epoch = 1, .epochs = 10});
    for (const double value : values) schedule->observe(value, goal);
    return schedule->factor(0);
  };
  EXPECT_EQ(factor_after(metrics::near(0), {-2, 1.5, -1}), 1);  // nearer by a tenth each time
  EXPECT_EQ(factor_after(metrics::near(0), {-2, -3}), 0.5);     // lower, but farther
  EXPECT_EQ(factor_after(metrics::kHigher, {-1, -1.05}), 0.5);  // worse, within the threshold
  EXPECT_EQ(factor_after(metrics::kHigher, {-1, -0.8}), 1);
  EXPECT_EQ(factor_after(metrics::kLower, {-1, -1.05}), 0.5);  // better, within the threshold
  EXPECT_EQ(factor_after(metrics::kLower, {-1, -1.2}), 1);
}

TEST(Best, AfterAStopTheSameProcessEvaluatesAndTrains) {
  SmallRun run;
  struct Stop : Callback {
    void on_step(const StepReport& step) override {
      if (step.step == 2) request_stop(SIGTERM);
    }
  } stop;
  EXPECT_EQ(run.fit({&stop}).end, Result::End::stopped);
  EXPECT_FALSE(stop_requested());
  EXPECT_NE(evaluate(*run.model, *run.task, *run.validation), nullptr);
  EXPECT_EQ(SmallRun().fit().end, Result::End::completed);
  {
    const StopSignals signals;
    raise(SIGTERM);
  }
  EXPECT_FALSE(stop_requested());
}

// An evaluation that nobody may stop does not ask.
TEST(Best, OnlyWhoAsksForAStopIsStopped) {
  SmallRun run;
  run.prepare();
  request_stop(SIGTERM);
  EXPECT_NE(evaluate(*run.model, *run.task, *run.validation), nullptr);
  EXPECT_EQ(evaluate(*run.model, *run.task, *run.validation, {.stop = stop_requested}), nullptr);
  request_stop(0);
}

// 33 images of one value each in batches of 32: batch normalization has no statistics of one.
TEST(LastBatch, OfOneCaseJoinsTheOneBefore) {
  for (const int64_t accumulate : {1, 3}) {
    SmallRun run;
    run.cases = 33;
    run.options.epochs = 2;
    run.options.batch_size = 8;
    run.options.accumulate = accumulate;
    Training training = run.prepare();
    nn::EncoderChoice encoder;
    encoder.set("cnn", nn::CnnOptions{.channels = {4, 4, 4, 4, 4}, .attention = {}});
    nn::ModelOptions described;
    described.encoders.entries.emplace_back("image", encoder);
    training.model = std::make_shared<nn::Model>(
        described, std::vector<std::pair<std::string, InputShape>>{{"image", {{1, 8, 8}}}},
        run.task->heads(), 1);
    struct Cases : Callback {
      std::vector<int64_t> cases;
      void on_step(const StepReport& step) override { cases.push_back(step.cases); }
    } steps;
    Trainer trainer(training, run.options);
    EXPECT_THAT(trainer.notes(), testing::Contains(HasSubstr("33 training cases in batches of 8")));
    EXPECT_EQ(trainer.fit({&steps}).end, Result::End::completed);
    EXPECT_EQ(steps.cases, accumulate == 1 ? (std::vector<int64_t>{8, 8, 8, 9, 8, 8, 8, 9})
                                           : (std::vector<int64_t>{24, 9, 24, 9}));
  }
}

}  // namespace
}  // namespace fovea::train
