#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/inputs/image.h"
#include "fovea/io/npz.h"
#include "fovea/sources/source.h"
#include "fovea/targets/classes.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Bytes 0, 1, 2, … in the given shape.
io::Array counting(std::vector<int64_t> shape) {
  io::Array array{io::DType::u8, std::move(shape), {}};
  int64_t size = 1;
  for (const int64_t side : array.shape) size *= side;
  for (int64_t i = 0; i < size; ++i) array.bytes.push_back(std::byte(i % 251));
  return array;
}

io::Array labels(std::vector<uint8_t> values, int64_t width = 1) {
  io::Array array{io::DType::u8, {int64_t(values.size()) / width, width}, {}};
  for (const uint8_t value : values) array.bytes.push_back(std::byte{value});
  return array;
}

DataOptions archive(const std::filesystem::path& path) {
  DataOptions options;
  options.path = path;
  return options;
}

TEST(Npz, GreyImagesKeepTheirBytesAndSplits) {
  const test::TempFolder folder;
  io::write_npz(folder / "x.npz", {{"train_images", counting({3, 2, 4})},
                                   {"train_labels", labels({0, 1, 1})},
                                   {"test_images", counting({2, 2, 4})},
                                   {"test_labels", labels({1, 0})}});
  DataOptions options = archive(folder / "x.npz");
  options.targets.entries = {
      {"finding", targets::ClassesOptions{.classes = {"normal", "pneumonia"}}}};
  const Source source = open_source(options, 1);
  ASSERT_EQ(source.data->size(), 5);
  EXPECT_EQ(source.split_names(), (std::vector<std::string>{"train", "test"}));
  EXPECT_EQ(source.targets[0].counts, (std::vector<int64_t>{1, 2}));
  const Example example = source.data->get(2);
  EXPECT_EQ(example.id, "train/2");
  EXPECT_EQ(example.targets.at("finding").item<int64_t>(), 1);
  EXPECT_TRUE(torch::equal(example.inputs.at("image"),
                           torch::arange(16, 24, torch::kUInt8).reshape({1, 2, 4})));
  EXPECT_THAT(source.data->name(4), HasSubstr("x.npz[test_images 1]"));
}

TEST(Npz, ColourAndVolumesAreToldApartByTheLastSide) {
  const test::TempFolder folder;
  io::write_npz(folder / "rgb.npz",
                {{"train_images", counting({2, 4, 5, 3})}, {"train_labels", labels({0, 1})}});
  io::write_npz(folder / "3d.npz",
                {{"train_images", counting({2, 6, 4, 5})}, {"train_labels", labels({0, 1})}});
  const torch::Tensor rgb =
      open_source(archive(folder / "rgb.npz"), 1).data->get(0).inputs.at("image");
  EXPECT_TRUE(
      torch::equal(rgb, torch::arange(60, torch::kUInt8).reshape({4, 5, 3}).permute({2, 0, 1})));
  DataOptions options = archive(folder / "3d.npz");
  options.inputs.entries = {{"image", {"image", inputs::ImageOptions{.axes = "dhw"}}}};
  const torch::Tensor volume = open_source(options, 1).data->get(1).inputs.at("image");
  EXPECT_TRUE(torch::equal(volume, torch::arange(120, 240, torch::kUInt8).reshape({1, 6, 4, 5})));
}

TEST(Npz, ChannelsFirstAreColourWhereTheSettingSaysSoAndNeverSlicesInSilence) {
  const test::TempFolder folder;
  io::write_npz(folder / "first.npz",
                {{"train_images", counting({2, 3, 4, 5})}, {"train_labels", labels({0, 1})}});
  DataOptions options = archive(folder / "first.npz");
  EXPECT_THAT(refusal([&] { open_source(options, 1); }).what(),
              AllOf(HasSubstr("[3, 4, 5]"), HasSubstr("ImageOptions::axes")));
  options.inputs.entries = {{"image", {"image", inputs::ImageOptions{.axes = "chw"}}}};
  EXPECT_TRUE(torch::equal(open_source(options, 1).data->get(1).inputs.at("image"),
                           torch::arange(60, 120, torch::kUInt8).reshape({3, 4, 5})));
  io::write_npz(folder / "grey.npz", {{"train_images", counting({2, 6, 5, 1})},
                                      {"train_labels", labels({0, 1})},
                                      {"extra_images", counting({1, 6, 5})}});
  const Source grey = open_source(archive(folder / "grey.npz"), 1);
  EXPECT_EQ(grey.data->get(0).inputs.at("image").sizes(), (std::vector<int64_t>{1, 6, 5}));
  EXPECT_THAT(grey.notes, testing::ElementsAre(HasSubstr("arrays extra_images are left out")));
}

