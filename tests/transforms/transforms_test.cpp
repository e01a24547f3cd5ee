#include <algorithm>

#include "fovea/transforms/intensity/scaling.h"
#include "fovea/transforms/spatial/geometry.h"
#include "transforms/images.h"

namespace fovea::transforms {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A step as a config writes it: `name`, or `{name: value}`.
TransformChoice step(const std::string& name, std::vector<std::string> value = {}) {
  TransformChoice choice;
  choice.select(name);
  if (value.empty()) return choice;
  Node node = Node::scalar(value[0]);
  if (value.size() > 1) {
    node = Node();
    node.kind = Node::Kind::list;
    for (const std::string& text : value) node.items.push_back(Node::scalar(text));
  }
  choice.read_settings(node);
  return choice;
}

Example example_of(torch::Tensor image) {
  Example example;
  example.inputs["image"] = std::move(image);
  return example;
}

torch::Tensor run(const std::vector<TransformChoice>& steps, torch::Tensor image,
                  uint64_t index = 0) {
  Random random = stream(index);
  return pipeline(steps)(example_of(std::move(image)), random).inputs.at("image");
}

/// The step with settings that fit an image of 32 pixels.
TransformChoice small(const std::string& name) {
  return name == "resize" || name == "crop" || name == "pad" ? step(name, {"24"}) : step(name);
}

TEST(Catalogue, EveryTransformTakesImagesAndVolumesOfBothTypes) {
  for (const std::string& name : transforms().names())
    for (const auto type : {torch::kUInt8, torch::kFloat32})
      for (const std::vector<int64_t>& shape :
           {std::vector<int64_t>{1, 32, 40}, {3, 32, 40}, {1, 24, 26, 28}}) {
        const torch::Tensor image = noisy(shape).to(type);
        const torch::Tensor found = run({small(name)}, image);
        EXPECT_EQ(found.dim(), image.dim()) << name;
        EXPECT_EQ(found.scalar_type(), torch::kFloat32) << name;
        EXPECT_TRUE(found.is_contiguous()) << name;
        EXPECT_TRUE(found.isfinite().all().item<bool>()) << name;
      }
}

TEST(Catalogue, NoTransformWritesToAnImageThatIsHeldElsewhere) {
  for (const std::string& name : transforms().names()) {
    const torch::Tensor image = noisy({1, 32, 40});
    const torch::Tensor copy = image.clone();
    for (uint64_t i = 0; i < 4; ++i) run({small(name), small(name)}, image, i);
    EXPECT_TRUE(image.equal(copy)) << name;
    // A view of a larger tensor, as a data set in memory hands out.
    for (uint64_t i = 0; i < 4; ++i) run({small(name)}, image.narrow(0, 0, 1), i);
    EXPECT_TRUE(image.equal(copy)) << name;
  }
}

TEST(Catalogue, TheStreamAloneDecides) {
  for (const std::string& name : transforms().names()) {
    const torch::Tensor image = noisy({1, 32, 40});
    std::vector<torch::Tensor> found;
    for (uint64_t i = 0; i < 8; ++i) {
      found.push_back(run({small(name)}, image, i));
      EXPECT_TRUE(found.back().equal(run({small(name)}, image, i))) << name;
    }
    const bool varies = std::ranges::any_of(
        found, [&](const torch::Tensor& other) { return !other.equal(found[0]); });
    const std::set<std::string> still = {"resize", "crop",   "pad",       "clahe",    "scale",
                                         "clip",   "window", "normalize", "channels", "imagenet"};
    EXPECT_EQ(varies, !still.contains(name)) << name;
  }
}

TEST(Catalogue, MovesOfPixelsKeepEightBits) {
  for (const std::string name : {"crop", "pad", "flip", "channels"})
    for (uint64_t i = 0; i < 8; ++i) {
      const torch::Tensor found =
          applied(small(name).make(), noisy({1, 32, 40}).to(torch::kUInt8), i);
      EXPECT_EQ(found.scalar_type(), torch::kUInt8) << name;
    }
}

TEST(Catalogue, SomethingThatIsNoImageIsRefusedByEveryTransform) {
  for (const std::string& name : transforms().names()) {
    const TransformPtr transform = small(name).make();
    for (const torch::Tensor& wrong :
         {torch::zeros({4, 4}), torch::zeros({1, 4, 4}, torch::kInt64), torch::zeros({1, 0, 4})})
      EXPECT_THROW(
          {
            for (uint64_t i = 0; i < 32; ++i) applied(transform, wrong, i);  // some happen at times
          },
          Error)
          << name;
  }
}

TEST(Pipeline, StepsRunInTheOrderWritten) {
  // 0 1 2 3 -> the middle two -> 0 and 1
  EXPECT_THAT(values(run({step("crop", {"1", "2"}), step("scale", {"range"})}, counted({1, 1, 4}))),
              ElementsAre(0, 1));
  EXPECT_THAT(values(run({step("scale", {"range"}), step("crop", {"1", "2"})}, counted({1, 1, 4}))),
              ElementsAre(testing::FloatEq(1.f / 3), testing::FloatEq(2.f / 3)));
}

TEST(Pipeline, WithoutStepsEightBitsBecomeFloats) {
  const torch::Tensor found = run({}, counted({1, 1, 3}));
  EXPECT_EQ(found.scalar_type(), torch::kFloat32);
  EXPECT_THAT(values(found), ElementsAre(0, 1, 2));
}

TEST(Pipeline, AnErrorNamesTheStep) {
  try {
    run({step("flip"), step("crop", {"9"})}, counted({1, 4, 4}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("step 2 (crop)"));
  }
}

TEST(Pipeline, OtherInputsStayAsTheyAre) {
  Example example = example_of(counted({1, 2, 2}));
  example.inputs["text"] = torch::tensor({1, 2, 3});
  Random random = stream();
  const Example after = pipeline({step("scale")})(example, random);
  EXPECT_TRUE(after.inputs.at("text").equal(torch::tensor({1, 2, 3})));
  EXPECT_TRUE(example.inputs.at("image").equal(counted({1, 2, 2})));
}

TEST(Pipeline, AnInputThatIsAbsentIsNamedByTheBatchUnlessTheSchemaSaysThatACaseMayLackIt) {
  Random random = stream();
  const Example without = pipeline({}, "radiograph")(example_of(counted({1, 2, 2})), random);
  Example with = without;
  with.inputs["radiograph"] = torch::ones({1, 2, 2});
  const auto stacked = [&](const Schema& schema) {
    return collate({with, without}, {0, 1}, schema);
  };
  try {
    stacked({});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'radiograph' is missing"));
  }
  const Batch batch = stacked({.inputs = {{"radiograph", {.optional = true}}}});
  EXPECT_FALSE(batch.present.at("radiograph")[1].item<bool>());
}

}  // namespace
}  // namespace fovea::transforms
