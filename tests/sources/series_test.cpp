// Series as an input: windows of the table's rows, files, and long tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/inputs/series.h"
#include "fovea/sources/check.h"
#include "fovea/targets/classes.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using testing::HasSubstr;

class Series : public testing::Test {
 protected:
  Series() {
    options_.targets.entries = {{"label", targets::ClassesOptions{.column = {"label"}}}};
    options_.split.column = "part";
    choose({.columns = {"x"}, .window = 2});
  }

  void choose(inputs::SeriesOptions series) {
    options_.inputs.entries = {{"pulse", {"series", series}}};
  }
  void table(const std::string& rows) { options_.table = folder_.write("t.csv", rows); }
  Source open() { return open_source(options_, 1); }
  std::string message() {
    return refusal([&] { open(); }).what();
  }
  /// Of case `i`, time step after time step.
  static std::vector<float> values(const DatasetPtr& data, int64_t i) {
    const torch::Tensor steps = data->get(i).inputs.at("pulse").contiguous();
    return {steps.const_data_ptr<float>(), steps.const_data_ptr<float>() + steps.numel()};
  }

  test::TempFolder folder_;
  DataOptions options_;
};

// Training values 1 and 3: mean 2, deviation 1, so that x becomes x - 2.
constexpr const char* kRows =
    "who,x,label,part\n"
    "a,1,no,train\na,3,yes,train\na,1,no,train\na,3,yes,train\n"
    "a,7,no,test\na,8,yes,test\na,9,no,test\n";

TEST_F(Series, AWindowEndsWithTheRowAndBeginsWithTheSplit) {
  table(kRows);
  const Source source = open();
  EXPECT_THAT(values(source.data, 0), ElementsAre(-1));  // a shorter one is kept as it is
  EXPECT_THAT(values(source.data, 1), ElementsAre(-1, 1));
  EXPECT_THAT(values(source.data, 4), ElementsAre(5));  // not the 3 before it, of training
  EXPECT_THAT(values(source.data, 6), ElementsAre(6, 7));
  EXPECT_TRUE(source.data->schema().input("pulse")->shape.ragged());
  EXPECT_THAT(source.inputs[0].second->shape().sizes, ElementsAre(-1, 1));
  choose({.columns = {"x"}});
  EXPECT_THAT(values(open().data, 3), ElementsAre(-1, 1, -1, 1));  // without a window: all so far
}

TEST_F(Series, AShortOneIsPaddedOrRefusedWhereThatIsWanted) {
  table(kRows);
  choose({.columns = {"x"}, .window = 2, .shorter = "pad"});
  const Source source = open();
  EXPECT_THAT(values(source.data, 0), ElementsAre(0, -1));
  EXPECT_FALSE(source.data->schema().input("pulse")->shape.ragged());
  EXPECT_THAT(source.inputs[0].second->shape().sizes, ElementsAre(2, 1));
  choose({.columns = {"x"}, .window = 2, .shorter = "refuse"});
  EXPECT_THAT(message(), AllOf(HasSubstr("of 2 cases (line 2, line 6) are cut short")));
  choose({.columns = {"x"}, .shorter = "pad"});
  EXPECT_THAT(message(), HasSubstr("wanted a `window` too"));
}

TEST_F(Series, EveryNthRowIsACaseAndOnlyTheLastOfSomeSplits) {
  table(
      "who,x,label,part\na,1,no,train\na,3,yes,train\na,1,yes,train\na,3,no,train\n"
      "a,7,no,test\na,8,yes,test\na,9,no,test\n");
  options_.rows = {.every = 2, .last = {"test"}};
  const Source source = open();
  ASSERT_EQ(source.data->size(), 3);  // rows 2 and 4 of training, the last of testing
  EXPECT_THAT(values(source.data, 0), ElementsAre(-1, 1));
  EXPECT_THAT(values(source.data, 2), ElementsAre(6, 7));
  EXPECT_EQ(source.data->targets(1).at("label").item<int64_t>(), 0);
  EXPECT_EQ(source.data->get(2).id, "line 8");
  options_.rows = {.every = 5};
  EXPECT_THAT(message(), HasSubstr("no patient has 5 rows"));
}

