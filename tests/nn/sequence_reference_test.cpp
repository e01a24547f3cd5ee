// Recurrent networks and the Transformer block against PyTorch's, outputs and gradients.
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include <nlohmann/json.hpp>

#include "fovea/nn/encoders/rnn.h"
#include "fovea/nn/transformer.h"
#include "nn/formula.h"
#include "support/test_files.h"

namespace fovea::nn {
namespace {

using Json = nlohmann::json;
using test::formula;
using torch::Tensor;

const Json& reference() {
  static const Json all = Json::parse(std::ifstream(test::reference("sequences.json")));
  return all;
}

Tensor exact(const std::string& name, at::IntArrayRef shape) {
  return formula(name, shape).to(torch::kFloat64);
}

void fill(torch::nn::Module& module) {
  module.to(torch::kFloat64);
  torch::NoGradGuard no_grad;
  for (auto& item : module.named_parameters())
    item.value().copy_(formula(item.key(), item.value().sizes()));
}

void expect_close(const Tensor& found, const Json& wanted, const std::string& what) {
  const Tensor flat = found.detach().flatten();
  ASSERT_EQ(flat.numel(), static_cast<int64_t>(wanted.size())) << what;
  for (int64_t i = 0; i < flat.numel(); ++i) {
    const auto value = wanted[i].get<double>();
    ASSERT_NEAR(flat[i].item<double>(), value, 1e-10 * std::max(1.0, std::abs(value)))
        << what << " " << i;
  }
}

void expect_case(const std::string& name, torch::nn::Module& module, const Tensor& x,
                 const Tensor& output) {
  const Json& wanted = reference().at(name);
  expect_close(output, wanted.at("output"), name);
  (output * exact("loss", output.sizes())).sum().backward();
  expect_close(x.grad(), wanted.at("input"), name + " input");
  const auto parameters = module.named_parameters();
  EXPECT_EQ(parameters.size(), wanted.at("gradients").size()) << name;
  for (const auto& item : parameters)
    expect_close(item.value().grad(), wanted.at("gradients").at(item.key()),
                 name + " " + item.key());
}

const Tensor kLengths = torch::tensor({3, 5, 2}, torch::kInt64);

TEST(SequenceReference, RecurrentNetworksEqualPyTorchs) {
  for (const std::string cell : {"lstm", "gru", "rnn"}) {
    const auto encoder = rnn({.cell = cell, .width = 3, .depth = 2}, {{-1, 4}});
    fill(*encoder);
    const Tensor x = exact("x", {3, 5, 4}).requires_grad_();
    const Features features = encoder->encode(x, kLengths);
    expect_close(features.pooled, reference().at(cell).at("last"), cell + " last");
    expect_case(cell, *encoder, x, features.tokens);
  }
}

TEST(SequenceReference, TheTransformerBlockEqualsPyTorchs) {
  const Tensor mask = torch::arange(5).unsqueeze(0) < kLengths.unsqueeze(1);
  for (const bool pre : {false, true}) {
    Transformer block(
        {.width = 8, .depth = 1, .heads = 2, .hidden = 16, .pre_norm = pre, .epsilon = 1e-5});
    fill(block);
    const Tensor x = exact("x", {3, 5, 8}).requires_grad_();
    expect_case(pre ? "pre" : "post", block, x, block.forward(x, mask) * mask.unsqueeze(2));
  }
}

}  // namespace
}  // namespace fovea::nn
