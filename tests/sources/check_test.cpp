#include "fovea/sources/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::HasSubstr;

TEST(Check, CountsSizesFailuresDuplicatesAndConstantImages) {
  const test::TempFolder root;
  write_image(root / "train/a/1.png", 1, 4, 5);
  write_image(root / "train/a/2.png", 2, 8, 3);
  write_image(root / "train/b/1.png", 1, 4, 5);    // as train/a/1.png
  write_image(root / "train/b/3.png", 100, 4, 5);  // constant
  write_image(root / "test/b/4.png", 2, 8, 3);     // as train/a/2.png
  root.write("train/b/broken.png", "\x89PNG\r\n\x1a\nrest");
  DataOptions options;
  options.folder = root.path();
  const Source source = open_source(options, 1);
  int64_t last = 0;
  const CheckReport report = check(source, 3, [&](int64_t done, int64_t all) {
    EXPECT_EQ(done, last + 1);
    EXPECT_EQ(all, 6);
    last = done;
    return true;
  });
  EXPECT_EQ(last, 6);
  EXPECT_EQ(report.cases, 6);
  EXPECT_EQ(report.splits,
            (std::vector<std::pair<std::string, int64_t>>{{"train", 5}, {"test", 1}}));
  ASSERT_EQ(report.counts.size(), 4u);
  EXPECT_EQ(report.counts[1].class_name, "b");
  EXPECT_EQ(report.counts[1].cases, 3);
  EXPECT_EQ(report.counts[2].split, "test");
  EXPECT_EQ(report.counts[2].cases, 0);
  ASSERT_EQ(report.sizes.size(), 1u);
  EXPECT_EQ(report.sizes[0].channels, std::vector<int64_t>{1});
  EXPECT_EQ(report.sizes[0].smallest, (std::vector<int64_t>{4, 3}));
  EXPECT_EQ(report.sizes[0].largest, (std::vector<int64_t>{8, 5}));
  EXPECT_EQ(report.sizes[0].lowest, 1);
  EXPECT_EQ(report.sizes[0].highest, 100);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_THAT(report.failures[0].name, HasSubstr("broken.png"));
  ASSERT_EQ(report.constant.size(), 1u);
  EXPECT_THAT(report.constant[0], HasSubstr("3.png"));
  ASSERT_EQ(report.duplicates.size(), 2u);
  EXPECT_EQ(report.duplicates_across_splits(), 1);
  EXPECT_EQ(report.problems().size(), 2u);  // one value is none
}

TEST(Check, NamesImagesOfWhichTheTransformsLeaveNothing) {
  const test::TempFolder root;
  write_image(root / "train/a/1.png", 1);
  write_image(root / "train/a/2.png", 100);  // constant before
  write_image(root / "train/b/3.png", 3);
  DataOptions options;
  options.folder = root.path();
  const auto transform = [](Example example, Random&) {
    torch::Tensor& image = example.inputs["image"];
    image = image.to(torch::kFloat32);
    if (image.min().item<float>() == 3) image = torch::zeros_like(image);
    return example;
  };
  const CheckReport report = check(open_source(options, 1), 2, {}, transform);
  ASSERT_EQ(report.made_constant.size(), 1u);
  EXPECT_THAT(report.made_constant[0], HasSubstr("3.png"));
  EXPECT_THAT(report.problems(), testing::Contains(HasSubstr("only after the transforms")));
  const CheckReport failing = check(open_source(options, 1), 2, {},
                                    [](Example, Random&) -> Example { throw data_error("small"); });
  ASSERT_EQ(failing.failures.size(), 3u);
  EXPECT_THAT(failing.failures[0].message, HasSubstr("1.png: small"));
}

TEST(Check, FindsTheDuplicatesThatTheReadmeOfPneumoniaMnistTells) {
  FOVEA_NEEDS_DATA("medmnist/pneumoniamnist.npz");
  DataOptions options;
  options.path = test::test_data() / "medmnist/pneumoniamnist.npz";
  const CheckReport report = check(open_source(options, 1));
  EXPECT_TRUE(report.failures.empty());
  EXPECT_EQ(report.duplicates_across_splits(), 8);
  int64_t within_train = 0;
  for (const auto& pair : report.duplicates) {
    EXPECT_TRUE(pair.second_split != "test" || pair.first_split == "test");
    within_train += pair.first_split == "train" && pair.second_split == "train";
  }
  EXPECT_EQ(within_train, 18);
}

}  // namespace
}  // namespace fovea::sources
