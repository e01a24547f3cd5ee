#include "fovea/nn/encoder.h"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <torch/nn/module.h>

#include <map>

#include "fovea/core/error.h"
#include "fovea/nn/encoders/cnn.h"
#include "fovea/nn/encoders/densenet.h"
#include "fovea/nn/encoders/resnet.h"
#include "fovea/nn/encoders/swin.h"
#include "fovea/nn/encoders/vit.h"
#include "fovea/nn/inference.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/weights.h"
#include "nn/formula.h"
#include "nn/refusal.h"
#include "support/test_files.h"

namespace fovea::nn {
namespace {

using test::config_message;
using test::formula;
using test::input_image;
using torch::Tensor;

const InputShape kRgb{{3, 224, 224}};
const InputShape kGrey{{1, 64, 64}};

std::vector<std::vector<std::string>> rows_of(const std::string& name) {
  std::ifstream file(test::reference(name));
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
  }
  return rows;
}

std::map<std::string, std::string> names_of(const torch::nn::Module& encoder) {
  std::map<std::string, std::string> names;
  for (const auto& [name, tensor] : state(encoder)) {
    std::string shape;
    for (const int64_t side : tensor.sizes()) {
      if (!shape.empty()) shape += 'x';
      shape += std::to_string(side);
    }
    names[name] = shape.empty() ? "scalar" : shape;
  }
  return names;
}

/// The committed names of an architecture, without its classifier.
std::map<std::string, std::string> published(const std::string& architecture) {
  std::map<std::string, std::string> names;
  for (const auto& row : rows_of("names_" + architecture + ".csv")) {
    const bool classifier = row[0].starts_with("fc.") || row[0].starts_with("classifier.") ||
                            row[0].starts_with("head.") || row[0] == "name";
    if (!classifier && !row[0].ends_with("relative_position_index")) names[row[0]] = row[1];
  }
  return names;
}

void fill(torch::nn::Module& module) {
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state(module)) Tensor(tensor).copy_(formula(name, tensor.sizes()));
}

Tensor pooled(Encoder& encoder, const Tensor& x) {
  torch::NoGradGuard no_grad;
  encoder.eval();
  return encoder.encode(x).pooled;
}

void expect_reference(const std::string& name, Encoder& encoder, at::IntArrayRef shape) {
  fill(encoder);
  const Tensor found = pooled(encoder, input_image(shape));
  int cases = 0;
  for (const auto& row : rows_of("encoder_outputs.csv")) {
    if (row[0] != name) continue;
    ++cases;
    const Tensor mine = found[std::stol(row[1])];
    // float32 sums in another order; the error of a value is relative to the largest
    const double tolerance = 2e-5 * mine.abs().max().item<double>();
    for (int64_t i = 0; i < 32; ++i)
      ASSERT_NEAR(mine[i].item<double>(), std::stod(row[i + 2]), tolerance) << name << " " << i;
  }
  EXPECT_EQ(cases, 2) << name;
}

TEST(Encoders, NamesAndShapesAreThoseOfThePublishedModels) {
  for (const int64_t depth : {18, 34, 50, 101}) {
    EXPECT_EQ(names_of(*resnet({.depth = depth}, kRgb)),
              published("resnet" + std::to_string(depth)));
  }
  EXPECT_EQ(names_of(*densenet({}, kRgb)), published("densenet121"));
  for (const std::string size : {"tiny", "small", "base"})
    EXPECT_EQ(names_of(*vit({.size = size}, kRgb)), published("vit_" + size + "_patch16_224"));
  for (const std::string size : {"tiny", "small", "base"})
    EXPECT_EQ(names_of(*swin({.size = size}, kRgb)), published("swin_" + size.substr(0, 1)));
  EXPECT_EQ(names_of(*vit({.pooling = "mean"}, kRgb)), published("vit_tiny_mean"));
}

