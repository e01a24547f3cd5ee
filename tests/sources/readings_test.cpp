// A value is read as its writer meant it, or it is said, or it is refused by line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/inputs/table.h"
#include "fovea/inputs/text.h"
#include "fovea/sources/check.h"
#include "fovea/targets/classes.h"
#include "fovea/targets/number.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Tables of one input, one class and a column of splits, all given as text.
class Readings : public testing::Test {
 protected:
  Readings() {
    options_.table = folder_.path() / "t.csv";
    columns({"x"});
    classes({.column = {"y"}});
    options_.split.column = "part";
  }

  void columns(std::vector<std::string> names, std::vector<std::string> categories = {},
               std::vector<std::string> missing = {""}) {
    options_.inputs.entries = {
        {"labs",
         {"table",
          inputs::TableOptions{.columns = names, .categories = categories, .missing = missing}}}};
  }
  void classes(targets::ClassesOptions options) { options_.targets.entries = {{"y", options}}; }
  void number(targets::NumberOptions options) {
    options_.targets.entries = {{"y", {"number", options}}};
  }

  Source open(const std::string& text) {
    folder_.write(options_.table.files[0].second.filename().string(), text);
    return open_source(options_, 1);
  }
  std::string message(const std::string& text) {
    return refusal([&] { open(text); }).what();
  }
  /// One column x and its labels no, yes, no, …, all for training.
  static std::string rows(const std::vector<std::string>& cells,
                          const std::string& delimiter = ",") {
    std::string text = "x" + delimiter + "y" + delimiter + "part\n";
    for (size_t i = 0; i < cells.size(); ++i)
      text += cells[i] + delimiter + (i % 2 ? "yes" : "no") + delimiter + "train\n";
    return text;
  }
  /// The same with x as the label.
  static std::string labels(const std::vector<std::string>& cells) {
    std::string text = "x,y,part\n";
    for (size_t i = 0; i < cells.size(); ++i)
      text += std::to_string(i % 3) + "," + cells[i] + ",train\n";
    return text;
  }
  static std::vector<float> values(const Source& source, int64_t column = 0) {
    std::vector<float> result;
    for (int64_t i = 0; i < source.data->size(); ++i)
      result.push_back(source.data->get(i).inputs.at("labs")[column].item<float>());
    return result;
  }
  static std::vector<int64_t> targets(const Source& source) {
    std::vector<int64_t> result;
    for (int64_t i = 0; i < source.data->size(); ++i)
      result.push_back(source.data->targets(i).at("y").item<int64_t>());
    return result;
  }
  static std::string reading(const Source& source, const std::string& column) {
    for (const tables::ColumnReading& one : source.columns)
      if (one.column == column) return one.reading;
    return "nothing";
  }
  static Named<Node> fitted(const Source& source) {
    Named<Node> all;
    for (const auto& [name, input] : source.inputs) all.entries.emplace_back(name, input->fitted());
    return all;
  }

  test::TempFolder folder_;
  DataOptions options_;
};

// --- numbers

TEST_F(Readings, DecimalCommasAreRefusedWithTheSettingAndReadWithIt) {
  options_.delimiter = ";";
  const std::string text = rows({"26,75", "48,68", "5,25"}, ";");
  EXPECT_THAT(message(text), AllOf(HasSubstr("column 'x'"), HasSubstr("line 2, line 3, line 4"),
                                   HasSubstr("set DataOptions::decimal to ','")));
  options_.decimal = ",";
  const Source source = open(text);
  EXPECT_EQ(reading(source, "labs.x"), "number, 5.25 to 48.68");
  EXPECT_THAT(source.notes, IsEmpty());
}

TEST_F(Readings, ThousandsAreReadAsTheyAreSet) {
  options_.thousands = ",";
  EXPECT_EQ(reading(open(rows({"\"1,234\"", "999"})), "labs.x"), "whole number, 999 to 1234");
  EXPECT_THAT(message(rows({"\"1,23\"", "999"})), HasSubstr("column 'x'"));
}