TEST(Npz, AValueThatIsNotFiniteIsRefusedWithItsCase) {
  const test::TempFolder folder;
  io::Array images{io::DType::f32, {2, 2, 2}, std::vector<std::byte>(32)};
  images.data<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  io::write_npz(folder / "x.npz", {{"train_images", images}, {"train_labels", labels({0, 1})}});
  const Source source = open_source(archive(folder / "x.npz"), 1);
  EXPECT_NO_THROW(source.data->get(0));
  EXPECT_THAT(refusal([&] { source.data->get(1); }).what(),
              AllOf(HasSubstr("x.npz[train_images 1]"), HasSubstr("not finite")));
}

TEST(Npz, SeveralLabelColumnsAreSeveralLabels) {
  const test::TempFolder folder;
  io::write_npz(folder / "x.npz", {{"train_images", counting({2, 2, 2})},
                                   {"train_labels", labels({1, 0, 1, 0, 1, 1}, 3)}});
  const Source source = open_source(archive(folder / "x.npz"), 1);
  EXPECT_TRUE(source.targets[0].multi_label());
  EXPECT_TRUE(torch::equal(source.data->targets(1).at("label"), torch::tensor({0.f, 1.f, 1.f})));
}

TEST(Npz, WrongNamesAndShapesAreRefused) {
  const test::TempFolder folder;
  io::write_npz(folder / "n.npz", {{"images", counting({2, 2, 2})}});
  EXPECT_THAT(refusal([&] { open_source(archive(folder / "n.npz"), 1); }).what(),
              AllOf(HasSubstr("n.npz"), HasSubstr("images"), HasSubstr("train_images")));
  io::write_npz(folder / "s.npz",
                {{"train_images", counting({3, 2, 2})}, {"train_labels", labels({0, 1})}});
  EXPECT_THAT(refusal([&] { open_source(archive(folder / "s.npz"), 1); }).what(),
              AllOf(HasSubstr("[3, 2, 2]"), HasSubstr("[2, 1]")));
  EXPECT_EQ(refusal([&] { open_source(archive(folder.write("t.npz", "no zip")), 1); }).fault(),
            Fault::data);
}

TEST(MedMnist, GivesTheCountsOfItsReadme) {
  FOVEA_NEEDS_DATA("medmnist/pneumoniamnist.npz");
  const Source source = open_source(archive(test::test_data() / "medmnist/pneumoniamnist.npz"), 1);
  EXPECT_EQ(source.cases("train").size(), 4708u);
  EXPECT_EQ(source.cases("val").size(), 524u);
  EXPECT_EQ(source.cases("test").size(), 624u);
  EXPECT_EQ(source.targets[0].counts, (std::vector<int64_t>{1214, 3494}));
  EXPECT_EQ(source.data->get(0).inputs.at("image").sizes(), (std::vector<int64_t>{1, 28, 28}));
}

TEST(MedMnist, VolumesHaveADepth) {
  FOVEA_NEEDS_DATA("medmnist/adrenalmnist3d.npz");
  const Source source = open_source(archive(test::test_data() / "medmnist/adrenalmnist3d.npz"), 1);
  EXPECT_EQ(source.targets[0].counts, (std::vector<int64_t>{929, 259}));
  EXPECT_EQ(source.data->get(0).inputs.at("image").sizes(), (std::vector<int64_t>{1, 28, 28, 28}));
}

}  // namespace
}  // namespace fovea::sources
