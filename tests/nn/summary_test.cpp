#include "fovea/nn/summary.h"

#include <gmock/gmock.h>
#include <torch/nn/module.h>

#include "fovea/nn/encoders/densenet.h"
#include "fovea/nn/encoders/resnet.h"
#include "fovea/nn/encoders/vit.h"
#include "fovea/nn/inference.h"
#include "nn/formula.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

template <class Options>
Model model_of(const std::string& encoder, Options settings, const InputShape& shape,
               int64_t classes) {
  ModelOptions options;
  options.encoders.entries.emplace_back("image", EncoderChoice());
  options.encoders.entries.back().second.set(encoder, std::move(settings));
  return Model(options, {{"image", shape}}, {{"label", Pooled{classes}}}, 1);
}

TensorMap image(at::IntArrayRef shape) {
  TensorMap inputs;
  inputs["image"] = test::input_image(shape);
  return inputs;
}

const InputShape kRgb{{3, 224, 224}};

// Published: torchvision's table of models (its GFLOPS column counts multiply-adds).
TEST(Summary, CountsWhatIsPublishedForImageNetModels) {
  Model resnet18 = model_of("resnet", ResNetOptions{}, kRgb, 1000);
  const Summary small = summarize(resnet18, image({1, 3, 224, 224}));
  EXPECT_EQ(small.parameters, 11'689'512);
  EXPECT_NEAR(static_cast<double>(small.multiply_adds), 1.814e9, 0.001e9);

  Model resnet50 = model_of("resnet", ResNetOptions{.depth = 50}, kRgb, 1000);
  const Summary large = summarize(resnet50, image({1, 3, 224, 224}));
  EXPECT_EQ(large.parameters, 25'557'032);
  EXPECT_NEAR(static_cast<double>(large.multiply_adds), 4.089e9, 0.001e9);

  Model densenet = model_of("densenet", DenseNetOptions{}, kRgb, 1000);
  const Summary dense = summarize(densenet, image({1, 3, 224, 224}));
  EXPECT_EQ(dense.parameters, 7'978'856);
  EXPECT_NEAR(static_cast<double>(dense.multiply_adds), 2.834e9, 0.001e9);

  Model vit = model_of("vit", ViTOptions{.size = "base"}, kRgb, 1000);
  const Summary base = summarize(vit, image({1, 3, 224, 224}));
  EXPECT_EQ(base.parameters, 86'567'656);
  EXPECT_NEAR(static_cast<double>(base.multiply_adds), 17.564e9, 0.001e9);
}

TEST(Summary, RowsFollowTheComputationAndAddUp) {
  PlacedBlock placed;
  placed.after = 4;
  Model model =
      model_of("resnet", ResNetOptions{.width = 8, .attention = {placed}}, {{1, 64, 64}}, 2);
  model.train();
  const Summary summary = summarize(model, image({2, 1, 64, 64}));
  EXPECT_TRUE(model.is_training());
  int64_t parameters = 0;
  for (const LayerRow& row : summary.rows) parameters += row.parameters;
  EXPECT_EQ(parameters, summary.parameters);
  EXPECT_EQ(summary.trainable, summary.parameters);

  const LayerRow& first = summary.rows.front();
  EXPECT_EQ(first.name, "encoders.image.conv1");
  EXPECT_EQ(first.type, "convolution");
  EXPECT_EQ(first.output, (std::vector<int64_t>{2, 8, 32, 32}));
  EXPECT_EQ(first.parameters, 8 * 49);
  EXPECT_EQ(first.multiply_adds, 2 * 8 * 32 * 32 * 49);

  const auto attention = std::ranges::find(summary.rows, "attention", &LayerRow::type);
  ASSERT_NE(attention, summary.rows.end());
  EXPECT_EQ(attention->name, "encoders.image.attention.0");
  EXPECT_EQ(attention->multiply_adds, 2 * (4 * 4 * 8 + 4 * 4 * 64));  // 4 positions, C 64, C / 8
  const auto gate =
      std::ranges::find(summary.rows, "encoders.image.attention.0.gate.gamma", &LayerRow::name);
  ASSERT_NE(gate, summary.rows.end());
  EXPECT_EQ(gate->type, "parameter");
}

TEST(Inference, AFusedModelGivesTheSameAnswers) {
  for (const bool dense : {false, true}) {
    Model model = dense ? model_of("densenet", DenseNetOptions{.growth = 8}, kRgb, 3)
                        : model_of("resnet", ResNetOptions{.depth = 50, .width = 16}, kRgb, 3);
    {
      torch::NoGradGuard no_grad;
      for (auto& item : model.named_parameters())
        if (item.value().dim() == 1)
          item.value().copy_(test::formula(item.key(), item.value().sizes()));
    }
    torch::NoGradGuard no_grad;
    model.train();
    const TensorMap inputs = image({2, 3, 64, 64});
    for (int i = 0; i < 3; ++i) model.forward(inputs);  // moves the running statistics
    model.eval();
    const Tensor plain = model.forward(inputs).at("label");
    fuse_for_inference(model);
    const Tensor fused = model.forward(inputs).at("label");
    const double scale = plain.abs().max().item<double>();
    EXPECT_LT((plain - fused).abs().max().item<double>(), 1e-4 * std::max(1.0, scale)) << dense;
    EXPECT_FALSE(plain.equal(fused));  // it did compute another way
  }
}

}  // namespace
}  // namespace fovea::nn
