#include "fovea/report/plots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <regex>

#include "fovea/report/svg.h"

namespace fovea::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Tags that close in order, attributes in quotes, no stray markup: what an XML parser insists on.
void expect_well_formed(const std::string& svg) {
  std::vector<std::string> open;
  const std::regex tag(R"(<(/?)([a-z?]+)((?: [A-Za-z0-9:-]+="[^"<>]*")*) ?(/|\?)?>)");
  size_t at = 0;
  for (std::sregex_iterator it(svg.begin(), svg.end(), tag), end; it != end; ++it) {
    const std::string between = svg.substr(at, static_cast<size_t>(it->position()) - at);
    EXPECT_EQ(between.find_first_of("<>"), std::string::npos) << between;
    at = static_cast<size_t>(it->position() + it->length());
    if ((*it)[1] == "/") {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(open.back(), (*it)[2].str());
      open.pop_back();
    } else if ((*it)[4].length() == 0) {
      open.push_back((*it)[2].str());
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

metrics::Scored scored_of(metrics::Mode mode, std::vector<std::string> classes,
                          std::vector<double> probabilities, std::vector<int> labels) {
  metrics::Predictions predictions;
  predictions.mode = mode;
  predictions.classes = std::move(classes);
  predictions.ids.resize(probabilities.size() / predictions.classes.size(), "x");
  predictions.probabilities = std::move(probabilities);
  predictions.labels = std::move(labels);
  return metrics::score(predictions);
}

TEST(Ticks, AreRound) {
  EXPECT_THAT(nice_ticks(0, 1, 5),
              ElementsAre(0, testing::DoubleEq(0.2), testing::DoubleEq(0.4),
                          testing::DoubleNear(0.6, 1e-12), testing::DoubleEq(0.8), 1));
  EXPECT_THAT(nice_ticks(1, 3, 6, true), ElementsAre(1, 2, 3));
  EXPECT_THAT(nice_ticks(0, 100, 4), ElementsAre(0, 25, 50, 75, 100));
  EXPECT_THAT(nice_ticks(5, 5, 4), ElementsAre(5));
  // Beyond 2^53 steps from 0 the next one is no other number.
  EXPECT_LT(nice_ticks(1e17, std::nextafter(1e17, 2e17), 5).size(), 30u);
}

TEST(Axis, HoldsItsValuesAndGivesASingleOneRoom) {
  const std::vector<double> values{0.13, NAN, 0.87, INFINITY};
  const Axis axis = axis_around("loss", values);
  EXPECT_LE(axis.low, 0.13);
  EXPECT_GE(axis.high, 0.87);
  EXPECT_LT(axis.high, 1.2);
  const std::vector<double> one{3.0};
  EXPECT_LT(axis_around("", one).low, 3);
  EXPECT_GT(axis_around("", one).high, 3);
}

TEST(Panel, PutsDataWhereTheAxesSay) {
  Svg page(100, 100, "");
  const Panel panel(page, {10, 20, 50, 40}, {.low = 0, .high = 10}, {.low = -1, .high = 1});
  EXPECT_DOUBLE_EQ(panel.at({0, -1}).x, 10);
  EXPECT_DOUBLE_EQ(panel.at({0, -1}).y, 60);
  EXPECT_DOUBLE_EQ(panel.at({5, 1}).x, 35);
  EXPECT_DOUBLE_EQ(panel.at({5, 1}).y, 20);
}

TEST(Svg, EscapesWhateverTextHolds) {
  Svg page(100, 100, "a <title> & \"more\"");
  page.text({0, 0}, "<script>\x01 \xff größe &amp;");
  const std::string svg = page.finish();
  expect_well_formed(svg);
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;\xEF\xBF\xBD \xEF\xBF\xBD größe &amp;amp;"));
  EXPECT_THAT(svg, HasSubstr("<title>a &lt;title&gt; &amp; &quot;more&quot;</title>"));
}

TEST(Text, IsShortenedBetweenLetters) {
  EXPECT_EQ(shortened("größe", 5), "größe");
  EXPECT_EQ(shortened("größer", 4), "grö…");
}

TEST(Plots, OfABinaryModelShowAreaAndOperatingPoint) {
  const auto scored = scored_of(metrics::Mode::binary, {"no", "a<b"},
                                {.9, .1, .2, .8, .45, .55, .75, .25}, {0, 1, 0, 1});
  const std::string roc = roc_curve_svg(scored, "test · n = 4");
  expect_well_formed(roc);
  EXPECT_THAT(roc, HasSubstr("a&lt;b (AUC 0.750)"));
  EXPECT_THAT(roc, HasSubstr("operating point (0.50, 0.50)"));
  // The steps: up to (0, 1/2), across to 1/2, up, across; in pixels of the plot, 440 wide at
  // (76, 74).
  EXPECT_THAT(roc, HasSubstr("points=\"76,514 76,294 296,294 296,74 516,74\""));
  const std::string pr = precision_recall_svg(scored, "test · n = 4");
  expect_well_formed(pr);
  EXPECT_THAT(pr, HasSubstr("prevalence (0.500)"));
}

TEST(Plots, OfSeveralClassesHaveACurveEachAndTheMean) {
  const auto scored = scored_of(metrics::Mode::multiclass, {"a", "b", "c"},
                                {.6, .3, .1, .2, .7, .1, .1, .2, .7}, {0, 1, 2});
  const std::string roc = roc_curve_svg(scored, "");
  expect_well_formed(roc);
  EXPECT_THAT(roc, HasSubstr("c (AUC 1.000)"));
  EXPECT_THAT(roc, HasSubstr("macro (AUC 1.000)"));
}

TEST(Plots, NameTheClassThatHasNoCurve) {
  const auto scored =
      scored_of(metrics::Mode::multilabel, {"mass", "hernia"}, {.6, .3, .2, .7}, {1, 0, 0, 0});
  EXPECT_THAT(roc_curve_svg(scored, ""), HasSubstr(">hernia (no positive case)</text>"));
}

TEST(Plots, OfAMatrixShowCountsAndShareOfTheRow) {
  const std::vector<int> truths{0, 0, 0, 1}, decisions{0, 0, 1, 1};
  const std::vector<std::string> classes{"no", "yes"};
  const std::string svg =
      confusion_matrix_svg(metrics::ConfusionMatrix(2, truths, decisions), classes, "");
  expect_well_formed(svg);
  EXPECT_THAT(svg, HasSubstr("66.7 %"));
  EXPECT_THAT(svg, HasSubstr("33.3 %"));
  EXPECT_THAT(svg, HasSubstr("100.0 %"));
}

TEST(Plots, OfReliabilityShowTheCalibrationError) {
  const std::vector<double> probabilities{0.1, 0.1, 0.9, 0.9};
  const std::vector<uint8_t> happened{0, 0, 1, 0};
  const std::string svg =
      reliability_svg(metrics::reliability(probabilities, happened), "pneumonia", "");
  expect_well_formed(svg);
  EXPECT_THAT(svg, HasSubstr("ECE 0.250"));  // (0.1 + 0.4) / 2
  expect_well_formed(reliability_svg(metrics::reliability({}, {}), "pneumonia", ""));
}

TEST(Plots, OfTrainingMarkTheBestEpochAndSkipUndefinedValues) {
  const std::vector<HistoryRow> history{
      {1, "train", "loss", 0.7}, {2, "train", "loss", 0.5}, {3, "train", "loss", 0.4},
      {1, "val", "loss", 0.8},   {2, "val", "loss", 0.6},   {3, "val", "loss", 0.65},
      {1, "val", "auc", NAN},    {2, "val", "auc", 0.9},    {3, "val", "auc", 0.88}};
  const std::string svg = learning_curves_svg(history, "auc", 2, "run 1");
  expect_well_formed(svg);
  EXPECT_THAT(svg, HasSubstr("best epoch (2)"));
  EXPECT_THAT(svg, HasSubstr(">train</text>"));
  expect_well_formed(learning_curves_svg(history, "loss", -1, ""));
  expect_well_formed(learning_curves_svg({}, "auc", -1, ""));
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Words, EveryWordIsDrawnAndTheHeaviestIsTheDarkest) {
  const std::string text = "No effusion & a <mass>.\n\nÜber alt";
  const std::vector<ShadedWord> words = {
      {0, 2, 0.1}, {3, 11, 0.2}, {14, 15, 0}, {17, 21, 0.6}, {25, 30, 0.1}};
  const std::string svg = words_svg(text, words, "Where the model looked", "case 1");
  expect_well_formed(svg);
  for (const char* word : {">No<", ">effusion<", ">&amp;<", ">mass<", ">Über<", ">alt<"})
    EXPECT_THAT(svg, HasSubstr(word));
  EXPECT_EQ(count_of(svg, shade(1)), 1u);  // the ground of "mass"
  EXPECT_EQ(count_of(svg, shade(0.1 / 0.6)), 2u);
  EXPECT_THAT(svg, HasSubstr("darkest: 0.600"));
}

TEST(Words, OfAVeryLongTextTheRestIsCounted) {
  std::string text;
  std::vector<ShadedWord> words;
  for (int i = 0; i < 20000; ++i) {
    words.push_back({text.size(), text.size() + 4, 1e-4});
    text += "word ";
  }
  const std::string svg = words_svg(text, words, "t", "s");
  EXPECT_THAT(svg, HasSubstr("12000 more words are not drawn"));
}

TEST(Traces, EachChannelHasALineAndEachStepAGround) {
  const std::vector<Trace> traces = {{"heart rate", {70, 75, 90}}, {"spo2", {97, 97, 97}}};
  const std::string svg = traces_svg(traces, std::vector<double>{0.2, 0.1, 0.7}, "t", "s");
  expect_well_formed(svg);
  EXPECT_EQ(count_of(svg, "<polyline"), 2u);
  EXPECT_EQ(count_of(svg, shade(0.75)), 2u);  // the last step, in both
  EXPECT_THAT(svg, HasSubstr("heart rate"));
  EXPECT_THAT(svg, HasSubstr("3 time steps; darkest: 0.700"));
}

}  // namespace
}  // namespace fovea::report
