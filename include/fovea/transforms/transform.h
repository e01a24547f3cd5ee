// What is done to an example between its file and the model: resizing, augmentation, scaling of
// intensities. Those that move samples (spatial.h) are in geometry.h and warps.h, those that change
// values in intensity.h and scaling.h, those of batches in mixing.h; each is a struct of settings and a
// function that makes the transform of it:
//
//   auto step = transforms::rotate({.degrees = {10}});
//   image = step->apply(std::move(image), random);
#pragma once

#include "fovea/core/catalogue.h"
#include "fovea/data/dataset.h"
#include "fovea/transforms/scene.h"

namespace fovea::transforms {

/// Pure: the same scene and the same stream give the same result. Called from many threads at once.
class Transform {
 public:
  virtual ~Transform() = default;
  /// The image becomes uint8 where nothing but places changed, else float32. A tensor that somebody
  /// else holds too is never written to; one that was moved here may be changed in place. A config
  /// Error says why an image is refused.
  virtual void apply_to(Scene& scene, Random& random) const = 0;
  /// An image alone, [C, H, W] or [C, D, H, W], uint8 or float32.
  torch::Tensor apply(torch::Tensor image, Random& random) const;
};

using TransformPtr = std::shared_ptr<const Transform>;
using TransformTable = Catalogue<TransformPtr()>;
TransformTable& transforms();  ///< the table: src/transforms/transforms.cpp

struct TransformChoice : Choice<TransformPtr()> {
  TransformChoice() : Choice(transforms()) {}
};

/// What mixes cases of one batch (mixup, cutmix): inputs and targets change together.
class BatchTransform {
 public:
  virtual ~BatchTransform() = default;
  virtual Batch apply(Batch batch, Random& random) const = 0;
};

using BatchTransformPtr = std::shared_ptr<const BatchTransform>;
/// Made for the targets of a data set: mixed class indices become float [N, classes].
using BatchTransformTable = Catalogue<BatchTransformPtr(const std::vector<TargetSpec>&)>;
BatchTransformTable& batch_transforms();

struct BatchTransformChoice : Choice<BatchTransformPtr(const std::vector<TargetSpec>&)> {
  BatchTransformChoice() : Choice(batch_transforms()) {}
};

/// Applies `steps` in order to the input `input` of an example and to the targets that lie in its
/// space (`targets`: what there are), and leaves all others alone. The input becomes float32 and
/// contiguous, and its place (Origin::places) follows it. Errors name the step: "transforms: step 2 (rotate): …".
ExampleTransform pipeline(const std::vector<TransformChoice>& steps, std::string input = "image",
                          const std::vector<TargetSpec>& targets = {});

}  // namespace fovea::transforms
