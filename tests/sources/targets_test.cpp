// The target types and what they make of a table's columns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/inputs/table.h"
#include "fovea/targets/classes.h"
#include "fovea/targets/number.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Targeted : public testing::Test {
 protected:
  Targeted() {
    options_.table = folder_.path() / "t.csv";
    options_.inputs.entries = {{"labs", {"table", inputs::TableOptions{.columns = {"a"}}}}};
    options_.split.column = "part";
    number({.column = "rul"});
  }

  void number(targets::NumberOptions options) {
    options_.targets.entries = {{"rul", {"number", options}}};
  }
  Source open(const std::string& rows) {
    folder_.write("t.csv", "a,rul,class,part\n" + rows);
    return open_source(options_, 1);
  }
  std::string message(const std::string& rows) {
    return refusal([&] { open(rows); }).what();
  }
  static std::vector<float> numbers(const Source& source) {
    std::vector<float> all;
    for (int64_t i = 0; i < source.data->size(); ++i)
      all.push_back(source.data->targets(i).at("rul").item<float>());
    return all;
  }

  test::TempFolder folder_;
  DataOptions options_;
};

TEST_F(Targeted, ANumberKeepsItsUnitAndTheTrainingRowsGiveMeanAndDeviation) {
  const Source source = open("1,10,x,train\n2,30,x,train\n3,500,x,test\n");
  EXPECT_THAT(numbers(source), ElementsAre(10, 30, 500));
  EXPECT_EQ(source.targets[0].type, "number");
  EXPECT_DOUBLE_EQ(source.targets[0].mean, 20);
  EXPECT_DOUBLE_EQ(source.targets[0].deviation, 10);
  EXPECT_TRUE(source.targets[0].classes.empty());
}

TEST_F(Targeted, NumbersAreClipped) {
  number({.column = "rul", .clip = {0, 125}});
  EXPECT_THAT(numbers(open("1,-3,x,train\n2,125.5,x,train\n3,80,x,test\n")),
              ElementsAre(0, 125, 80));
  EXPECT_THAT(open("1,-3,x,train\n2,125.5,x,train\n3,80,x,test\n").notes,
              testing::Contains(HasSubstr("2 of 3 numbers lie outside [0, 125]")));
  number({.column = "rul", .clip = {5, 5}});
  EXPECT_THAT(message("1,1,x,train\n"),
              HasSubstr("DataOptions::targets.rul.number.clip: found [5, 5]"));
}

TEST_F(Targeted, ARowWithoutItsOnlyNumberIsLeftOutAndCounted) {
  const Source source = open("1,10,x,train\n2,,x,train\n3,12,x,train\n");
  EXPECT_THAT(numbers(source), ElementsAre(10, 12));
  ASSERT_EQ(source.notes.size(), 1u);
  EXPECT_THAT(source.notes[0], HasSubstr("1 of 3 rows left out"));
}

TEST_F(Targeted, ACellThatIsNoNumberIsNamedByItsLine) {
  EXPECT_THAT(message("1,10,x,train\n2,ten,x,train\n3,inf,x,train\n4,1e99,x,train\n"),
              AllOf(HasSubstr("column 'rul'"), HasSubstr("3 labels"),
                    HasSubstr("line 3, line 4, line 5"), HasSubstr("finite numbers")));
}

TEST_F(Targeted, EqualNumbersHaveTheDeviationOne) {
  EXPECT_DOUBLE_EQ(open("1,4,x,train\n2,4,x,train\n").targets[0].deviation, 1);
}

TEST_F(Targeted, SharesAreDrawnWithoutClasses) {
  options_.split = {.column = "", .fractions = {{"train", 0.5}, {"test", 0.5}}};
  const Source source = open("1,4,x,\n2,5,x,\n3,6,x,\n4,7,x,\n");
  EXPECT_EQ(source.cases("train").size(), 2u);
}

TEST_F(Targeted, WithTwoTargetsARowStaysThatHasOneOfThem) {
  options_.targets.entries.push_back(
      {"class", targets::ClassesOptions{.column = {"class"}, .missing = {"", "?"}}});
  const Source source =
      open("1,10,ill,train\n2,,well,train\n3,30,?,train\n4,,,train\n5,,ill,test\n");
  ASSERT_EQ(source.data->size(), 4);  // the fourth row has neither
  EXPECT_TRUE(std::isnan(source.data->targets(1).at("rul").item<float>()));
  EXPECT_EQ(source.data->targets(1).at("class").item<int64_t>(), 1);
  EXPECT_EQ(source.data->targets(2).at("class").item<int64_t>(), -1);
  EXPECT_DOUBLE_EQ(source.targets[0].mean, 20);
  EXPECT_THAT(source.targets[1].counts, ElementsAre(1, 1));
}

TEST_F(Targeted, UnknownClassesAreAStratumOfTheirOwn) {
  options_.split = {.column = "", .fractions = {{"train", 0.5}, {"test", 0.5}}};
  options_.targets.entries.insert(
      options_.targets.entries.begin(),
      {"class",
       targets::ClassesOptions{.column = {"class"}, .classes = {"ill", "well"}, .missing = {"?"}}});
  std::string rows;
  for (int i = 0; i < 8; ++i)
    rows += std::to_string(i) + ",1," + (i < 2 ? "ill" : i < 4 ? "well" : "?") + ",\n";
  const Source source = open(rows);
  int64_t unknown = 0;
  for (const int64_t i : source.cases("train"))
    unknown += source.data->targets(i).at("class").item<int64_t>() == -1;
  EXPECT_EQ(unknown, 2);
}

TEST(TargetSettings, TheTypeMayBeLeftOutWhereItIsClasses) {
  Node node;
  node.at("label").at("column") = Node::scalar("finding");
  node.at("folders").at("classes").items = {Node::scalar("a"), Node::scalar("b")};
  node.at("folders").at("classes").kind = Node::Kind::list;
  node.at("label").kind = node.at("folders").kind = Node::Kind::map;
  node.at("age").at("number") = Node::scalar("years");
  targets::Targets targets;
  read_value(node, targets);
  EXPECT_THAT(targets.find("label")->as<targets::ClassesOptions>()->column, ElementsAre("finding"));
  EXPECT_THAT(targets.find("folders")->as<targets::ClassesOptions>()->classes,
              ElementsAre("a", "b"));
  EXPECT_EQ(targets.find("age")->as<targets::NumberOptions>()->column, "years");
  const std::string written = inline_text(write_value(targets));
  EXPECT_THAT(written,
              AllOf(HasSubstr("age: {number: {column: years"),
                    HasSubstr("label: {column: [finding]"), Not(HasSubstr("{classes: {"))));
}

}  // namespace
}  // namespace fovea::sources
