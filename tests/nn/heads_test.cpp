// Heads on feature maps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/core/error.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/model.h"

namespace fovea::nn {
namespace {

using testing::HasSubstr;
using torch::Tensor;

/// Two levels: each value, and the means of blocks of two.
class TwoLevels final : public Encoder {
 public:
  explicit TwoLevels(int64_t dims) : dims_(dims) {}
  Features encode(const Tensor& input, const Tensor&) override {
    const Tensor coarse = dims_ == 2 ? at::avg_pool2d(input, 2) : at::avg_pool3d(input, 2);
    return {.map = coarse,
            .levels = {at::cat({input, 2 * input}, 1), coarse},
            .pooled = coarse.flatten(2).mean(2)};
  }
  int64_t width() const override { return 1; }
  int64_t finest_width() const override { return levels ? 2 : 1; }
  bool levels = true;

 private:
  int64_t dims_;
};

struct LevelsOptions {
  void describe(Fields&) {}
};

EncoderTable& table() {
  static EncoderTable encoders(
      "encoders", {EncoderTable::item<LevelsOptions>("two_levels", "for this test",
                                                     [](const LevelsOptions&, const InputShape& s) {
                                                       return std::make_shared<TwoLevels>(s.dims());
                                                     })});
  return encoders;
}

Model dense(std::vector<int64_t> sizes) {
  ModelOptions options;
  options.encoders.entries.emplace_back("image", EncoderChoice(table(), "two_levels"));
  return {options, {{"image", {std::move(sizes)}}}, {{"mask", Dense{"image", 3}}}, 1};
}

TEST(DenseHead, StandsOnTheFinestLevelAndGivesAScoreForEachSample) {
  for (const std::vector<int64_t>& sizes : {std::vector<int64_t>{1, 6, 8}, {1, 4, 6, 8}}) {
    Model model = dense(sizes);
    torch::NoGradGuard no_grad;
    const auto parameters = model.named_parameters();
    parameters["heads.mask.weight"].fill_(0);
    parameters["heads.mask.weight"][1][1] = 10;  // twice the input
    parameters["heads.mask.bias"].copy_(torch::tensor({0.f, 0.f, 5.f}));
    std::vector<int64_t> shape = sizes;
    shape.insert(shape.begin(), 2);
    TensorMap inputs;
    inputs["image"] = torch::randn(shape);
    const Tensor scores = model.forward(inputs).at("mask");
    shape[1] = 3;
    EXPECT_EQ(scores.sizes(), shape);
    EXPECT_TRUE(scores.select(1, 1).allclose(20 * inputs.at("image").select(1, 0)));
    EXPECT_TRUE(scores.select(1, 2).allclose(torch::full_like(scores.select(1, 2), 5)));
  }
}

TEST(DenseHead, ACoarseMapIsBroughtToTheSizeOfTheInput) {
  ModelOptions options;
  EncoderChoice cnn;
  cnn.select("cnn");
  options.encoders.entries.emplace_back("image", cnn);
  Model model(options, {{"image", {{1, 32, 48}}}}, {{"mask", Dense{"image", 2}}}, 1);
  TensorMap inputs;
  inputs["image"] = torch::randn({2, 1, 32, 48});
  EXPECT_EQ(model.forward(inputs).at("mask").sizes(), (std::vector<int64_t>{2, 2, 32, 48}));
}

TEST(DenseHead, IsRefusedWhereThereIsNoImage) {
  ModelOptions options;
  EncoderChoice mlp;
  mlp.select("mlp");
  options.encoders.entries.emplace_back("labs", mlp);
  try {
    Model(options, {{"labs", {{4}}}}, {{"mask", Dense{"labs", 2}}}, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'labs' is none"));
  }
}

}  // namespace
}  // namespace fovea::nn