TEST_F(Readings, WhetherNumbersOrWordsAreMoreFrequentDoesNotDecide) {
  for (const int64_t words : {1, 5, 11}) {  // of 12
    std::vector<std::string> cells;
    for (int64_t i = 0; i < 12; ++i) cells.push_back(i < words ? "NA" : std::to_string(i) + ".5");
    EXPECT_THAT(message(rows(cells)),
                AllOf(HasSubstr("column 'x'"), HasSubstr("line 2"), HasSubstr("'NA'"),
                      HasSubstr("name it in DataOptions::inputs.labs.table.missing")))
        << words;
  }
  columns({"x"}, {}, {"", "NA"});
  const Source source = open(rows({"NA", "NA", "NA", "5.5", "7.5"}));
  EXPECT_THAT(source.notes, ElementsAre("labs.x: 3 of 5 cells ('NA') are read as missing"));
  EXPECT_EQ(reading(source, "labs.x"), "number, 5.5 to 7.5, 3 of 5 missing");
  EXPECT_THAT(values(source), ElementsAre(-1, -1, -1, -1, 1));  // the lower median, 5.5
  EXPECT_THAT(values(source, 1), ElementsAre(1, 1, 1, 0, 0));
}

TEST_F(Readings, WhatIsNoNumberIsRefusedWithWhatWouldHelp) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"05.03.2024", "write dates as 2024-03-05"},
      {"12 %", "without the sign"},
      {"5 mg/l", "all in one unit"},
      {"<5", "a limit"},
      {"10:30", "a time of day"},
      {"1/2", "a fraction"},
      {"0x1F", "hexadecimal"},
      {"inf", "infinite"},
      {"1 234", "DataOptions::thousands to ' '"},
      {"n/a", "DataOptions::inputs.labs.table.missing"},
  };
  for (const auto& [cell, help] : cases) {
    EXPECT_THAT(message(rows({"1", "2", cell})),
                AllOf(HasSubstr("line 4"), HasSubstr(help), HasSubstr("table.categories")))
        << cell;
    if (cell == "n/a" || cell == "inf") continue;                       // words, where all are
    EXPECT_THAT(message(rows({cell, cell})), HasSubstr(help)) << cell;  // nor a category, unasked
  }
  columns({"x"}, {"x"});
  EXPECT_EQ(reading(open(rows({"5 mg", "10 mg", "5 mg"})), "labs.x"),
            "category of 2: 10 mg 1, 5 mg 2");
}

TEST_F(Readings, BlanksAroundNumbersUnicodeMinusAndLeadingZerosAreSaid) {
  const Source source = open(rows({" 1",
                                   "\xe2\x88\x92"
                                   "3",
                                   "\xc2\xa0"
                                   "2",
                                   "007",
                                   "\xef\xbb\xbf"
                                   "5"}));
  EXPECT_EQ(reading(source, "labs.x"), "whole number, -3 to 7");
  EXPECT_THAT(source.notes, ElementsAre(HasSubstr("labs.x: 3 of 5 cells have blanks around"),
                                        HasSubstr("1 of 5 cells have the minus of Unicode"),
                                        HasSubstr("1 of 5 cells have leading zeros")));
}

TEST_F(Readings, DatesAreDaysAndSaid) {
  const Source source = open(rows({"2024-03-05", "2024-03-07", ""}));
  EXPECT_EQ(reading(source, "labs.x"), "date, 2024-03-05 to 2024-03-07, 1 of 3 missing");
  EXPECT_THAT(source.notes, Contains(HasSubstr("2 of 3 cells are dates, read as days since 1970")));
  EXPECT_THAT(values(source), ElementsAre(-1, 1, -1));
  const auto other = folder_.write("new.csv", "x\n2024-03-09\n19787\n");
  const Source asked = open_cases(other, options_, fitted(source));
  EXPECT_EQ(asked.data->get(0).inputs.at("labs")[0].item<float>(), 3);
  EXPECT_THAT(refusal([&] { asked.data->get(1); }).what(),
              AllOf(HasSubstr("line 3"), HasSubstr("wanted a date such as 2024-03-05")));
  EXPECT_THAT(message(rows({"2024-03-05", "5", "2024-03-07"})), HasSubstr("line 3"));
  EXPECT_THAT(message(rows({"20240305", "20240307", "20240311"})),
              HasSubstr("numbers that look like dates"));
}

