// How the report's page writes numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/page/numbers.h"
#include "report/page/words.h"

namespace fovea::report::page {
namespace {

struct Row {
  double value, low, high;
  const char* shown;
};

std::string text_of(const Digits& shown) {
  return shown.value + " (" + shown.low + " to " + shown.high + ")";
}

TEST(Digits, AreAsManyAsTheIntervalSupports) {
  const Row rows[] = {
      {0.971234, 0.958123, 0.984321, "0.971 (0.958 to 0.984)"},
      {0.8, 0.75, 0.87, "0.80 (0.75 to 0.87)"},
      {0.5, 0, 1, "0.5 (0.0 to 1.0)"},
      {0.97123456, 0.97121, 0.97125, "0.971 (0.971 to 0.971)"},
      {0.9995, 0.998, 1, "0.9995 (0.9980 to 1.0000)"},
      {1, 0.913, 1, "1.000 (0.913 to 1.000)"},
      {0.0034, 0.0021, 0.0068, "0.0034 (0.0021 to 0.0068)"},
      {0.0034, 0.0011, 0.0868, "0.003 (0.001 to 0.087)"},
      {-0.0213, -0.081, 0.034, "−0.02 (−0.08 to 0.03)"},
      {138.21, 121.3, 154.4, "138 (121 to 154)"},
      {1432.4, 1330, 1540.6, "1430 (1330 to 1540)"},
      {14.234, 13.2, 15.31, "14.2 (13.2 to 15.3)"},
      {0.02, -5.1, 5.4, "0 (−5 to 5)"},
      {123456, 111111, 133333, "123,000 (111,000 to 133,000)"},
  };
  for (const Row& row : rows) EXPECT_EQ(text_of(digits(row.value, row.low, row.high)), row.shown);
}

TEST(Digits, WithoutAnIntervalAreThree) {
  const std::pair<double, const char*> rows[] = {{0.9712, "0.971"},
                                                 {0, "0.000"},
                                                 {1, "1.000"},
                                                 {0.99996, "0.99996"},
                                                 {0.0123, "0.012"},
                                                 {0.00123, "0.0012"},
                                                 {-0.25, "−0.250"},
                                                 {14.236, "14.2"},
                                                 {9999.6, "10,000"},
                                                 {1.5e9, "1.5 × 10⁹"},
                                                 {-3e-7, "−3.0 × 10⁻⁷"},
                                                 {1e12, "1.0 × 10¹²"},
                                                 {-0.00000001, "−1.0 × 10⁻⁸"},
                                                 {2.5, "2.50"},
                                                 {-1234567, "−1,230,000"}};
  for (const auto& [value, shown] : rows) EXPECT_EQ(digits(value).value, shown) << value;
  EXPECT_EQ(digits(std::nullopt).value, "");
}

TEST(Digits, AZeroHasNoSign) { EXPECT_EQ(digits(-0.001, -6, 5).value, "0"); }

TEST(PValue, BelowAThousandthIsSaidSo) {
  EXPECT_EQ(p_value(0), "< 0.001");
  EXPECT_EQ(p_value(0.00099), "< 0.001");
  EXPECT_EQ(p_value(0.001), "0.001");
  EXPECT_EQ(p_value(0.0341), "0.034");
  EXPECT_EQ(p_value(0.0996), "0.10");
  EXPECT_EQ(p_value(0.274), "0.27");
  EXPECT_EQ(p_value(0.9951), "> 0.99");
}

TEST(Counts, HaveCommasFromTenThousandOn) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(1234), "1234");
  EXPECT_EQ(count_text(12345), "12,345");
  EXPECT_EQ(count_text(1234567), "1,234,567");
  EXPECT_EQ(percent(0.625), "62.5 %");
}

TEST(Words, NameAMetricAsAReaderDoes) {
  EXPECT_EQ(label_of("auc"), "Area under the ROC curve (AUC)");
  EXPECT_EQ(label_of("average_precision"), "Average precision");
  EXPECT_EQ(short_label_of("ppv"), "PPV");
  EXPECT_EQ(short_label_of("bias"), "Bias (mean of predicted − true)");
  EXPECT_EQ(short_label_of("sensitivity"), "Sensitivity");
}

TEST(Words, GiveTheDateWithItsMonth) {
  EXPECT_EQ(date_of("2026-12-31T23:59:01Z"), "31 December 2026, 23:59 UTC");
  EXPECT_EQ(date_of("2026-13-31T23:59:01Z"), "2026-13-31T23:59:01Z");
  EXPECT_EQ(date_of("yesterday"), "yesterday");
}

}  // namespace
}  // namespace fovea::report::page
