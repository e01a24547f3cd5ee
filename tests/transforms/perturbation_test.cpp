#include "fovea/transforms/perturbation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/io/image_file.h"
#include "fovea/io/jpeg_writer.h"

namespace fovea::transforms {
namespace {

using torch::Tensor;

/// A smooth image with detail.
Tensor image(int64_t channels = 1) {
  const Tensor x = torch::arange(64, torch::kFloat);
  const Tensor wave = (x / 9).sin().outer((x / 5).cos()) * 300 + 1000;
  return wave.unsqueeze(0).repeat({channels, 1, 1});
}

Tensor under(std::string_view name, double strength, const Tensor& before, uint64_t index = 0) {
  Random random(0, Purpose::augment, 0, index);
  return perturbation(name).make(strength)->apply(before.clone(), random);
}

double distance(const Tensor& a, const Tensor& b) {
  return (a - b).square().mean().sqrt().item<double>();
}

TEST(Perturbations, MoveAnImageFurtherTheStrongerTheyAre) {
  const Tensor before = image();
  for (const Perturbation& one : perturbations()) {
    SCOPED_TRACE(one.name);
    double last = 0;
    for (const double strength : one.strengths) {
      const Tensor after = under(one.name, strength, before);
      EXPECT_EQ(after.sizes(), before.sizes());
      const double moved = distance(after, before);
      EXPECT_GT(moved, last);
      last = moved;
      EXPECT_TRUE(
          torch::equal(after, under(one.name, strength, before)));  // the same for the same case
    }
  }
}

TEST(Perturbations, NoiseHasTheStatedSpreadAndDiffersFromCaseToCase) {
  const Tensor before = image();
  const double spread = before.std(/*unbiased=*/false).item<double>();
  EXPECT_NEAR(distance(under("noise", 0.5, before), before), 0.5 * spread, 0.03 * spread);
  EXPECT_FALSE(torch::equal(under("noise", 0.5, before, 1), under("noise", 0.5, before, 2)));
}

TEST(Perturbations, ContrastAndWindowDoWhatTheyState) {
  const Tensor before = image();
  const Tensor flat = under("contrast", 0.6, before);
  EXPECT_NEAR(flat.std().item<double>(), 0.4 * before.std().item<double>(), 1e-2);
  EXPECT_NEAR(flat.mean().item<double>(), before.mean().item<double>(), 1e-1);
  const Tensor clipped = under("window", 0.1, before);
  const auto share_at = [&](double value) {
    return clipped.eq(value).to(torch::kDouble).mean().item<double>();
  };
  EXPECT_NEAR(share_at(clipped.min().item<double>()), 0.1, 0.02);
  EXPECT_NEAR(share_at(clipped.max().item<double>()), 0.1, 0.02);
}

TEST(Perturbations, JpegIsLibjpegsOfEightBits) {
  const Tensor before = image();
  const Tensor best = under("jpeg", 0, before);
  const double span = (before.max() - before.min()).item<double>();
  EXPECT_LT(distance(best, before), span / 255);
  // By hand: eight bits, through the file, and back.
  const double low = before.min().item<double>();
  const Tensor eight = ((before - low) / span * 255).round().to(torch::kUInt8).contiguous();
  Image plane{.height = 64, .width = 64};
  const auto* bytes = reinterpret_cast<const std::byte*>(eight.const_data_ptr<uint8_t>());
  plane.pixels.assign(bytes, bytes + eight.numel());
  const Image read = io::decode_jpeg(io::encode_jpeg(plane, 40), "");
  const Tensor wanted =
      torch::from_blob(const_cast<uint8_t*>(read.data<uint8_t>()), {1, 64, 64}, torch::kUInt8)
              .to(torch::kFloat) /
          255 * span +
      low;
  EXPECT_LT((under("jpeg", 60, before) - wanted).abs().max().item<double>(), 0.01);
  EXPECT_EQ(under("jpeg", 60, image(3)).size(0), 3);
  EXPECT_TRUE(
      torch::equal(under("jpeg", 60, torch::full({1, 8, 8}, 7.0F)), torch::full({1, 8, 8}, 7.0F)));
}

TEST(Perturbations, AVolumeIsPerturbedInEverySlice) {
  const Tensor volume = image().unsqueeze(1).repeat({1, 3, 1, 1});
  for (const Perturbation& one : perturbations()) {
    const Tensor after = under(one.name, one.strengths.back(), volume);
    ASSERT_EQ(after.sizes(), volume.sizes()) << one.name;
    for (int64_t slice = 0; slice < 3; ++slice)
      EXPECT_GT(distance(after.select(1, slice), volume.select(1, slice)), 0) << one.name;
  }
}

TEST(Perturbations, AnUnknownNameListsTheOthers) {
  try {
    perturbation("blurr");
    FAIL() << "a name that is none was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("did you mean 'blur'?"),
                                             testing::HasSubstr("noise, blur, contrast")));
  }
}

}  // namespace
}  // namespace fovea::transforms
