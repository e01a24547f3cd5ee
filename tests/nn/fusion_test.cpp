// Inputs joined, taken away and missing.
#include "fovea/nn/fusion.h"

#include <gmock/gmock.h>
#include <torch/nn/module.h>

#include "fovea/core/error.h"
#include "fovea/nn/encoders/mlp.h"
#include "fovea/nn/encoders/rnn.h"
#include "fovea/nn/fusion/cross_attention.h"
#include "fovea/nn/fusion/gated.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/model.h"
#include "fovea/nn/weights.h"

namespace fovea::nn {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using torch::Tensor;

const std::vector<std::pair<std::string, InputShape>> kInputs = {
    {"labs", {.sizes = {3}, .optional = true}},
    {"note", {.sizes = {-1}, .vocabulary = 11, .optional = true}},
    {"vitals", {.sizes = {2}}}};

ModelOptions options_of(std::string_view fusion,
                        std::vector<std::string> inputs = {"labs", "note", "vitals"}) {
  ModelOptions options;
  for (const std::string& name : inputs) {
    auto& [_, encoder] = options.encoders.entries.emplace_back(name, EncoderChoice());
    if (name == "note")
      encoder.set("rnn", RnnOptions{.width = 4, .depth = 1, .embedding = 5});
    else
      encoder.set("mlp", MlpOptions{.hidden = {6}});
  }
  options.fusion.select(fusion);
  if (fusion == "gated") options.fusion.set("gated", GatedOptions{.width = 7});
  if (fusion == "cross_attention")
    options.fusion.set("cross_attention", CrossAttentionOptions{.width = 8, .heads = 2});
  return options;
}

struct Cases {
  TensorMap inputs, lengths, present;
};

/// Four cases; the second lacks the note, the third the labs.
Cases four() {
  const at::Generator generator = at::detail::createCPUGenerator(3);
  Cases cases;
  cases.inputs["labs"] = torch::randn({4, 3}, generator);
  cases.inputs["note"] = torch::randint(1, 11, {4, 6}, generator, torch::kInt64);
  cases.inputs["vitals"] = torch::randn({4, 2}, generator);
  cases.lengths["note"] = torch::tensor({6, 1, 3, 2});
  cases.present["note"] = torch::tensor({true, false, true, true});
  cases.present["labs"] = torch::tensor({true, true, false, true});
  return cases;
}

Tensor answers(Model& model, const Cases& cases) {
  const torch::NoGradGuard no_gradients;
  model.eval();
  return model.forward(cases.inputs, cases.lengths, cases.present).at("label");
}

class EveryFusion : public testing::TestWithParam<const char*> {};

TEST_P(EveryFusion, WhatStandsInThePlaceOfAMissingInputChangesNothing) {
  Model model(options_of(GetParam()), kInputs, {{"label", Pooled{2}}}, 1);
  Cases cases = four();
  const Tensor before = answers(model, cases);
  cases.inputs["labs"] = cases.inputs["labs"].clone();
  cases.inputs["labs"][2].fill_(1e6);
  cases.inputs["note"] = cases.inputs["note"].clone();
  cases.inputs["note"][1].fill_(7);
  EXPECT_TRUE(before.equal(answers(model, cases)));
  cases.inputs["labs"][0].fill_(5);  // this one is there
  const Tensor after = answers(model, cases);
  EXPECT_FALSE(before[0].equal(after[0]));
  EXPECT_TRUE(before[1].equal(after[1]));
}

TEST_P(EveryFusion, ACaseAloneGetsTheAnswerThatItGetsInABatch) {
  Model model(options_of(GetParam()), kInputs, {{"label", Pooled{2}}}, 1);
  const Cases all = four();
  const Tensor together = answers(model, all);
  for (int64_t i = 0; i < 4; ++i) {
    Cases one;
    for (const auto& [name, tensor] : all.inputs)  // what the case lacks is left out altogether
      if (!all.present.contains(name) || all.present.at(name)[i].item<bool>())
        one.inputs[name] = tensor.slice(0, i, i + 1);
    if (one.inputs.contains("note")) {
      one.lengths["note"] = all.lengths.at("note").slice(0, i, i + 1);
      one.inputs["note"] =
          one.inputs.at("note").slice(1, 0, one.lengths.at("note")[0].item<int64_t>());
    }
    for (const auto& [name, tensor] : all.present) one.present[name] = tensor.slice(0, i, i + 1);
    EXPECT_TRUE(at::allclose(answers(model, one)[0], together[i], 1e-5, 1e-6)) << i;
  }
}

TEST_P(EveryFusion, GradientsReachEveryEncoderAndWhatStandsForMissingInputs) {
  Model model(options_of(GetParam()), kInputs, {{"label", Pooled{2}}}, 1);
  const Cases cases = four();
  model.forward(cases.inputs, cases.lengths, cases.present).at("label").sum().backward();
  const bool placeholders_count = std::string_view(GetParam()) != "late";
  for (const auto& item : model.named_parameters()) {
    if (item.key().starts_with("placeholders.") && !placeholders_count) continue;
    EXPECT_TRUE(item.value().grad().defined()) << item.key();
  }
}

TEST_P(EveryFusion, ACaseThatLacksAllInputsGetsOneAndTheSameAnswer) {
  Model model(options_of(GetParam(), {"labs", "note"}), kInputs, {{"label", Pooled{2}}}, 1);
  Cases cases = four();
  for (const char* name : {"labs", "note"})
    cases.present[name] = torch::tensor({true, false, true, false});
  const Tensor found = answers(model, cases);
  EXPECT_TRUE(found.isfinite().all().item<bool>());
  EXPECT_TRUE(found[1].equal(found[3]));
  EXPECT_FALSE(found[0].equal(found[2]));
  Cases nothing;
  for (const auto& [name, tensor] : cases.present) nothing.present[name] = tensor.slice(0, 1, 2);
  EXPECT_TRUE(at::allclose(answers(model, nothing)[0], found[1], 1e-5, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(Fusions, EveryFusion,
                         testing::Values("concat", "gated", "cross_attention", "late"),
                         [](const auto& one) { return std::string(one.param); });

Tensor linear(const Model& model, const std::string& name, const Tensor& x) {
  const auto parameters = model.named_parameters();
  return x.matmul(parameters[name + ".weight"].t()) + parameters[name + ".bias"];
}

TEST(Late, IsTheMeanOfTheLogitsOfTheInputsThatACaseHas) {
  Model model(options_of("late", {"labs", "vitals"}), kInputs, {{"label", Pooled{2}}}, 1);
  const Cases cases = four();
  const Tensor found = answers(model, cases);
  const torch::NoGradGuard no_gradients;
  const auto logits = [&](const std::string& name) {
    const Tensor hidden =
        linear(model, "encoders." + name + ".layer0", cases.inputs.at(name)).relu();
    return linear(model, "heads.label." + name, hidden);
  };
  const Tensor labs = logits("labs"), vitals = logits("vitals");
  EXPECT_TRUE(at::allclose(found[0], (labs[0] + vitals[0]) / 2, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(found[2], vitals[2], 1e-5, 1e-6));  // it has no labs
}

TEST(Gated, SharesAreASoftmaxOverTheInputsThatACaseHas) {
  Model model(options_of("gated", {"labs", "vitals"}), kInputs, {{"label", Pooled{2}}}, 1);
  const Cases cases = four();
  const Tensor found = answers(model, cases);
  const torch::NoGradGuard no_gradients;
  const auto pooled = [&](const std::string& name, int64_t i) {
    return linear(model, "encoders." + name + ".layer0", cases.inputs.at(name)[i]).relu();
  };
  const Tensor a = pooled("labs", 0), b = pooled("vitals", 0);
  const Tensor scores = linear(model, "fusion.gate", at::cat({a, b}));
  const double share = 1 / (1 + std::exp((scores[1] - scores[0]).item<double>()));
  const Tensor fused = share * linear(model, "fusion.value0", a).tanh() +
                       (1 - share) * linear(model, "fusion.value1", b).tanh();
  EXPECT_TRUE(at::allclose(found[0], linear(model, "heads.label", fused), 1e-4, 1e-6));
  const Tensor alone = linear(model, "fusion.value1", pooled("vitals", 2)).tanh();
  EXPECT_TRUE(at::allclose(found[2], linear(model, "heads.label", alone), 1e-4, 1e-6));
}

TEST(CrossAttention, OfOneTokenEachIsTheValueOfTheOtherInput) {
  Model model(options_of("cross_attention", {"labs", "vitals"}), kInputs, {{"label", Pooled{2}}},
              1);
  const Cases cases = four();
  const Tensor found = answers(model, cases);
  const torch::NoGradGuard no_gradients;
  const auto pooled = [&](const std::string& name) {
    return linear(model, "encoders." + name + ".layer0", cases.inputs.at(name)[0]).relu();
  };
  const std::vector<Tensor> x = {pooled("labs"), pooled("vitals")};
  std::vector<Tensor> shares;
  for (size_t i = 0; i < 2; ++i) {
    const std::string own = std::to_string(i), other = std::to_string(1 - i);
    const Tensor sum =
        linear(model, "fusion.query" + own, x[i]) +
        linear(model, "fusion.out" + own, linear(model, "fusion.value" + other, x[1 - i]));
    shares.push_back((sum - sum.mean()) / (sum.var(false) + 1e-6).sqrt());
  }
  EXPECT_TRUE(at::allclose(found[0], linear(model, "heads.label", at::cat(shares)), 1e-4, 1e-5));
}

TEST(CrossAttention, OfOneInputIsRefused) {
  EXPECT_THROW(Model(options_of("cross_attention", {"labs"}), kInputs, {{"label", Pooled{2}}}, 1),
               Error);
}

TEST(InputDropout, TakesInputsAwayWhileTrainingButNeverAllOfThem) {
  ModelOptions options = options_of("concat", {"labs", "vitals"});
  options.input_dropout = 0.8;
  Model model(options, kInputs, {{"label", Pooled{2}}}, 1);
  Cases cases;
  cases.inputs["labs"] = torch::randn({1, 3}).expand({2000, 3}).contiguous();
  cases.inputs["vitals"] = torch::randn({1, 2}).expand({2000, 2}).contiguous();
  const torch::NoGradGuard no_gradients;
  torch::manual_seed(1);
  const Tensor trained = model.forward(cases.inputs).at("label");
  const auto rows = std::get<0>(at::unique_dim(trained, 0));
  // Both, labs alone, vitals alone; with 0.8 the last two come in 0.8 x 2000 / 2 cases or so each.
  EXPECT_EQ(rows.size(0), 3);
  model.eval();
  const Tensor tested = model.forward(cases.inputs).at("label");
  EXPECT_EQ(std::get<0>(at::unique_dim(tested, 0)).size(0), 1);
}

TEST(Model, LeavesOutTheEncodersOfWithout) {
  ModelOptions options = options_of("concat");
  options.without = {"note"};
  const Model model(options, kInputs, {{"label", Pooled{2}}}, 1);
  EXPECT_THAT(model.input_names(), testing::ElementsAre("labs", "vitals"));
  for (const auto& item : model.named_parameters())
    EXPECT_THAT(item.key(), testing::Not(StartsWith("encoders.note")));
  options.without = {"notes"};
  EXPECT_THROW(Model(options, kInputs, {{"label", Pooled{2}}}, 1), Error);
  options.without = {"labs", "note", "vitals"};
  EXPECT_THROW(Model(options, kInputs, {{"label", Pooled{2}}}, 1), Error);
}

TEST(Model, AnInputThatWasNeverOptionalMustBeThere) {
  Model model(options_of("concat", {"vitals"}), kInputs, {{"label", Pooled{2}}}, 1);
  Cases cases = four();
  cases.present["vitals"] = torch::tensor({true, true, true, false});
  try {
    answers(model, cases);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'vitals': 1 cases lack it"));
  }
}

}  // namespace
}  // namespace fovea::nn
