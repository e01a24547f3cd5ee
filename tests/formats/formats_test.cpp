#include "fovea/formats/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "fovea/dicom/image.h"
#include "fovea/formats/image_tensor.h"
#include "fovea/io/npy.h"
#include "support/dicom_bytes.h"
#include "support/jpeg_bytes.h"
#include "support/made_images.h"
#include "support/test_files.h"

namespace fovea::formats {
namespace {

using test::grey;
using test::refusal;
using test::write_image;
using testing::AllOf;
using testing::HasSubstr;

template <class T>
Image image_of(Sample sample, std::vector<T> values, int64_t height, int64_t width,
               int64_t channels = 1, int64_t frames = 1) {
  Image image;
  image.frames = frames;
  image.height = height;
  image.width = width;
  image.channels = channels;
  image.sample = sample;
  image.pixels.resize(values.size() * sizeof(T));
  std::memcpy(image.pixels.data(), values.data(), image.pixels.size());
  return image;
}

TEST(Formats, AreToldApartByContentAndNotByName) {
  const test::TempFolder folder;
  write_image(folder / "a.png", 7);
  std::filesystem::rename(folder / "a.png", folder / "a.dcm");
  const Image image = read_image(folder / "a.dcm");
  EXPECT_EQ(image.width, 5);
  EXPECT_EQ(image.data<uint8_t>()[0], 7);
  for (const std::string name : {"rgb24.bmp", "rgb.webp", "palette.gif"}) {
    folder.write("b.png", test::read_text(test::reference("images/" + name)));
    const Image other = read_image(folder / "b.png");
    EXPECT_EQ(other.channels, 3) << name;
    EXPECT_EQ(other.data<uint8_t>()[3 * 119 + 2], 240) << name;
    EXPECT_EQ(refusal([&] { read_image(folder / "b.png", {.max_decoded_mb = 0}); }).fault(),
              Fault::data);
  }
}

TEST(Formats, UnknownContentNamesPathBytesAndTheKnownFormats) {
  const test::TempFolder folder;
  const Error error = refusal([&] { read_image(folder.write("text.dcm", "hello, world\n")); });
  EXPECT_EQ(error.fault(), Fault::data);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("text.dcm"), HasSubstr("68 65 6c 6c 6f"),
                                  HasSubstr("dicom, png, jpeg, tiff, bmp, webp, gif, npy")));
}

TEST(Formats, AnEmptyFileIsSaidToBeEmpty) {
  const test::TempFolder folder;
  const Error error = refusal([&] { read_image(folder.write("empty.dcm", "")); });
  EXPECT_EQ(error.fault(), Fault::data);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("empty.dcm"), HasSubstr("0 bytes")));
}

TEST(Formats, ATruncatedImageIsADataErrorWithItsPath) {
  const test::TempFolder folder;
  write_image(folder / "a.png", 7, 64, 64);
  const std::string whole = test::read_text(folder / "a.png");
  const Error error =
      refusal([&] { read_image(folder.write("cut.png", whole.substr(0, whole.size() / 2))); });
  EXPECT_EQ(error.fault(), Fault::data);
  EXPECT_THAT(error.what(), HasSubstr("cut.png"));
}

TEST(Formats, TheLimitOfDecodedBytesIsObeyed) {
  const test::TempFolder folder;
  write_image(folder / "a.png", 7, 2000, 1000);
  EXPECT_EQ(refusal([&] { read_image(folder / "a.png", {.max_decoded_mb = 1}); }).fault(),
            Fault::data);
  EXPECT_NO_THROW(read_image(folder / "a.png", {.max_decoded_mb = 2}));
}

TEST(Formats, NpyArraysAreVolumesOrImages) {
  const test::TempFolder folder;
  io::Array array{io::DType::i16, {5, 6, 7}, std::vector<std::byte>(420)};
  array.data<int16_t>()[209] = -1000;
  io::write_npy(folder / "v.npy", array);
  const Image volume = read_image(folder / "v.npy");
  EXPECT_EQ(volume.frames, 5);
  EXPECT_THAT(volume.notes, testing::ElementsAre(HasSubstr("read as a volume of 5 slices")));
  const torch::Tensor tensor = to_tensor(volume);
  EXPECT_EQ(tensor.sizes(), (std::vector<int64_t>{1, 5, 6, 7}));
  EXPECT_EQ(tensor[0][4][5][6].item<float>(), -1000.f);
  array.shape = {2, 4, 3};
  array.bytes.resize(48);
  io::write_npy(folder / "c.npy", array);
  EXPECT_EQ(read_image(folder / "c.npy").channels, 3);
  array.shape = {24};
  io::write_npy(folder / "l.npy", array);
  EXPECT_THAT(refusal([&] { read_image(folder / "l.npy"); }).what(), HasSubstr("[24]"));
}

