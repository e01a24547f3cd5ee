// The loss of a set, whatever the batches: its value, and its gradient where several batches make
// one step. What a whole batch costs is compared with PyTorch in losses_test.cpp.
#include "fovea/tasks/loss_sums.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fovea/tasks/losses/bce.h"
#include "fovea/tasks/losses/cross_entropy.h"
#include "fovea/tasks/losses/focal.h"
#include "fovea/tasks/multi_task.h"
#include "fovea/tasks/regression.h"
#include "fovea/tasks/token_classification.h"
#include "tasks/cases.h"

namespace fovea::tasks {
namespace {

using torch::Tensor;

constexpr int64_t kCases = 30;

/// Thirty cases of a task: what a model says of them, in double, and what is true.
struct Set {
  std::string what;
  TaskPtr task;
  TensorMap outputs, targets;
  TensorMap transitions = {};  // outputs that are not of each case

  Batch batch(int64_t begin, int64_t end) const {
    Batch one;
    for (int64_t i = begin; i < end; ++i) one.ids.push_back("case " + std::to_string(i));
    one.groups.resize(one.ids.size());
    for (const auto& [name, tensor] : targets) one.targets[name] = tensor.slice(0, begin, end);
    return one;
  }
  nn::Outputs outputs_of(int64_t begin, int64_t end) const {
    nn::Outputs some{.transitions = transitions};
    for (const auto& [name, tensor] : outputs) some.scores[name] = tensor.slice(0, begin, end);
    return some;
  }
};

Tensor draw(at::IntArrayRef shape) { return torch::randn(shape, torch::kDouble).mul_(2); }

/// Case i has class i % k but every fifth is unknown; the first is the rarest.
Tensor some_classes(int64_t k) {
  Tensor classes = torch::arange(kCases).remainder(k * 3).clamp_max(k - 1);
  classes.index_put_({torch::arange(0, kCases, 5)}, -1);
  return classes;
}

Tensor labels_with_blanks(int64_t k) {
  Tensor labels = torch::arange(kCases * k).view({kCases, k}).remainder(3).eq(0).to(torch::kFloat);
  labels.index_put_({torch::arange(0, kCases, 4), torch::tensor(0)}, NAN);
  labels.index_put_({torch::arange(20, 25)}, NAN);
  return labels;
}

TargetSpec classes_of(int64_t k, std::string type = "classes") {
  TargetSpec target{.name = "y", .classes = {}, .type = std::move(type)};
  for (int64_t i = 0; i < k; ++i) {
    target.classes.push_back("class " + std::to_string(i));
    target.counts.push_back(4 + 3 * i);
    target.known.push_back(20);
  }
  return target;
}

template <class Options>
Set classes_set(const std::string& what, const char* loss, Options options,
                const TargetSpec& target, Tensor targets) {
  ClassificationOptions chosen;
  chosen.loss.emplace().set(loss, std::move(options));
  Set set{.what = what, .task = classification(chosen, {target}), .outputs = {}, .targets = {}};
  set.outputs["y"] = draw({kCases, static_cast<int64_t>(target.classes.size())});
  set.targets["y"] = std::move(targets);
  return set;
}

TargetSpec age() {
  return {.name = "age", .classes = {}, .type = "number", .mean = 50, .deviation = 9};
}

Tensor ages_with_blanks() {
  Tensor ages = torch::arange(kCases).to(torch::kFloat) + 30;
  ages.index_put_({torch::arange(3, kCases, 7)}, NAN);
  return ages;
}

Set numbers_set(const char* loss) {
  RegressionOptions options;
  options.loss.select(loss);
  Set set{.what = loss, .task = regression(options, {age()}), .outputs = {}, .targets = {}};
  set.outputs["age"] = draw({kCases, 1});
  set.targets["age"] = ages_with_blanks();
  return set;
}

/// Texts of 0 to 8 tokens.
Set tags_set(bool crf) {
  const TargetSpec target{.name = "tags", .classes = {"a", "b"}, .type = "tags", .input = "text"};
  Set set{.what = crf ? "tags with a random field" : "tags",
          .task = token_classification({.crf = crf}, {target}),
          .outputs = {},
          .targets = {}};
  Tensor tags = torch::arange(kCases * 8).view({kCases, 8}).remainder(5);
  const Tensor lengths = torch::arange(kCases).remainder(9).unsqueeze(1);
  set.targets["tags"] = tags.masked_fill(torch::arange(8).unsqueeze(0) >= lengths, -1);
  set.outputs["tags"] = draw({kCases, 8, 5});
  if (crf) set.transitions["tags"] = draw({6, 6});
  return set;
}

Set both_set() {
  MultiTaskOptions options;
  options.tasks.entries.resize(2);
  options.tasks.entries[0].first = "y";
  ClassificationOptions weighted;
  weighted.loss.emplace().set("cross_entropy",
                              CrossEntropyOptions{.class_weights = {.rule = "balanced"}});
  options.tasks.entries[0].second.set("classification", weighted);
  options.tasks.entries[1].first = "age";
  options.tasks.entries[1].second.select("regression");
  options.weights.entries = {{"age", 0.25}};
  Set set{.what = "two targets",
          .task = multi_task(options, {classes_of(3), age()}),
          .outputs = {},
          .targets = {}};
  set.outputs["y"] = draw({kCases, 3});
  set.outputs["age"] = draw({kCases, 1});
  set.targets["y"] = some_classes(3);
  set.targets["age"] = ages_with_blanks();
  return set;
}

std::vector<Set> sets() {
  torch::manual_seed(5);
  const ClassWeights balanced{.rule = "balanced"};
  const TargetSpec three = classes_of(3), labels = classes_of(4, "labels");
  const Tensor soft = draw({kCases, 3}).softmax(1).index_put_({torch::arange(0, 30, 6)}, NAN);
  std::vector<Set> all;
  all.push_back(
      classes_set("plain", "cross_entropy", CrossEntropyOptions{}, three, some_classes(3)));
  all.push_back(classes_set("weighted", "cross_entropy",
                            CrossEntropyOptions{.class_weights = balanced}, three,
                            some_classes(3)));
  all.push_back(classes_set("weighted and smoothed", "cross_entropy",
                            CrossEntropyOptions{.class_weights = balanced, .label_smoothing = 0.1},
                            three, some_classes(3)));
  all.push_back(classes_set("soft", "cross_entropy", CrossEntropyOptions{.class_weights = balanced},
                            three, soft));
  all.push_back(classes_set("labels", "bce", BceOptions{.pos_weight = balanced}, labels,
                            labels_with_blanks(4)));
  all.push_back(classes_set("focal", "focal", FocalOptions{.alpha = {0.2, 0.5, 0.9}}, three,
                            some_classes(3)));
  all.push_back(classes_set("focal of labels", "focal", FocalOptions{.alpha = {0.25}}, labels,
                            labels_with_blanks(4)));
  for (const char* loss : {"mse", "mae", "huber"}) all.push_back(numbers_set(loss));
  all.push_back(tags_set(true));
  all.push_back(tags_set(false));
  all.push_back(both_set());
  return all;
}

TEST(LossSums, TheLossOfASetIsOneNumberWhateverTheBatches) {
  for (const Set& set : sets()) {
    SCOPED_TRACE(set.what);
    const double whole =
        loss_of(set.task->loss(set.outputs_of(0, kCases), set.batch(0, kCases))).item<double>();
    for (const int64_t size : {1, 7, 30}) {
      LossMean mean;
      for (int64_t begin = 0; begin < kCases; begin += size) {
        const int64_t end = std::min(kCases, begin + size);
        mean.add(table_of(set.task->loss(set.outputs_of(begin, end), set.batch(begin, end))));
      }
      EXPECT_NEAR(mean.value(), whole, 1e-12 * std::abs(whole)) << size;
    }
  }
}

TEST(LossSums, TheGradientsOfTheBatchesOfAStepAddUpToThatOfOneLargeBatch) {
  for (Set& set : sets()) {
    SCOPED_TRACE(set.what);
    const auto gradients_of = [&](const std::vector<int64_t>& sizes) {
      for (TensorMap* map : {&set.outputs, &set.transitions})
        for (auto& [name, tensor] : *map) tensor = tensor.detach().requires_grad_();
      std::vector<Tensor> weights;
      int64_t begin = 0;
      for (const int64_t size : sizes) {
        const auto of_batch = set.task->loss_weights(set.batch(begin, begin + size));
        weights.resize(of_batch.size(), torch::zeros({}, torch::kDouble));
        for (size_t i = 0; i < weights.size(); ++i) weights[i] = weights[i] + of_batch[i];
        begin += size;
      }
      begin = 0;
      for (const int64_t size : sizes) {
        const auto parts =
            set.task->loss(set.outputs_of(begin, begin + size), set.batch(begin, begin + size));
        loss_of(parts, weights).backward();
        begin += size;
      }
      std::vector<Tensor> gradients;
      for (TensorMap* map : {&set.outputs, &set.transitions})
        for (auto& [name, tensor] : *map) {
          gradients.push_back(tensor.grad().clone());
          tensor.mutable_grad().reset();
        }
      return gradients;
    };
    const auto whole = gradients_of({10});
    for (const auto& sizes : std::vector<std::vector<int64_t>>{{5, 5}, {4, 4, 2}, {1, 8, 1}}) {
      const auto parts = gradients_of(sizes);
      for (size_t i = 0; i < whole.size(); ++i)
        EXPECT_LT((whole[i] - parts[i]).abs().max().item<double>(), 1e-14);
    }
  }
}

// Written out once by hand: three cases of weights 1, 1 and 4.
TEST(LossSums, TheMeanOfAWeightedLossIsOverTheWeightsOfTheSet) {
  ClassificationOptions options;
  options.loss.emplace().set(
      "cross_entropy", CrossEntropyOptions{.class_weights = {.rule = "list", .values = {1, 4}}});
  const auto task = classification(options, {classes_of(2)});
  const Tensor logits = torch::tensor({{1.0, 0.0}, {0.0, 1.0}, {0.0, 0.0}}, torch::kDouble);
  const Tensor truth = torch::tensor({0, 0, 1});
  const double expected =
      (std::log(1 + std::exp(-1.0)) + std::log(1 + std::exp(1.0)) + 4 * std::log(2.0)) / 6;
  LossMean mean;
  for (int64_t i = 0; i < 3; ++i)
    mean.add(table_of(task->loss({outputs_of("y", logits.slice(0, i, i + 1))},
                                 batch_of("y", truth.slice(0, i, i + 1)))));
  EXPECT_NEAR(mean.value(), expected, 1e-12);
}

// LibTorch's own mean, which divides by itself: with holes, weights and smoothing at once.
TEST(LossSums, TheMeanOfABatchIsThatOfLibTorch) {
  torch::manual_seed(6);
  for (const double smoothing : {0.0, 0.2}) {
    const Set set =
        classes_set("", "cross_entropy",
                    CrossEntropyOptions{.class_weights = {.rule = "list", .values = {0.5, 2, 1.25}},
                                        .label_smoothing = smoothing},
                    classes_of(3), some_classes(3));
    const double mean = at::cross_entropy_loss(set.outputs.at("y"), set.targets.at("y"),
                                               torch::tensor({0.5, 2.0, 1.25}, torch::kDouble),
                                               at::Reduction::Mean, -1, smoothing)
                            .item<double>();
    EXPECT_NEAR(
        loss_of(set.task->loss(set.outputs_of(0, kCases), set.batch(0, kCases))).item<double>(),
        mean, 1e-12);
  }
}

TEST(LossSums, WhatIsKnownOfNothingIsUndefinedAndCostsNothing) {
  LossMean mean;
  EXPECT_EQ(mean.why_undefined(), "not computed");
  mean.add(table_of(sums(0, 0)));
  EXPECT_TRUE(std::isnan(mean.value()));
  EXPECT_EQ(mean.why_undefined(), "no target is known");
  mean.add(table_of(sums(6, 4)));
  EXPECT_DOUBLE_EQ(mean.value(), 1.5);
  mean.add(table_of(sums(NAN, 1)));
  EXPECT_EQ(mean.why_undefined(), "not finite");
  EXPECT_EQ(loss_of(sums(0, 0)).item<double>(), 0);
}

}  // namespace
}  // namespace fovea::tasks