TEST(Encoders, FeaturesEqualThoseOfTorchvisionAndTimm) {
  expect_reference("resnet18", *resnet({}, kRgb), {2, 3, 65, 47});
  expect_reference("resnet18_small", *resnet({.stem = "small"}, kRgb), {2, 3, 28, 28});
  expect_reference("resnet50", *resnet({.depth = 50}, kRgb), {2, 3, 64, 64});
  expect_reference("densenet121", *densenet({}, kRgb), {2, 3, 70, 64});
  expect_reference("swin_t", *swin({}, kRgb), {2, 3, 190, 118});
  expect_reference("vit_tiny_patch16_224", *vit({}, kRgb), {2, 3, 224, 224});
  expect_reference("vit_tiny_mean", *vit({.pooling = "mean"}, {{3, 96, 96}}), {2, 3, 96, 96});
}

TEST(Encoders, APositionEmbeddingOfAnotherGridIsInterpolatedAsInTimm) {
  const auto encoder = vit({.width = 12, .depth = 1, .heads = 3}, {{3, 128, 128}});
  const Tensor found = encoder->adapted("pos_embed", formula("pos_embed", {1, 197, 12}));
  ASSERT_EQ(found.sizes(), (std::vector<int64_t>{1, 65, 12}));
  const auto rows = rows_of("pos_embed_8x8.csv");
  for (int64_t token = 0; token < 65; ++token)
    for (int64_t i = 0; i < 12; ++i)
      ASSERT_NEAR(found[0][token][i].item<double>(), std::stod(rows.at(token + 1).at(i)), 1e-6);
}

struct Shaped {
  const char* name;
  EncoderPtr encoder;
  std::vector<int64_t> input, map;
};

TEST(Encoders, GiveMapsOfTheExpectedShapeIn2DAnd3D) {
  const InputShape flat{{1, -1, -1}}, volume{{1, -1, -1, -1}};
  const ResNetOptions small{.stem = "small", .width = 8}, thin{.width = 8};
  const ResNetOptions deep{.depth = 50, .stem = "small", .width = 4};
  const DenseNetOptions dense{.growth = 4}, dense_small{.stem = "small", .growth = 4};
  // A stride of 2 makes ceil(n / 2) of n, DenseNet's transitions floor(n / 2).
  const std::vector<Shaped> table = {
      {"resnet", resnet(thin, flat), {1, 1, 64, 65}, {1, 64, 2, 3}},
      {"resnet small", resnet(small, flat), {1, 1, 28, 29}, {1, 64, 4, 4}},
      {"resnet 50", resnet(deep, flat), {3, 1, 9, 1}, {3, 128, 2, 1}},
      {"resnet 3-D", resnet(thin, volume), {1, 1, 33, 64, 31}, {1, 64, 2, 2, 1}},
      {"resnet small 3-D", resnet(small, volume), {2, 1, 1, 16, 17}, {2, 64, 1, 2, 3}},
      {"densenet", densenet(dense, flat), {1, 1, 64, 95}, {1, 128, 2, 3}},
      {"densenet small", densenet(dense_small, flat), {2, 1, 28, 1}, {2, 128, 3, 1}},
      {"densenet 3-D", densenet(dense, volume), {1, 1, 9, 32, 33}, {1, 128, 1, 1, 1}},
      {"cnn", cnn({}, flat), {1, 1, 28, 29}, {1, 64, 4, 4}},
      {"cnn 3-D", cnn({.channels = {4, 8}}, volume), {2, 1, 1, 9, 4}, {2, 8, 1, 3, 1}},
      {"vit", vit({.patch = {7}}, {{1, 28, 21}}), {1, 1, 28, 21}, {1, 192, 4, 3}},
      {"vit mean",
       vit({.patch = {2, 14}, .pooling = "mean", .depth = 1}, {{1, 6, 28}}),
       {2, 1, 6, 28},
       {2, 192, 3, 2}},
      {"vit 3-D",
       vit({.patch = {2, 8, 8}, .depth = 2}, {{1, 6, 16, 24}}),
       {1, 1, 6, 16, 24},
       {1, 192, 3, 2, 3}},
  };
  torch::NoGradGuard no_grad;
  for (const Shaped& row : table) {
    initialize(*row.encoder, 1);
    row.encoder->eval();
    const Features features = row.encoder->encode(input_image(row.input));
    EXPECT_EQ(features.map.sizes(), at::IntArrayRef(row.map)) << row.name;
    EXPECT_EQ(features.pooled.sizes(), (std::vector<int64_t>{row.input[0], row.encoder->width()}))
        << row.name;
    EXPECT_EQ(row.encoder->width(), row.map[1]) << row.name;
    EXPECT_TRUE(at::isfinite(features.pooled).all().item<bool>()) << row.name;
    EXPECT_GT(features.pooled.abs().max().item<double>(), 1e-3) << row.name;
  }
}

