// Several batches that make one step are the step of one large batch, whatever the task.
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/nn/encoders/mlp.h"
#include "fovea/nn/encoders/rnn.h"
#include "fovea/tasks/losses/bce.h"
#include "fovea/tasks/losses/cross_entropy.h"
#include "fovea/tasks/multi_task.h"
#include "fovea/tasks/regression.h"
#include "fovea/tasks/token_classification.h"
#include "fovea/train/optimizers/sgd.h"
#include "fovea/train/schedules/constant.h"
#include "train/small_run.h"

namespace fovea::train {
namespace {

using torch::Tensor;

/// Ten cases: two numbers, and a text of 2 to 8 words. What is not known differs from target to
/// target.
class Ten final : public Dataset {
 public:
  explicit Ten(std::vector<TargetSpec> targets) {
    schema_.inputs = {{"labs", {.sizes = {2}}}, {"text", {.sizes = {-1}, .vocabulary = 7}}};
    schema_.targets = std::move(targets);
  }
  int64_t size() const override { return 10; }
  Example get(int64_t index) const override {
    Example one{.id = name(index), .group = "", .inputs = {}, .targets = targets(index)};
    const auto i = static_cast<double>(index);
    one.inputs["labs"] = torch::tensor({std::sin(i), std::cos(3 * i)}).to(torch::kFloat);
    one.inputs["text"] = torch::arange(words(index)).remainder(5) + 2;
    return one;
  }
  const Schema& schema() const override { return schema_; }
  TensorMap targets(int64_t index) const override {
    TensorMap all;
    for (const TargetSpec& spec : schema_.targets) all[spec.name] = target(spec.type, index);
    return all;
  }
  std::string group(int64_t) const override { return ""; }
  std::string name(int64_t index) const override { return "case " + std::to_string(index); }

 private:
  static int64_t words(int64_t index) { return 2 + index * 5 % 7; }
  static Tensor target(const std::string& type, int64_t i) {
    if (type == "tags") return torch::arange(words(i)).remainder(3);
    if (type == "number")
      return torch::tensor(i % 4 == 1 ? NAN : 40 + static_cast<float>(i * i % 11));
    if (type == "labels")
      return torch::tensor({i % 3 == 0 ? NAN : static_cast<float>(i % 2), i < 3 ? 1.f : 0.f});
    return torch::tensor(i % 5 == 2 ? -1 : (i > 7 ? 1 : 0));
  }

