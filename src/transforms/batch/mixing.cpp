#include "fovea/transforms/batch/mixing.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace fovea::transforms {

namespace {

torch::Tensor permutation(int64_t count, Random& random) {
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(order);
  return torch::tensor(order);
}

void check_images(const Batch& batch) {
  for (const auto& [name, present] : batch.present)
    throw config_error("the input '" + name +
                       "' is optional, and cases that lack it cannot be mixed: leave mixing out");
  for (const auto& [name, input] : batch.inputs)
    if (!input.is_floating_point() || input.dim() < 4 || input.dim() > 5)
      throw config_error("the input '" + name +
                         "' is not a batch of float images [N, C, (D,) H, W] and cannot be mixed: "
                         "leave mixing out, or that input");
}

/// Class indices as float [N, classes], NaN where the class is not known; numbers as they are.
torch::Tensor soft(const torch::Tensor& target, const std::string& name,
                   const std::vector<TargetSpec>& specs) {
  if (target.is_floating_point()) return target;
  for (const TargetSpec& spec : specs)
    if (spec.name == name)
      return torch::one_hot(target.clamp_min(0), static_cast<int64_t>(spec.classes.size()))
          .to(torch::kFloat32)
          .masked_fill((target < 0).unsqueeze(1), std::numeric_limits<float>::quiet_NaN());
  throw config_error("the target '" + name +
                     "' has class indices, but how many classes there are "
                     "was not said: give its TargetSpec");
}

void mix_targets(Batch& batch, const torch::Tensor& order, double share,
                 const std::vector<TargetSpec>& specs) {
  for (auto& [name, target] : batch.targets) {
    const torch::Tensor whole = soft(target, name, specs);
    target = whole * share + whole.index_select(0, order.to(whole.device())) * (1 - share);
  }
}

/// Decides whether and how; body(batch, order, share) mixes the inputs and returns the true share.
template <class Body>
class Mixing final : public BatchTransform {
 public:
  Mixing(double alpha, double probability, std::vector<TargetSpec> specs, Body body)
      : alpha_(alpha),
        probability_(probability),
        specs_(std::move(specs)),
        body_(std::move(body)) {}

  // Targets are soft in every batch, mixed or not: the loss sees one form.
  Batch apply(Batch batch, Random& random) const override {
    check_images(batch);
    double share = 1;
    torch::Tensor order = torch::arange(batch.size());
    if (probability_ >= 1 || random.chance(probability_)) {
      share = random.beta(alpha_, alpha_);
      order = permutation(batch.size(), random);
      share = body_(batch, order, share, random);
    }
    mix_targets(batch, order, share, specs_);
    return batch;
  }

 private:
  double alpha_;
  double probability_;
  std::vector<TargetSpec> specs_;
  Body body_;
};

template <class Options, class Body>
BatchTransformPtr mixing(const Options& options, const std::vector<TargetSpec>& specs, Body body) {
  return std::make_shared<Mixing<Body>>(options.alpha, options.probability, specs, std::move(body));
}

}  // namespace

BatchTransformPtr mixup(const MixUpOptions& options, const std::vector<TargetSpec>& targets) {
  return mixing(
      options, targets, [](Batch& batch, const torch::Tensor& order, double share, Random&) {
        for (auto& [name, input] : batch.inputs)
          input = torch::lerp(input.index_select(0, order.to(input.device())), input, share);
        return share;
      });
}

BatchTransformPtr cutmix(const CutMixOptions& options, const std::vector<TargetSpec>& targets) {
  return mixing(options, targets,
                [](Batch& batch, const torch::Tensor& order, double share, Random& random) {
                  // One box for the batch, in shares of the sides; cut at the border as in the paper.
                  const double side = std::sqrt(1 - share);
                  const double y = random.uniform();
                  const double x = random.uniform();
                  double kept = 1;
                  for (auto& [name, input] : batch.inputs) {
                    const auto span = [&](double middle, int64_t length) {
                      const auto n = static_cast<double>(length);
                      const auto begin = std::llround(std::max(0.0, (middle - side / 2) * n));
                      const auto end = std::llround(std::min(n, (middle + side / 2) * n));
                      return std::pair{begin, std::max(begin, end) - begin};
                    };
                    const auto [top, height] = span(y, input.size(-2));
                    const auto [left, width] = span(x, input.size(-1));
                    kept = 1 - static_cast<double>(height * width) /
                                   static_cast<double>(input.size(-2) * input.size(-1));
                    const torch::Tensor other = input.index_select(0, order.to(input.device()));
                    input = input.clone();
                    input.narrow(-2, top, height)
                        .narrow(-1, left, width)
                        .copy_(other.narrow(-2, top, height).narrow(-1, left, width));
                  }
                  return kept;
                });
}

}  // namespace fovea::transforms
