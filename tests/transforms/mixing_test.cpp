#include "fovea/transforms/batch/mixing.h"

#include <cmath>

#include "transforms/images.h"

namespace fovea::transforms {
namespace {

using testing::HasSubstr;

const std::vector<TargetSpec>& specs() {
  static const std::vector<TargetSpec> all = [] {
    TargetSpec spec;
    spec.name = "label";
    spec.classes = {"a", "b", "c", "d"};
    return std::vector{spec};
  }();
  return all;
}

/// Case i is an image of value i with class i.
Batch four_cases(std::vector<int64_t> image = {1, 16, 16}) {
  Batch batch;
  batch.ids = {"0", "1", "2", "3"};
  std::vector<int64_t> view(image.size() + 1, 1);
  view[0] = 4;
  image.insert(image.begin(), 4);
  batch.inputs["image"] =
      torch::arange(4).to(torch::kFloat32).reshape(view).expand(image).contiguous();
  batch.targets["label"] = torch::arange(4);
  return batch;
}

// The image's value and the expected class index are the same blend of case numbers.
void expect_blend(const Batch& batch) {
  const torch::Tensor& label = batch.targets.at("label");
  ASSERT_EQ(label.sizes(), (std::vector<int64_t>{4, 4}));
  EXPECT_LT(largest_difference(label.sum(1), torch::ones(4)), 1e-5);
  const torch::Tensor expected = (label * torch::arange(4)).sum(1);
  EXPECT_LT(largest_difference(batch.inputs.at("image").flatten(1).mean(1), expected), 1e-4);
}

TEST(MixUp, TargetsBlendAsTheImagesDo) {
  const auto mix = mixup({.alpha = 1}, specs());
  bool blended = false;
  for (uint64_t i = 0; i < 20; ++i) {
    Random random = stream(i);
    const Batch batch = mix->apply(four_cases(), random);
    expect_blend(batch);
    blended = blended || batch.targets.at("label").max().item<float>() < 0.99f;
  }
  EXPECT_TRUE(blended);
}

TEST(MixUp, NumbersBlendAndUnknownClassesStayUnknown) {
  const auto mix = mixup({.alpha = 1}, specs());
  Random random = stream(1);
  Batch batch = four_cases();
  batch.targets["label"] = torch::tensor({0, -1, -1, -1});
  batch.targets["age"] = torch::arange(4).to(torch::kFloat32);
  batch = mix->apply(std::move(batch), random);
  const torch::Tensor images = batch.inputs.at("image").flatten(1).mean(1);
  EXPECT_LT(largest_difference(batch.targets.at("age"), images), 1e-5);
  EXPECT_TRUE(batch.targets.at("label").slice(0, 1).isnan().any(1).all().item<bool>());
}

TEST(CutMix, TheBoxIsAsLargeAsItsShareOfTheTarget) {
  const auto mix = cutmix({}, specs());
  for (uint64_t i = 0; i < 50; ++i) {
    Random random = stream(i);
    const Batch batch = mix->apply(four_cases(), random);
    expect_blend(batch);
    // Nothing but whole pixels of two cases.
    const torch::Tensor image = batch.inputs.at("image");
    EXPECT_TRUE(image.equal(image.round()));
  }
}

TEST(CutMix, VolumesAreCutThroughAllSlices) {
  Random random = stream(3);
  expect_blend(cutmix({}, specs())->apply(four_cases({1, 3, 8, 8}), random));
}

TEST(Mixing, LeavesTheBatchItWasGivenAlone) {
  const Batch before = four_cases();
  const torch::Tensor copy = before.inputs.at("image").clone();
  for (const auto& mix : {mixup({.alpha = 1}, specs()), cutmix({}, specs())}) {
    Random random = stream();
    mix->apply(before, random);
    EXPECT_TRUE(before.inputs.at("image").equal(copy));
  }
}

TEST(Mixing, LabelsThatAreMissingStayMissing) {
  Batch batch = four_cases();
  batch.targets["label"] = torch::tensor({{0.f, NAN}, {1.f, 1.f}, {0.f, 0.f}, {1.f, 0.f}});
  Random random = stream();
  const torch::Tensor mixed = mixup({}, {})->apply(batch, random).targets.at("label");
  EXPECT_FALSE(mixed.select(1, 0).isnan().any().item<bool>());
  EXPECT_TRUE(mixed.select(1, 1).isnan()[0].item<bool>());
}

// What a loss is divided by is asked of the targets alone.
TEST(Mixing, OfTheTargetsAloneTheSameOnesStayUnknown) {
  for (const auto& mix : {mixup({.alpha = 1}, specs()), cutmix({}, specs())})
    for (uint64_t i = 0; i < 20; ++i) {
      Batch batch = four_cases({1, 3, 8, 8});
      batch.ids = {"a", "b", "c", "d"};
      batch.targets["label"] = torch::tensor({0, -1, 2, -1});
      Batch alone = batch;
      alone.inputs = {};
      Random one = stream(i), other = stream(i);
      const torch::Tensor whole = mix->apply(batch, one).targets.at("label");
      const torch::Tensor targets = mix->apply(alone, other).targets.at("label");
      EXPECT_TRUE(torch::equal(whole.isnan(), targets.isnan())) << i;
    }
}

TEST(Mixing, WithoutTheNumberOfClassesItSaysWhatIsMissing) {
  try {
    Random random = stream();
    mixup({}, {})->apply(four_cases(), random);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("label"));
  }
}

TEST(Mixing, AnInputThatIsNoImageIsRefusedByName) {
  Batch batch = four_cases();
  batch.inputs["text"] = torch::zeros({4, 7}, torch::kInt64);
  try {
    Random random = stream();
    cutmix({}, specs())->apply(batch, random);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'text'"));
  }
}

TEST(Mixing, ProbabilityZeroOnlySoftensTheTargets) {
  Random random = stream();
  const Batch batch = mixup({.probability = 0}, specs())->apply(four_cases(), random);
  EXPECT_TRUE(batch.targets.at("label").equal(torch::eye(4)));
}

}  // namespace
}  // namespace fovea::transforms