TEST_F(Series, GroupsAreApartEvenWhereTheirRowsAlternate) {
  table(
      "who,x,label,part\na,1,no,train\nb,3,yes,train\na,3,no,train\nb,1,yes,train\nc,9,no,test\n");
  options_.group = "who";
  const Source source = open();
  EXPECT_THAT(values(source.data, 2), ElementsAre(-1, 1));
  EXPECT_THAT(values(source.data, 3), ElementsAre(1, -1));
  EXPECT_THAT(values(source.data, 4), ElementsAre(7));
}

TEST_F(Series, RowsOfAnUnknownClassAreStillSeen) {
  table("who,x,label,part\na,1,no,train\na,3,?,train\na,3,yes,train\na,1,no,train\n");
  options_.targets.entries[0].second =
      targets::ClassesOptions{.column = {"label"}, .missing = {"?"}};
  const Source source = open();
  ASSERT_EQ(source.data->size(), 3);
  EXPECT_THAT(values(source.data, 1), ElementsAre(1, 1));
}

TEST_F(Series, AMissingValueIsTheOneBeforeAndAColumnSaysSo) {
  table(
      "who,x,y,label,part\na,,5,no,train\na,1,5,yes,train\na,,5,no,train\na,3,5,yes,train\n"
      "a,NA,7,no,test\na,900,5,yes,test\n");
  choose({.columns = {"x", "y"}, .missing = {"", "NA"}, .clip = {0, 100}});
  const Source source = open();  // x: mean 2, deviation 1; y: constant, so 5 becomes 0
  EXPECT_THAT(source.inputs[0].second->shape().sizes, ElementsAre(-1, 3));
  EXPECT_THAT(values(source.data, 3),
              ElementsAre(0, 1, 0, /**/ -1, 0, 0, /**/ -1, 1, 0, /**/ 1, 0, 0));
  EXPECT_THAT(values(source.data, 5), ElementsAre(0, 1, 2, /**/ 0, 1, 0));  // nothing from training
  choose({.columns = {"x", "y"}, .missing = {"", "NA"}, .fill = "mean"});
  EXPECT_THAT(values(open().data, 2), ElementsAre(0, 1, 0, /**/ -1, 0, 0, /**/ 0, 1, 0));
}

TEST_F(Series, OnlyWhatTrainingCasesReadIsFittedTo) {
  table("who,x,label,part\na,100,?,train\na,1,no,train\na,3,yes,train\na,9,no,test\n");
  options_.targets.entries[0].second =
      targets::ClassesOptions{.column = {"label"}, .missing = {"?"}};
  choose({.columns = {"x"}, .window = 1});
  EXPECT_THAT(values(open().data, 2), ElementsAre(7));
}

TEST_F(Series, CellsThatAreNoFiniteNumberAreNamed) {
  for (const char* cell : {"NaN", "inf", "-Infinity", "1e999", "high", ""}) {
    table("who,x,label,part\na,1,no,train\na,3,yes,train\na," + std::string(cell) + ",no,test\n");
    choose({.columns = {"x"}, .missing = {"?"}});
    EXPECT_THAT(message(), AllOf(HasSubstr("t.csv: line 4: column 'x': found '"),
                                 HasSubstr("wanted a finite number"), HasSubstr("missing")))
        << cell;
  }
  table("who,x,label,part\na,1,no,train\na,3\n");
  EXPECT_THAT(message(), HasSubstr("line 3: found 2 fields, wanted 4"));
}

