#include "fovea/sources/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "fovea/dicom/image.h"
#include "fovea/io/npy.h"
#include "fovea/sources/image_tensor.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

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
  write_picture(folder / "a.png", 7);
  std::filesystem::rename(folder / "a.png", folder / "a.dcm");
  const Image image = read_image(folder / "a.dcm");
  EXPECT_EQ(image.width, 5);
  EXPECT_EQ(image.data<uint8_t>()[0], 7);
}

TEST(Formats, UnknownContentNamesPathBytesAndTheKnownFormats) {
  const test::TempFolder folder;
  const Error error = refusal([&] { read_image(folder.write("text.dcm", "hello, world\n")); });
  EXPECT_EQ(error.fault(), Fault::data);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("text.dcm"), HasSubstr("68 65 6c 6c 6f"),
                                  HasSubstr("dicom, png, jpeg, tiff, npy")));
}

TEST(Formats, AnEmptyFileIsSaidToBeEmpty) {
  const test::TempFolder folder;
  const Error error = refusal([&] { read_image(folder.write("empty.dcm", "")); });
  EXPECT_EQ(error.fault(), Fault::data);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("empty.dcm"), HasSubstr("0 bytes")));
}

TEST(Formats, ATruncatedPictureIsADataErrorWithItsPath) {
  const test::TempFolder folder;
  write_picture(folder / "a.png", 7, 64, 64);
  const std::string whole = test::read_text(folder / "a.png");
  const Error error =
      refusal([&] { read_image(folder.write("cut.png", whole.substr(0, whole.size() / 2))); });
  EXPECT_EQ(error.fault(), Fault::data);
  EXPECT_THAT(error.what(), HasSubstr("cut.png"));
}

TEST(Formats, TheLimitOfDecodedBytesIsObeyed) {
  const test::TempFolder folder;
  write_picture(folder / "a.png", 7, 2000, 1000);
  EXPECT_EQ(refusal([&] { read_image(folder / "a.png", {.max_decoded_mb = 1}); }).fault(),
            Fault::data);
  EXPECT_NO_THROW(read_image(folder / "a.png", {.max_decoded_mb = 2}));
}

TEST(Formats, NpyArraysAreVolumesOrPictures) {
  const test::TempFolder folder;
  io::Array array{io::DType::i16, {2, 3, 4}, std::vector<std::byte>(48)};
  array.data<int16_t>()[23] = -1000;
  io::write_npy(folder / "v.npy", array);
  const Image volume = read_image(folder / "v.npy");
  EXPECT_EQ(volume.frames, 2);
  const torch::Tensor tensor = to_tensor(volume);
  EXPECT_EQ(tensor.sizes(), (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(tensor[0][1][2][3].item<float>(), -1000.f);
  array.shape = {2, 4, 3};
  io::write_npy(folder / "c.npy", array);
  EXPECT_EQ(read_image(folder / "c.npy").channels, 3);
  array.shape = {24};
  io::write_npy(folder / "l.npy", array);
  EXPECT_THAT(refusal([&] { read_image(folder / "l.npy"); }).what(), HasSubstr("[24]"));
}

TEST(Formats, EveryEncodingOfTheNihFilmsIsFoundByContent) {
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
}  // namespace fovea::sources
