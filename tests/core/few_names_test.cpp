#include "fovea/core/few_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fovea {
namespace {

TEST(FewNames, AreAsAVectorOfTextsWouldHaveThem) {
  const std::vector<std::string> texts{"train", "val", "train", "", "test", "val"};
  FewNames names = texts;
  ASSERT_EQ(names.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(names[i], texts[i]);
  EXPECT_THAT(names, testing::ElementsAreArray(texts));
  names.set(1, "other");
  names.push_back("train");
  names.resize(8);
  EXPECT_THAT(names,
              testing::ElementsAre("train", "other", "train", "", "test", "val", "train", ""));
}

TEST(FewNames, AreEqualByTheirTextsWhateverWasThereBefore) {
  FewNames one = std::vector<std::string>{"a", "b"}, other = std::vector<std::string>{"b", "b"};
  EXPECT_FALSE(one == other);
  other.set(0, "a");
  EXPECT_TRUE(one == other);
  EXPECT_TRUE(other.contains("b"));
  other.set(1, "c");
  EXPECT_FALSE(other.contains("b"));  // though it knew it once
}

}  // namespace
}  // namespace fovea