TEST_F(Series, TheTimeSinceTheStepBeforeIsAChannel) {
  table(
      "who,x,hour,label,part\na,1,0,no,train\na,3,1,yes,train\na,1,4,no,train\na,3,6,yes,train\n");
  choose({.columns = {"x"}, .time = "hour", .time_channel = true});
  // 0, 1, 3 and 2 hours: mean 1.5, deviation sqrt(1.25).
  const float unit = 1 / std::sqrt(1.25f);
  EXPECT_THAT(values(open().data, 2),
              ElementsAre(-1, FloatNear(-1.5f * unit, 1e-6f), 1, FloatNear(-0.5f * unit, 1e-6f), -1,
                          FloatNear(1.5f * unit, 1e-6f)));
  table("who,x,hour,label,part\na,1,5,no,train\na,3,1,yes,train\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("line 3: column 'hour'"), HasSubstr("sort")));
}

TEST_F(Series, AnotherTableIsReadAsTheTrainingTableWas) {
  table(kRows);
  const Source source = open();
  Named<Node> fitted;
  fitted.entries.emplace_back("pulse", source.inputs[0].second->fitted());
  const auto other = folder_.write("other.csv", "x,who\n5,z\n4,z\n");
  const DatasetPtr cases = open_cases(other, options_, fitted).data;
  ASSERT_EQ(cases->size(), 2);
  EXPECT_THAT(values(cases, 1), ElementsAre(3, 2));
  options_.rows.last = {"test"};
  EXPECT_EQ(open_cases(other, options_, fitted).data->size(), 1);
}

TEST_F(Series, InTheirOrderNoCaseSharesStepsWithTraining) {
  std::string rows = "x,label\n";
  for (int i = 0; i < 100; ++i) rows += std::to_string(i) + (i % 3 ? ",no\n" : ",yes\n");
  table(rows);
  choose({.columns = {"x"}, .window = 5});
  options_.split = {.fractions = {{"train", 0.6}, {"val", 0.2}, {"test", 0.2}},
                    .chronological = true};
  const Source source = open();
  for (size_t i = 0; i < 100; ++i)
    EXPECT_EQ(source.splits[i], i < 60 ? "train" : i < 80 ? "val" : "test");
  EXPECT_EQ(source.data->get(60).inputs.at("pulse").size(0), 1);
  EXPECT_TRUE(check(source).overlaps.empty());
  options_.split.chronological = false;
  const Source shuffled = open();
  EXPECT_EQ(shuffled.data->get(60).inputs.at("pulse").size(0), 5);
  const CheckReport report = check(shuffled);
  ASSERT_EQ(report.overlaps.size(), 2u);
  for (const CheckReport::Overlap& overlap : report.overlaps) {
    int64_t wanted = 0;  // cases with a training case less than 5 rows away
    for (const int64_t i : shuffled.cases(overlap.split)) {
      const auto training = shuffled.cases("train");
      wanted += std::ranges::any_of(training, [&](int64_t t) { return std::abs(t - i) < 5; });
    }
    EXPECT_EQ(overlap.cases, wanted);
    EXPECT_EQ(overlap.of, static_cast<int64_t>(shuffled.cases(overlap.split).size()));
  }
  EXPECT_THAT(report.problems(), testing::Contains(HasSubstr("share time steps of 'pulse'")));
}

class SeriesFiles : public Series {
 protected:
  SeriesFiles() {
    folder_.write("s/a.csv", "y,x\n0,1\n0,3\n0,1\n");
    folder_.write("s/b.csv", "y,x\n0,3\n");
    table("file,label,part,beat\na.csv,no,train,1\nb.csv,yes,train,0\n");
    choose({.columns = {"x"}, .column = "file", .folder = "s"});
  }
};

TEST_F(SeriesFiles, AFilePerCaseIsReadWhole) {
  const Source source = open();
  EXPECT_THAT(values(source.data, 0), ElementsAre(-1, 1, -1));
  EXPECT_THAT(values(source.data, 1), ElementsAre(1));
  choose({.columns = {"x"}, .window = 2, .column = "file", .folder = "s"});
  // Of 3, 1 and 3: mean 7/3, deviation sqrt(8)/3.
  EXPECT_THAT(values(open().data, 0),
              ElementsAre(FloatEq(std::sqrt(0.5f)), FloatEq(-std::sqrt(2.0f))));
}

TEST_F(SeriesFiles, AWindowAroundAStepIsCutAtTheBorders) {
  choose(
      {.columns = {"x"}, .column = "file", .folder = "s", .at = "beat", .before = 2, .after = 1});
  EXPECT_THAT(values(open().data, 0),
              ElementsAre(FloatEq(-std::sqrt(2.0f)), FloatEq(std::sqrt(0.5f))));
  choose({.columns = {"x"},
          .column = "file",
          .folder = "s",
          .at = "beat",
          .before = 1,
          .after = 2,
          .shorter = "pad"});
  const Source source = open();
  EXPECT_THAT(source.inputs[0].second->shape().sizes, ElementsAre(3, 1));
  EXPECT_THAT(values(source.data, 1), ElementsAre(0, 1, 0));
  table("file,label,part,beat\na.csv,no,train,3\nb.csv,yes,train,0\n");
  choose({.columns = {"x"}, .column = "file", .folder = "s", .at = "beat", .after = 2});
  EXPECT_THAT(message(), HasSubstr("of 1 cases (line 2) have no time step"));
  table("file,label,part,beat\na.csv,no,train,-3\nb.csv,yes,train,0\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("line 2: column 'beat'"), HasSubstr("whole number")));
}

TEST_F(SeriesFiles, BadFilesAreNamedAndOnlyTheirCasesCannotBeRead) {
  const auto of_case = [&] {
    const Source source = open();
    EXPECT_EQ(values(source.data, 0).size(), 3u);
    EXPECT_THAT(source.notes, testing::Contains(HasSubstr("1 of 2 series cannot be read")));
    EXPECT_EQ(check(source).failures.size(), 1u);
    EXPECT_EQ(refusal([&] { source.data->get(1); }).fault(), Fault::data);
    return std::string(refusal([&] { source.data->get(1); }).what());
  };
  folder_.write("s/b.csv", "y,x\n");
  EXPECT_THAT(of_case(), AllOf(HasSubstr("b.csv"), HasSubstr("found 0 rows")));
  folder_.write("s/b.csv", "y,x\n1,2,3\n");
  EXPECT_THAT(of_case(), AllOf(HasSubstr("b.csv"), HasSubstr("line 2")));
  folder_.write("s/b.csv", std::string("\xff\xfe\x78\0", 4));
  EXPECT_THAT(of_case(), AllOf(HasSubstr("b.csv"), HasSubstr("UTF-16")));
  folder_.write("s/b.csv", "y\n1\n");
  EXPECT_THAT(of_case(), AllOf(HasSubstr("b.csv"), HasSubstr("no column 'x'")));
  folder_.write("s/b.csv", "y,x\n0,3\n0,high\n");
  EXPECT_THAT(of_case(), AllOf(HasSubstr("b.csv"), HasSubstr("line 3: column 'x'")));
  std::filesystem::remove(folder_ / "s/b.csv");
  EXPECT_THAT(message(), AllOf(HasSubstr("line 3"), HasSubstr("do not exist")));
}

TEST_F(SeriesFiles, WfdbRecordsAreNamedWithOrWithoutEnding) {
  folder_.write("s/r.hea", "r 2 100 2\nr.dat 16 1 16 0 1 4 0 I\nr.dat 16 1 16 0 9 18 0 II\n");
  folder_.write("s/r.dat", std::string("\1\0\x9\0\3\0\x9\0", 8));
  table("file,label,part\nr,no,train\nr.hea,yes,train\n");
  choose({.column = "file", .folder = "s"});
  const Source source = open();
  EXPECT_THAT(values(source.data, 1), ElementsAre(-1, 0, 1, 0));
  choose({.columns = {"III"}, .column = "file", .folder = "s"});
  EXPECT_THAT(message(), AllOf(HasSubstr("r.hea"), HasSubstr("'III'"), HasSubstr("I, II")));
}

TEST_F(Series, ALongTableIsJoinedByCaseAndSortedByTime) {
  table("stay,label,part\n7,no,train\n8,yes,train\n");
  folder_.write("vitals.csv", "x,id,hour\n3,7,2\n1,8,0\n9,99,0\n1,7,1\n3,8,5\n");
  options_.id = "stay";
  choose({.columns = {"x"}, .table = "vitals.csv", .key = "id", .time = "hour"});
  const Source source = open();
  EXPECT_THAT(values(source.data, 0), ElementsAre(-1, 1));
  EXPECT_THAT(values(source.data, 1), ElementsAre(-1, 1));
  EXPECT_EQ(source.data->get(1).id, "8");
  folder_.write("vitals.csv", "x,id,hour\n3,7,2\n1,7,\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("vitals.csv: line 3: column 'hour'"),
                               HasSubstr("a finite number as the time")));
  folder_.write("vitals.csv", "x,id,hour\n3,7,2\n1,7,1\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("t.csv"), HasSubstr("(line 3) have no time step")));
  options_.id.clear();
  EXPECT_THAT(message(), HasSubstr("DataOptions::id"));
}

TEST_F(Series, WhatALongTableLeavesOpenIsSaid) {
  table("stay,label,part\n7,no,train\n8,yes,train\n");
  folder_.write("vitals.csv", "x,id,hour\n3,7,2\n1,8,0\n9,99,0\n1,7,1\n5,7,2\n3,8,5\n,8,1\n");
  options_.id = "stay";
  choose({.columns = {"x"}, .table = "vitals.csv", .key = "id", .time = "hour"});
  const Source source = open();
  EXPECT_THAT(source.notes,
              testing::Contains(HasSubstr("1 of 7 rows of vitals.csv belong to none")));
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("1 time steps have the time of the one")));
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("time between steps varies in 2 series")));
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("1 of 6 values are not measured")));
}