TEST(Encoders, ChannelsLastGivesTheSameFeaturesAndGradients) {
  const std::vector<PlacedBlock> blocks = [] {
    std::vector<PlacedBlock> placed(4);
    const char* names[] = {"self_attention", "attention", "squeeze_excitation", "cbam"};
    for (int64_t i = 0; i < 4; ++i) {
      placed[i].after = i + 1;
      placed[i].block.select(names[i]);
    }
    return placed;
  }();
  const auto make = [&](int which) -> EncoderPtr {
    if (which == 0)
      return resnet({.stem = "small", .width = 8, .attention = blocks, .pooling = "two_branch"},
                    kGrey);
    if (which == 1)
      return densenet({.growth = 4, .attention = blocks, .pooling = "two_branch"}, kGrey);
    return cnn({.channels = {8, 8, 16, 16}, .attention = blocks, .pooling = "attention"}, kGrey);
  };
  for (int which = 0; which < 3; ++which) {
    std::vector<Tensor> features, gradients;
    for (const bool last : {false, true}) {
      const EncoderPtr encoder = make(which);
      fill(*encoder);
      Tensor x = input_image({2, 1, 64, 64});
      if (last) {
        channels_last(*encoder);
        x = x.contiguous(at::MemoryFormat::ChannelsLast);
      }
      features.push_back(encoder->encode(x).pooled);
      const Tensor weights =
          torch::linspace(-1, 1, features.back().numel()).view_as(features.back());
      (features.back() * weights).sum().backward();
      gradients.push_back(encoder->parameters()[0].grad().clone());
    }
    const double scale = features[0].abs().max().item<double>();
    EXPECT_LT((features[0] - features[1]).abs().max().item<double>(), 1e-4 * scale) << which;
    const double slope = gradients[0].abs().max().item<double>();
    EXPECT_GT(slope, 0);
    EXPECT_LT((gradients[0] - gradients[1]).abs().max().item<double>(), 1e-3 * slope) << which;
  }
}

// Conv takes every second position itself where LibTorch's own way writes past a buffer.
TEST(Encoders, AStridedPointwiseConvolutionOfFewChannelsEqualsLibTorchs) {
  for (const int64_t channels : {8, 16}) {
    Conv conv(2, same_conv(channels, 4, 1, 2));
    torch::NoGradGuard no_grad;
    conv.weight.copy_(formula("weight", conv.weight.sizes()));
    const Tensor x = input_image({2, channels, 9, 12});
    EXPECT_TRUE(conv.forward(x).allclose(at::conv2d(x, conv.weight, {}, 2), 1e-5, 1e-6));
  }
}

TEST(Encoders, RunInMixedPrecisionForwardAndBackward) {
  std::vector<PlacedBlock> placed(1);
  const std::vector<std::pair<const char*, EncoderPtr>> table = {
      {"resnet", resnet({.width = 16, .attention = placed, .pooling = "two_branch"}, kGrey)},
      {"densenet", densenet({.growth = 8}, kGrey)},
      {"vit", vit({.depth = 2}, kGrey)},
      {"cnn", cnn({}, kGrey)}};
  const Tensor x = input_image({2, 1, 64, 64});
  for (const auto& [name, encoder] : table) {
    fill(*encoder);
    const Tensor exact = encoder->encode(x).pooled.detach();
    at::autocast::set_autocast_enabled(at::kCPU, true);
    const Tensor half = encoder->encode(x).pooled.to(torch::kFloat32);
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    half.square().sum().backward();
    const double change =
        (half.detach() - exact).norm().item<double>() / exact.norm().item<double>();
    EXPECT_GT(change, 0) << name;
    EXPECT_LT(change, 0.1) << name;  // bfloat16 keeps 8 bits; some tens of layers
    for (const Tensor& parameter : encoder->parameters())
      EXPECT_TRUE(parameter.grad().defined() && parameter.grad().isfinite().all().item<bool>())
          << name;
  }
}