TEST_F(Readings, NumbersNearTheLargestDoubleAreStandardisedAsOthers) {
  const Source source = open(rows({"1e308", "-1e308", "1e308", "-1e308"}));
  EXPECT_THAT(values(source), ElementsAre(1, -1, 1, -1));
  EXPECT_THAT(message(rows({"1", "2"}) + "1e300,no,test\n"),
              AllOf(HasSubstr("line 4"), HasSubstr("too far from the training rows")));
  EXPECT_THAT(values(open(rows({"0.1", "0.1", "0.1"}))), ElementsAre(0, 0, 0));
}

TEST_F(Readings, AMissingCellWhereTrainingHadNoneIsSaid) {
  const Source source = open(rows({"1", "3", "5"}) + ",no,test\n");
  EXPECT_THAT(source.notes,
              ElementsAre(HasSubstr("labs.x: 1 of 4 cells are missing, as none was in "
                                    "training: read as the median there, 3")));
}

TEST_F(Readings, ANumberThatIsTheTargetIsReadAlike) {
  number({.column = "y", .missing = {"", "NA"}});
  EXPECT_EQ(open("x,y,part\n1, 5,train\n2,NA,train\n3,7,train\n").columns.back().reading,
            "number, 5 to 7, 1 of 3 missing");
  EXPECT_THAT(
      message("x,y,part\n1,5 kg,train\n2,7 kg,train\n"),
      AllOf(HasSubstr("2 labels are wrong (line 2, line 3)"), HasSubstr("all in one unit")));
  EXPECT_THAT(message("x,y,part\n1,\"5,5\",train\n2,\"7,5\",train\n"),
              HasSubstr("set DataOptions::decimal to ','"));
  EXPECT_THAT(message("x,y,part\n1,2024-03-05,train\n"), HasSubstr("'2024-03-05'"));
}

// --- classes

TEST_F(Readings, OneAndOnePointZeroAreOneClassAndThatIsSaid) {
  const Source source = open(labels({"1", "0.0", "1.0", "0", " 1 "}));
  EXPECT_THAT(source.targets[0].classes, ElementsAre("0", "1"));
  EXPECT_THAT(targets(source), ElementsAre(1, 0, 1, 0, 1));
  EXPECT_THAT(source.notes, ElementsAre(HasSubstr("1 of 5 cells have blanks around"),
                                        HasSubstr("2 of 5 cells are read without the zeros")));
  EXPECT_EQ(reading(source, "y"), "classes 0 2, 1 3");
  classes({.column = {"y"}, .classes = {"0", "1"}});
  EXPECT_THAT(targets(open(labels({"1.0", "0.0", "1.0"}))), ElementsAre(1, 0, 1));
}

TEST_F(Readings, SpellingsOfOneClassAreRefusedByLine) {
  for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
           {"ill", "Ill"}, {"no finding", "No_finding"}, {"1", "01"}, {"yes", "true"}}) {
    EXPECT_THAT(message(labels({one, "well", other, "well"})),
                AllOf(HasSubstr("column 'y'"), HasSubstr("line 2"), HasSubstr("line 4"),
                      HasSubstr("DataOptions::targets.y.classes")))
        << one;
  }
  classes({.column = {"y"}, .classes = {"a", "A"}});  // of WFDB they are two types of beat
  EXPECT_THAT(targets(open(labels({"a", "A", "a"}))), ElementsAre(0, 1, 0));
  EXPECT_THAT(message(labels({"a", "A", "B"})), HasSubstr("line 4"));
}

