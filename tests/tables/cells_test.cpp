// Numbers, dates and names in cells.
#include "tables/cells.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tables/names.h"
#include "tables/numbers.h"

namespace fovea::tables {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

double value(std::string_view cell, const NumberFormat& format = {}) {
  const auto number = number_in(cell, format);
  return number ? number->value : std::nan("");
}

TEST(Cells, ANumberIsOneAsAWhole) {
  EXPECT_EQ(value("1"), 1);
  EXPECT_EQ(value("-2.5"), -2.5);
  EXPECT_EQ(value("+3"), 3);
  EXPECT_EQ(value(".5"), 0.5);
  EXPECT_EQ(value("5."), 5);
  EXPECT_EQ(value("1e5"), 100000);
  EXPECT_EQ(value("1E-2"), 0.01);
  EXPECT_EQ(value("2e+3"), 2000);
  EXPECT_EQ(value("-1.7976931348623157e308"), -1.7976931348623157e308);
  EXPECT_EQ(value("\xe2\x88\x92"
                  "4"),
            -4);  // U+2212
  EXPECT_TRUE(number_in("\xe2\x88\x92"
                        "4")
                  ->unicode_minus);
  EXPECT_EQ(value("007"), 7);
  EXPECT_TRUE(number_in("007")->leading_zeros);
  EXPECT_FALSE(number_in("0.07")->leading_zeros);
  EXPECT_FALSE(number_in("0")->leading_zeros);
  for (const char* cell : {"",
                           "-",
                           "+",
                           ".",
                           "e5",
                           "1e",
                           "1e+",
                           "1 2",
                           " 1",
                           "1,5",
                           "1.2.3",
                           "0x1F",
                           "inf",
                           "-inf",
                           "nan",
                           "NaN",
                           "1e999",
                           "1/2",
                           "5%",
                           "5 mg",
                           "<5",
                           "--5",
                           "+-5",
                           "1_000",
                           "1'000",
                           "12a",
                           "\xe2\x80\x93"
                           "5" /* en dash */,
                           "\xef\xbc\x95" /* full width */,
                           "TRUE"})
    EXPECT_FALSE(number_in(cell)) << cell;
}

TEST(Cells, DecimalAndThousandsAreAsTheyAreSet) {
  const NumberFormat german{.decimal = ',', .thousands = '.'}, english{.thousands = ','},
      blanks{.thousands = ' '}, swiss{.thousands = '\''};
  EXPECT_EQ(value("26,75", {.decimal = ','}), 26.75);
  EXPECT_FALSE(number_in("26.75", {.decimal = ','}));
  EXPECT_EQ(value("1.234,5", german), 1234.5);
  EXPECT_EQ(value("1234,5", german), 1234.5);
  EXPECT_EQ(value("-12.345.678", german), -12345678);
  EXPECT_EQ(value("1,234.5", english), 1234.5);
  EXPECT_EQ(value("1 234", blanks), 1234);
  EXPECT_EQ(value("1\xc2\xa0"
                  "234",
                  blanks),
            1234);  // no-break
  EXPECT_EQ(value("1\xe2\x80\xaf"
                  "234",
                  blanks),
            1234);  // narrow no-break
  EXPECT_EQ(value("1'234", swiss), 1234);
  EXPECT_EQ(value("1\xe2\x80\x99"
                  "234",
                  swiss),
            1234);
  for (const char* cell : {"1,23", "1,2345", "1234,567", ",123", "1,,234", "1,234,5"})
    EXPECT_FALSE(number_in(cell, english)) << cell;
  const NumberFormat json{.decimal = ',', .json = true};
  EXPECT_EQ(value("26.75", json), 26.75);
  EXPECT_EQ(value("26,75", json), 26.75);
}

// date -u -d 2024-03-05 +%s, divided by 86400: 19787.
TEST(Cells, DatesOfIsoAreDaysSince1970) {
  EXPECT_EQ(date_in("2024-03-05")->days, 19787);
  EXPECT_EQ(date_in("1970-01-01")->days, 0);
  EXPECT_EQ(date_in("1969-12-31")->days, -1);
  EXPECT_EQ(date_in("2024-02-29")->days, 19782);
  EXPECT_EQ(date_in("2024-03-05T12:00:00")->days, 19787.5);
  EXPECT_EQ(date_in("2024-03-05 06:00")->days, 19787.25);
  EXPECT_EQ(date_in("2024-03-05T12:00:00Z")->days, 19787.5);
  EXPECT_EQ(date_in("2024-03-05T12:00:00+06:00")->days, 19787.25);
  EXPECT_EQ(date_in("2024-03-05T12:00:00-06:00")->days, 19787.75);
  EXPECT_TRUE(date_in("2024-03-05T12:00:00Z")->zoned);
  EXPECT_EQ(date_text(19787.9), "2024-03-05");
  EXPECT_EQ(date_text(-1), "1969-12-31");
  for (const char* cell :
       {"2023-02-29", "2024-13-01", "2024-00-10", "2024-3-5", "05.03.2024", "3/5/2024", "20240305",
        "2024-03", "2024-03-05T25:00", "2024-03-05x", "2024-03-05T12:00:00 Uhr", "24-03-05", ""})
    EXPECT_FALSE(date_in(cell)) << cell;
}

TEST(Cells, WhyACellIsNoNumberSaysWhatWouldHelp) {
  const auto why = [](std::string_view cell) {
    const NotANumber no = why_not_a_number(cell, {}, "MISSING");
    return no.problem + "; " + no.remedy;
  };
  EXPECT_THAT(why("26,75"), HasSubstr("set DataOptions::decimal to ','"));
  EXPECT_THAT(why("1,234.5"), HasSubstr("set DataOptions::thousands to ','"));
  EXPECT_THAT(why("1.234,5"),
              HasSubstr("DataOptions::decimal to ',' and DataOptions::thousands to '.'"));
  EXPECT_THAT(why("1 234"), HasSubstr("DataOptions::thousands to ' '"));
  EXPECT_THAT(why("1,234"), AllOf(HasSubstr("DataOptions::decimal to ','"),
                                  HasSubstr("or DataOptions::thousands to ','")));
  EXPECT_THAT(why("NA"), AllOf(HasSubstr("missing"), HasSubstr("name it in MISSING")));
  EXPECT_THAT(why(""), HasSubstr("name \"\" in MISSING"));
  EXPECT_THAT(why("05.03.2024"), HasSubstr("a date; write dates as 2024-03-05"));
  EXPECT_THAT(why("3/5/24"), HasSubstr("a date"));
  EXPECT_THAT(why("10:30"), HasSubstr("a time of day"));
  EXPECT_THAT(why("<5"), HasSubstr("a limit"));
  EXPECT_THAT(why("\xe2\x89\xa5"
                  "5"),
              HasSubstr("a limit"));
  EXPECT_THAT(why("12 %"), HasSubstr("a percentage"));
  EXPECT_THAT(why("5 mg/l"), HasSubstr("a number with a unit"));
  EXPECT_THAT(why("12years"), HasSubstr("a number with a unit"));
  EXPECT_THAT(why("1/2"), HasSubstr("a fraction"));
  EXPECT_THAT(why("0x1F"), HasSubstr("hexadecimal"));
  EXPECT_THAT(why("-inf"), HasSubstr("infinite"));
  for (const char* cell : {"'5.1'", "\"5\"", "=5", "(5)", "$5", "\xe2\x82\xac 5", "#5"})
    EXPECT_THAT(why(cell), testing::AnyOf(HasSubstr("with other signs around"), HasSubstr("limit")))
        << cell;
  EXPECT_THAT(why("1e999"), HasSubstr("beyond what a double holds"));
  for (const char* word : {"early", "T1", "A+", "0-10", "non-smoker"})
    EXPECT_EQ(why_not_a_number(word, {}, "MISSING").problem, "") << word;
}

std::vector<std::string> notes(const NumberReader& reader) {
  std::vector<std::string> notes;
  reader.add_notes("crp", notes);
  return notes;
}

TEST(Cells, WhatWasAssumedOfAColumnIsOneLineEach) {
  NumberReader reader({}, {"", "NA", "-9"});
  EXPECT_EQ(reader.read("5").value, 5);
  EXPECT_THAT(notes(reader), IsEmpty());
  EXPECT_EQ(reader.read(" 6\xc2\xa0").value, 6);
  EXPECT_EQ(reader
                .read("\xe2\x88\x92"
                      "7")
                .value,
            -7);
  EXPECT_EQ(reader.read("008").value, 8);
  for (const char* cell : {"", "  ", "NA", "NA ", "-9", "-9.0"})
    EXPECT_EQ(reader.read(cell).type, NumberReader::Cell::missing) << cell;
  EXPECT_EQ(reader.read("n/a").type, NumberReader::Cell::wrong);
  EXPECT_THAT(notes(reader),
              ElementsAre("crp: 4 of 11 cells ('-9', '-9.0', 'NA') are read as missing",
                          "crp: 1 of 11 cells have blanks around, which are left out",
                          "crp: 1 of 11 cells have the minus of Unicode, read as that of a number",
                          "crp: 1 of 11 cells have leading zeros, which do not count"));
}

TEST(Cells, AColumnIsOfNumbersOrOfDates) {
  NumberReader dates({}, {""}, NumberReader::Dates::either);
  EXPECT_EQ(dates.read("2024-03-05").value, 19787);
  EXPECT_EQ(dates.read("19787").type, NumberReader::Cell::wrong);
  EXPECT_EQ(dates.read("2024-03-05T12:00Z").type, NumberReader::Cell::wrong);  // another clock
  EXPECT_THAT(notes(dates), ElementsAre(HasSubstr("read as days since 1970-01-01")));
  EXPECT_THAT(dates.refusal("5.3.2024", "M").what(), HasSubstr("wanted a date such as 2024-03-05"));
  NumberReader numbers({}, {""}, NumberReader::Dates::either);
  EXPECT_EQ(numbers.read("5").value, 5);
  EXPECT_EQ(numbers.read("2024-03-05").type, NumberReader::Cell::wrong);
  EXPECT_THAT(numbers.refusal("2024-03-05", "M").what(), HasSubstr("found '2024-03-05', a date"));
}

TEST(Names, OneIsOneAndNothingElseBecomesANumber) {
  EXPECT_EQ(name_key("1.0"), "1");
  EXPECT_EQ(name_key(" 1.00 "), "1");
  EXPECT_EQ(name_key("2.50"), "2.5");
  EXPECT_EQ(name_key("-1.0"), "-1");
  EXPECT_EQ(name_key("1,0", ','), "1");
  for (const char* name : {"01", "+1", "1e0", "1.0.0", "v1.0", ".0", "10", "100", "0", "a.0", ""})
    EXPECT_EQ(name_key(name), name);
  EXPECT_EQ(name_key("9007199254740993.0"), "9007199254740993");  // no double holds it
}

std::vector<std::string> pairs(const std::vector<std::string>& keys) {
  std::vector<std::string> result;
  for (const Clash& clash : clashes(keys)) result.push_back(clash.first + "|" + clash.second);
  return result;
}

TEST(Names, SpellingsOfOneNameAreFound) {
  EXPECT_THAT(pairs({"Yes", "no", "yes"}), ElementsAre("Yes|yes"));
  EXPECT_THAT(pairs({"no finding", "No  Finding", "no_finding"}),
              ElementsAre("no finding|No  Finding", "no finding|no_finding"));
  EXPECT_THAT(pairs({"1", "01", "2"}), ElementsAre("1|01"));
  EXPECT_THAT(pairs({"1", "+1"}), ElementsAre("1|+1"));
  EXPECT_THAT(pairs({"M\xc3\xbcller", "Mu\xcc\x88ller"}), testing::SizeIs(1));  // NFC, NFD
  EXPECT_THAT(pairs({"\xc3\x84rztin", "\xc3\xa4rztin"}), testing::SizeIs(1));
  EXPECT_THAT(pairs({"9007199254740993", "9007199254740992"}), IsEmpty());
  EXPECT_THAT(pairs({"A+", "A-", "AB", "B", "0"}), IsEmpty());
  EXPECT_THAT(pairs({"N", "A", "V", "+"}), IsEmpty());
  EXPECT_THAT(pairs({"-1", "1"}), IsEmpty());
}

TEST(Names, TwoWaysToSayYesAndNoAreFound) {
  for (const auto& keys : std::vector<std::vector<std::string>>{{"0", "1", "true"},
                                                                {"no", "yes", "false", "true"},
                                                                {"ja", "yes", "no"},
                                                                {"0", "1", "2", "yes"},
                                                                {"0", "yes"},
                                                                {"y", "yes", "no"},
                                                                {"TRUE", "1"}})
    EXPECT_THAT(pairs(keys), testing::SizeIs(1)) << keys[0] << keys[1];
  for (const auto& keys : std::vector<std::vector<std::string>>{{"0", "1"},
                                                                {"no", "yes"},
                                                                {"nein", "ja"},
                                                                {"f", "m"},
                                                                {"n", "j"},
                                                                {"False", "True"},
                                                                {"no", "yes", "unknown"},
                                                                {"0", "1", "2"},
                                                                {"N", "V"}})
    EXPECT_THAT(pairs(keys), IsEmpty()) << keys[0] << keys[1];
}

// numpy: np.std([1e308, -1e308]) in long double is 1e308.
TEST(Spread, NeitherLargeNorSmallNumbersAreLost) {
  const Spread large = spread_of({1e308, -1e308, 1e308, -1e308});
  EXPECT_EQ(large.mean, 0);
  EXPECT_DOUBLE_EQ(large.deviation, 1e308);
  const Spread small = spread_of({1e-300, 3e-300});
  EXPECT_DOUBLE_EQ(small.mean, 2e-300);
  EXPECT_DOUBLE_EQ(small.deviation, 1e-300);
  const Spread constant = spread_of({0.1, 0.1, 0.1});
  EXPECT_EQ(constant.mean, 0.1);
  EXPECT_EQ(constant.deviation, 0);
  EXPECT_DOUBLE_EQ(spread_of({1, 2, 9}).deviation, std::sqrt(38.0 / 3));
}

}  // namespace
}  // namespace fovea::tables