TEST_F(Series, StepsOfAnotherLengthAreRefusedUnlessTheModelSeesTheTime) {
  // At 100 and at 250 steps a second.
  table(
      "who,x,t,label,part\na,1,0.00,no,train\na,3,0.01,yes,train\na,1,0.02,no,train\n"
      "b,3,0.000,yes,train\nb,1,0.004,no,train\nb,3,0.008,yes,train\n");
  options_.group = "who";
  choose({.columns = {"x"}, .time = "t"});
  EXPECT_THAT(message(), AllOf(HasSubstr("found 250 steps per unit of 't', wanted 100"),
                               HasSubstr("SeriesOptions::time_channel")));
  choose({.columns = {"x"}, .time = "t", .time_channel = true});
  EXPECT_EQ(open().data->size(), 6);
}

TEST_F(Series, TimesAreNumbersOrDatesAndAllOfOneType) {
  const std::string header = "who,x,t,label,part\n";
  table(header + "a,1,2024-02-28,no,train\na,3,2024-02-29T12:00,yes,train\n");
  choose({.columns = {"x"}, .time = "t", .time_channel = true});
  EXPECT_THAT(values(open().data, 1), ElementsAre(-1, -1, 1, 1));  // 0 and 1.5 days apart
  table(header + "a,1,2024-02-28,no,train\na,3,20,yes,train\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("line 3: column 't'"), HasSubstr("a date such as")));
  table(header + "a,1,2,no,train\na,3,2024-02-28,yes,train\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("line 3: column 't'"), HasSubstr("finite number")));
  table(header + "a,1,28.02.2024,no,train\na,3,29.02.2024,yes,train\n");
  EXPECT_THAT(message(), HasSubstr("line 2: column 't'"));
}

TEST_F(Series, NumbersOfASeriesAreReadAsThoseOfOtherColumns) {
  options_.delimiter = ";";
  options_.decimal = ",";
  table("x;label;part\n1,0; no ;train\n3,0;yes;train\n");
  choose({.columns = {"x"}});
  EXPECT_THAT(values(open().data, 1), ElementsAre(-1, 1));
  options_.decimal = ".";
  EXPECT_THAT(message(), AllOf(HasSubstr("line 2: column 'x'"), HasSubstr("DataOptions::decimal")));
}

TEST_F(Series, ARowThatIsWrongIsTheFailureOfTheCasesThatReadItWhereAModelIsAsked) {
  table(kRows);
  choose({.columns = {"x"}, .window = 2});
  const Source source = open();
  Named<Node> fitted;
  fitted.entries.emplace_back("pulse", source.inputs[0].second->fitted());
  const auto other = folder_.write("other.csv", "x,who\n5,z\nhigh,z\n4,z\n3,z\n1e300,z\n");
  const DatasetPtr cases = open_cases(other, options_, fitted).data;
  ASSERT_EQ(cases->size(), 5);
  EXPECT_THAT(values(cases, 0), ElementsAre(3));
  EXPECT_THAT(values(cases, 3), ElementsAre(2, 1));
  for (const int64_t i : {1, 2})
    EXPECT_THAT(refusal([&] { cases->get(i); }).what(),
                AllOf(HasSubstr("line 3: column 'x'"), HasSubstr("'high'")));
  EXPECT_THAT(refusal([&] { cases->get(4); }).what(),
              AllOf(HasSubstr("line 6"), HasSubstr("too far from those of training")));
}

TEST_F(Series, LongerThanThePositionsOfTheEncoderIsRefusedByCase) {
  table(kRows);
  choose({.columns = {"x"}});
  options_.longest["pulse"] = 3;
  const Source source = open();
  EXPECT_EQ(values(source.data, 2).size(), 3u);
  EXPECT_THAT(refusal([&] { source.data->get(3); }).what(),
              AllOf(HasSubstr("line 5"), HasSubstr("4 time steps, wanted 3 at most")));
  EXPECT_THAT(check(source).problems(),
              testing::Contains(HasSubstr("1 of 7 cases cannot be read")));
}

/// Records of one signal whose samples are 1 and 3 (in format 16) and whose headers are given.
class Records : public Series {
 protected:
  Records() { choose({.column = "file"}); }
  void record(const std::string& name, const std::string& header,
              std::vector<int16_t> samples = {1, 3}) {
    folder_.write(name + ".hea", header);
    folder_.write(name + ".dat", std::string(reinterpret_cast<const char*>(samples.data()),
                                             samples.size() * sizeof(int16_t)));
  }
  void two() { table("file,label,part\na,no,train\nb,yes,train\n"); }
  std::string of_case(int64_t i) {
    const Source source = open();
    return refusal([&] { source.data->get(i); }).what();
  }
};

TEST_F(Records, SignalsAreTakenByPositionWhateverTheyAreCalled) {
  two();
  for (const char* name : {"", " 0 1 4 0 E"}) {
    const std::string lines = std::string("%.dat 16 1/mV 16") + name + "\n%.dat 16 1/mV 16" +
                              (*name ? " 0 9 18 0 E" : "") + "\n";
    for (const std::string one : {"a", "b"}) {
      std::string header = one + " 2 100 2\n" + lines;
      for (size_t at = header.find('%'); at != std::string::npos; at = header.find('%'))
        header.replace(at, 1, one);
      record(one, header, {1, 9, 3, 9});
    }
    const Source source = open();
    EXPECT_THAT(values(source.data, 0), ElementsAre(-1, 0, 1, 0)) << name;  // 1, 3 and 9, 9
    EXPECT_EQ(source.inputs[0].second->shape().columns[1], *name ? "E (signal 2)" : "signal 2");
  }
  choose({.columns = {"E"}, .column = "file"});
  EXPECT_THAT(message(),
              AllOf(HasSubstr("no signal 'E'"), HasSubstr("E (signal 1), E (signal 2)")));
  choose({.columns = {"E (signal 2)"}, .column = "file"});
  EXPECT_THAT(values(open().data, 0), ElementsAre(0, 0));
}

TEST_F(Records, WithMoreSignalsOrOtherNamesThanTheFirstAreRefused) {
  two();
  record("a", "a 1 100 2\na.dat 16 1/mV 16 0 1 4 0 I\n");
  record("b", "b 2 100 2\nb.dat 16 1/mV 16 0 1 4 0 I\nb.dat 16 1/mV 16 0 9 18 0 II\n",
         {1, 9, 3, 9});
  EXPECT_THAT(of_case(1),
              AllOf(HasSubstr("b.hea"), HasSubstr("found 2 signals (I, II), wanted 1 (I)")));
  record("b", "b 1 100 2\nb.dat 16 1/mV 16 0 1 4 0 V1\n");
  EXPECT_THAT(of_case(1),
              AllOf(HasSubstr("b.hea"), HasSubstr("no signal 'I'; the signals are V1")));
}

TEST_F(Records, UnitsOfOneQuantityAreConvertedAndOthersRefused) {
  two();
  record("a", "a 1 100 2\na.dat 16 1/mV 16 0 1 4 0 I\n");
  record("b", "b 1 100 2\nb.dat 16 1/uV 16 0 1000 4000 0 I\n", {1000, 3000});
  Source source = open();
  EXPECT_THAT(values(source.data, 1), ElementsAre(FloatNear(-1, 1e-6), FloatNear(1, 1e-6)));
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("1 signals are converted from uV to mV")));
  // A model that was fitted to mV reads uV so, too.
  Named<Node> fitted;
  fitted.entries.emplace_back("pulse", source.inputs[0].second->fitted());
  const auto other = folder_.write("other.csv", "file\nb\n");
  EXPECT_THAT(values(open_cases(other, options_, fitted).data, 0),
              ElementsAre(FloatNear(-1, 1e-6), FloatNear(1, 1e-6)));
  record("b", "b 1 100 2\nb.dat 16 1/NU 16 0 1 4 0 I\n");
  EXPECT_THAT(of_case(1), AllOf(HasSubstr("b.hea"), HasSubstr("'NU', wanted 'mV'")));
  EXPECT_THAT(refusal([&] { open_cases(other, options_, fitted).data->get(0); }).what(),
              HasSubstr("'NU', wanted 'mV' as in training"));
  record("b", "b 1 100 2\nb.dat 16 0/mV 16 0 1 4 0 I\n");
  EXPECT_THAT(of_case(1), HasSubstr("'not calibrated', wanted 'mV'"));
  record("a", "a 1 100 2\na.dat 16 0/mV 16 0 1 4 0 I\n");
  source = open();
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("2 signals are not calibrated")));
}