TEST_F(Readings, AWordForNothingIsNoClassUnlessListed) {
  EXPECT_THAT(message(labels({"0", "1", "NA"})),
              AllOf(HasSubstr("'NA' (line 4)"), HasSubstr("DataOptions::targets.y.missing")));
  classes({.column = {"y"}, .missing = {"NA"}});
  const Source source = open(labels({"0", "1", "NA "}));
  EXPECT_EQ(source.data->size(), 2);
  EXPECT_THAT(source.notes, Contains(HasSubstr("1 of 3 cells ('NA') are read as not known")));
  classes({.column = {"y"}, .classes = {"0", "1", "NA"}});
  EXPECT_THAT(targets(open(labels({"0", "1", "NA"}))), ElementsAre(0, 1, 2));
}

TEST_F(Readings, ANumberIsAnIndexOnlyWhereNoClassIsCalledByOne) {
  classes({.column = {"y"}, .classes = {"1", "2", "3", "4"}});
  EXPECT_THAT(message(labels({"1", "2", "0", "3", "4", "0"})),
              AllOf(HasSubstr("2 labels are wrong (line 4, line 7)"), HasSubstr("'0'"),
                    Not(HasSubstr("index"))));
  classes({.column = {"y"}, .classes = {"2", "4"}});
  EXPECT_THAT(message(labels({"0", "1"})), HasSubstr("2 labels are wrong"));
  classes({.column = {"y"}, .classes = {"well", "ill"}});
  const Source source = open(labels({"0", "1.0", "1"}));
  EXPECT_THAT(targets(source), ElementsAre(0, 1, 1));
  EXPECT_THAT(source.notes, Contains(HasSubstr("indices of the classes: 0 is well, 1 is ill")));
  EXPECT_THAT(message(labels({"well", "ill", "1"})), HasSubstr("line 4"));  // one or the other
}

TEST_F(Readings, LabelsOfSeveralColumnsSayYesAndNoInOneWay) {
  classes({.column = {"a", "b"}});
  const Source source = open("x,a,b,part\n1,no,TRUE,train\n2,Yes,false,train\n3,yes,true,train\n");
  EXPECT_TRUE(torch::equal(source.data->targets(0).at("y"), torch::tensor({0.f, 1.f})));
  EXPECT_TRUE(torch::equal(source.data->targets(1).at("y"), torch::tensor({1.f, 0.f})));
  EXPECT_THAT(source.notes, ElementsAre(HasSubstr("in 'a', 'no' is read as 0"),
                                        HasSubstr("in 'b', 'TRUE' is read as 1")));
  EXPECT_THAT(message("x,a,b,part\n1,1,1,train\n2,true,0,train\n"),
              AllOf(HasSubstr("line 3"), HasSubstr("'true'")));
}

TEST_F(Readings, PartsOfAListAreTrimmed) {
  classes({.column = {"y"}, .separator = "|"});
  const Source source = open(labels({"mass | fluid", "fluid", "mass"}));
  EXPECT_THAT(source.targets[0].classes, ElementsAre("fluid", "mass"));
  EXPECT_THAT(source.notes, ElementsAre(HasSubstr("have blanks around")));
}

// --- categories

TEST_F(Readings, ACategoryIsFoundAgainAsOnePointZero) {
  columns({"x"}, {"x"});
  const Source source = open(rows({"2", "4", "4", "1", "3"}));
  EXPECT_EQ(reading(source, "labs.x"), "category of 4: 1 1, 2 1, 3 1, 4 2");
  const Source ints = open_cases(folder_.write("i.csv", "x\n2\n4\n1\n"), options_, fitted(source));
  const Source floats =
      open_cases(folder_.write("f.csv", "x\n2.0\n4.0\n1.0\n"), options_, fitted(source));
  EXPECT_THAT(values(ints), ElementsAre(2, 4, 1));
  EXPECT_THAT(values(floats), ElementsAre(2, 4, 1));
  EXPECT_THAT(ints.notes, IsEmpty());
  EXPECT_THAT(floats.notes, ElementsAre(HasSubstr("3 of 3 cells are read without the zeros")));
}