// 0, 1, 2, … in this shape: value 100 z + 10 y + x + 1000 c says where it was.
io::Array placed(const std::string& axes, int64_t channels) {
  const auto side = [&](char axis) {
    return axis == 'c' ? channels : axis == 'd' ? 2 : axis == 'h' ? 5 : 6;
  };
  io::Array array{io::DType::i16, {}, {}};
  int64_t size = 1;
  for (const char axis : axes) {
    array.shape.push_back(side(axis));
    size *= side(axis);
  }
  array.bytes.resize(static_cast<size_t>(2 * size));
  for (int64_t i = 0; i < size; ++i) {
    int64_t rest = i, value = 0;
    for (size_t k = axes.size(); k-- > 0;) {
      const int64_t at = rest % array.shape[k];
      rest /= array.shape[k];
      value += at * (axes[k] == 'c' ? 1000 : axes[k] == 'd' ? 100 : axes[k] == 'h' ? 10 : 1);
    }
    array.data<int16_t>()[i] = static_cast<int16_t>(value);
  }
  return array;
}

TEST(Arrays, WithChannelsFirstOrLastAreTheSameImage) {
  const test::TempFolder folder;
  for (const std::string axes : {"hwc", "chw", "dhwc", "cdhw"})
    for (const int64_t channels : {1, 3}) {
      SCOPED_TRACE(axes + std::to_string(channels));
      io::write_npy(folder / "a.npy", placed(axes, channels));
      FormatOptions options;
      options.axes = axes;
      const torch::Tensor tensor = to_tensor(read_image(folder / "a.npy", options));
      const bool volume = axes.size() == 4;
      ASSERT_EQ(tensor.sizes(), volume ? std::vector<int64_t>({channels, 2, 5, 6})
                                       : std::vector<int64_t>({channels, 5, 6}));
      EXPECT_EQ(tensor[channels - 1].flatten()[-1].item<float>(),
                static_cast<float>(1000 * (channels - 1) + (volume ? 100 : 0) + 45));
    }
}

TEST(Arrays, WhoseSidesMayMeanOneThingOrAnotherAreRefusedWithTheSetting) {
  const test::TempFolder folder;
  const auto shaped = [&](std::vector<int64_t> shape) {
    int64_t size = 1;
    for (const int64_t side : shape) size *= side;
    io::write_npy(folder / "a.npy", {io::DType::u8, std::move(shape),
                                     std::vector<std::byte>(static_cast<size_t>(size))});
    return folder / "a.npy";
  };
  for (const std::vector<int64_t>& shape : std::vector<std::vector<int64_t>>{
           {3, 8, 8}, {2, 8, 8}, {4, 8, 8}, {8, 8, 4}, {8, 8, 2}, {3, 8, 3}, {8, 8, 8, 8}})
    EXPECT_THAT(refusal([&] { read_image(shaped(shape)); }).what(), HasSubstr("ImageOptions::axes"))
        << storage::shape_text(shape);
  const auto read = [&](std::vector<int64_t> shape) {
    return to_tensor(read_image(shaped(std::move(shape)))).sizes().vec();
  };
  EXPECT_EQ(read({8, 9, 1}), (std::vector<int64_t>{1, 8, 9}));
  EXPECT_EQ(read({1, 8, 9}), (std::vector<int64_t>{1, 8, 9}));
  EXPECT_EQ(read({8, 9, 3}), (std::vector<int64_t>{3, 8, 9}));
  EXPECT_EQ(read({3, 6, 8, 9}), (std::vector<int64_t>{3, 6, 8, 9}));
  FormatOptions slices;
  slices.axes = "dhw";
  EXPECT_EQ(read_image(shaped({3, 8, 9}), slices).frames, 3);
  slices.axes = "hw";
  EXPECT_THAT(refusal([&] {
                read_image(shaped({3, 8, 9}), slices);
              }).what(),
              HasSubstr("the sides hw"));
}

TEST(ImageTensor, ValuesThatAreNotFiniteAreCountedAndRefused) {
  for (const float bad : {NAN, INFINITY, -INFINITY})
    EXPECT_THAT(refusal([&] {
                  to_tensor(image_of<float>(Sample::f32, {1, 2, bad, 4, bad, 6}, 2, 3));
                }).what(),
                AllOf(HasSubstr("2 of 6 values are not finite"), HasSubstr("row 0, column 2")));
  EXPECT_THAT(refusal([&] {
                to_tensor(image_of<double>(Sample::f64, {1, 1e300}, 1, 2));
              }).what(),
              HasSubstr("beyond float"));
  EXPECT_NO_THROW(to_tensor(image_of<float>(Sample::f32, {-3e38F, 3e38F}, 1, 2)));
}

