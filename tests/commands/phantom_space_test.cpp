// The lesions of a phantom study, as masks and as boxes, through the same draws.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <sstream>

#include "fovea/io/image_file.h"
#include "fovea/phantom/phantom.h"
#include "fovea/storage/csv.h"
#include "fovea/transforms/spatial/geometry.h"
#include "fovea/transforms/spatial/warps.h"
#include "support/test_files.h"

namespace fovea::transforms {
namespace {

using torch::Tensor;

Tensor mask_of(const std::filesystem::path& file) {
  const Image image = io::read_png(file);
  Tensor mask = torch::empty({image.height, image.width}, torch::kUInt8);
  std::memcpy(mask.mutable_data_ptr(), image.pixels.data(), image.pixels.size());
  return mask.gt(0).to(torch::kUInt8);
}

/// "x y (z) width height (depth); …" as rows of corners and a class.
Tensor boxes_of(const std::string& cell, int64_t dims) {
  std::vector<float> rows;
  std::istringstream list(cell);
  for (std::string one; std::getline(list, one, ';');) {
    std::istringstream numbers(one);
    std::vector<float> box(static_cast<size_t>(2 * dims));
    for (float& number : box) numbers >> number;
    for (size_t axis = 0; axis < static_cast<size_t>(dims); ++axis)
      box[static_cast<size_t>(dims) + axis] += box[axis];
    box.push_back(1);
    rows.insert(rows.end(), box.begin(), box.end());
  }
  return torch::tensor(rows).reshape({-1, 2 * dims + 1});
}

bool near_another(const Tensor& boxes, int64_t which, int64_t dims) {
  constexpr double kNear = 4;
  for (int64_t b = 0; b < boxes.size(0); ++b) {
    bool apart = b == which;
    for (int64_t axis = 0; axis < dims; ++axis)
      apart |= boxes[b][axis].item<double>() > boxes[which][dims + axis].item<double>() + kNear ||
               boxes[which][axis].item<double>() > boxes[b][dims + axis].item<double>() + kNear;
    if (!apart) return true;
  }
  return false;
}

/// Every voxel of the mask lies in a box, and each box that was not cut reaches to a voxel of the mask
/// on every side, within `slack` voxels.
void expect_agreement(const Scene& scene, int64_t dims, double slack) {
  const Tensor voxels = scene.others[0].values.eq(1).nonzero().to(torch::kFloat32) + 0.5;
  const Tensor boxes = scene.others[1].values;
  Tensor covered = torch::zeros({voxels.size(0)}, torch::kBool);
  for (int64_t b = 0; b < boxes.size(0); ++b) {
    Tensor in = torch::ones_like(covered);
    bool whole = true;
    for (int64_t axis = 0; axis < dims; ++axis) {
      const Tensor along = voxels.select(1, dims - 1 - axis);  // slices first
      const double low = boxes[b][axis].item<double>(), high = boxes[b][dims + axis].item<double>();
      in &= along.ge(low - slack) & along.le(high + slack);
      whole &= low > 0 && high < static_cast<double>(scene.grid.size[static_cast<size_t>(axis)]);
    }
    covered |= in;
    if (near_another(boxes, b, dims)) continue;  // whose voxels would be taken for its own
    if (!whole || boxes[b][2 * dims].item<float>() < 0) continue;
    ASSERT_TRUE(in.any().item<bool>()) << "a box without a lesion";
    for (int64_t axis = 0; axis < dims; ++axis) {
      const Tensor along = voxels.select(1, dims - 1 - axis).masked_select(in);
      EXPECT_NEAR(along.min().item<double>() - 0.5, boxes[b][axis].item<double>(), slack);
      EXPECT_NEAR(along.max().item<double>() + 0.5, boxes[b][dims + axis].item<double>(), slack);
    }
  }
  EXPECT_TRUE(covered.all().item<bool>()) << "a lesion without a box";
}

std::vector<std::pair<TransformPtr, double>> steps(bool volume) {
  const Outside filled{.border = "constant", .fill = 0.};
  std::vector<std::pair<TransformPtr, double>> all = {
      {resize({.size = {90, 150}}), 1.5},
      {crop({.size = {100}, .where = "random"}), 1.5},
      {pad({.size = {140}}), 1.5},
      {flip({.probability = 1}), 1.5},
      {rotate({.degrees = {180}, .outside = filled}), 2},
      {affine({.degrees = {20}, .scale = {0.9, 1.3}, .outside = filled}), 2},
      {elastic({.alpha = 1, .sigma = 12, .outside = filled}), 2}};
  if (volume) {  // a crop has slices, too
    all[1].first = crop({.size = {30, 100, 100}, .where = "random"});
    all.emplace_back(flip({.axis = "depth", .probability = 1}), 1.5);
    all.emplace_back(resize({.size = {50, 128, 128}}), 1.5);
  }
  return all;
}

class PhantomSpace : public testing::Test {
 protected:
  PhantomSpace() {
    phantom::PhantomOptions options;
    options.patients = 3;
    options.images_per_patient = 2;
    options.size = 128;
    options.volumes = 2;
    options.slices = 40;
    options.prevalence = 1;
    options.difficulty = 0;
    write_phantoms(folder_ / "p", options);
  }
  test::TempFolder folder_;
};

TEST_F(PhantomSpace, RoundLesionsOfAVolumeAreWhereTheirBoxesAreAfterEachTransform) {
  const storage::Table table = storage::read_csv(folder_ / "p/volumes.csv");
  for (int64_t row = 0; row < table.rows(); ++row) {
    std::vector<Tensor> slices;
    for (int k = 1; k <= 40; ++k)
      slices.push_back(mask_of(folder_ / "p" / std::string(table.cell(row, table.column("mask"))) /
                               fmt::format("{:03}.png", k)));
    const Tensor mask = at::stack(slices);
    const Tensor boxes = boxes_of(std::string(table.cell(row, table.column("boxes"))), 3);
    uint64_t draw = 0;
    for (const auto& [step, slack] : steps(true))
      for (int repeat = 0; repeat < 5; ++repeat) {
        Scene scene{.image = mask.unsqueeze(0), .grid = {}, .others = {}};
        scene.others = {{"mask", Layout::mask, mask}, {"boxes", Layout::boxes, boxes}};
        Random random(7, Purpose::augment, 0, ++draw);
        step->apply_to(scene, random);
        SCOPED_TRACE(draw);
        expect_agreement(scene, 3, slack);
      }
  }
}

TEST_F(PhantomSpace, LesionsOfARadiographAreInTheirBoxesAfterEachTransform) {
  const storage::Table table = storage::read_csv(folder_ / "p/labels.csv");
  for (int64_t row = 0; row < table.rows(); ++row) {
    const Tensor mask = mask_of(folder_ / "p" / std::string(table.cell(row, table.column("mask"))));
    const Tensor boxes = boxes_of(std::string(table.cell(row, table.column("boxes"))), 2);
    uint64_t draw = 100;
    for (const auto& [step, slack] : steps(false)) {
      Scene scene{.image = mask.unsqueeze(0), .grid = {}, .others = {}};
      scene.others = {{"mask", Layout::mask, mask}, {"boxes", Layout::boxes, boxes}};
      Random random(7, Purpose::augment, 0, ++draw);
      step->apply_to(scene, random);
      SCOPED_TRACE(draw);
      // Lesions of radiographs are not ellipses: where axes turn, a box may be too small by the
      // rule.
      const Tensor voxels = scene.others[0].values.eq(1).nonzero().to(torch::kFloat32) + 0.5;
      Tensor in = torch::zeros({voxels.size(0)}, torch::kBool);
      const Tensor moved = scene.others[1].values;
      for (int64_t b = 0; b < moved.size(0); ++b)
        in |= voxels.select(1, 1).ge(moved[b][0] - slack) &
              voxels.select(1, 1).le(moved[b][2] + slack) &
              voxels.select(1, 0).ge(moved[b][1] - slack) &
              voxels.select(1, 0).le(moved[b][3] + slack);
      EXPECT_GT(in.to(torch::kFloat64).mean().item<double>(), 0.93) << voxels.size(0);
    }
  }
}

}  // namespace
}  // namespace fovea::transforms
