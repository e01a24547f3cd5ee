#include "fovea/data/example.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "fovea/core/error.h"
#include "fovea/data/dataset.h"

namespace fovea {
namespace {

using testing::HasSubstr;

Example example(const std::string& id, torch::Tensor image, int64_t label = 0) {
  Example e;
  e.id = id;
  e.group = "p" + id;
  e.inputs["image"] = std::move(image);
  e.targets["label"] = torch::tensor(label);
  return e;
}

std::string refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(TensorMap, KeepsTheOrderInWhichNamesWereAdded) {
  TensorMap map;
  map["z"] = torch::zeros({2});
  map["a"] = torch::ones({3});
  map["z"] = torch::ones({4});
  ASSERT_EQ(map.size(), 2u);
  EXPECT_EQ(map.begin()->first, "z");
  EXPECT_EQ(map.at("z").numel(), 4);
  EXPECT_EQ(map.bytes(), 7 * 4);
}

TEST(TensorMap, TwoNamesAreAddedInOneExpression) {
  TensorMap map;
  map["a"] = map["b"] = torch::ones({3});
  const torch::Tensor& b = map.at("b");
  for (const char* name : {"c", "d", "e", "f"}) map[name] = map["a"];
  EXPECT_EQ(b.numel(), 3);
  for (const auto& [name, tensor] : map) EXPECT_EQ(tensor.numel(), 3) << name;
}

TEST(TensorMap, AMissingNameIsAnErrorThatListsTheOthers) {
  TensorMap map;
  map["image"] = torch::zeros({1});
  map["text"] = torch::zeros({1});
  EXPECT_THAT(refusal([&] { map.at("table"); }),
              testing::AllOf(HasSubstr("'table'"), HasSubstr("image, text")));
}

TEST(Collate, StacksInputsAndTargetsAlongANewFirstDimension) {
  const torch::Tensor a = torch::arange(6, torch::kUInt8).reshape({1, 2, 3});
  const torch::Tensor b = a + 10;
  const Batch batch = collate({example("x", a, 1), example("y", b, 0)}, {5, 2});
  EXPECT_EQ(batch.size(), 2);
  EXPECT_EQ(batch.ids, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(batch.groups, (std::vector<std::string>{"px", "py"}));
  EXPECT_EQ(batch.indices, (std::vector<int64_t>{5, 2}));
  EXPECT_TRUE(torch::equal(batch.inputs.at("image"), torch::stack({a, b})));
  EXPECT_TRUE(torch::equal(batch.targets.at("label"), torch::tensor({1, 0})));
  EXPECT_EQ(batch.bytes(), 12 + 16);
}

TEST(Collate, ImagesOfDifferentSizesAreAnErrorWithBothShapes) {
  const std::string text = refusal([] {
    collate({example("x", torch::zeros({1, 2, 3})), example("y", torch::zeros({1, 4, 3}))}, {0, 1});
  });
  EXPECT_THAT(text, HasSubstr("case 'y'"));
  EXPECT_THAT(text, HasSubstr("[1, 4, 3] Float"));
  EXPECT_THAT(text, HasSubstr("[1, 2, 3] Float"));
}

TEST(Collate, OtherTypesOrNamesAreErrors) {
  EXPECT_THAT(
      refusal([] {
        collate({example("x", torch::zeros({2})), example("y", torch::zeros({2}, torch::kByte))},
                {0, 1});
      }),
      HasSubstr("Byte"));
  EXPECT_THAT(refusal([] {
                Example more = example("y", torch::zeros({2}));
                more.inputs["text"] = torch::zeros({1});
                collate({example("x", torch::zeros({2})), more}, {0, 1});
              }),
              HasSubstr("'text' is one too many"));
  EXPECT_THAT(refusal([] {
                Example less = example("y", torch::zeros({2}));
                less.targets = {};
                collate({example("x", torch::zeros({2})), less}, {0, 1});
              }),
              HasSubstr("target 'label' is missing"));
}

class Counting final : public Dataset {
 public:
  int64_t size() const override { return 10; }
  Example get(int64_t index) const override {
    ++decoded[static_cast<size_t>(index)];
    return example(std::to_string(index), torch::full({1, 5, 5}, index, torch::kUInt8), index);
  }
  TensorMap targets(int64_t index) const override { return get(index).targets; }
  std::string group(int64_t index) const override { return "p" + std::to_string(index); }
  std::string name(int64_t index) const override { return "case " + std::to_string(index); }
  mutable std::array<std::atomic<int>, 10> decoded{};
};

TEST(Subset, IsAViewInTheGivenOrder) {
  const auto part = subset(std::make_shared<Counting>(), {7, 3, 7});
  EXPECT_EQ(part->size(), 3);
  EXPECT_EQ(part->get(0).id, "7");
  EXPECT_EQ(part->get(1).id, "3");
  EXPECT_EQ(part->group(2), "p7");
  EXPECT_EQ(part->name(1), "case 3");
  EXPECT_EQ(part->targets(1).at("label").item<int64_t>(), 3);
}

TEST(Subset, AnIndexOutsideIsAnError) {
  EXPECT_THAT(refusal([] { subset(std::make_shared<Counting>(), {0, 10}); }), HasSubstr("10"));
}

TEST(Cached, DecodesEachCaseOnceWhileThereIsRoom) {
  const auto inner = std::make_shared<Counting>();
  const auto kept = cached(inner, 1 << 20);
  for (int round = 0; round < 3; ++round)
    for (int64_t i = 0; i < 10; ++i)
      EXPECT_TRUE(
          torch::equal(kept->get(i).inputs.at("image"), torch::full({1, 5, 5}, i, torch::kUInt8)));
  for (const auto& count : inner->decoded) EXPECT_EQ(count, 1);
}

TEST(Cached, BeyondTheLimitCasesAreDecodedEachTime) {
  const auto inner = std::make_shared<Counting>();
  const auto kept = cached(inner, 3 * (25 + 8) + 10);  // room for three cases of 33 bytes
  for (int round = 0; round < 2; ++round)
    for (int64_t i = 0; i < 10; ++i) kept->get(i);
  int twice = 0;
  for (const auto& count : inner->decoded) twice += count == 2;
  EXPECT_EQ(twice, 7);
}

TEST(Cached, ManyThreadsSeeTheSameImages) {
  const auto kept = cached(std::make_shared<Counting>(), 200);
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int64_t i = 0; i < 200; ++i)
        if (kept->get(i % 10).inputs.at("image")[0][4][4].item<int64_t>() != i % 10) ++wrong;
    });
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

const Schema kReports{.inputs = {{"report", {.sizes = {-1}, .vocabulary = 10}}}};

Example report(const std::string& id, std::vector<int64_t> words) {
  Example e;
  e.id = id;
  e.inputs["report"] = torch::tensor(words);
  return e;
}

TEST(Collate, PadsRaggedInputsWithZerosAndSaysHowFarEachGoes) {
  const Batch batch = collate({report("x", {5, 6}), report("y", {7, 8, 9})}, {0, 1}, kReports);
  EXPECT_TRUE(batch.inputs.at("report").equal(torch::tensor({{5, 6, 0}, {7, 8, 9}})));
  EXPECT_TRUE(batch.lengths.at("report").equal(torch::tensor({2, 3})));
  EXPECT_TRUE(batch.present.empty());
}

TEST(Collate, PutsZerosWhereACaseLacksAnOptionalInputAndSaysSo) {
  Example with = example("x", torch::ones({1, 2, 2}));
  Example without = example("y", {});
  const Schema schema{.inputs = {{"image", {.optional = true}}}};
  without.inputs = {};
  for (const bool first : {true, false}) {
    const Batch batch =
        first ? collate({with, without}, {0, 1}, schema) : collate({without, with}, {0, 1}, schema);
    const int64_t there = first ? 0 : 1;
    ASSERT_THAT(batch.inputs.at("image").sizes(), testing::ElementsAre(2, 1, 2, 2));
    EXPECT_EQ(batch.inputs.at("image")[there].sum().item<float>(), 4);
    EXPECT_EQ(batch.inputs.at("image")[1 - there].sum().item<float>(), 0);
    EXPECT_EQ(batch.present.at("image")[there].item<bool>(), true);
    EXPECT_EQ(batch.present.at("image")[1 - there].item<bool>(), false);
  }
  const Batch none = collate({without, without}, {0, 1}, schema);
  EXPECT_FALSE(none.inputs.contains("image"));
  EXPECT_EQ(none.present.at("image").any().item<bool>(), false);
}

TEST(Collate, AMissingInputThatIsNotOptionalIsNamed) {
  Example without = report("y", {1});
  without.inputs = {};
  EXPECT_THAT(refusal([&] {
                collate({report("x", {5, 6}), without}, {0, 1}, kReports);
              }),
              testing::AllOf(HasSubstr("'y'"), HasSubstr("'report' is missing")));
}

}  // namespace
}  // namespace fovea
