// What the guard of nn::convolve costs: its time over LibTorch's own convolution, forward and both gradients, on the
// geometries of ResNets. Both take turns; medians.    bench_convolution [ROUNDS]
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <vector>

#include "fovea/nn/convolution.h"
#include "measure.h"

using namespace fovea;

namespace {

struct Layer {
  const char* name;
  std::vector<int64_t> input;  // [N, C, (D,) H, W]
  int64_t out, kernel, stride, padding;
};

const Layer kLayers[] = {
    {"stem 7x7/2 of 224", {16, 3, 224, 224}, 64, 7, 2, 3},
    {"3x3 of 56", {16, 64, 56, 56}, 64, 3, 1, 1},
    {"3x3/2 of 56", {16, 64, 56, 56}, 128, 3, 2, 1},
    {"1x1/2 of 56 (shortcut)", {16, 64, 56, 56}, 128, 1, 2, 0},
    {"3x3 of 28", {16, 128, 28, 28}, 128, 3, 1, 1},
    {"1x1/2 of 28 (shortcut)", {16, 128, 28, 28}, 256, 1, 2, 0},
    {"3x3 of 14", {16, 256, 14, 14}, 256, 3, 1, 1},
    {"1x1/2 of 14 (shortcut)", {16, 256, 14, 14}, 512, 1, 2, 0},
    {"3x3 of 7", {16, 512, 7, 7}, 512, 3, 1, 1},
    {"1x1 of 7", {16, 512, 7, 7}, 2048, 1, 1, 0},
    {"3x3 of 4 (28 px images)", {64, 256, 4, 4}, 256, 3, 1, 1},
    {"3x3x3 of 16 32 32", {2, 64, 16, 32, 32}, 64, 3, 1, 1},
    {"3x3x3/2 of 16 32 32", {2, 64, 16, 32, 32}, 128, 3, 2, 1},
    {"1x1x1/2 of 16 32 32 (shortcut)", {2, 64, 16, 32, 32}, 128, 1, 2, 0},
};

torch::Tensor plain(const torch::Tensor& x, const torch::Tensor& w, const nn::ConvGeometry& g) {
  return x.dim() == 4 ? at::conv2d(x, w, {}, g.stride, g.padding, g.dilation, g.groups)
                      : at::conv3d(x, w, {}, g.stride, g.padding, g.dilation, g.groups);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// {LibTorch's time, our time over it}
std::pair<double, double> measured(const Layer& layer, torch::ScalarType type, bool last,
                                   int64_t rounds) {
  const size_t axes = layer.input.size() - 2;
  nn::ConvGeometry g;
  g.stride.assign(axes, layer.stride);
  g.padding.assign(axes, layer.padding);
  g.dilation.assign(axes, 1);
  std::vector<int64_t> kernel{layer.out, layer.input[1]};
  kernel.insert(kernel.end(), axes, layer.kernel);
  const auto format = !last       ? at::MemoryFormat::Contiguous
                      : axes == 2 ? at::MemoryFormat::ChannelsLast
                                  : at::MemoryFormat::ChannelsLast3d;
  const auto made = [&](const std::vector<int64_t>& shape) {
    return torch::randn(shape).to(type).contiguous(format).set_requires_grad(true);
  };
  torch::Tensor x = made(layer.input), w = made(kernel);
  const auto seconds = [&](bool guarded) {
    x.mutable_grad() = torch::Tensor();
    w.mutable_grad() = torch::Tensor();
    return bench::seconds_of([&] {
      torch::Tensor y = guarded ? nn::convolve(x, w, {}, g) : plain(x, w, g);
      y.backward(torch::ones_like(y));
    });
  };
  std::vector<double> ours, theirs;
  for (int64_t round = 0; round < rounds + 2; ++round) {
    const bool first = round % 2 == 0;
    const double a = seconds(first), b = seconds(!first);
    if (round < 2) continue;  // warm
    ours.push_back(first ? a : b);
    theirs.push_back(first ? b : a);
  }
  return {median(theirs), median(ours) / median(theirs)};
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t rounds = argc > 1 ? std::stoll(argv[1]) : 15;
  torch::manual_seed(1);
  double total = 0, guarded = 0, worst = 0;
  for (const auto type : {torch::kFloat32, torch::kBFloat16})
    for (const bool last : {false, true})
      for (const Layer& layer : kLayers) {
        const auto [seconds, ratio] = measured(layer, type, last, rounds);
        std::cout << fmt::format("{:<32} {} {:<13} {:8.2f} ms   x {:.2f}\n", layer.name,
                                 type == torch::kFloat32 ? "fp32" : "bf16",
                                 last ? "channels_last" : "contiguous", 1e3 * seconds, ratio)
                  << std::flush;
        total += seconds;
        guarded += ratio * seconds;
        worst = std::max(worst, ratio);
      }
  std::cout << fmt::format(
      "convolution: guarded / plain of the sum {:.3f}, of the worst row {:.2f}\n", guarded / total,
      worst);
}
