// What small maps ask of convolutions and pooling. Geometries by the thousand: convolution_sweep.cpp.
#include "fovea/nn/convolution.h"

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include <cmath>

#include "fovea/nn/encoders/resnet.h"
#include "fovea/nn/inference.h"
#include "fovea/nn/layers.h"
#include "nn/formula.h"
#include "nn/one_thread.h"

namespace fovea::nn {
namespace {

using test::input_image;
using torch::Tensor;

/// By the definition, one sum after the other: one case, one axis.
std::vector<double> by_hand(const std::vector<double>& x, const std::vector<double>& kernel,
                            int64_t stride, int64_t padding, int64_t dilation) {
  std::vector<double> y;
  const auto n = static_cast<int64_t>(x.size()), k = static_cast<int64_t>(kernel.size());
  for (int64_t at = -padding; at + (k - 1) * dilation < n + padding; at += stride) {
    double sum = 0;
    for (int64_t tap = 0; tap < k; ++tap)
      if (const int64_t place = at + tap * dilation; place >= 0 && place < n)
        sum += x[static_cast<size_t>(place)] * kernel[static_cast<size_t>(tap)];
    y.push_back(sum);
  }
  return y;
}

TEST(Convolution, IsItsDefinitionWhereTheKernelReachesBeyondTheMap) {
  int geometries = 0;
  for (int64_t n = 1; n <= 6; ++n)
    for (int64_t k = 1; k <= 7; ++k)
      for (int64_t stride = 1; stride <= 3; ++stride)
        for (int64_t dilation = 1; dilation <= 2; ++dilation)
          for (const int64_t padding : {int64_t{0}, (k - 1) * dilation / 2, (k - 1) * dilation}) {
            std::vector<double> x, kernel;
            for (int64_t i = 0; i < n; ++i) x.push_back(std::sin(static_cast<double>(3 * i + 1)));
            for (int64_t i = 0; i < k; ++i) kernel.push_back(std::cos(static_cast<double>(5 * i)));
            const std::vector<double> want = by_hand(x, kernel, stride, padding, dilation);
            if (want.empty()) continue;
            const Tensor y = convolve(torch::tensor(x, torch::kDouble).view({1, 1, n}),
                                      torch::tensor(kernel, torch::kDouble).view({1, 1, k}), {},
                                      {{stride}, {padding}, {dilation}});
            ASSERT_EQ(y.numel(), static_cast<int64_t>(want.size()));
            for (size_t i = 0; i < want.size(); ++i)
              ASSERT_NEAR(y[0][0][static_cast<int64_t>(i)].item<double>(), want[i], 1e-12);
            ++geometries;
          }
  EXPECT_GT(geometries, 500);
}

struct Trained {
  std::vector<Tensor> weights;
  double loss = 0;
};

/// Some steps of a 3-D ResNet-18 by plain gradient descent.
Trained trained(std::vector<int64_t> volumes, bool bf16, bool last) {
  const auto encoder = resnet({.width = 16}, {{1, -1, -1, -1}});
  initialize(*encoder, 5);
  Tensor x = input_image(volumes);
  if (last) {
    channels_last(*encoder);
    x = channels_last(x);
  }
  Trained result;
  for (int step = 0; step < 3; ++step) {
    at::autocast::set_autocast_enabled(at::kCPU, bf16);
    const Tensor loss = encoder->encode(x).pooled.to(torch::kFloat).square().mean();
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    encoder->zero_grad();
    loss.backward();
    torch::NoGradGuard no_grad;
    for (Tensor& parameter : encoder->parameters()) parameter.sub_(parameter.grad(), 0.01);
    result.loss = loss.item<double>();
  }
  for (const Tensor& parameter : encoder->parameters())
    result.weights.push_back(parameter.detach().clone());
  return result;
}

TEST(Convolution, A3DResNetTrainsOnTinyVolumesAndEqualStepsGiveEqualWeights) {
  for (const std::vector<int64_t>& volumes :
       std::vector<std::vector<int64_t>>{{4, 1, 5, 40, 40}, {2, 1, 28, 28, 28}, {2, 1, 32, 32, 32}})
    for (const bool bf16 : {false, true})
      for (const bool last : {false, true}) {
        const Trained first = trained(volumes, bf16, last), second = trained(volumes, bf16, last);
        EXPECT_TRUE(std::isfinite(first.loss));
        EXPECT_EQ(first.loss, second.loss);
        ASSERT_FALSE(first.weights.empty());
        for (size_t i = 0; i < first.weights.size(); ++i) {
          ASSERT_TRUE(at::isfinite(first.weights[i]).all().item<bool>()) << i;
          ASSERT_TRUE(first.weights[i].equal(second.weights[i])) << i;
        }
      }
}

// Of each window the positions that lie on the map; LibTorch's own pooling, which does not pass
// through oneDNN.
TEST(Convolution, PoolingOfSmallMapsHasTheGradientsOfItsDefinition) {
  for (const bool bf16 : {false, true})
    for (const bool last : {false, true})
      for (int64_t height = 1; height <= 5; ++height)
        for (int64_t width = 1; width <= 5; ++width)
          for (const auto& [kernel, padding, ceil] :
               {std::tuple<int64_t, int64_t, bool>{3, 1, false}, {2, 0, true}}) {
            const auto type = bf16 ? torch::kBFloat16 : torch::kFloat;
            Tensor x = input_image({1, 2, height, width}).to(type);
            if (last) x = x.contiguous(at::MemoryFormat::ChannelsLast);
            x = x.detach().requires_grad_();
            const Tensor y = max_pool(x, kernel, 2, padding, ceil);
            y.backward(torch::ones_like(y));
            Tensor counts = torch::zeros({2, height, width});
            for (int64_t c = 0; c < 2; ++c)
              for (int64_t i = 0; i < y.size(2); ++i)
                for (int64_t j = 0; j < y.size(3); ++j) {
                  const int64_t top = std::max<int64_t>(0, 2 * i - padding);
                  const int64_t left = std::max<int64_t>(0, 2 * j - padding);
                  const Tensor window = x[0][c]
                                            .slice(0, top, 2 * i - padding + kernel)
                                            .slice(1, left, 2 * j - padding + kernel);
                  ASSERT_EQ(y[0][c][i][j].item<double>(), window.max().item<double>());
                  const auto place = window.contiguous().argmax().item<int64_t>();
                  counts[c][top + place / window.size(1)][left + place % window.size(1)] += 1;
                }
            ASSERT_TRUE(x.grad()[0].to(torch::kFloat).equal(counts)) << height << "x" << width;
          }
}

}  // namespace
}  // namespace fovea::nn