TEST(Formats, ADamagedJpegStreamIsRefusedAlikeInAFileOfItsOwnAndInDicom) {
  const test::TempFolder folder;
  const auto refused = [&](const test::JpegBytes& jpeg, bool in_dicom) {
    const std::string name = in_dicom ? "a.dcm" : "a.jpg";
    folder.write(name, in_dicom ? test::dicom_of_jpeg(jpeg.file(), 8, 24) : jpeg.file());
    return refusal([&] { read_image(folder / name); }).fault() == Fault::data;
  };
  const test::JpegBytes whole{.blocks_wide = 3, .values = {{10, 20, 30}}};
  test::JpegBytes bad = whole, cut = whole;
  bad.bad_code = true;
  cut.end = false;
  for (const bool in_dicom : {false, true}) {
    EXPECT_FALSE(refused(whole, in_dicom));
    EXPECT_TRUE(refused(bad, in_dicom));
    EXPECT_TRUE(refused(cut, in_dicom));
  }
}

TEST(Formats, EveryEncodingOfTheNihRadiographsIsFoundByContent) {
  FOVEA_NEEDS_DATA("nih_cxr/dicom");
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(test::test_data() / "nih_cxr/dicom")) {
    if (++count > 16) break;
    const Image image = read_image(entry.path());
    EXPECT_EQ(image.height, 128);
    const torch::Tensor tensor = to_tensor(image).to(torch::kFloat32);
    EXPECT_GE(tensor.min().item<float>(), -0.51f) << entry.path();
    EXPECT_LE(tensor.max().item<float>(), 255.51f * 16) << entry.path();
  }
  EXPECT_GT(count, 16);
}

TEST(WindowOptions, AreNoneFileOrGivenInAConfig) {
  WindowOptions window;
  read_value(Node::scalar("file"), window);
  EXPECT_TRUE(window.from_file);
  Node given;
  given.at("centre") = Node::scalar("40");
  given.at("width") = Node::scalar("400");
  read_value(given, window);
  EXPECT_TRUE(window.given);
  EXPECT_FALSE(window.from_file);
  EXPECT_EQ(window.width, 400);
  EXPECT_EQ(inline_text(write_value(window)), "{centre: 40, width: 400}");
  EXPECT_EQ(refusal([&] { read_value(Node::scalar("lung"), window); }).fault(), Fault::config);
  given.at("width") = Node::scalar("0");
  EXPECT_EQ(refusal([&] { read_value(given, window); }).fault(), Fault::config);
}

TEST(ImageTensor, EightBitsStayAsTheyAre) {
  const torch::Tensor tensor =
      to_tensor(image_of<uint8_t>(Sample::u8, {0, 1, 2, 253, 254, 255}, 2, 3));
  EXPECT_EQ(tensor.scalar_type(), torch::kUInt8);
  EXPECT_TRUE(torch::equal(
      tensor, torch::tensor({0, 1, 2, 253, 254, 255}, torch::kUInt8).reshape({1, 2, 3})));
}

TEST(ImageTensor, OtherSamplesBecomePhysicalValuesExactly) {
  Image image = image_of<int16_t>(Sample::i16, {-32768, -1, 0, 32767}, 2, 2);
  EXPECT_TRUE(torch::equal(to_tensor(image),
                           torch::tensor({-32768.f, -1.f, 0.f, 32767.f}).reshape({1, 2, 2})));
  image.slope = 0.125;
  image.intercept = 128;
  EXPECT_TRUE(torch::equal(
      to_tensor(image), torch::tensor({-3968.f, 127.875f, 128.f, 4223.875f}).reshape({1, 2, 2})));
  Image bytes = image_of<uint8_t>(Sample::u8, {10, 20}, 1, 2);
  bytes.intercept = -1;
  EXPECT_TRUE(torch::equal(to_tensor(bytes), torch::tensor({9.f, 19.f}).reshape({1, 1, 2})));
}

TEST(ImageTensor, ColourBecomesPlanesOrGreyByRec601) {
  const Image rgb =
      image_of<uint8_t>(Sample::u8, {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30}, 2, 2, 3);
  const torch::Tensor planes = to_tensor(rgb);
  EXPECT_TRUE(torch::equal(planes[1].flatten(), torch::tensor({0, 255, 0, 20}, torch::kUInt8)));
  // 76.245, 149.685, 29.07; 2.99 + 11.74 + 3.42 = 18.15
  EXPECT_TRUE(
      torch::equal(to_tensor(rgb, 1).flatten(), torch::tensor({76, 150, 29, 18}, torch::kUInt8)));
  EXPECT_THAT(refusal([] { to_tensor(grey(1), 3); }).what(), HasSubstr("transform"));
}

}  // namespace
}  // namespace fovea::formats