  Schema schema_;
};

TargetSpec classes() { return {.name = "label", .classes = {"well", "ill"}, .counts = {6, 2}}; }
TargetSpec labels() {
  return {.name = "label",
          .classes = {"nodule", "effusion"},
          .type = "labels",
          .counts = {3, 3},
          .known = {6, 10}};
}
TargetSpec number() {
  return {.name = "age", .classes = {}, .type = "number", .mean = 45, .deviation = 3};
}
TargetSpec tags() {
  return {
      .name = "tags", .classes = {"a"}, .type = "tags", .input = "text", .layout = Layout::tokens};
}

tasks::ClassificationOptions weighted(const char* loss = "cross_entropy") {
  tasks::ClassificationOptions options;
  options.loss.emplace().select(loss);
  if (std::string(loss) == "cross_entropy")
    options.loss->set("cross_entropy", tasks::CrossEntropyOptions{.class_weights = {"balanced"}});
  if (std::string(loss) == "bce")
    options.loss->set("bce", tasks::BceOptions{.pos_weight = {"balanced"}});
  return options;
}

tasks::TaskPtr both() {
  tasks::MultiTaskOptions options;
  options.tasks.entries.resize(2);
  options.tasks.entries[0].first = "label";
  options.tasks.entries[0].second.set("classification", weighted());
  options.tasks.entries[1].first = "age";
  options.tasks.entries[1].second.select("regression");
  options.weights.entries = {{"age", 0.3}};
  return tasks::multi_task(options, {classes(), number()});
}

struct Losses : Callback {
  std::vector<double> steps, epochs;
  void on_step(const StepReport& step) override { steps.push_back(step.loss); }
  void on_epoch(const EpochReport& epoch) override { epochs.push_back(epoch.train_loss); }
};

struct Outcome {
  std::vector<Tensor> weights;
  Losses losses;
};

Outcome step_of(const tasks::TaskPtr& task, const std::vector<TargetSpec>& targets,
                int64_t batch_size, int64_t accumulate) {
  use_threads(1);
  TrainOptions options;
  options.epochs = 1;
  options.batch_size = batch_size;
  options.accumulate = accumulate;
  options.precision = "fp32";
  options.loader_threads = 0;
  options.optimizer.set("sgd", SgdOptions{.lr = 1, .momentum = 0, .weight_decay = 0});
  options.schedule.set("constant", ConstantOptions{});
  const Loader training(std::make_shared<Ten>(targets), {}, training_loader(options, 4));
  nn::ModelOptions described;
  const bool text = targets[0].type == "tags";
  nn::EncoderChoice encoder;
  if (text)
    encoder.set("rnn", nn::RnnOptions{.width = 4, .embedding = 4});
  else
    encoder.set("mlp", nn::MlpOptions{.hidden = {8}});
  described.encoders.entries.emplace_back(text ? "text" : "labs", encoder);
  const auto model = std::make_shared<nn::Model>(
      described,
      std::vector<std::pair<std::string, InputShape>>{{"labs", {.sizes = {2}}},
                                                      {"text", {.sizes = {-1}, .vocabulary = 7}}},
      task->heads(), 7);
  Outcome outcome;
  Trainer({.model = model, .task = task, .training = &training, .seed = 4}, options)
      .fit({&outcome.losses});
  for (const Tensor& parameter : model->parameters()) outcome.weights.push_back(parameter.detach());
  return outcome;
}

TEST(Accumulate, TenCasesAsOneBatchAsTwoAndAsThreeAreOneStep) {
  tasks::RegressionOptions huber;
  huber.loss.select("huber");
  const std::vector<std::tuple<std::string, tasks::TaskPtr, std::vector<TargetSpec>>> all = {
      {"classes", tasks::classification({}, {classes()}), {classes()}},
      {"weighted", tasks::classification(weighted(), {classes()}), {classes()}},
      {"focal", tasks::classification(weighted("focal"), {classes()}), {classes()}},
      {"labels", tasks::classification(weighted("bce"), {labels()}), {labels()}},
      {"number", tasks::regression({}, {number()}), {number()}},
      {"huber", tasks::regression(huber, {number()}), {number()}},
      {"tags", tasks::token_classification({.crf = false}, {tags()}), {tags()}},
      {"random field", tasks::token_classification({}, {tags()}), {tags()}},
      {"two targets", both(), {classes(), number()}},
  };
  for (const auto& [what, task, targets] : all) {
    SCOPED_TRACE(what);
    const Outcome whole = step_of(task, targets, 10, 1);
    ASSERT_EQ(whole.losses.steps.size(), 1u);
    for (const auto& [size, parts] :
         std::vector<std::pair<int64_t, int64_t>>{{5, 2}, {4, 3}, {2, 5}, {3, 4}}) {
      const Outcome split = step_of(task, targets, size, parts);
      ASSERT_EQ(split.losses.steps.size(), 1u);
      EXPECT_NEAR(split.losses.steps[0], whole.losses.steps[0], 2e-6) << size;
      EXPECT_NEAR(split.losses.epochs[0], whole.losses.steps[0], 2e-6) << size;
      for (size_t i = 0; i < whole.weights.size(); ++i)
        EXPECT_LT((split.weights[i] - whole.weights[i]).abs().max().item<double>(), 2e-6) << size;
    }
  }
}

// With a rate of next to nothing the model stays, and an epoch is one pass over the cases.
TEST(Accumulate, TheLossOfAnEpochIsThatOfItsCasesWhateverTheBatches) {
  const auto epoch_of = [](int64_t batch_size) {
    const auto task = tasks::classification(weighted(), {classes()});
    use_threads(1);
    TrainOptions options;
    options.epochs = 1;
    options.batch_size = batch_size;
    options.precision = "fp32";
    options.loader_threads = 0;
    options.optimizer.set("sgd", SgdOptions{.lr = 1e-12, .momentum = 0, .weight_decay = 0});
    const Loader training(std::make_shared<Ten>(std::vector{classes()}), {},
                          training_loader(options, 4));
    const Loader validation(std::make_shared<Ten>(std::vector{classes()}), {},
                            evaluation_loader(options));
    nn::ModelOptions described;
    nn::EncoderChoice encoder;
    encoder.set("mlp", nn::MlpOptions{.hidden = {8}});
    described.encoders.entries.emplace_back("labs", encoder);
    const auto model = std::make_shared<nn::Model>(
        described, std::vector<std::pair<std::string, InputShape>>{{"labs", {.sizes = {2}}}},
        task->heads(), 7);
    struct Epoch : Callback {
      std::vector<double> losses;
      void on_epoch(const EpochReport& epoch) override {
        losses = {epoch.train_loss,
                  std::ranges::find(epoch.metrics, "loss", &tasks::NamedMetric::name)->value};
      }
    } epoch;
    Trainer(
        {.model = model, .task = task, .training = &training, .validation = &validation, .seed = 4},
        options)
        .fit({&epoch});
    return epoch.losses;
  };
  const auto whole = epoch_of(10);
  EXPECT_NEAR(whole[0], whole[1], 1e-6);
  for (const int64_t size : {1, 3, 7}) {
    const auto split = epoch_of(size);
    EXPECT_NEAR(split[0], whole[0], 1e-6) << size;
    EXPECT_NEAR(split[1], whole[1], 1e-6) << size;
  }
}

}  // namespace
}  // namespace fovea::train
