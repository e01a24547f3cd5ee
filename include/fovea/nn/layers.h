// The layers with parameters that the encoders are made of, each one class for one, two and three
// dimensions.
//
// Unlike torch::nn's they are not initialized when they are made, and the weights of convolutions
// and linear layers hold whatever was in memory: a model that is about to load its weights should
// not pay for others. `initialize` fills a whole tree of modules from a seed.
#pragma once

#include <ATen/core/Generator.h>
#include <torch/nn/module.h>
#include <torch/types.h>

#include <memory>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::nn {

/// What has parameters of its own initializes them here; the children see to theirs.
class Initialized {
 public:
  virtual ~Initialized() = default;
  virtual void initialize(at::Generator& generator) = 0;
};

/// Initializes all parameters below `root`, each module from its own stream, a function of the seed
/// and of the module's name: what is added to a model leaves the initial values of the rest as they
/// were. Touches no global generator.
void initialize(torch::nn::Module& root, uint64_t seed);

/// How weights are initialized.
enum class Init {
  he_out,   ///< normal, variance 2 / (outputs x kernel): He et al., ICCV 2015, as in ResNet
  he_in,    ///< normal, variance 2 / (inputs x kernel), as in DenseNet
  uniform,  ///< +-1 / sqrt(inputs x kernel), the bias too: LibTorch's habit
  small,    ///< normal, deviation 0.02, bias 0: Transformers
};

struct ConvOptions {
  int64_t in = 1;
  int64_t out = 1;
  std::vector<int64_t> kernel = {3};  ///< one for all axes, or one for each
  std::vector<int64_t> stride = {1};
  std::vector<int64_t> padding = {0};
  bool bias = false;
  Init init = Init::he_out;
};

/// A square kernel of an odd side, padded so that stride 1 keeps the size.
ConvOptions same_conv(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1);

/// `weight` [out, in, (kd, (kh,)) kw]; `bias` [out] or undefined.
class Conv : public torch::nn::Module, public Initialized {
 public:
  Conv(int64_t dims, ConvOptions options);
  torch::Tensor forward(const torch::Tensor& input);
  void initialize(at::Generator& generator) override;

  torch::Tensor weight, bias;

 private:
  friend void fold(Conv& conv, class BatchNorm& norm);
  ConvOptions options_;
};

/// Batch normalization over all axes but the second (Ioffe and Szegedy, ICML 2015).
class BatchNorm : public torch::nn::Module, public Initialized {
 public:
  explicit BatchNorm(int64_t channels);
  /// A config Error while training on one value per channel: that has no variance.
  torch::Tensor forward(const torch::Tensor& x);
  void initialize(at::Generator& generator) override;

  torch::Tensor weight, bias, running_mean, running_var, num_batches_tracked;
  static constexpr double kEpsilon = 1e-5;

 private:
  friend void fold(Conv& conv, BatchNorm& norm);
  bool folded_ = false;
};

/// Multiplies the normalization into the convolution before it; `norm` then passes its input on. For
/// inference only.
void fold(Conv& conv, BatchNorm& norm);

/// What holds convolutions each followed by a normalization, and can fold them.
class Foldable {
 public:
  virtual ~Foldable() = default;
  virtual void fold() = 0;
};

/// [..., in] -> [..., out].
class Linear : public torch::nn::Module, public Initialized {
 public:
  Linear(int64_t in, int64_t out, Init init = Init::uniform, bool with_bias = true);
  torch::Tensor forward(const torch::Tensor& x);
  void initialize(at::Generator& generator) override;

  torch::Tensor weight, bias;

 private:
  Init init_;
};

/// Over the last axis (Ba et al., 2016).
class LayerNorm : public torch::nn::Module, public Initialized {
 public:
  explicit LayerNorm(int64_t width, double epsilon = 1e-6);
  torch::Tensor forward(const torch::Tensor& x);
  void initialize(at::Generator& generator) override;

  torch::Tensor weight, bias;

 private:
  double epsilon_;
};

/// ids int64 [...] -> [..., width], rows of `weight` [count, width].
class Embedding : public torch::nn::Module, public Initialized {
 public:
  /// Begins normal with the deviation; `padded`: the id 0 gives zeros and is not trained.
  Embedding(int64_t count, int64_t width, double deviation = 1, bool padded = false);
  torch::Tensor forward(const torch::Tensor& ids);
  void initialize(at::Generator& generator) override;

  torch::Tensor weight;

 private:
  double deviation_;
  bool padded_;
};

/// Pooling with a window, of 2 or 3 dimensions as the input has; `ceil` keeps the rest at the border.
torch::Tensor max_pool(const torch::Tensor& x, int64_t kernel, int64_t stride, int64_t padding,
                       bool ceil = false);

/// The mean of each 2x2 (x2) window; an odd rest is dropped, a side of 1 stays.
torch::Tensor halve(const torch::Tensor& x);

/// Stochastic depth (Huang et al., ECCV 2016): the whole branch left out, case by case, with this probability; what stays
/// counts more in turn. For training.
torch::Tensor drop_path(const torch::Tensor& branch, double probability);

/// [N, C, positions...] -> [N, positions, C]; a view.
torch::Tensor positions(const torch::Tensor& map);

}  // namespace fovea::nn
