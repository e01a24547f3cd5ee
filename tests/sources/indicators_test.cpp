// Columns of the table as an input: clinical indicators.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/inputs/image.h"
#include "fovea/inputs/table.h"
#include "fovea/targets/classes.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kRows =
    "age,stage,label,part\n"
    "1,early,no,train\n"
    "3,late,yes,train\n"
    "7,early,no,test\n";

class Indicators : public testing::Test {
 protected:
  Indicators() {
    options_.table = folder_.write("t.csv", kRows);
    choose({.columns = {"age", "stage"}});
    options_.targets.entries = {{"label", targets::ClassesOptions{.column = {"label"}}}};
    options_.split.column = "part";
  }

  void choose(inputs::TableOptions table) {
    options_.inputs.entries = {{"labs", {"table", table}}};
  }
  Source open(const std::string& rows) {
    folder_.write("t.csv", rows);
    return open_source(options_, 1);
  }
  static std::vector<float> values(const DatasetPtr& data, int64_t i) {
    const torch::Tensor row = data->get(i).inputs.at("labs").contiguous();
    return {row.const_data_ptr<float>(), row.const_data_ptr<float>() + row.numel()};
  }
  std::string message(const std::string& rows) {
    return refusal([&] { open(rows); }).what();
  }

  test::TempFolder folder_;
  DataOptions options_;
};

TEST_F(Indicators, AreStandardisedByTheTrainingRowsAlone) {
  const Source source = open(kRows);  // ages 1 and 3: mean 2, deviation 1; early is 1, late 2
  EXPECT_THAT(values(source.data, 0), ElementsAre(-1, 1));
  EXPECT_THAT(values(source.data, 1), ElementsAre(1, 2));
  EXPECT_THAT(values(source.data, 2), ElementsAre(5, 1));
  ASSERT_EQ(source.inputs.size(), 1u);
  EXPECT_THAT(source.inputs[0].second->shape().sizes, ElementsAre(2));
  EXPECT_THAT(source.inputs[0].second->shape().categories, ElementsAre(0, 3));
  EXPECT_EQ(source.data->get(1).id, "line 3");
  EXPECT_THAT(source.data->name(1), testing::EndsWith("t.csv: line 3"));
}

TEST_F(Indicators, AMissingNumberBecomesTheMedianAndAColumnSaysSo) {
  choose({.columns = {"age"}, .missing = {"", "?"}});
  const Source source = open(
      "age,label,part\n"
      "1,no,train\n?,yes,train\n2,no,train\n9,yes,train\n,no,test\n4,no,test\n");
  EXPECT_THAT(source.inputs[0].second->shape().categories, ElementsAre(0, 0));
  const auto [mean, deviation] = std::pair(4.0, std::sqrt(38.0 / 3));  // of 1, 2 and 9
  EXPECT_THAT(values(source.data, 1), ElementsAre(testing::FloatEq((2 - mean) / deviation), 1));
  EXPECT_THAT(values(source.data, 4), ElementsAre(testing::FloatEq((2 - mean) / deviation), 1));
  EXPECT_THAT(values(source.data, 5), ElementsAre(testing::FloatEq(0), 0));
}

TEST_F(Indicators, AnUnknownCategoryAndAMissingOneAreIndexZero) {
  choose({.columns = {"stage"}});
  const Source source =
      open("stage,label,part\nearly,no,train\nlate,yes,train\nnever seen,no,test\n,no,test\n");
  EXPECT_THAT(values(source.data, 2), ElementsAre(0));
  EXPECT_THAT(values(source.data, 3), ElementsAre(0));
}

TEST_F(Indicators, NumbersMayBeNamesOfCategories) {
  choose({.columns = {"age"}, .categories = {"age"}});
  const Source source = open(kRows);
  EXPECT_THAT(values(source.data, 1), ElementsAre(2));
  EXPECT_THAT(values(source.data, 2), ElementsAre(0));  // 7 is in no training row
  choose({.columns = {"age"}, .categories = {"stage"}});
  EXPECT_THAT(message(kRows), HasSubstr("'stage', which `columns` does not list"));
}

TEST_F(Indicators, AConstantColumnIsZero) {
  choose({.columns = {"age"}});
  const Source source = open("age,label,part\n5,no,train\n5,yes,train\n6,no,test\n");
  EXPECT_THAT(values(source.data, 0), ElementsAre(0));
  EXPECT_THAT(values(source.data, 2), ElementsAre(1));
}

