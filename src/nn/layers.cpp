#include "fovea/nn/layers.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "fovea/core/error.h"
#include "fovea/core/random.h"
#include "fovea/nn/convolution.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

/// FNV-1a, 64 bits: the place of a name in the streams of Purpose::init.
uint64_t hash(std::string_view name) {
  uint64_t value = 0xCBF29CE484222325u;
  for (const char c : name) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return value;
}

void initialize_weight(Tensor& weight, Tensor& bias, Init init, at::Generator& generator) {
  const auto kernel = static_cast<double>(weight[0][0].numel());
  const double inputs = static_cast<double>(weight.size(1)) * kernel;
  const double outputs = static_cast<double>(weight.size(0)) * kernel;
  const double bound = 1 / std::sqrt(inputs);
  switch (init) {
    case Init::he_out:
      weight.normal_(0, std::sqrt(2 / outputs), generator);
      break;
    case Init::he_in:
      weight.normal_(0, std::sqrt(2 / inputs), generator);
      break;
    case Init::uniform:
      weight.uniform_(-bound, bound, generator);
      if (bias.defined()) bias.uniform_(-bound, bound, generator);
      return;
    case Init::small:
      weight.normal_(0, 0.02, generator);
  }
  if (bias.defined()) bias.zero_();
}

std::vector<int64_t> for_each_axis(std::vector<int64_t> values, int64_t dims) {
  if (values.size() == 1) values.resize(dims, values[0]);
  return values;
}

}  // namespace

void initialize(torch::nn::Module& root, uint64_t seed) {
  torch::NoGradGuard no_grad;
  const auto initialize_one = [&](const std::string& name, torch::nn::Module& module) {
    auto* one = dynamic_cast<Initialized*>(&module);
    if (!one) return;
    const uint64_t place = hash(name);
    Random stream(seed, Purpose::init, place >> 32, place & 0xFFFFFFFFu);
    at::Generator generator = at::detail::createCPUGenerator(stream.seed64());
    one->initialize(generator);
  };
  initialize_one("", root);  // apart: a root that no shared_ptr holds cannot list itself
  for (const auto& item : root.named_modules("", /*include_self=*/false))
    initialize_one(item.key(), *item.value());
}

ConvOptions same_conv(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  return {.in = in, .out = out, .kernel = {kernel}, .stride = {stride}, .padding = {kernel / 2}};
}

Conv::Conv(int64_t dims, ConvOptions options) : options_(std::move(options)) {
  options_.kernel = for_each_axis(options_.kernel, dims);
  options_.stride = for_each_axis(options_.stride, dims);
  options_.padding = for_each_axis(options_.padding, dims);
  std::vector<int64_t> shape{options_.out, options_.in};
  shape.insert(shape.end(), options_.kernel.begin(), options_.kernel.end());
  weight = register_parameter("weight", torch::empty(shape));
  if (options_.bias) bias = register_parameter("bias", torch::empty({options_.out}));
}

Tensor Conv::forward(const Tensor& input) {
  const std::vector<int64_t> ones(options_.kernel.size(), 1);
  return convolve(input, weight, bias, {options_.stride, options_.padding, ones});
}

void Conv::initialize(at::Generator& generator) {
  initialize_weight(weight, bias, options_.init, generator);
}

BatchNorm::BatchNorm(int64_t channels) {
  weight = register_parameter("weight", torch::ones({channels}));
  bias = register_parameter("bias", torch::zeros({channels}));
  running_mean = register_buffer("running_mean", torch::zeros({channels}));
  running_var = register_buffer("running_var", torch::ones({channels}));
  num_batches_tracked = register_buffer("num_batches_tracked", torch::zeros({}, torch::kInt64));
}