TEST_F(Readings, AnUnseenCategoryIsCountedAndSaid) {
  const Source source = open(rows({"early", "late", "early"}) + "never,no,test\n");
  EXPECT_THAT(values(source), ElementsAre(1, 2, 1, 0));
  EXPECT_THAT(source.notes,
              ElementsAre("labs.x: 1 of 4 cells ('never') are of no category of the training rows "
                          "and are read as unknown"));
  EXPECT_EQ(reading(source, "labs.x"), "category of 2: early 2, late 1; 1 unknown");
  const Source asked =
      open_cases(folder_.write("n.csv", "x\nlate\nLate\nsometimes\n"), options_, fitted(source));
  EXPECT_EQ(asked.data->get(0).inputs.at("labs")[0].item<float>(), 2);
  EXPECT_THAT(refusal([&] { asked.data->get(1); }).what(),
              AllOf(HasSubstr("line 3"), HasSubstr("as in training, 'late'")));
  EXPECT_EQ(asked.data->get(2).inputs.at("labs")[0].item<float>(), 0);
  EXPECT_THAT(asked.notes, ElementsAre(HasSubstr("'sometimes'")));
}

TEST_F(Readings, SpellingsOfOneCategoryAreRefusedByLine) {
  EXPECT_THAT(message(rows({"early", "Early", "late"})),
              HasSubstr("'Early' (line 3) and 'early' (line 2) are spellings of one category"));
  EXPECT_THAT(message(rows({"no", "yes", "true"})), HasSubstr("two ways to say yes and no"));
  const Source source = open(rows({"early ", "early", "late"}));
  EXPECT_THAT(source.notes, ElementsAre(HasSubstr("labs.x: 1 of 3 cells have blanks around")));
  EXPECT_THAT(open(rows({"early", "NA", "late"})).notes,
              ElementsAre(HasSubstr("'NA' is read as a category of its own")));
}

// --- splits, patients

TEST_F(Readings, AMisspeltSplitIsRefusedWithTheNearest) {
  for (const char* split : {"vaild", "trian", "tset", "test2", "tr", "1", "testset", "va"})
    EXPECT_THAT(message(rows({"1", "2", "3"}) + "4,no," + split + "\n"),
                AllOf(HasSubstr("column 'part'"), HasSubstr("line 5"),
                      HasSubstr("'" + std::string(split) + "' is not a split"),
                      HasSubstr("the splits are train")))
        << split;
  EXPECT_THAT(message(rows({"1", "2", "3"}) + "4,no,vaild\n"), HasSubstr("did you mean 'valid'?"));
  const Source source = open(rows({"1", "2"}) + "3,no, Valid\n4,no,TEST\n5,no,hospital_b\n");
  EXPECT_THAT(source.splits, ElementsAre("train", "train", "val", "test", "hospital_b"));
  EXPECT_THAT(source.notes,
              ElementsAre(HasSubstr("1 rows are in a split of its own name, 'hospital_b'")));
  options_.rows.last = {"tets"};
  EXPECT_THAT(message(rows({"1", "2"})), AllOf(HasSubstr("RowOptions::last"), HasSubstr("'test'")));
  options_.rows.last.clear();
  options_.split = {.column = "", .fractions = {{"train", 0.5}, {"vaild", 0.5}}};
  EXPECT_THAT(message(rows({"1", "2"})), HasSubstr("did you mean 'valid'?"));
  options_.split.chronological = true;
  EXPECT_THAT(message(rows({"1", "2"})), HasSubstr("did you mean 'valid'?"));
}

TEST_F(Readings, PatientsAreNamesAndNeverNumbers) {
  options_.group = "who";
  const std::string head = "x,y,part,who\n1,no,train,001\n2,yes,train,p1\n";
  const Source source = open(head + "3,no,test,1\n4,no,test,P1\n5,no,train, p1\n");
  EXPECT_EQ(source.data->get(0).group, "001");
  EXPECT_EQ(source.data->get(2).group, "1");
  EXPECT_EQ(source.data->get(4).group, "p1");
  EXPECT_THAT(source.warnings, ElementsAre(AllOf(HasSubstr("2 times two patients differ only in"),
                                                 HasSubstr("line 2 and line 4"))));
  EXPECT_THAT(source.notes, ElementsAre(HasSubstr("'who': 1 of 5 cells have blanks around")));
  EXPECT_THAT(message(head + "3,no,test, p1\n"),
              HasSubstr("1 patients are in more than one split"));
}

