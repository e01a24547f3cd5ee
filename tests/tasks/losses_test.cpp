#include "fovea/tasks/losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "fovea/tasks/losses/bce.h"
#include "fovea/tasks/losses/cross_entropy.h"
#include "fovea/tasks/losses/focal.h"
#include "support/test_files.h"

namespace fovea::tasks {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using torch::Tensor;

TargetSpec classes(std::vector<int64_t> counts = {2, 2, 2}) {
  TargetSpec target{.name = "label", .classes = {}, .counts = std::move(counts)};
  for (size_t i = 0; i < target.counts.size(); ++i)
    target.classes.push_back(std::string(1, static_cast<char>('a' + i)));
  return target;
}

TargetSpec labels(std::vector<int64_t> counts, std::vector<int64_t> known) {
  TargetSpec target = classes(std::move(counts));
  target.type = "labels";
  target.known = std::move(known);
  return target;
}

ClassWeights list(std::vector<double> values) {
  if (values.empty()) return {};
  return {.rule = "list", .values = std::move(values)};
}

template <class Options>
LossPtr make(const char* name, Options options, const TargetSpec& target) {
  LossChoice choice;
  choice.set(name, std::move(options));
  return choice.make(target);
}

LossPtr from_reference(const Json& one) {
  const Json& s = one["settings"];
  const bool several = one["kind"] == "labels";
  const TargetSpec target = several ? labels({3, 3, 3}, {6, 6, 6}) : classes();
  if (one["name"] == "cross_entropy")
    return make("cross_entropy",
                CrossEntropyOptions{.class_weights = list(s["class_weights"]),
                                    .label_smoothing = s["label_smoothing"]},
                target);
  if (one["name"] == "bce")
    return make("bce", BceOptions{.pos_weight = list(s["pos_weight"])}, target);
  return make("focal", FocalOptions{.gamma = s["gamma"], .alpha = s["alpha"]}, target);
}

Tensor targets_of(const Json& one) {
  std::vector<double> values;
  for (const Json& t : one["targets"]) values.push_back(t.is_null() ? NAN : t.get<double>());
  const Tensor flat = torch::tensor(values, torch::kDouble);
  if (!one["soft"]) return flat.to(torch::kLong);
  return flat.view(one["shape"].get<std::vector<int64_t>>());
}

TEST(Losses, ValueAndGradientEqualPyTorchInDouble) {
  const Json reference = Json::parse(test::read_text(test::reference("losses.json")));
  ASSERT_GT(reference["cases"].size(), 20u);
  for (const Json& one : reference["cases"]) {
    SCOPED_TRACE(one["name"].get<std::string>() + " " + one["settings"].dump());
    const Tensor logits = torch::tensor(one["logits"].get<std::vector<double>>(), torch::kDouble)
                              .view(one["shape"].get<std::vector<int64_t>>())
                              .requires_grad_();
    const Tensor loss = (*from_reference(one))(logits, targets_of(one)).mean();
    loss.backward();
    const auto gradient = torch::tensor(one["gradient"].get<std::vector<double>>(), torch::kDouble);
    // Weights are float32 in the library; everything else is double.
    EXPECT_NEAR(loss.item<double>(), one["value"].get<double>(), 2e-7);
    EXPECT_LT((logits.grad().flatten() - gradient).abs().max().item<double>(), 2e-7);
  }
}

TEST(Losses, BalancedWeightsMakeEveryClassCountTheSame) {
  // Three cases of a, one of b: weights 4/(2*3) and 4/(2*1).
  const auto loss = make(
      "cross_entropy", CrossEntropyOptions{.class_weights = {.rule = "balanced"}}, classes({3, 1}));
  const Tensor logits = torch::tensor({{1.0, 0.0}, {0.0, 2.0}}, torch::kDouble);
  const double a = std::log(1 + std::exp(-1.0)), b = std::log(1 + std::exp(-2.0));
  const double expected = (2.0 / 3 * a + 2.0 * b) / (2.0 / 3 + 2.0);
  EXPECT_NEAR((*loss)(logits, torch::tensor({0, 1})).mean().item<double>(), expected, 1e-7);
}

TEST(Losses, BalancedPosWeightIsNegativesOverPositivesOfTheKnownCases) {
  // Of 10 known answers 2 are yes: a missed positive costs 4 times as much.
  const auto loss = make("bce", BceOptions{.pos_weight = {.rule = "balanced"}}, labels({2}, {10}));
  const Tensor logits = torch::tensor({{-1.0}, {-1.0}}, torch::kDouble);
  const Tensor truth = torch::tensor({{1.0}, {0.0}}, torch::kDouble);
  const double expected = (4 * std::log(1 + std::exp(1.0)) + std::log(1 + std::exp(-1.0))) / 2;
  EXPECT_NEAR((*loss)(logits, truth).mean().item<double>(), expected, 1e-12);
}

TEST(Losses, CasesWithoutAnyKnownLabelCostNothingAndPushNothing) {
  const auto loss = make("bce", BceOptions{}, labels({1, 1}, {2, 2}));
  const Tensor logits = torch::ones({2, 2}).requires_grad_();
  const Tensor value = (*loss)(logits, torch::full({2, 2}, NAN)).mean();
  value.backward();
  EXPECT_EQ(value.item<double>(), 0);
  EXPECT_EQ(logits.grad().abs().max().item<double>(), 0);
}

TEST(Losses, FocalStaysFiniteWhereTheModelIsCertain) {
  for (const double gamma : {0.5, 2.0}) {
    const Tensor logits = torch::tensor({{200.0f, -200.0f}}).requires_grad_();
    (*make("focal", FocalOptions{.gamma = gamma}, classes({1, 1})))(logits, torch::tensor({0}))
        .mean()
        .backward();
    (*make("focal", FocalOptions{.gamma = gamma}, labels({1, 1}, {2, 2})))(
        logits, torch::tensor({{1.0f, 0.0f}}))
        .mean()
        .backward();
    EXPECT_TRUE(logits.grad().isfinite().all().item<bool>()) << gamma;
  }
}

template <class Options>
std::string refusal(const char* name, Options options, const TargetSpec& target) {
  try {
    make(name, std::move(options), target);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::config);
    return error.what();
  }
  return "(accepted)";
}

