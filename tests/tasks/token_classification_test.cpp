#include "fovea/tasks/token_classification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "support/test_files.h"
#include "tasks/cases.h"

namespace fovea::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using torch::Tensor;

TargetSpec findings() {
  return {.name = "findings", .classes = {"finding", "site"}, .type = "tags", .input = "report"};
}

/// Reports and the bytes at which their words begin and end, as the source of data gives them.
Batch reports(const std::vector<std::string>& texts,
              const std::vector<std::vector<std::pair<int64_t, int64_t>>>& words) {
  size_t most = 0;
  for (const auto& one : words) most = std::max(most, one.size());
  Batch batch = batch_of(
      "findings", torch::full({std::ssize(texts), static_cast<int64_t>(most)}, -1, torch::kInt64));
  for (size_t i = 0; i < texts.size(); ++i) {
    Origin origin;
    origin.texts.emplace_back("report",
                              std::make_shared<WrittenText>(WrittenText{texts[i], words[i]}));
    batch.origins.push_back(std::make_shared<Origin>(std::move(origin)));
  }
  return batch;
}

/// Emissions that want exactly these tags.
Tensor wanting(const std::vector<int64_t>& tags) {
  Tensor emissions = torch::zeros({1, static_cast<int64_t>(tags.size()), 5});
  for (size_t t = 0; t < tags.size(); ++t) emissions[0][static_cast<int64_t>(t)][tags[t]] = 9;
  return emissions;
}

TEST(TokenClassification, AHeadOnTheTokensOfTheTextWithTransitions) {
  const auto heads = token_classification({}, {findings()})->heads();
  ASSERT_EQ(heads.size(), 1u);
  const auto& head = std::get<nn::PerToken>(heads[0].of);
  EXPECT_EQ(head.outputs, 5);
  EXPECT_EQ(head.input, "report");
  EXPECT_TRUE(head.transitions);
  const auto plain = token_classification({.crf = false}, {findings()})->heads();
  EXPECT_FALSE(std::get<nn::PerToken>(plain[0].of).transitions);
}

TEST(TokenClassification, WithoutTransitionsTheFieldIsTheSoftmaxOfEachToken) {
  torch::manual_seed(1);
  const Tensor emissions = torch::randn({2, 3, 5});
  const Batch batch = batch_of("findings", torch::tensor({{0, 1, 2}, {3, -1, -1}}));
  nn::Outputs outputs{outputs_of("findings", emissions)};
  const double alone =
      loss_of(token_classification({.crf = false}, {findings()})->loss(outputs, batch))
          .item<double>();
  outputs.transitions["findings"] = torch::zeros({6, 6});
  EXPECT_NEAR(loss_of(token_classification({}, {findings()})->loss(outputs, batch)).item<double>(),
              alone, 1e-6);
  const Tensor log_p = emissions.log_softmax(2);
  const double wanted =
      -(log_p[0][0][0] + log_p[0][1][1] + log_p[0][2][2] + log_p[1][0][3]).item<double>() / 4;
  EXPECT_NEAR(alone, wanted, 1e-6);
}

TEST(TokenClassification, AnEntityBeginsBeforeItGoesOn) {
  for (const bool crf : {true, false}) {
    const auto task = token_classification({.crf = crf}, {findings()});
    // Inside at once, inside of another type, inside after a gap: none can be.
    nn::Outputs outputs{outputs_of("findings", wanting({2, 4, 0, 2}))};
    if (crf) outputs.transitions["findings"] = torch::zeros({6, 6});
    const Tensor tags = task->decode(outputs, {}).at("findings")[0];
    for (int64_t t = 0; t < 4; ++t) {
      const auto tag = tags[t].item<int64_t>();
      if (tag == 0 || tag % 2 == 1) continue;
      ASSERT_GT(t, 0);
      const auto before = tags[t - 1].item<int64_t>();
      EXPECT_TRUE(before == tag || before == tag - 1) << t;
    }
  }
}

TEST(TokenClassification, EntitiesAreToldInCodePointsOfTheTextAsItWasGiven) {
  // A leading blank, a letter of two bytes, one of four, and a line end of two characters.
  const std::string text = " Ödem \xF0\x9D\x9C\xB7\r\nlung base";
  const Batch batch = reports({text}, {{{1, 6}, {7, 11}, {13, 17}, {18, 22}}});
  TokenClassificationOptions options;
  options.report.entries = {{"what", "finding"}, {"where", "site"}, {"again", "finding"}};
  const auto task = token_classification(options, {findings()});
  TensorMap decoded = outputs_of("findings", torch::tensor({{1, 0, 3, 4}}));
  const auto answers = task->answers(decoded, batch, 0);
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_EQ(answers[0].entities->size(), 2u);
  const FoundEntity& first = answers[0].entities->at(0);
  const FoundEntity& second = answers[0].entities->at(1);
  EXPECT_EQ(first.label + " " + first.text, "finding Ödem");
  EXPECT_EQ(first.begin, 1);
  EXPECT_EQ(first.end, 5);
  EXPECT_EQ(second.text, "lung base");
  EXPECT_EQ(second.begin, 9);
  EXPECT_EQ(second.end, 18);
  ASSERT_EQ(answers[0].report.size(), 3u);
  EXPECT_THAT(answers[0].report[1].second, ElementsAre("lung base"));
  EXPECT_THAT(answers[0].report[2].second, ElementsAre("Ödem"));
  EXPECT_EQ(answers[0].decision, "finding|site");
}