Tensor BatchNorm::forward(const Tensor& x) {
  constexpr double kMomentum = 0.1;
  if (folded_) return x;
  if (is_training()) {
    if (x.numel() <= x.size(1))
      throw config_error(
          "batch normalization while training: found one value per channel, wanted two or more",
          "set TrainOptions::batch_size to 2 or more, or take larger images or longer series");
    num_batches_tracked += 1;
  }
  return at::batch_norm(x, weight, bias, running_mean, running_var, is_training(), kMomentum,
                        kEpsilon, at::globalContext().userEnabledCuDNN());
}

void BatchNorm::initialize(at::Generator&) {
  weight.fill_(1);
  bias.zero_();
  running_mean.zero_();
  running_var.fill_(1);
  num_batches_tracked.zero_();
}

void fold(Conv& conv, BatchNorm& norm) {
  if (norm.folded_) return;
  torch::NoGradGuard no_grad;
  const Tensor scale = norm.weight * (norm.running_var + BatchNorm::kEpsilon).rsqrt();
  std::vector<int64_t> per_output(conv.weight.dim(), 1);
  per_output[0] = -1;
  conv.weight.mul_(scale.view(per_output));
  const Tensor shift = norm.bias - norm.running_mean * scale;
  if (conv.bias.defined()) {
    conv.bias.mul_(scale).add_(shift);
  } else {
    conv.bias = conv.register_buffer("bias", shift);
  }
  norm.folded_ = true;
}

Linear::Linear(int64_t in, int64_t out, Init init, bool with_bias) : init_(init) {
  weight = register_parameter("weight", torch::empty({out, in}));
  if (with_bias) bias = register_parameter("bias", torch::empty({out}));
}

Tensor Linear::forward(const Tensor& x) { return at::linear(x, weight, bias); }

void Linear::initialize(at::Generator& generator) {
  initialize_weight(weight, bias, init_, generator);
}

LayerNorm::LayerNorm(int64_t width, double epsilon) : epsilon_(epsilon) {
  weight = register_parameter("weight", torch::ones({width}));
  bias = register_parameter("bias", torch::zeros({width}));
}

Tensor LayerNorm::forward(const Tensor& x) {
  return at::layer_norm(x, {weight.size(0)}, weight, bias, epsilon_);
}

void LayerNorm::initialize(at::Generator&) {
  weight.fill_(1);
  bias.zero_();
}

Embedding::Embedding(int64_t count, int64_t width, double deviation, bool padded)
    : deviation_(deviation), padded_(padded) {
  weight = register_parameter("weight", torch::empty({count, width}));
}

Tensor Embedding::forward(const Tensor& ids) {
  const Tensor rows = at::embedding(weight, ids);
  // Whatever row 0 of weights from elsewhere holds.
  return padded_ ? rows.masked_fill(ids.eq(0).unsqueeze(-1), 0) : rows;
}

void Embedding::initialize(at::Generator& generator) {
  weight.normal_(0, deviation_, generator);
  if (padded_) weight[0].zero_();
}

Tensor max_pool(const Tensor& x, int64_t kernel, int64_t stride, int64_t padding, bool ceil) {
  return x.dim() == 4 ? at::max_pool2d(x, kernel, stride, padding, 1, ceil)
                      : at::max_pool3d(x, kernel, stride, padding, 1, ceil);
}

Tensor halve(const Tensor& x) {
  std::vector<int64_t> window;
  for (const int64_t side : x.sizes().slice(2)) window.push_back(std::min<int64_t>(2, side));
  return x.dim() == 4 ? at::avg_pool2d(x, window, window) : at::avg_pool3d(x, window, window);
}

Tensor drop_path(const Tensor& branch, double probability) {
  if (probability == 0) return branch;
  std::vector<int64_t> one_each(static_cast<size_t>(branch.dim()), 1);
  one_each[0] = branch.size(0);
  return branch * at::dropout(at::ones(one_each, branch.options()), probability, true);
}

Tensor positions(const Tensor& map) { return map.flatten(2).transpose(1, 2); }

}  // namespace fovea::nn
