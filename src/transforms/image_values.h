// What the transforms share: the sides of an image, its samples as floats, its statistics.
#pragma once

#include <span>

#include "fovea/io/resample.h"
#include "fovea/transforms/spatial/spatial.h"

namespace fovea::transforms {

/// A config Error where `image` is not an image.
Sides sides(const torch::Tensor& image);

/// The shape of an image with these sides.
std::vector<int64_t> shape(const Sides& sides);
/// Likewise, as text: "[1, 28, 28]".
std::string shape_text(const Sides& sides);

/// "[1, 28, 28]"
std::string shape_text(const torch::Tensor& image);

/// `sizes` as a user writes them (one number, two, or three) for this image.
Sides wanted(const std::vector<int64_t>& sizes, const Sides& of);

/// Contiguous float32 that may be written to: the image itself where nobody else holds it.
torch::Tensor floats(torch::Tensor image);

std::span<float> samples(torch::Tensor& floats);

/// All slices of all channels, one after the other.
io::ConstPlanes planes(const torch::Tensor& floats, const Sides& sides);
io::Planes planes(torch::Tensor& floats, const Sides& sides);

struct Statistics {
  float low = 0, high = 0;
  double mean = 0, deviation = 0;  ///< of the population
};
Statistics statistics(std::span<const float> values);

/// What lies around an image: its least value, for 0 may be water between air and bone.
double background(const torch::Tensor& image);

/// One of one or two numbers as a user writes them: [a] is -a … a, [a, b] is a … b.
double draw(const std::vector<double>& range, Random& random);

/// A config Error where `numbers` has not `least` to `most` items.
void check_count(std::string_view setting, const std::vector<double>& numbers, size_t least,
                 size_t most);

template <class Body>
class Made final : public Transform {
 public:
  explicit Made(Body body) : body_(std::move(body)) {}
  void apply_to(Scene& scene, Random& random) const override {
    scene.image = body_(std::move(scene.image), random);
  }

 private:
  Body body_;
};

template <class Draw, class Sample>
class MadeSpatial final : public Spatial {
 public:
  MadeSpatial(Draw draw, Sample sample) : draw_(std::move(draw)), sample_(std::move(sample)) {}

 protected:
  std::optional<Warp> draw(const Sides& sides, Random& random) const override {
    return draw_(sides, random);
  }
  torch::Tensor sample(torch::Tensor image, const Warp& warp) const override {
    return sample_(std::move(image), warp);
  }

 private:
  Draw draw_;
  Sample sample_;
};

/// One that moves samples, from functions of (sides, random) and of (image, warp).
template <class Draw, class Sample>
TransformPtr moving(Draw draw, Sample sample) {
  return std::make_shared<MadeSpatial<Draw, Sample>>(std::move(draw), std::move(sample));
}

/// Columns, rows and slices.
inline std::array<int64_t, 3> extent(const Sides& s) { return {s.width, s.height, s.depth}; }

/// A transform from a function of (image, random).
template <class Body>
TransformPtr made(Body body) {
  return std::make_shared<Made<Body>>(std::move(body));
}

/// One that happens with a probability; nothing is drawn where it is certain.
template <class Body>
TransformPtr made(double probability, Body body) {
  return made([=](torch::Tensor image, Random& random) {
    if (probability < 1 && !random.chance(probability)) return image;
    return body(std::move(image), random);
  });
}

}  // namespace fovea::transforms