TEST(TokenClassification, TheMainMetricIsTheF1AndNoFileHoldsTheText) {
  const auto evaluation = token_classification({}, {findings()})->evaluation();
  EXPECT_FALSE(evaluation->metrics().front().why_undefined.empty());
  Batch batch = reports({"secret word", "two"}, {{{0, 6}, {7, 11}}, {{0, 3}}});
  batch.targets["findings"] = torch::tensor({{1, 2}, {3, -1}});
  evaluation->add(outputs_of("findings", torch::tensor({{1, 2}, {0, -1}})), batch, sums(0.75, 3));
  const auto metrics = evaluation->metrics();
  EXPECT_EQ(metrics.front().name, "f1");
  EXPECT_DOUBLE_EQ(metrics.front().value, 2.0 / 3);
  EXPECT_DOUBLE_EQ(metric(metrics, "token_accuracy").value, 2.0 / 3);
  const test::TempFolder folder;
  EXPECT_THAT(evaluation->write(folder.path(), "test"), HasSubstr("split=test n=2 f1=0.6667"));
  const std::string lines = test::read_text(folder / "entities.jsonl");
  EXPECT_THAT(lines, testing::StartsWith(
                         "{\"id\":\"case 0\",\"truth\":[[0,11,\"finding\"]],\"found\":[[0,11"));
  EXPECT_THAT(lines, testing::Not(HasSubstr("secret")));
  const auto json = nlohmann::json::parse(test::read_text(folder / "metrics.json"));
  EXPECT_EQ(json["per_type"][1]["entities"]["truth"], 1);
  EXPECT_TRUE(json["per_type"][1]["figures"]["precision"].is_null());
}

TEST(TokenClassification, WhatWasCutOrCannotBeTaggedIsMissed) {
  const auto evaluation = token_classification({}, {findings()})->evaluation();
  // "one two three" of which "three" was cut; written were "one" (found), an overlapping "one two"
  // (no tag can say it too) and "three".
  Batch batch = reports({"one two three"}, {{{0, 3}, {4, 7}}});
  batch.targets["findings"] = torch::tensor({{1, 0}});
  Origin origin = *batch.origins[0];
  origin.written["findings"] =
      torch::tensor({{0, 3, 0, 0}, {0, 7, 0, 2}, {8, 13, 1, 1}}, torch::kInt64);
  batch.origins[0] = std::make_shared<Origin>(std::move(origin));
  evaluation->add(outputs_of("findings", torch::tensor({{1, 0}})), batch);
  const auto metrics = evaluation->metrics();
  EXPECT_DOUBLE_EQ(metric(metrics, "recall").value, 1.0 / 3);
  EXPECT_DOUBLE_EQ(metric(metrics, "precision").value, 1);
  EXPECT_DOUBLE_EQ(metric(metrics, "f1").value, 0.5);
  const test::TempFolder folder;
  evaluation->write(folder.path(), "test");
  const auto json = nlohmann::json::parse(test::read_text(folder / "metrics.json"));
  EXPECT_EQ(json["entities"]["truth"], 3);
  EXPECT_EQ(json["entities"]["cut"], 1);
  EXPECT_EQ(json["entities"]["unalignable"], 1);
  EXPECT_THAT(test::read_text(folder / "entities.jsonl"), HasSubstr("[8,13,\"site\"]"));
}

TEST(TokenClassification, TokensThatStandForNoTextHaveNoTagAndDoNotCount) {
  // [CLS] lung [SEP], and outputs that want an entity on all three.
  Batch batch = reports({"lung"}, {{{0, 0}, {0, 4}, {0, 0}}});
  batch.targets["findings"] = torch::tensor({{0, 3, 0}});
  for (const bool crf : {true, false}) {
    const auto task = token_classification({.crf = crf}, {findings()});
    nn::Outputs outputs{outputs_of("findings", wanting({1, 2, 2}))};
    if (crf) outputs.transitions["findings"] = torch::zeros({6, 6});
    const TensorMap decoded = task->decode(outputs, batch);
    EXPECT_EQ(decoded.at("findings")[0][0].item<int64_t>(), 0);
    EXPECT_EQ(decoded.at("findings")[0][2].item<int64_t>(), 0);
    const std::vector<Answer> answers = task->answers(decoded, batch, 0);
    for (const FoundEntity& one : *answers[0].entities) EXPECT_EQ(one.text, "lung");
    const auto evaluation = task->evaluation();
    evaluation->add(outputs_of("findings", torch::tensor({{0, 1, 0}})), batch);
    EXPECT_EQ(metric(evaluation->metrics(), "token_accuracy").value, 0);  // of one, not of three
  }
}

TEST(TokenClassification, OtherTargetsAndUnknownTypesAreRefusedInWords) {
  EXPECT_THAT(refusal([&] {
                token_classification({}, {{.name = "label", .classes = {"a", "b"}}});
              }),
              HasSubstr("wanted tags"));
  TokenClassificationOptions options;
  options.report.entries = {{"what", "findings"}};
  EXPECT_THAT(refusal([&] { token_classification(options, {findings()}); }),
              HasSubstr("finding, site"));
  EXPECT_THAT(refusal([&] { classification({}, {findings()}); }),
              HasSubstr("token_classification"));
}

}  // namespace
}  // namespace fovea::tasks
