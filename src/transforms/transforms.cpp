// The tables of transforms. A new one is one file and one line here.
#include <fmt/format.h>

#include "fovea/transforms/batch/mixing.h"
#include "fovea/transforms/intensity/intensity.h"
#include "fovea/transforms/intensity/scaling.h"
#include "fovea/transforms/spatial/geometry.h"
#include "fovea/transforms/spatial/warps.h"
#include "transforms/image_values.h"

namespace fovea::transforms {

TransformTable& transforms() {
  using T = TransformTable;
  static TransformTable table(
      "transforms",
      {
          T::item<ResizeOptions>("resize", "resizes, antialiased", resize),
          T::item<CropOptions>("crop", "crops the centre or a random part of the image", crop),
          T::item<PadOptions>("pad", "pads to a minimum size", pad),
          T::item<FlipOptions>("flip", "mirrors along an axis", flip),
          T::item<RotateOptions>("rotate", "rotates by a random angle in the plane", rotate),
          T::item<AffineOptions>("affine", "rotates, scales, shears and shifts in one step",
                                 affine),
          T::item<ElasticOptions>("elastic", "smooth elastic deformation (Simard et al. 2003)",
                                  elastic),
          T::item<BrightnessOptions>("brightness", "shifts all values", brightness),
          T::item<ContrastOptions>("contrast", "stretches about the mean", contrast),
          T::item<GammaOptions>("gamma", "a power of the values within their range", gamma),
          T::item<NoiseOptions>("noise", "adds Gaussian noise", noise),
          T::item<BlurOptions>("blur", "Gaussian blur of random width", blur),
          T::item<CutoutOptions>("cutout", "covers random boxes (DeVries and Taylor 2017)", cutout),
          T::item<ClaheOptions>(
              "clahe", "contrast-limited adaptive histogram equalisation (Zuiderveld 1994)", clahe),
          T::item<ScaleOptions>("scale", "scales intensities by z-score, range or percentiles",
                                scale),
          T::item<ClipOptions>("clip", "clips values to a range", clip),
          T::item<WindowOptions>("window", "maps a display window to 0..1", window),
          T::item<NormalizeOptions>(
              "normalize", "subtracts a mean and divides by a standard deviation, per channel",
              normalize),
          T::item<ChannelsOptions>(
              "channels", "repeats the grey channel, or converts colour to grey", channels),
          T::item<ImageNetOptions>(
              "imagenet", "three channels, normalized with ImageNet's statistics", imagenet),
      });
  return table;
}

BatchTransformTable& batch_transforms() {
  using T = BatchTransformTable;
  static BatchTransformTable table(
      "batch_transforms",
      {
          T::item<MixUpOptions>("mixup", "blends pairs of cases (Zhang et al. 2018)", mixup),
          T::item<CutMixOptions>("cutmix", "pastes a box of another case (Yun et al. 2019)",
                                 cutmix),
      });
  return table;
}

namespace {

// x - x is 0 for finite numbers alone.
void refuse_not_finite(const torch::Tensor& image) {
  const float* values = image.const_data_ptr<float>();
  float sum = 0;
  for (int64_t i = 0; i < image.numel(); ++i) sum += values[i] - values[i];
  if (sum != 0)
    throw data_error("transforms: values that are not finite came out of finite ones",
                     "bring the values to a smaller range before");
}

}  // namespace

ExampleTransform pipeline(const std::vector<TransformChoice>& steps, std::string input,
                          const std::vector<TargetSpec>& targets) {
  struct Step {
    std::string name;
    TransformPtr transform;
  };
  std::vector<Step> made_steps;
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string name = fmt::format("transforms: step {} ({})", i + 1, steps[i].name());
    made_steps.push_back({name, within(name, [&] { return steps[i].make(); })});
  }
  std::vector<std::pair<std::string, Layout>> companions;
  for (const TargetSpec& target : targets)
    if (target.input == input && target.layout != Layout::none && target.layout != Layout::tokens)
      companions.emplace_back(target.name, target.layout);
  return [made_steps, input, companions](Example example, Random& random) {
    if (!example.inputs.contains(input)) return example;  // an optional one, or the batch complains
    torch::Tensor& slot = example.inputs[input];
    Scene scene{.image = std::move(slot), .grid = {}, .others = {}};
    const Placement* place = example.origin ? example.origin->place(input) : nullptr;
    if (place) scene.grid = place->current;
    for (const auto& [name, layout] : companions)
      if (example.targets.contains(name))
        scene.others.push_back({name, layout, std::move(example.targets[name])});
    for (const Step& step : made_steps)
      within(step.name, [&] { step.transform->apply_to(scene, random); });
    if (scene.image.scalar_type() == torch::kUInt8) scene.image = floats(std::move(scene.image));
    slot = scene.image.contiguous();
    refuse_not_finite(slot);
    for (Companion& other : scene.others) example.targets[other.name] = std::move(other.values);
    if (place && scene.grid != place->current) {
      auto moved = std::make_shared<Origin>(*example.origin);
      for (auto& [name, one] : moved->places)
        if (name == input) one.current = scene.grid;
      example.origin = std::move(moved);
    }
    return example;
  };
}

}  // namespace fovea::transforms