TEST(Encoders, ABlockWhoseGateIsClosedChangesNothing) {
  for (int64_t stage = 1; stage <= 4; ++stage) {
    PlacedBlock placed;
    placed.after = stage;
    const auto plain = resnet({.width = 16}, kGrey);
    const auto attending = resnet({.width = 16, .attention = {placed}}, kGrey);
    initialize(*plain, 7);
    initialize(*attending, 7);
    EXPECT_TRUE(attending->named_parameters().contains("attention.0.gate.gamma"));
    const Tensor x = input_image({2, 1, 64, 64});
    EXPECT_TRUE(pooled(*plain, x).equal(pooled(*attending, x))) << stage;
    torch::NoGradGuard no_grad;
    attending->named_parameters()["attention.0.gate.gamma"].fill_(0.5);
    EXPECT_FALSE(pooled(*plain, x).allclose(pooled(*attending, x))) << stage;
  }
}

TEST(Encoders, TwoBranchesAreAverageAndAttentionSideBySide) {
  const auto average = resnet({.width = 8}, kGrey);
  const auto attention = resnet({.width = 8, .pooling = "attention"}, kGrey);
  const auto both = resnet({.width = 8, .pooling = "two_branch"}, kGrey);
  for (const auto& encoder : {average, attention, both}) fill(*encoder);
  const Tensor x = input_image({2, 1, 64, 96});
  EXPECT_EQ(both->width(), 128);
  EXPECT_TRUE(at::cat({pooled(*average, x), pooled(*attention, x)}, 1).allclose(pooled(*both, x)));
}

TEST(Encoders, RefuseSettingsThatDoNotFitTheInput) {
  EXPECT_THAT(config_message([] { vit({}, {{3, 225, 224}}); }), testing::HasSubstr("225"));
  EXPECT_THAT(config_message([] { vit({}, {{3, -1, 224}}); }), testing::HasSubstr("it varies"));
  EXPECT_THAT(config_message([] { vit({.heads = 5}, kRgb); }), testing::HasSubstr("5 heads"));
  EXPECT_THAT(config_message([] {
                vit({.patch = {1, 2, 3}}, kRgb);
              }),
              testing::HasSubstr("3 sides"));
  EXPECT_THAT(config_message([] { resnet({.depth = 20}, kRgb); }), testing::HasSubstr("depth 20"));
  EXPECT_THAT(config_message([] { cnn({.channels = {}}, kRgb); }),
              testing::HasSubstr("no channels"));
  PlacedBlock fifth;
  fifth.after = 5;
  EXPECT_THAT(config_message([&] { resnet({.attention = {fifth}}, kRgb); }),
              testing::HasSubstr("after stage 5, wanted a stage from 1 to 4"));
  Node node;
  node.at("depth") = Node::scalar("20");
  ResNetOptions options;
  EXPECT_THAT(config_message([&] { Fields::read(node, options); }),
              testing::HasSubstr("18, 34, 50, 101"));
}

TEST(Encoders, ABatchOfOneValuePerChannelIsRefusedWhileTraining) {
  const auto encoder = cnn({.channels = {4, 4}}, kGrey);
  initialize(*encoder, 1);
  encoder->train();
  EXPECT_THROW(encoder->encode(input_image({1, 1, 1, 1})), Error);
  encoder->eval();
  EXPECT_NO_THROW(encoder->encode(input_image({1, 1, 1, 1})));
}

}  // namespace
}  // namespace fovea::nn