TEST_F(Records, OfAnotherSamplingRateAreRefused) {
  two();
  record("a", "a 1 100 2\na.dat 16 1/mV 16 0 1 4 0 I\n");
  record("b", "b 1 250 2\nb.dat 16 1/mV 16 0 1 4 0 I\n");
  EXPECT_THAT(of_case(1),
              AllOf(HasSubstr("b.hea"), HasSubstr("found 250 samples per second, wanted 100")));
  record("b", "b 1 100/250(7) 2\nb.dat 16 1/mV 16 0 1 4 0 I\n");  // of a counter, not of samples
  const Source source = open();
  EXPECT_THAT(values(source.data, 1), ElementsAre(-1, 1));
  Named<Node> fitted;
  fitted.entries.emplace_back("pulse", source.inputs[0].second->fitted());
  record("b", "b 1 360 2\nb.dat 16 1/mV 16 0 1 4 0 I\n");
  const DatasetPtr asked =
      open_cases(folder_.write("o.csv", "file\nb\na\nc\n"), options_, fitted).data;
  EXPECT_THAT(refusal([&] { asked->get(0); }).what(), HasSubstr("wanted 100 as in training"));
  EXPECT_THAT(values(asked, 1), ElementsAre(-1, 1));
  EXPECT_THAT(refusal([&] { asked->get(2); }).what(), HasSubstr("c.hea"));  // does not exist
}