TEST_F(Indicators, ACellThatIsNoFiniteNumberIsNamedByLineAndColumn) {
  choose({.columns = {"age"}});
  for (const char* cell : {"inf", "NaN", "12 years", "1e999", "1,5"}) {
    const std::string quoted = std::string("\"") + cell + "\"";
    const std::string text =
        message("age,label,part\n1,no,train\n2,yes,train\n" + quoted + ",no,test\n");
    EXPECT_THAT(text, HasSubstr("line 4")) << cell;
    EXPECT_THAT(text, HasSubstr("column 'age'")) << cell;
    EXPECT_THAT(text, HasSubstr("DataOptions::inputs.labs.table.missing")) << cell;
  }
}

TEST_F(Indicators, AColumnWithoutAnyTrainingValueIsRefused) {
  EXPECT_THAT(message("age,stage,label,part\n,early,no,train\n,late,yes,train\n1,late,no,test\n"),
              HasSubstr("column 'age': no training row has a value"));
  EXPECT_THAT(message("aged,stage,label,part\n1,early,no,train\n2,late,yes,train\n"),
              HasSubstr("aged"));
}

TEST_F(Indicators, AnotherTableIsReadAsTheTrainingTableWas) {
  const Source source = open(kRows);
  Named<Node> fitted;
  fitted.entries.emplace_back("labs", source.inputs[0].second->fitted());
  const auto other = folder_.write("other.csv", "stage,age\nlate,2\nunheard of,4\n");
  const DatasetPtr cases = open_cases(other, options_, fitted).data;
  ASSERT_EQ(cases->size(), 2);
  EXPECT_THAT(values(cases, 0), ElementsAre(0, 2));
  EXPECT_THAT(values(cases, 1), ElementsAre(2, 0));
  EXPECT_TRUE(cases->targets(0).empty());
  EXPECT_NE(open(kRows).inputs[0].second->fingerprint(),
            open("age,stage,label,part\n2,early,no,train\n3,late,yes,train\n")
                .inputs[0]
                .second->fingerprint());
}

TEST_F(Indicators, StandBesideAnImage) {
  write_image(folder_ / "a.png", 1);
  write_image(folder_ / "b.png", 2);
  options_.inputs.entries.emplace_back(
      "scan", inputs::InputChoice("image", inputs::ImageOptions{.column = "file"}));
  const Source source =
      open("age,stage,file,label,part\n1,early,a.png,no,train\n3,late,b.png,yes,train\n");
  const Example one = source.data->get(1);
  EXPECT_EQ(one.id, "b.png");
  EXPECT_EQ(one.inputs.at("scan").sizes(), (std::vector<int64_t>{1, 4, 5}));
  EXPECT_EQ(one.inputs.at("labs").sizes(), (std::vector<int64_t>{2}));
  EXPECT_THAT(refusal([&] { case_reader(options_).read(folder_ / "a.png"); }).what(),
              HasSubstr("found 2 entries"));
}

Node map_of(const std::string& key, Node value) {
  Node node;
  node.at(key) = std::move(value);
  return node;
}

TEST(InputTypes, MayBeLeftOutWhereTheNameSaysIt) {
  const Node columns = map_of("columns", Node::scalar("age"));
  inputs::Inputs inputs;
  read_value(map_of("table", columns), inputs);
  ASSERT_NE(inputs.find("table"), nullptr);
  EXPECT_THAT(inputs.find("table")->as<inputs::TableOptions>()->columns, ElementsAre("age"));
  read_value(map_of("labs", map_of("table", columns)), inputs);
  ASSERT_NE(inputs.find("labs"), nullptr);
  EXPECT_NE(inputs.find("labs")->as<inputs::TableOptions>(), nullptr);
  read_value(map_of("table", map_of("table", columns)), inputs);
  EXPECT_NE(inputs.find("table")->as<inputs::TableOptions>(), nullptr);
  inputs::Inputs again;
  read_value(write_value(inputs), again);
  EXPECT_THAT(again.find("table")->as<inputs::TableOptions>()->columns, ElementsAre("age"));
  EXPECT_THAT(refusal([&] { read_value(map_of("labs", columns), inputs); }).what(),
              testing::AllOf(HasSubstr("columns"), HasSubstr("image, table")));
}

}  // namespace
}  // namespace fovea::sources
