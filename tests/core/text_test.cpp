#include "fovea/core/text.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

TEST(Text, TheNearestNameIsFoundWhateverItsCase) {
  const std::vector<std::string> known{"auc", "accuracy", "Ärztin", "log_loss"};
  EXPECT_EQ(nearest("AUC", known), "auc");
  EXPECT_EQ(nearest("Acuracy", known), "accuracy");
  EXPECT_EQ(nearest("LOG", known), "log_loss");
  EXPECT_EQ(nearest("ärztin", known), "Ärztin");
  EXPECT_EQ(nearest("sensitivity", known), "");
  EXPECT_EQ(nearest("auc", {"AUC", "auc"}), "AUC");  // the first of equals
  EXPECT_EQ(nearest("resnet18", {"resnet1d", "resnet"}), "resnet");
}

}  // namespace
}  // namespace fovea
