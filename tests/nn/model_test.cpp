#include "fovea/nn/model.h"

#include <gmock/gmock.h>
#include <torch/nn/module.h>

#include "fovea/core/error.h"
#include "fovea/nn/encoders/cnn.h"
#include "fovea/nn/encoders/resnet.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/weights.h"
#include "nn/formula.h"
#include "nn/refusal.h"

namespace fovea::nn {
namespace {

using test::config_message;
using test::input_image;
using testing::HasSubstr;
using torch::Tensor;

const std::vector<std::pair<std::string, InputShape>> kInputs = {{"image", {{1, 32, 32}}},
                                                                 {"scan", {{2, 8, 8, 8}}}};

ModelOptions small(std::vector<std::string> inputs = {"image"}) {
  ModelOptions options;
  for (const std::string& name : inputs) {
    options.encoders.entries.emplace_back(name, EncoderChoice());
    options.encoders.entries.back().second.set("cnn", CnnOptions{.channels = {4, 8}});
  }
  return options;
}

TensorMap image(at::IntArrayRef shape) {
  TensorMap inputs;
  inputs["image"] = input_image(shape);
  return inputs;
}

TEST(Model, TheSameSeedGivesTheSameParametersAndAnotherSeedOthers) {
  Model one(small(), kInputs, {{"label", Pooled{3}}}, 5),
      same(small(), kInputs, {{"label", Pooled{3}}}, 5),
      other(small(), kInputs, {{"label", Pooled{3}}}, 6);
  const auto a = one.named_parameters(), b = same.named_parameters(), c = other.named_parameters();
  for (const auto& item : a) EXPECT_TRUE(item.value().equal(b[item.key()])) << item.key();
  EXPECT_FALSE(
      a["encoders.image.stage1.conv.weight"].equal(c["encoders.image.stage1.conv.weight"]));
}

// Batch normalization has no statistics of one case, and whether a batch has one or two is chance.
TEST(Model, ASingleCaseWithAnOptionalInputGoesByTheRunningStatistics) {
  ModelOptions options = small({"image", "thumb"});
  options.encoders.entries[1].second.set("cnn", CnnOptions{.channels = {4, 4, 4, 4, 4}});
  Model model(options,
              {{"image", {{1, 32, 32}}}, {"thumb", {.sizes = {1, 8, 8}, .optional = true}}},
              {{"label", Pooled{2}}}, 1);
  TensorMap inputs = image({3, 1, 32, 32}), present;
  inputs["thumb"] = input_image({3, 1, 8, 8});
  present["thumb"] = torch::tensor({false, true, false});
  const auto buffers = model.named_buffers();
  const Tensor mean = buffers["encoders.thumb.stage1.norm.running_mean"];
  const Tensor others = buffers["encoders.image.stage1.norm.running_mean"];
  const Tensor before = mean.clone(), others_before = others.clone();
  EXPECT_TRUE(model.forward(inputs, {}, present).at("label").isfinite().all().item<bool>());
  EXPECT_TRUE(torch::equal(mean, before));
  EXPECT_FALSE(torch::equal(others, others_before));
  present["thumb"] = torch::tensor({true, true, false});
  model.forward(inputs, {}, present);
  EXPECT_FALSE(torch::equal(mean, before));  // of two cases there are statistics
}

TEST(Model, DrawingLeavesTheGlobalGeneratorAlone) {
  const at::Generator& global = at::detail::getDefaultCPUGenerator();
  const Tensor before = global.get_state();
  Model model(small(), kInputs, {{"label", Pooled{3}}}, 5);
  EXPECT_TRUE(before.equal(global.get_state()));
}

TEST(Model, WeightsBeginWithTheVarianceOfHe) {
  ModelOptions options;
  options.encoders.entries.emplace_back("image", EncoderChoice());
  Model model(options, kInputs, {{"label", Pooled{2}}}, 1);
  const auto parameters = model.named_parameters();
  // 512 outputs x 9: variance 2 / 4608 of 2.4 million values
  const Tensor conv = parameters["encoders.image.layer4.1.conv2.weight"];
  EXPECT_NEAR(conv.var().item<double>(), 2.0 / 4608, 2.0 / 4608 * 0.01);
  EXPECT_NEAR(conv.mean().item<double>(), 0, 1e-4);
  const Tensor head = parameters["heads.label.weight"];
  EXPECT_LE(head.abs().max().item<double>(), 1 / std::sqrt(512.0));
  EXPECT_GT(head.abs().max().item<double>(), 0.98 / std::sqrt(512.0));
}

TEST(Model, JoinsTheFeaturesOfItsEncodersAndGivesOneTensorPerHead) {
  Model model(small({"image", "scan"}), kInputs, {{"label", Pooled{3}}, {"age", Pooled{1}}}, 1);
  model.eval();
  TensorMap inputs = image({2, 1, 32, 32});
  inputs["scan"] = input_image({2, 2, 8, 8, 8});
  const Outputs outputs = model.forward(inputs);
  EXPECT_EQ(outputs.at("label").sizes(), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(outputs.at("age").sizes(), (std::vector<int64_t>{2, 1}));
  const Tensor joined = at::cat({model.encoder("image").encode(inputs.at("image")).pooled,
                                 model.encoder("scan").encode(inputs.at("scan")).pooled},
                                1);
  const auto parameters = model.named_parameters();
  const Tensor wanted =
      at::matmul(joined, parameters["heads.age.weight"].t()) + parameters["heads.age.bias"];
  EXPECT_TRUE(outputs.at("age").allclose(wanted, 1e-5, 1e-6));
}

TEST(Model, DropoutActsOnlyWhileTraining) {
  ModelOptions options = small();
  options.dropout = 0.5;
  Model model(options, kInputs, {{"label", Pooled{3}}}, 1);
  const TensorMap inputs = image({4, 1, 32, 32});
  EXPECT_FALSE(model.forward(inputs).at("label").equal(model.forward(inputs).at("label")));
  model.eval();
  EXPECT_TRUE(model.forward(inputs).at("label").equal(model.forward(inputs).at("label")));
}

TEST(Model, FrozenLayersLearnNothingAndKeepTheirStatistics) {
  ModelOptions options = small();
  options.freeze = {"encoders.image.stage1"};
  Model model(options, kInputs, {{"label", Pooled{3}}}, 1);
  model.train();
  const auto buffers = model.named_buffers();
  model.forward(image({4, 1, 32, 32})).at("label").sum().backward();
  for (const auto& item : model.named_parameters())
    EXPECT_EQ(item.value().grad().defined(), !item.key().starts_with("encoders.image.stage1"))
        << item.key();
  EXPECT_EQ(buffers["encoders.image.stage1.norm.running_mean"].abs().sum().item<double>(), 0);
  EXPECT_GT(buffers["encoders.image.stage2.norm.running_mean"].abs().sum().item<double>(), 0);
  EXPECT_EQ(buffers["encoders.image.stage2.norm.num_batches_tracked"].item<int64_t>(), 1);
}

TEST(Model, RefusesInputsItWasNotMadeFor) {
  Model model(small(), kInputs, {{"label", Pooled{3}}}, 1);
  EXPECT_THAT(config_message([&] {
                model.forward(image({2, 3, 32, 32}));
              }),
              HasSubstr("found shape [2, 3, 32, 32], wanted [N, 1, 32, 32]"));
  EXPECT_THAT(config_message([&] {
                model.forward(image({1, 32, 32}));
              }),
              HasSubstr("found shape [1, 32, 32]"));
  TensorMap bytes;
  bytes["image"] = torch::zeros({2, 1, 32, 32}, torch::kUInt8);
  EXPECT_THAT(config_message([&] { model.forward(bytes); }), HasSubstr("Byte"));
}

TEST(Model, RefusesSettingsThatNameNothing) {
  EXPECT_THAT(config_message([] { Model(small({"radiograph"}), kInputs, {}, 1); }),
              HasSubstr("'radiograph', wanted one of the inputs: image, scan"));
  ModelOptions options = small();
  options.freeze = {"encoders.image.layer9"};
  EXPECT_THAT(config_message([&] { Model(options, kInputs, {}, 1); }),
              HasSubstr("encoders.image.layer9"));
  EXPECT_THAT(config_message([] { Model(ModelOptions{}, kInputs, {}, 1); }),
              HasSubstr("no encoder"));
}

TEST(Model, ParameterGroupsSeparateHeadFromEncoderAndDecayFromNone) {
  ModelOptions options;
  options.encoders.entries.emplace_back("image", EncoderChoice());
  options.encoders.entries.back().second.select("vit");
  options.freeze = {"encoders.image.patch_embed"};
  Model model(options, {{"image", {{1, 32, 32}}}}, {{"label", Pooled{2}}}, 1);
  std::map<std::string, std::pair<bool, bool>> found;
  for (const ParameterGroup& group : parameter_groups(model))
    for (const auto& [name, tensor] : group.parameters) found[name] = {group.head, group.decay};
  EXPECT_EQ(found.size(), model.named_parameters().size() - 2);  // proj.weight and proj.bias frozen
  const auto is = [](bool head, bool decay) { return std::pair(head, decay); };
  EXPECT_EQ(found.at("encoders.image.cls_token"), is(false, false));
  EXPECT_EQ(found.at("encoders.image.pos_embed"), is(false, false));
  EXPECT_EQ(found.at("encoders.image.blocks.0.norm1.weight"), is(false, false));
  EXPECT_EQ(found.at("encoders.image.blocks.0.attn.qkv.weight"), is(false, true));
  EXPECT_EQ(found.at("encoders.image.blocks.0.attn.qkv.bias"), is(false, false));
  EXPECT_EQ(found.at("heads.label.weight"), is(true, true));
  EXPECT_EQ(found.at("heads.label.bias"), is(true, false));
}

}  // namespace
}  // namespace fovea::nn
