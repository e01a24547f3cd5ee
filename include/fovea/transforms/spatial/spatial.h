// Transforms that move samples. Each draws one map, and everything that lives in the space of the image
// goes through it.
#pragma once

#include <optional>

#include "fovea/transforms/transform.h"

namespace fovea::transforms {

/// Of an image; [C, H, W] has depth 1.
struct Sides {
  int64_t channels = 0, depth = 1, height = 0, width = 0;
  bool volume = false;
};

/// Where each voxel of the output comes from.
struct Warp {
  enum class Outside {
    ignored,  ///< what lies outside of the input is filled, and counts nowhere
    edge,     ///< the nearest voxel of the edge
    reflect,  ///< mirrored about the voxels of the edge
  };

  std::array<int64_t, 3> size{1, 1, 1};  ///< of the output: columns, rows, slices
  Affine map;                            ///< a voxel (i, j, k) of the output to one of the input
  /// Of elastic: for each row and column of the output [rows, columns] how far to the right and down
  /// of map(voxel) its sample lies, in voxels of the input; the same in all slices.
  std::vector<float> right = {}, down = {};
  Outside outside = Outside::ignored;
};

/// One warp. The rules for what lives beside the image (`Scene::others`):
///
///   mask    the nearest voxel; outside by `Warp::outside`, or ignored
///   image   as the image itself
///   points  exactly, whether they then lie inside or not
///   boxes   exactly where axes stay axes, else the box of the mapped inscribed ellipse (Kalra et al.,
///           ICCV 2021); then clipped: with less than 30 % of its area left a box is ignored (class
///           -1), with nothing left it is gone
///
/// The grid is multiplied by the map (an elastic displacement leaves it).
class Spatial : public Transform {
 public:
  void apply_to(Scene& scene, Random& random) const final;

 protected:
  /// For an image of these sides; nothing where it stays as it is.
  virtual std::optional<Warp> draw(const Sides& sides, Random& random) const = 0;
  /// The image (or an image on its grid) through the warp, by the rule of the transform.
  virtual torch::Tensor sample(torch::Tensor image, const Warp& warp) const = 0;
};

/// As Spatial does with it, but for images; `from`: columns, rows and slices of the image, which has
/// `dims` dimensions.
void warp(Companion& companion, const Warp& warp, const std::array<int64_t, 3>& from, int64_t dims);

}  // namespace fovea::transforms