TEST_F(Records, InvalidSamplesAreNotMeasuredAndCounted) {
  two();
  record("a", "a 1 100 3\na.dat 16 1/mV 16\n", {1, -32768, 3});
  record("b", "b 1 100 3\nb.dat 16 1/mV 16\n", {1, 3, 900});
  choose({.column = "file", .clip = {0, 100}});
  const Source source = open();
  EXPECT_THAT(values(source.data, 0), ElementsAre(-1, 0, -1, 1, 1, 0));
  EXPECT_THAT(source.notes,
              testing::Contains(AllOf(HasSubstr("2 of 6 values are not measured"),
                                      HasSubstr("1 marked as invalid"), HasSubstr("1 outside"))));
}

TEST_F(Records, AnnotationsAreReadInSamplesOfTheRecord) {
  record("r", "r 1 360 4\nr.dat 16 1/mV 16\n", {1, 3, 1, 3});
  const std::string note = "## time resolution: 180";
  const auto word = [](int value) {
    return std::string{static_cast<char>(value & 0xff), static_cast<char>(value >> 8)};
  };
  const std::string beats = word(22 << 10) + word(63 << 10 | static_cast<int>(note.size())) + note +
                            '\0' + word(1 << 10) + word(5 << 10 | 1) + word(0);
  options_.table = folder_.write("r.atr", beats);
  options_.targets.entries[0].second = targets::ClassesOptions{.column = {"symbol"}};
  options_.split = {.fractions = {{"train", 1}}};
  choose({.column = "record", .at = "sample", .after = 1});
  const Source source = open();
  ASSERT_EQ(source.data->size(), 2);  // at ticks 0 and 1 of 180 a second: samples 0 and 2
  EXPECT_THAT(values(source.data, 1), ElementsAre(FloatEq(values(source.data, 0)[0])));
  const auto* windows = dynamic_cast<const inputs::Windows*>(source.inputs[0].second.get());
  EXPECT_EQ(windows->window(1), (std::pair<int64_t, int64_t>{2, 3}));
  std::filesystem::remove(folder_ / "r.hea");
  EXPECT_THAT(message(), AllOf(HasSubstr("180 ticks a second"), HasSubstr("no header r.hea")));
}