// --- what check says

TEST_F(Readings, AllThatIsWrongIsToldAtOnce) {
  columns({"x", "z"});
  options_.group = "who";
  const std::string text = message(
      "x,z,y,part,who\n5,\"1,5\",0,train,a\nNA,2,1,train,\n6,3,NA,vaild,b\n7,4,1,train,c\n");
  EXPECT_THAT(text, AllOf(HasSubstr("found 5 problems"), HasSubstr("'NA' (line 4)"),
                          HasSubstr("1 rows have no patient (line 3)"), HasSubstr("'vaild'"),
                          HasSubstr("column 'x'"), HasSubstr("column 'z'")));
}

std::string many(const std::function<std::string(int)>& row) {
  std::string text = "x,z,y,part\n";
  for (int i = 0; i < 24; ++i) text += row(i) + (i < 16 ? ",train\n" : ",test\n");
  return text;
}

TEST_F(Readings, ATargetAmongTheInputsIsAProblem) {
  columns({"x", "y"});
  const auto text = many([](int i) {
    return std::to_string(i % 7) + ".5," + std::to_string(i) + "," + std::to_string(i % 2);
  });
  const CheckReport report = check(open(text));
  EXPECT_THAT(report.problems(), ElementsAre(HasSubstr("labs.y is the column of the target 'y'")));
  options_.inputs.entries = {{"labs", {"text", inputs::TextOptions{.column = "y"}}}};
  EXPECT_THAT(open(text).problems, ElementsAre(HasSubstr("labs.y is the column of the target")));
}

TEST_F(Readings, ACopyOfATargetIsAProblemAndAGoodPredictorIsNone) {
  columns({"x", "z"});
  const auto copied = [](bool exact) {
    return many([=](int i) {
      const bool ill = i % 3 == 0;
      return std::to_string(i % 7) + ".5," + (ill && (exact || i != 6) ? "treated" : "not") + "," +
             (ill ? "ill" : "well");
    });
  };
  EXPECT_THAT(open(copied(true)).problems,
              ElementsAre(AllOf(HasSubstr("labs.z looks like a copy of the target 'y'"),
                                HasSubstr("in all 16 training rows"))));
  EXPECT_THAT(open(copied(false)).problems, IsEmpty());
  number({.column = "y"});
  const auto numbers = [](double noise) {
    return many([=](int i) {
      const double z = 0.5 * ((i * 11) % 17) + 0.25;
      return std::to_string(i % 7) + ".5," + std::to_string(z) + "," +
             std::to_string(2 * z - 3 + (i == 4 ? noise : 0));
    });
  };
  EXPECT_THAT(open(numbers(0)).problems, ElementsAre(HasSubstr("a multiple of it")));
  EXPECT_THAT(open(numbers(0.1)).problems, IsEmpty());
}

TEST_F(Readings, AnIdentifierAmongTheInputsIsAWarning) {
  columns({"x", "z"});
  options_.id = "x";
  const Source source = open(many([](int i) {
    return "case" + std::to_string(i) + "," + std::to_string(i * 7 + 1000) + "," +
           std::to_string(i % 2);
  }));
  EXPECT_THAT(source.warnings,
              ElementsAre(HasSubstr("labs.x is the column of the id"),
                          HasSubstr("labs.z looks like an identifier: its whole numbers")));
  EXPECT_THAT(source.problems, IsEmpty());
}

TEST_F(Readings, ACodeForMissingIsAWarning) {
  columns({"x", "z"});
  const auto coded = [&](const char* code) {
    return open(many([=](int i) {
             return std::to_string(i % 7) + ".5," + (i % 4 == 0 ? code : std::to_string(i % 5)) +
                    "," + std::to_string(i % 2);
           }))
        .warnings;
  };
  EXPECT_THAT(coded("-999"), ElementsAre(AllOf(HasSubstr("labs.z: 4 training cells are -999"),
                                               HasSubstr("(0 to 4)"))));
  EXPECT_THAT(coded("99"), ElementsAre(HasSubstr("are 99, far from")));
  EXPECT_THAT(coded("6"), IsEmpty());
  columns({"x", "z"}, {}, {"-999"});
  EXPECT_THAT(coded("-999"), IsEmpty());
}

