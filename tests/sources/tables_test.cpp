// Several tables, one for each split, and tables without a line of names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "fovea/inputs/table.h"
#include "fovea/targets/classes.h"
#include "fovea/targets/remaining_useful_life.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Tables : public testing::Test {
 protected:
  Tables() {
    options_.table.files = {
        {"train", folder_.write("a.csv", "who,x,label\n1,5,no\n1,6,yes\n2,7,no\n")},
        {"test", folder_.write("b.csv", "who,x,label\n3,8,yes\n4,9,no\n")}};
    options_.inputs.entries = {{"labs", {"table", inputs::TableOptions{.columns = {"x"}}}}};
    options_.targets.entries = {{"label", targets::ClassesOptions{.column = {"label"}}}};
  }
  Source open(uint64_t seed = 1) { return open_source(options_, seed); }
  std::string message() {
    return refusal([&] { open(); }).what();
  }

  test::TempFolder folder_;
  DataOptions options_;
};

TEST_F(Tables, ATableForEachSplitSaysTheSplit) {
  const Source source = open();
  EXPECT_THAT(source.splits, ElementsAre("train", "train", "train", "test", "test"));
  EXPECT_EQ(source.data->get(3).id, "test line 2");
  EXPECT_EQ(source.data->name(3), (folder_ / "b.csv").string() + ": line 2");
  // Ages 5, 6, 7 train: mean 6, deviation sqrt(2/3).
  EXPECT_NEAR(source.data->get(4).inputs.at("labs").item<double>(), 3 / std::sqrt(2.0 / 3), 1e-6);
}

TEST_F(Tables, SharesDivideTheTrainingTableByGroups) {
  std::string rows = "who,x,label\n";
  for (int i = 0; i < 60; ++i)
    rows += std::to_string(i / 2 + 5) + "," + std::to_string(i) + (i % 3 ? ",yes\n" : ",no\n");
  folder_.write("a.csv", rows);
  options_.group = "who";
  options_.split.fractions = {{"train", 0.8}, {"val", 0.2}};
  const Source source = open();
  std::map<std::string, int> sizes;
  for (const std::string& split : source.splits) ++sizes[split];
  EXPECT_EQ(sizes["train"], 48);
  EXPECT_EQ(sizes["val"], 12);
  EXPECT_EQ(sizes["test"], 2);
  for (size_t i = 0; i < 60; i += 2) EXPECT_EQ(source.splits[i], source.splits[i + 1]);
  options_.split.fractions = {{"train", 0.8}, {"test", 0.2}};
  EXPECT_THAT(message(), HasSubstr("no other table may have the name of a share"));
  options_.split = {.column = "label"};
  EXPECT_THAT(message(), HasSubstr("each table of DataOptions::table is a split"));
}

TEST_F(Tables, APatientInTwoTablesIsRefusedUnlessNamesAreTheirOwn) {
  folder_.write("b.csv", "who,x,label\n1,8,yes\n4,9,no\n");
  options_.group = "who";
  EXPECT_THAT(message(), AllOf(HasSubstr("1 patients are in more than one split"),
                               HasSubstr("a.csv: line 2"), HasSubstr("b.csv: line 2")));
  options_.group_per_table = true;
  const Source source = open();
  EXPECT_EQ(source.data->group(0), source.data->group(1));
  EXPECT_NE(source.data->group(0), source.data->group(3));
}

TEST_F(Tables, ErrorsNameTheFileOfTheRow) {
  folder_.write("b.csv", "who,x,label\n3,8,yes\n4,nine,no\n");
  EXPECT_THAT(message(), HasSubstr((folder_ / "b.csv").string() + ": line 3: column 'x'"));
  folder_.write("b.csv", "who,x,label\n3,8,yes\n4,9,\n");
  EXPECT_THAT(message(), HasSubstr((folder_ / "b.csv").string() + ": line 3"));
  folder_.write("b.csv", "who,label,x\n3,yes,8\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("b.csv: column 2 is 'label'"), HasSubstr("is 'x'")));
}

TEST_F(Tables, ColumnsAreNamedInTheSettingsWhereTheTableDoesNot) {
  options_.table = folder_.write("t.txt", " 5  no train \n6 yes train\n7 no test\n");
  options_.delimiter = " ";
  options_.columns = {"x", "label", "part"};
  options_.split.column = "part";
  const Source source = open();
  EXPECT_THAT(source.splits, ElementsAre("train", "train", "test"));
  EXPECT_EQ(source.data->get(0).id, "line 1");
}

TEST_F(Tables, RowsLeftUntilTheLastAreCountedByGroupAndTable) {
  folder_.write("a.csv", "who,x,label\n1,5,no\n2,6,yes\n1,7,no\n1,7,no\n");
  folder_.write("b.csv", "who,x,label\n2,8,yes\n2,9,no\n1,9,no\n");
  folder_.write("left.txt", "20\n 1 \n");
  options_.group = "who";
  options_.group_per_table = true;
  targets::RemainingUsefulLifeOptions remaining;
  remaining.after_last.entries = {{"test", "left.txt"}};
  options_.targets.entries = {{"left", {"remaining_useful_life", remaining}}};
  const auto left = [&] {
    const Source source = open();
    std::vector<float> found;
    for (int64_t i = 0; i < source.data->size(); ++i)
      found.push_back(source.data->targets(i).at("left").item<float>());
    return found;
  };
  EXPECT_THAT(left(), ElementsAre(2, 0, 1, 0, /**/ 21, 20, 1));
  remaining.clip = 1.5;
  options_.targets.entries = {{"left", {"remaining_useful_life", remaining}}};
  EXPECT_THAT(left(), ElementsAre(1.5, 0, 1, 0, /**/ 1.5, 1.5, 1));
  EXPECT_THAT(open().notes, testing::Contains(HasSubstr("3 of 7 rows have more than 1.5 left")));
  options_.rows.last = {"test"};
  EXPECT_THAT(left(), ElementsAre(1.5, 0, 1, 0, /**/ 1.5, 1));
  folder_.write("left.txt", "20\n1\n7\n");
  EXPECT_THAT(message(), HasSubstr("left.txt: found 3 numbers, wanted 2"));
  folder_.write("left.txt", "20\n-1\n");
  EXPECT_THAT(message(), HasSubstr("left.txt: line 2: found '-1'"));
  remaining.after_last.entries = {{"tets", "left.txt"}};
  options_.targets.entries = {{"left", {"remaining_useful_life", remaining}}};
  EXPECT_THAT(message(), HasSubstr("not a table of DataOptions::table"));
}

TEST_F(Tables, LinesOfJsonAreATable) {
  options_.table = folder_.write("t.jsonl",
                                 "{\"x\": 5, \"label\": \"no\", \"part\": \"train\"}\n"
                                 "{\"label\": \"yes\", \"x\": 6.5, \"part\": \"train\"}\n");
  options_.split.column = "part";
  EXPECT_EQ(open().targets[0].classes, (std::vector<std::string>{"no", "yes"}));
  folder_.write("t.jsonl", "{\"x\": 5, \"label\": \"no\", \"part\": \"train\"}\n{\"x\": 5,\n");
  EXPECT_THAT(message(), HasSubstr("t.jsonl: line 2: no JSON"));
}

}  // namespace
}  // namespace fovea::sources