// WFDB's "A" is an atrial premature beat, "a" an aberrated one.
TEST_F(Records, SymbolsOfAnnotationsThatDifferInCaseAreTwoClasses) {
  record("r", "r 1 360 4\nr.dat 16 1/mV 16\n", {1, 3, 1, 3});
  const auto word = [](int value) {
    return std::string{static_cast<char>(value & 0xff), static_cast<char>(value >> 8)};
  };
  options_.table = folder_.write(
      "r.atr", word(8 << 10) + word(4 << 10 | 1) + word(8 << 10 | 1) + word(4 << 10 | 1) + word(0));
  options_.targets.entries[0].second = targets::ClassesOptions{.column = {"symbol"}};
  options_.split = {.fractions = {{"train", 1}}};
  choose({.column = "record", .at = "sample", .after = 1});
  EXPECT_THAT(open().targets[0].classes, ElementsAre("A", "a"));
}

TEST(SeriesOfMit, BeatsAreCutFromTheRecordByItsAnnotations) {
  FOVEA_NEEDS_DATA("timeseries/ecg_mitdb_100/100.atr");
  DataOptions options;
  options.table = test::test_data() / "timeseries/ecg_mitdb_100/100.atr";
  options.targets.entries = {
      {"beat", targets::ClassesOptions{
                   .column = {"symbol"}, .classes = {"N", "A"}, .missing = {"V", "+"}}}};
  options.split = {.fractions = {{"train", 0.6}, {"test", 0.4}}, .chronological = true};
  options.inputs.entries = {
      {"ecg",
       {"series",
        inputs::SeriesOptions{.column = "record", .at = "sample", .before = 90, .after = 110}}}};
  const Source source = open_source(options, 1);
  ASSERT_EQ(source.data->size(), 2272);  // 2239 N and 33 A
  const torch::Tensor beat = source.data->get(1).inputs.at("ecg");
  EXPECT_EQ(beat.sizes(), (std::vector<int64_t>{200, 2}));
  // The R peak stands out of the first lead, at the annotation.
  EXPECT_NEAR(beat.select(1, 0).argmax().item<int64_t>(), 90, 3);
  EXPECT_EQ(source.data->get(0).inputs.at("ecg").size(0), 77 + 110);
}

}  // namespace
}  // namespace fovea::sources
