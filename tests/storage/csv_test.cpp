#include "fovea/storage/csv.h"

#include <gmock/gmock.h>

#include <limits>

#include "fovea/core/error.h"
#include "support/test_files.h"

namespace fovea::storage {
namespace {

using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> row(const Table& table, int64_t r) {
  std::vector<std::string> cells;
  for (size_t c = 0; c < table.columns().size(); ++c) {
    cells.emplace_back(table.cell(r, static_cast<int64_t>(c)));
  }
  return cells;
}

Table parse(const std::string& text, char delimiter = ',') {
  TempFolder folder;
  return read_csv(folder.write("t.csv", text), {.delimiter = delimiter});
}

std::string refusal(const std::string& text) {
  TempFolder folder;
  const auto path = folder.write("t.csv", text);
  try {
    read_csv(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

TEST(Csv, CellsRowsAndLinesAreThoseOfTheFile) {
  const Table table = parse("id,label\na,1\nbb,\n\n,2");
  EXPECT_THAT(table.columns(), ElementsAre("id", "label"));
  ASSERT_EQ(table.rows(), 3);
  EXPECT_THAT(row(table, 0), ElementsAre("a", "1"));
  EXPECT_THAT(row(table, 1), ElementsAre("bb", ""));
  EXPECT_THAT(row(table, 2), ElementsAre("", "2"));
  EXPECT_EQ(table.line(0), 2);
  EXPECT_EQ(table.line(2), 5);  // the empty line 4 is not a row
}

TEST(Csv, QuotedCellsMayHoldDelimitersQuotesAndLineBreaks) {
  const Table table =
      parse("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\"one\r\ntwo\nthree\",\"\"\n5\" pipe,z\n");
  ASSERT_EQ(table.rows(), 3);
  EXPECT_THAT(row(table, 0), ElementsAre("x,y", "say \"hi\""));
  EXPECT_THAT(row(table, 1), ElementsAre("one\r\ntwo\nthree", ""));
  EXPECT_THAT(row(table, 2), ElementsAre("5\" pipe", "z"));
  EXPECT_EQ(table.line(2), 6);
}

TEST(Csv, AByteOrderMarkAndTheThreeLineEndsMakeNoDifference) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    for (const std::string mark : {"", "\xef\xbb\xbf"}) {
      const Table table = parse(mark + "a,b" + end + "1,2" + end + end + "3,4" + end);
      EXPECT_THAT(table.columns(), ElementsAre("a", "b"));
      ASSERT_EQ(table.rows(), 2);
      EXPECT_THAT(row(table, 1), ElementsAre("3", "4"));
      EXPECT_EQ(table.line(1), 4);
    }
  }
}

TEST(Csv, AnotherDelimiterMayBeSet) {
  EXPECT_THAT(row(parse("a;b\n1,5;2\n", ';'), 0), ElementsAre("1,5", "2"));
  EXPECT_THAT(row(parse("a\tb\n1\t2\n", '\t'), 0), ElementsAre("1", "2"));
}

TEST(Csv, OneColumnIsATableToo) {
  const Table table = parse("path\nx.png\ny.png\n");
  EXPECT_EQ(table.rows(), 2);
  EXPECT_EQ(table.cell(1, 0), "y.png");
}

TEST(Csv, AnUnclosedQuoteNamesTheLineWhereItOpened) {
  const std::string text = refusal("a,b\n1,2\n3,\"4\n5,6\n7,8\n");
  EXPECT_THAT(text, HasSubstr("quote not closed"));
  EXPECT_THAT(text, HasSubstr("line 3"));
}

TEST(Csv, TextAfterAClosingQuoteIsRefused) {
  EXPECT_THAT(refusal("a,b\n\"1\"x,2\n"), HasSubstr("line 2"));
}

TEST(Csv, TheWrongDelimiterIsNamedWithTheSetting) {
  const std::string text = refusal("filename;label\nx;1\n");
  EXPECT_THAT(text, HasSubstr("line 1"));
  EXPECT_THAT(text, HasSubstr("one column"));
  EXPECT_THAT(text, HasSubstr("semicolon"));
  EXPECT_THAT(text, HasSubstr("DataOptions::delimiter to ';'"));
}

TEST(Csv, AMissingColumnNamesTheNearestAndAll) {
  const Table table = parse("filename,label,split\nx,1,train\n");
  EXPECT_EQ(table.column("split"), 2);
  EXPECT_FALSE(table.find_column("age"));
  try {
    table.column("filenames");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_THAT(error.what(), HasSubstr("no column 'filenames'; did you mean 'filename'?"));
    EXPECT_THAT(error.what(), HasSubstr("filename, label, split"));
  }
}

TEST(Csv, TwoColumnsOfOneNameAreRefusedWithBothPositions) {
  const std::string text = refusal("id,label,id\n1,2,3\n");
  EXPECT_THAT(text, HasSubstr("columns 1 and 3 are both called 'id'"));
}

TEST(Csv, ARowWithFewerOrMoreFieldsNamesLineAndCounts) {
  EXPECT_THAT(refusal("a,b,c\n1,2,3\n1,2\n"), HasSubstr("line 3: found 2 fields, wanted 3"));
  EXPECT_THAT(refusal("a,b,c\n1,2,3,4\n"), HasSubstr("line 2: found 4 fields, wanted 3"));
}

TEST(Csv, AnEmptyFileAndAHeaderAloneAreRefused) {
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal("\n\n"), HasSubstr("empty"));
  EXPECT_THAT(refusal("a,b\n"), HasSubstr("found 0 rows"));
}

TEST(Csv, OtherEncodingsAreNamedWithTheFirstBadByte) {
  EXPECT_THAT(refusal(std::string("a,b\n1,\0\n", 8)), HasSubstr("byte 6 is NUL"));
  EXPECT_THAT(refusal(std::string("\xff\xfe"
                                  "a\0,\0",
                                  6)),
              HasSubstr("UTF-16"));
  const std::string latin = refusal("a,b\n1,M\xfcller\n");
  EXPECT_THAT(latin, HasSubstr("byte 7 (0xfc)"));
  EXPECT_THAT(latin, HasSubstr("Latin-1"));
  EXPECT_THAT(latin, testing::Not(HasSubstr("ller")));  // no cell content in messages
}

TEST(Csv, EveryPrefixOfATableIsATableOrRefused) {
  const std::string text = "\xef\xbb\xbfid,\"no\"\"te\"\r\n\"a\r\nb\",1\n\"\",\xc3\xbc\n";
  int accepted = 0;
  for (size_t n = 0; n <= text.size(); ++n) {
    try {
      accepted += parse(text.substr(0, n)).rows() > 0;
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::data);
    }
  }
  // After the comma, the 1 and the line break of the first row, and after those and the umlaut of
  // the second.
  EXPECT_EQ(accepted, 6);
}

TEST(Csv, ALongTableKeepsItsCells) {
  std::string text = "id,label\n";
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + ",1\n";
  const Table table = parse(text);
  ASSERT_EQ(table.rows(), 200'000);
  EXPECT_EQ(table.cell(199'999, 0), "199999");
  EXPECT_EQ(table.line(199'999), 200'001);
}

TEST(Csv, ColumnsMayBeNamedOutside) {
  TempFolder folder;
  const auto path = folder.write("t.txt", "1,2\n3,4\n");
  const Table table = read_csv(path, {.columns = {"a", "b"}});
  ASSERT_EQ(table.rows(), 2);
  EXPECT_THAT(row(table, 0), ElementsAre("1", "2"));
  EXPECT_EQ(table.line(0), 1);
  const auto message = [&](const std::vector<std::string>& columns) -> std::string {
    try {
      read_csv(path, {.columns = columns});
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message({"a", "b", "c"}), HasSubstr("line 1: found 2 fields, wanted 3"));
  EXPECT_THAT(message({"a", "a"}), HasSubstr("both called 'a'"));
}

TEST(Csv, BlanksAsTheDelimiterCountOnce) {
  const Table table = parse("a b\n 1   2 \n\n   \n-3 \"x y\"  \r\n4 5", ' ');
  ASSERT_EQ(table.rows(), 3);
  EXPECT_THAT(table.columns(), ElementsAre("a", "b"));
  EXPECT_THAT(row(table, 0), ElementsAre("1", "2"));
  EXPECT_THAT(row(table, 1), ElementsAre("-3", "x y"));
  EXPECT_THAT(row(table, 2), ElementsAre("4", "5"));
  EXPECT_EQ(table.line(1), 5);
}

TEST(Csv, OneLineOf100MegabytesIsRefusedInFewWords) {
  constexpr size_t kBytes = 100'000'000;
  const std::string text = refusal(std::string(kBytes, 'x'));
  EXPECT_THAT(text, HasSubstr("found 0 rows after the header"));
  EXPECT_LT(text.size(), 1000u);
  EXPECT_THAT(refusal(std::string(kBytes, ',')), HasSubstr("more than 100000 fields"));
  const std::string wide = refusal("a,b\n1,2\n" + std::string(kBytes, ','));
  EXPECT_THAT(wide, HasSubstr("line 3"));
  EXPECT_THAT(parse("a,b\n1," + std::string(kBytes, 'y')).cell(0, 1), testing::SizeIs(kBytes));
}

TEST(Csv, ThePublicTableOfChestRadiographs) {
  FOVEA_NEEDS_DATA("nih_cxr/labels.csv");
  const Table table = read_csv(test::test_data() / "nih_cxr" / "labels.csv");
  EXPECT_EQ(table.rows(), 720);
  EXPECT_THAT(table.columns(), ElementsAre("filename", "patient_id", "class", "label", "split"));
}

TEST(Csv, BlanksAsALikelyDelimiterAreNamedToo) {
  EXPECT_THAT(refusal("a b y\n1 2 0\n"), HasSubstr("the blank: set DataOptions::delimiter to ' '"));
  EXPECT_THAT(refusal("a\tb\n1\t2\n"), HasSubstr("to '\\t'"));
  EXPECT_EQ(parse("the path\nx.png\n").column("the path"), 0);
}

TEST(Csv, BlanksAroundNamesOfColumnsAreLeftOutAndSaid) {
  const Table table = parse("a, b\xc2\xa0,\xef\xbb\xbf c\n1, 2 ,3\n");
  EXPECT_THAT(table.columns(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(row(table, 0), ElementsAre("1", " 2 ", "3"));  // cells are as they are
  EXPECT_THAT(table.notes(), ElementsAre(HasSubstr("names of 2 columns")));
  EXPECT_TRUE(parse("a,b\n1,2\n").notes().empty());
  EXPECT_THAT(refusal("a,a \n1,2\n"), HasSubstr("both called 'a'"));
}

TEST(Csv, ColumnsWithoutANameAreNotAskedFor) {
  const Table table = parse(",a,,\n1,2,3,\n");  // as pandas and R write the names of rows
  EXPECT_EQ(table.cell(0, table.column("a")), "2");
}

TEST(Csv, AllRowsWithOtherNumbersOfFieldsAreNamed) {
  const std::string text = refusal("a,b\n1,2\n1\n1,2\n1,2,3\n");
  EXPECT_THAT(text, HasSubstr("line 3: found 1 fields, wanted 2"));
  EXPECT_THAT(text, HasSubstr("line 5: found 3 fields, wanted 2"));
  EXPECT_THAT(refusal("a,b\n1,2,5\n1,3,5\n"), HasSubstr("as R writes it"));
  EXPECT_THAT(refusal("a,b,y\n51,26,5,38,1\n48,68,3,73,0\n"), HasSubstr("decimal commas?"));
}

TEST(Csv, TheHeaderOnceMoreIsNoRow) {
  EXPECT_THAT(refusal("stage,y\nearly,0\nstage,y\nlate,1\n"),
              HasSubstr("line 3: found the names of the columns once more"));
  EXPECT_EQ(parse("1,2\n1,2\n1,2\n").rows(), 2);  // numbers may be both
  TempFolder folder;
  try {
    read_csv(folder.write("t.csv", "stage,y\nearly,0\n"), {.columns = {"stage", "y"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("leave DataOptions::columns out"));
  }
}

// A quote that was never meant as one (an inch, a word cited across cells) swallows whole rows up to
// the next such quote.
TEST(Csv, AQuoteThatSwallowsRowsIsRefused) {
  const std::string text = "report\ty\nleft lung\tA\n\"possible rib\tB\nclear\tA\nlarge \"\tB\n";
  const TempFolder folder;
  const auto path = folder.write("t.tsv", text);
  try {
    read_csv(path, {.delimiter = '\t'});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("line 3: a quoted cell runs on to line 5, over 3 lines that "
                          "have 2 fields each"));
    EXPECT_THAT(error.what(), HasSubstr("DataOptions::quote to none"));
  }
  const Table plain = read_csv(path, {.delimiter = '\t', .quote = 0});
  ASSERT_EQ(plain.rows(), 4);
  EXPECT_THAT(row(plain, 1), ElementsAre("\"possible rib", "B"));
  EXPECT_EQ(read_csv(path, {.delimiter = '\t', .check_quotes = false}).rows(), 2);
}

TEST(Csv, ATextOfSeveralLinesIsNotTakenForRows) {
  const Table table = parse(
      "id,report,y\n1,\"Heart enlarged, no effusion.\nLungs clear, ribs sound, no mass.\",0\n"
      "2,\"One\n\ntwo, three\",1\n");
  ASSERT_EQ(table.rows(), 2);
  EXPECT_EQ(table.line(1), 4);
  // Each line of this one has as many commas as the header, but they are those of prose.
  EXPECT_EQ(parse("id,text,y\n1,\"Pain today, none\nnow, all well\",0\n").rows(), 1);
}

TEST(Csv, AnotherQuoteMayBeSet) {
  const TempFolder folder;
  const auto path = folder.write("t.csv", "a,b\n'1,5',5\" pipe\n");
  EXPECT_THAT(row(read_csv(path, {.quote = '\''}), 0), ElementsAre("1,5", "5\" pipe"));
}

TEST(Csv, ABlankInFrontOfAQuoteIsRefused) {
  EXPECT_THAT(refusal("a,b\n1, \"x\"\n"), HasSubstr("line 2: found a blank in front of a quote"));
  EXPECT_THAT(refusal("a,b\n1, \"x, y\"\n"), HasSubstr("blank in front of a quote"));
  EXPECT_EQ(parse("a,b\n1, \"so\" called\n").cell(0, 1), " \"so\" called");
}

TEST(CsvWriter, WhatIsWrittenIsReadBack) {
  CsvWriter writer({"id", "=sum", "value"});
  writer.text("a,b").text("say \"hi\"").number(0.1).end_row();
  writer.text("two\nlines").text("").number(int64_t{-5}).end_row();
  writer.text(" padded ").text("+1").number(-0.5).end_row();
  writer.text("@x").text("-y").blank().end_row();
  TempFolder folder;
  const Table table = read_csv(folder.write("t.csv", writer.content()));
  EXPECT_THAT(table.columns(), ElementsAre("id", "'=sum", "value"));
  EXPECT_THAT(row(table, 0), ElementsAre("a,b", "say \"hi\"", "0.1"));
  EXPECT_THAT(row(table, 1), ElementsAre("two\nlines", "", "-5"));
  EXPECT_THAT(row(table, 2), ElementsAre(" padded ", "+1", "-0.5"));
  EXPECT_THAT(row(table, 3), ElementsAre("'@x", "'-y", ""));
}

TEST(CsvWriter, TextThatASpreadsheetWouldRunGetsAnApostropheAndNumbersDoNot) {
  CsvWriter writer({"name", "n"});
  writer.text("=1+1").number(-0.5).end_row();
  writer.text("plain").number(std::numeric_limits<double>::quiet_NaN()).end_row();
  writer.text("-a").number(1.0 / 3).end_row();
  EXPECT_EQ(writer.take(), "name,n\n\"'=1+1\",-0.5\nplain,nan\n\"'-a\",0.3333333333333333\n");
  writer.text("@x").number(int64_t{1} << 62).end_row();
  EXPECT_EQ(writer.take(), "\"'@x\",4611686018427387904\n");
}

TEST(CsvWriter, EveryBeginningOfAFormulaIsKnownAndASignOrANumberIsNone) {
  const auto written = [](const std::string& text) {
    CsvWriter writer({"a"});
    writer.take();
    writer.text(text).end_row();
    return writer.take();
  };
  for (const char* formula : {"=1+1", "=cmd|' /C calc'!A0", "+SUM(A1:A9)", "-2+3", "@SUM(1)",
                              "\t=1", "\r=1", "--", "+-1", "-1,5", "-inf", "+nan", "=\"x\""})
    EXPECT_TRUE(written(formula).starts_with("\"'")) << formula;
  for (const char* number : {"-5", "+5", "-0.25", "+1e-5", "-", "+", "=", "@"})
    EXPECT_EQ(written(number), "\"" + std::string(number) + "\"\n");
  // A semicolon begins a cell in spreadsheets of many countries, unless it is in quotes.
  EXPECT_EQ(written("a;=1+1"), "\"a;=1+1\"\n");
  EXPECT_EQ(written("patient-7"), "patient-7\n");
}

TEST(CsvWriter, ARowOfTheWrongLengthIsOurMistake) {
  CsvWriter writer({"a", "b"});
  writer.text("x");
  EXPECT_THROW(writer.end_row(), Error);
}

}  // namespace
}  // namespace fovea::storage