TEST_F(Readings, ManyTextsAreHardlyACategory) {
  columns({"z"});
  EXPECT_THAT(open(many([](int i) {
                return std::string("1,v") + std::to_string(i % 11) + "!," + std::to_string(i % 2);
              })).warnings,
              ElementsAre(HasSubstr("a category of 11 different texts in 16 training rows")));
}

TEST_F(Readings, NobodyIsThePatientNA) {
  options_.group = "who";
  EXPECT_THAT(message("x,y,part,who\n1,no,train,NA\n2,yes,train,a\n3,no,test,-\n"),
              HasSubstr("2 rows have no patient (line 2, line 4)"));
}

TEST_F(Readings, TheTextForNoLabelIsNoOtherSpellingOfAClass) {
  classes({.column = {"y"}, .separator = "|", .none = "No finding"});
  EXPECT_THAT(message(labels({"mass", "No finding", "no finding"})),
              HasSubstr("'no finding' (line 4)"));
}

// --- other tables

TEST_F(Readings, LinesOfJsonAreReadAlike) {
  options_.table = folder_.path() / "t.jsonl";
  const Source source = open(
      "{\"x\": 5, \"y\": true, \"part\": \"train\"}\n"
      "{\"x\": \"6.5\", \"y\": false, \"part\": \"train\"}\n"
      "{\"x\": null, \"y\": true, \"part\": \"train\"}\n"
      "{\"y\": false, \"part\": \"train\"}\n");
  EXPECT_EQ(reading(source, "labs.x"), "number, 5 to 6.5, 2 of 4 missing");
  EXPECT_EQ(reading(source, "y"), "classes false 2, true 2");
  EXPECT_THAT(source.notes,
              ElementsAre(HasSubstr("column 'x': its values are of several types: 1 texts"),
                          HasSubstr("1 of 4 lines lack the key")));
  EXPECT_THAT(message("{\"x\": [5], \"y\": 1, \"part\": \"train\"}\n"
                      "{\"x\": [6], \"y\": 0, \"part\": \"train\"}\n"),
              HasSubstr("a number with other signs around"));
  EXPECT_THAT(message("{\"x\": [\"a\"], \"y\": 1, \"part\": \"train\"}\n"
                      "{\"x\": [\"b\"], \"y\": 0, \"part\": \"train\"}\n"),
              HasSubstr("is a list or an object"));
  EXPECT_THAT(message("{\"x\": 5, \"y\": [\"a\"], \"part\": \"train\"}\n"
                      "{\"x\": 6, \"y\": [\"b\"], \"part\": \"train\"}\n"),
              HasSubstr("a list or an object, no class"));
  options_.decimal = ",";
  EXPECT_EQ(reading(open("{\"x\": 5.5, \"y\": 1, \"part\": \"train\"}\n"
                         "{\"x\": \"6,5\", \"y\": 0, \"part\": \"train\"}\n"),
                    "labs.x"),
            "number, 5.5 to 6.5");
}

TEST_F(Readings, QuotesAreLettersWhereThatIsSet) {
  options_.inputs.entries = {
      {"report", {"text", inputs::TextOptions{.column = "x", .tokenizer = {}}}}};
  const std::string text =
      "x,y,part\nleft,a,train\n\"possible,b,train\nrib,a,train\nlung\",b,train\n";
  EXPECT_THAT(message(text), HasSubstr("DataOptions::quote to none"));
  options_.quote = "none";
  const Source source = open(text);
  EXPECT_EQ(source.data->size(), 4);
  EXPECT_EQ(reading(source, "report.x"), "text, 3 to 9 bytes");
}

}  // namespace
}  // namespace fovea::sources
