#include "fovea/nn/decoders/transformer_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/transformercoder.h>
#include <torch/nn/modules/transformerlayer.h>

#include "fovea/core/error.h"
#include "fovea/nn/layers.h"

namespace fovea::nn {
namespace {

using testing::HasSubstr;
using torch::Tensor;

constexpr int64_t kCases = 2, kTokens = 7, kPlaces = 9, kWidth = 24;

DecoderOptions small() {
  return {.width = kWidth, .depth = 2, .heads = 3, .hidden = 40, .dropout = 0};
}

Tensor tokens() { return torch::randn({kCases, kTokens, kWidth}); }
Tensor memory() { return torch::randn({kCases, kPlaces, kWidth}); }
/// The second case has four places.
Tensor places() {
  Tensor mask = torch::ones({kCases, kPlaces}, torch::kBool);
  mask[1].slice(0, 4) = false;
  return mask;
}

double furthest(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

/// Initialized, and every bias something other than 0, so that none can be forgotten.
std::shared_ptr<TransformerDecoder> decoder_of(const DecoderOptions& options) {
  torch::manual_seed(3);
  auto decoder = std::make_shared<TransformerDecoder>(options);
  initialize(*decoder, 5);
  const torch::NoGradGuard no_grad;
  for (auto& parameter : decoder->parameters()) parameter.add_(torch::randn_like(parameter), 0.05);
  return decoder;
}

/// LibTorch's own decoder with the same weights, by name: it has its positions first.
Tensor by_libtorch(TransformerDecoder& decoder, const DecoderOptions& options, const Tensor& x,
                   const Tensor& memory, const Tensor& mask) {
  torch::nn::TransformerDecoder other(
      torch::nn::TransformerDecoderLayer(
          torch::nn::TransformerDecoderLayerOptions(options.width, options.heads)
              .dim_feedforward(options.hidden)
              .dropout(0)
              .activation(options.gelu ? torch::nn::activation_t(torch::kGELU)
                                       : torch::nn::activation_t(torch::kReLU))),
      options.depth);
  const torch::NoGradGuard no_grad;
  auto theirs = other->named_parameters();
  const auto ours = decoder.named_parameters();
  EXPECT_EQ(theirs.size(), ours.size());
  for (auto& item : theirs) item.value().copy_(ours[item.key()]);
  const Tensor hidden = torch::ones({x.size(1), x.size(1)}, torch::kBool).triu(1);
  return other
      ->forward(
          x.transpose(0, 1), memory.transpose(0, 1),
          options.causal ? torch::zeros(hidden.sizes()).masked_fill(hidden, -INFINITY) : Tensor(),
          {}, {}, mask.logical_not())
      .transpose(0, 1);
}

TEST(TransformerDecoder, IsPyTorchsWithPyTorchsWeights) {
  for (const bool gelu : {false, true})
    for (const bool causal : {false, true}) {
      DecoderOptions options = small();
      options.gelu = gelu, options.causal = causal;
      const auto decoder = decoder_of(options);
      const Tensor x = tokens(), m = memory(), mask = places();
      EXPECT_LT(furthest(decoder->forward(x, m, mask), by_libtorch(*decoder, options, x, m, mask)),
                2e-5)
          << "gelu " << gelu << ", causal " << causal;
    }
}

TEST(TransformerDecoder, WithNormsFirstAddsBranchesOfNormedTokensAndEndsWithANorm) {
  DecoderOptions options = small();
  options.pre_norm = true, options.depth = 1;
  const auto decoder = decoder_of(options);
  const Tensor x = tokens(), m = memory(), mask = places();
  auto p = decoder->named_parameters();
  const auto norm = [&](const Tensor& t, const std::string& name) {
    return at::layer_norm(t, {kWidth}, p[name + ".weight"], p[name + ".bias"], options.epsilon);
  };
  const auto linear = [&](const Tensor& t, const std::string& name) {
    return at::linear(t, p[name + ".weight"], p[name + ".bias"]);
  };
  const auto attend = [&](const Tensor& q_in, const Tensor& kv_in, const std::string& name,
                          const Tensor& hidden) {
    const auto weights = p[name + ".in_proj_weight"].chunk(3),
               biases = p[name + ".in_proj_bias"].chunk(3);
    const auto heads = [&](const Tensor& t, size_t i) {
      return at::linear(t, weights[i], biases[i]).view({kCases, t.size(1), 3, 8}).transpose(1, 2);
    };
    const Tensor scores =
        at::matmul(heads(q_in, 0), heads(kv_in, 1).transpose(-2, -1)) / std::sqrt(8.0);
    const Tensor seen =
        at::matmul(scores.masked_fill(hidden, -INFINITY).softmax(-1), heads(kv_in, 2));
    return linear(seen.transpose(1, 2).reshape(q_in.sizes()), name + ".out_proj");
  };
  const Tensor future = torch::ones({kTokens, kTokens}, torch::kBool).triu(1);
  const Tensor first = norm(x, "layers.0.norm1");
  Tensor y = x + attend(first, first, "layers.0.self_attn", future);
  y = y + attend(norm(y, "layers.0.norm2"), m, "layers.0.multihead_attn",
                 mask.logical_not().unsqueeze(1).unsqueeze(1));
  y = y + linear(linear(norm(y, "layers.0.norm3"), "layers.0.linear1").relu(), "layers.0.linear2");
  EXPECT_LT(furthest(decoder->forward(x, m, mask), norm(y, "norm")), 2e-5);
}

TEST(TransformerDecoder, DoesNotLookAheadNorAtHiddenPlacesAlsoWhereTheyAreNaN) {
  const auto decoder = decoder_of(small());
  const Tensor x = tokens(), m = memory(), mask = places();
  const Tensor before = decoder->forward(x, m, mask);
  Tensor later = x.clone(), hidden = m.clone();
  later.slice(1, 4).add_(1);
  hidden[1].slice(0, 4).fill_(NAN);
  const Tensor after = decoder->forward(later, hidden, mask);
  EXPECT_TRUE(before.slice(1, 0, 4).equal(after.slice(1, 0, 4)));
  EXPECT_GT(furthest(before.slice(1, 4), after.slice(1, 4)), 0.1);
}

TEST(TransformerDecoder, TellsWhereItsTokensLooked) {
  const auto decoder = decoder_of(small());
  Tensor map;
  decoder->forward(tokens(), memory(), places(), &map);
  ASSERT_EQ(map.sizes(), torch::IntArrayRef({kCases, kTokens, kPlaces}));
  EXPECT_LT(furthest(map.sum(-1), torch::ones({kCases, kTokens})), 1e-5);
  EXPECT_EQ(map[1].slice(1, 4).abs().max().item<double>(), 0);
  EXPECT_GT(map[0].slice(1, 4).min().item<double>(), 0);
}

TEST(TransformerDecoder, DropsWhileItTrainsOnly) {
  DecoderOptions options = small();
  options.dropout = 0.5;
  const auto decoder = decoder_of(options);
  const Tensor x = tokens(), m = memory();
  EXPECT_FALSE(decoder->forward(x, m).equal(decoder->forward(x, m)));
  decoder->eval();
  EXPECT_TRUE(decoder->forward(x, m).equal(decoder->forward(x, m)));
}

TEST(TransformerDecoder, RefusesHeadsThatDoNotDivideTheWidth) {
  DecoderOptions options = small();
  options.heads = 5;
  try {
    TransformerDecoder decoder(options);
    FAIL() << "was made";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("found width 24 and 5 heads"));
  }
}

}  // namespace
}  // namespace fovea::nn
