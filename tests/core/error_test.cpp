#include "fovea/core/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fovea {
namespace {

struct NoPixels : Error {
  explicit NoPixels(const std::string& problem) : Error(Fault::data, problem, "leave it out") {}
};

TEST(Error, HasAPlaceAProblemAndARemedyThatAFrontEndMayShowApart) {
  try {
    within("labels.csv", [] {
      within("line 7", [] { throw data_error("found 'x', wanted a number", "correct the cell"); });
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_EQ(error.place(), "labels.csv: line 7");
    EXPECT_EQ(error.problem(), "found 'x', wanted a number");
    EXPECT_EQ(error.remedy(), "correct the cell");
    EXPECT_STREQ(error.what(), "labels.csv: line 7: found 'x', wanted a number; correct the cell");
  }
}

TEST(Error, KeepsItsTypeOnItsWayUp) {
  EXPECT_THROW(within("a.dcm", []() -> int { throw NoPixels("a report"); }), NoPixels);
  try {
    within("a.dcm", [] { throw NoPixels("a report"); });
  } catch (const std::runtime_error& error) {  // what a host that knows no fovea::Error catches
    EXPECT_STREQ(error.what(), "a.dcm: a report; leave it out");
  }
}

TEST(Error, WithinGivesBackWhatTheBodyGives) {
  int value = 3;
  int& same = within("unused", [&]() -> int& { return value; });
  EXPECT_EQ(&same, &value);
}

std::string starred(std::string_view text) {
  return reworded(text, [](std::string_view type, std::string_view field) {
    return type == "TrainOptions" ? "*" + std::string(field) + "*" : "";
  });
}

TEST(Reworded, ReplacesSettingsThatHaveAWordAndLeavesTheRest) {
  EXPECT_EQ(starred("TrainOptions::best: found 1"), "*best*: found 1");
  EXPECT_EQ(starred("raise TrainOptions::queue.bytes."), "raise *queue.bytes*.");
  EXPECT_EQ(starred("(TrainOptions::a, TrainOptions::b)"), "(*a*, *b*)");
  EXPECT_EQ(starred("Other::a std::string ::x TrainOptions:: TrainOptions::"),
            "Other::a std::string ::x TrainOptions:: TrainOptions::");
  EXPECT_EQ(starred(""), "");
}

}  // namespace
}  // namespace fovea
