// What one image among others may be without ending their answers, and what each is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "bundle/untrained.h"
#include "fovea/bundle/load.h"
#include "fovea/data/example.h"

namespace fovea::bundle {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::filesystem::path write_array(const std::filesystem::path& path, std::vector<int64_t> shape,
                                  float first = 1) {
  io::Array array{.dtype = io::DType::f32, .shape = std::move(shape), .bytes = {}};
  int64_t size = 1;
  for (const int64_t side : array.shape) size *= side;
  array.bytes.resize(static_cast<size_t>(size) * sizeof(float));
  for (int64_t i = 0; i < size; ++i) array.data<float>()[i] = static_cast<float>(i % 7);
  array.data<float>()[0] = first;
  std::filesystem::create_directories(path.parent_path());
  io::write_npy(path, array);
  return path;
}

struct Asked {
  std::vector<std::string> ids;
  std::vector<std::string> failures;
};

Asked ask(const std::vector<std::filesystem::path>& files) {
  const Predictor predictor = fovea::load(untrained().path);
  Asked asked;
  predictor.predict(
      files, 2,
      [&](const Prediction& one) {
        EXPECT_TRUE(std::isfinite(one.probabilities.at(0).second));
        asked.ids.push_back(one.id);
      },
      [&](const std::filesystem::path&, const std::string& why) { asked.failures.push_back(why); });
  return asked;
}

TEST(Images, OfAnotherTypeThanTheModelReadsAreRefusedByNameAndTheOthersAnswered) {
  const test::TempFolder folder;
  const Asked asked =
      ask({write_array(folder / "grey.npy", {8, 8}), write_array(folder / "colour.npy", {8, 8, 3}),
           write_array(folder / "volume.npy", {6, 8, 8}),
           write_array(folder / "nan.npy", {8, 8}, NAN), write_array(folder / "more.npy", {9, 8})});
  EXPECT_THAT(asked.ids, ElementsAre("grey", "more"));
  EXPECT_THAT(asked.failures,
              ElementsAre(AllOf(HasSubstr("colour.npy"), HasSubstr("an image with 3 channels"),
                                HasSubstr("the model reads an image with 1 channel")),
                          AllOf(HasSubstr("volume.npy"), HasSubstr("a volume with 1 channel")),
                          AllOf(HasSubstr("nan.npy"), HasSubstr("1 of 64 values are not finite"))));
  const Predictor predictor = fovea::load(untrained().path);
  EXPECT_THROW(predictor.predict(folder / "colour.npy"), Error);
  EXPECT_THROW(predictor.predict(folder / "volume.npy"), Error);
  EXPECT_THAT(predictor.notes(), ElementsAre(HasSubstr("read as a volume of 6 slices")));
}

TEST(Images, HaveIdsOfTheirOwnWhateverTheirNamesAndOrder) {
  const test::TempFolder folder;
  const auto first = write_array(folder / "a/1.npy", {8, 8}),
             second = write_array(folder / "b/1.npy", {8, 8}),
             uid = write_array(folder / "1.2.840.1.2.3", {8, 8}),
             other = write_array(folder / "1.2.840.1.2.4", {8, 8});
  EXPECT_THAT(ask({first, second, uid, other}).ids,
              ElementsAre(first.string(), second.string(), "1.2.840.1.2.3", "1.2.840.1.2.4"));
  EXPECT_THAT(ask({other, second, first}).ids,
              ElementsAre("1.2.840.1.2.4", second.string(), first.string()));
}

TEST(Images, InMemoryAreAnsweredAsTheirFilesAre) {
  const Predictor predictor = fovea::load(untrained().path);
  for (const auto& file : untrained().images) {
    const io::Array array = io::read_npy(file);
    Example example;
    example.id = "scan 7";
    example.inputs["image"] =
        torch::from_blob(const_cast<std::byte*>(array.bytes.data()),
                         {1, array.shape[0], array.shape[1]}, torch::kFloat32);
    const Prediction found = predictor.predict(example), wanted = predictor.predict(file);
    EXPECT_EQ(found.probabilities, wanted.probabilities);
    EXPECT_EQ(found.id, "scan 7");
  }
}

}  // namespace
}  // namespace fovea::bundle