TEST(Losses, ALossThatDoesNotFitTheTargetNamesTheOneThatDoes) {
  EXPECT_THAT(refusal("bce", BceOptions{}, classes()), HasSubstr("use cross_entropy or focal"));
  EXPECT_THAT(refusal("cross_entropy", CrossEntropyOptions{}, labels({1}, {2})),
              HasSubstr("use bce or focal"));
  EXPECT_THAT(refusal("focal", FocalOptions{.alpha = {0.25}}, classes()),
              HasSubstr("one for each of the 3 classes"));
}

TEST(Losses, WeightsOfTheWrongLengthAndClassesWithoutCasesAreRefused) {
  EXPECT_THAT(
      refusal("cross_entropy", CrossEntropyOptions{.class_weights = list({1, 2})}, classes()),
      HasSubstr("class_weights has 2 numbers, wanted 3"));
  EXPECT_THAT(refusal("cross_entropy", CrossEntropyOptions{.class_weights = {.rule = "balanced"}},
                      classes({4, 0, 1})),
              HasSubstr("no training case has 'b'"));
}

TEST(Losses, ClassWeightsAreReadFromARuleOrAListAndWrittenBack) {
  CrossEntropyOptions options;
  Node node;
  node.at("class_weights") = Node::scalar("balanced");
  Fields::read(node, options);
  EXPECT_EQ(options.class_weights.rule, "balanced");
  Node values;
  values.kind = Node::Kind::list;
  values.items = {Node::scalar("1"), Node::scalar("2.5")};
  node.at("class_weights") = values;
  Fields::read(node, options);
  EXPECT_EQ(inline_text(Fields::write(options)), "{class_weights: [1, 2.5], label_smoothing: 0}");
  node.at("class_weights") = Node::scalar("balance");
  EXPECT_THROW(Fields::read(node, options), Error);
}

}  // namespace
}  // namespace fovea::tasks
