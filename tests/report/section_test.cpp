#include "fovea/report/section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fovea/metrics/catalogue.h"
#include "fovea/report/report.h"
#include "metrics/drawn.h"

namespace fovea::report {
namespace {

using metrics::Mode;
using metrics::Predictions;
using testing::HasSubstr;
using Json = nlohmann::json;

const metrics::BootstrapOptions kFew{.replicates = 60};

metrics::Coverage rows_of(size_t cases) {
  metrics::Coverage coverage;
  for (uint32_t i = 0; i < cases; ++i) coverage.rows.push_back(2 * i + 1);  // every other was used
  return coverage;
}

Section binary(size_t cases, const Asked& asked = {.bootstrap = kFew}) {
  Section section = section_of(metrics::test::drawn(Mode::binary, cases, 3), rows_of(cases), asked);
  section.target = "label";
  return section;
}

TEST(Section, OfEachKindHasTheMetricsOfItsKindAndTheirIntervals) {
  for (const Mode mode : {Mode::binary, Mode::multiclass, Mode::multilabel}) {
    const Section section =
        section_of(metrics::test::drawn(mode, 90, 3), rows_of(90), {.bootstrap = kFew});
    EXPECT_EQ(section.type, name_of(mode));
    EXPECT_EQ(section.n, 90u);
    EXPECT_EQ(section.patients, 30u);
    EXPECT_TRUE(section.clustered);
    EXPECT_EQ(section.estimates[0].key.name, "auc");
    EXPECT_TRUE(section.estimates[0].bounds.interval.defined());
    EXPECT_EQ(section.confusion.has_value(), mode != Mode::multilabel);
    EXPECT_EQ(section.thresholds.has_value(), mode == Mode::binary);
  }
  const Section numbers =
      section_of(metrics::test::drawn_numbers(50), rows_of(50), {.bootstrap = kFew});
  EXPECT_EQ(numbers.type, "regression");
  EXPECT_EQ(numbers.estimates.size(), 6u);
  const auto texts = metrics::test::drawn_texts(40);
  const std::vector<std::string> ids(40, "x"), nobody(40);
  const Section tagging =
      section_of(texts, ids, nobody, {"DRUG", "DOSE"}, rows_of(40), {.bootstrap = kFew});
  EXPECT_EQ(tagging.estimates.size(), 4u + 2 * 3);
  EXPECT_FALSE(tagging.clustered);
}

TEST(Section, SaysThatDataWithoutPatientsMakeIntervalsDoubtful) {
  metrics::Numbers numbers = metrics::test::drawn_numbers(30);
  EXPECT_THAT(section_of(numbers, rows_of(30), {.bootstrap = kFew}).warnings,
              testing::Contains(HasSubstr("name no patients")));
  numbers.groups.assign(30, "only");
  const Section one = section_of(numbers, rows_of(30), {.bootstrap = kFew});
  EXPECT_THAT(one.warnings, testing::Contains(HasSubstr("of one patient")));
  EXPECT_FALSE(one.estimates[0].bounds.interval.defined());
}

TEST(Section, WarnsOfFewCasesOfOneClassAndOfAPointThatNobodyChose) {
  EXPECT_THAT(binary(90).warnings, testing::IsSupersetOf({HasSubstr("nobody chose"),
                                                          HasSubstr("intervals from so few")}));
  Predictions healthy = metrics::test::drawn(Mode::binary, 60, 1);
  std::ranges::fill(healthy.labels, 0);
  healthy.points = {{0.3, "youden on val"}};
  const Section section = section_of(healthy, rows_of(60), {.bootstrap = kFew});
  EXPECT_THAT(section.warnings, testing::Contains(HasSubstr("no positive case")));
  EXPECT_THAT(section.warnings, testing::Not(testing::Contains(HasSubstr("nobody chose"))));
}

TEST(Section, FailuresAreTheWrongDecisionsWithTheWidestMargins) {
  Predictions all = metrics::test::drawn(Mode::binary, 300, 1, 1, 0.2);
  const Section section = section_of(all, rows_of(300), {.bootstrap = kFew});
  std::vector<double> margins;  // of false positives, by hand
  for (size_t i = 0; i < 300; ++i)
    if (all.labels[i] == 0 && all.probability(i, 1) >= 0.5)
      margins.push_back(all.probability(i, 1) - 0.5);
  std::ranges::sort(margins, std::greater());
  ASSERT_GT(margins.size(), kFailures);
  std::vector<double> found;
  for (const Failure& failure : section.failures)
    if (failure.type == "false positive") {
      found.push_back(failure.margin);
      EXPECT_EQ(failure.row % 2, 1u);  // its position among all cases
      EXPECT_EQ(all.ids[failure.row / 2], failure.id);
      EXPECT_EQ(failure.truth, "normal");
    }
  margins.resize(kFailures);
  EXPECT_EQ(found, margins);
}

TEST(Section, ThresholdsAgreeWithCountsAndAreFew) {
  const Predictions all = metrics::test::drawn(Mode::binary, 3000, 3);
  const Section section = section_of(all, rows_of(3000), {.bootstrap = {.replicates = 0}});
  const Thresholds& thresholds = *section.thresholds;
  EXPECT_EQ(thresholds.steps.size(), kThresholdSteps);
  std::vector<double> p;
  std::vector<uint8_t> labels;
  for (size_t i = 0; i < 3000; ++i) {
    p.push_back(all.probability(i, 1));
    labels.push_back(static_cast<uint8_t>(all.labels[i]));
  }
  for (const auto& [threshold, hits, alarms] : thresholds.steps) {
    const metrics::Counts counts = metrics::count(p, labels, threshold);
    EXPECT_EQ(counts.true_positives, hits);
    EXPECT_EQ(counts.false_positives, alarms);
  }
  EXPECT_EQ(thresholds.steps.back()[1], thresholds.positives);
  EXPECT_EQ(thresholds.steps.front()[0], std::ranges::max(p));
}

TEST(Section, PredictiveValuesElsewhereAreThoseOfBayesTheorem) {
  const Section section = binary(90, {.bootstrap = {.replicates = 0}, .prevalence = 0.02});
  const Table& table = section.tables.at(0);
  EXPECT_EQ(table.columns[4], "PPV at a prevalence of 0.02");
  const auto value = [&](const char* name) {
    for (const auto& one : section.estimates)
      if (one.key.name == name) return one.value.value;
    return 0.0;
  };
  const double sensitivity = value("sensitivity"), specificity = value("specificity");
  EXPECT_NEAR(std::get<double>(table.rows[0][4]),
              0.02 * sensitivity / (0.02 * sensitivity + 0.98 * (1 - specificity)), 1e-12);
}

TEST(Section, ValuesAtPointsChosenElsewhereAreCountedHere) {
  const Predictions all = metrics::test::drawn(Mode::multilabel, 200, 1);
  const Table table =
      at_other_points(all, {{"specificity 0.9", {{0.5, "x"}, {0.6, "x"}, {0.7, "x"}}}});
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(std::get<std::string>(table.rows[1][1]), "b");
  EXPECT_EQ(std::get<double>(table.rows[1][2]), 0.6);
  std::vector<double> p;
  std::vector<uint8_t> labels;
  for (size_t i = 0; i < 200; ++i) {
    p.push_back(all.probability(i, 1));
    labels.push_back(static_cast<uint8_t>(all.labels[i * 3 + 1]));
  }
  EXPECT_EQ(std::get<double>(table.rows[1][3]), sensitivity(metrics::count(p, labels, 0.6)).value);
}

TEST(Section, SubgroupsAreOfTheCasesThatWereUsed) {
  metrics::Grouping sex{.name = "sex", .values = {"f", "m"}, .of_case = {}, .lines = {}};
  for (uint32_t i = 0; i < 400; ++i) sex.of_case.push_back(i % 4 == 1);  // of odd ones every other
  const Section section = binary(200, {.groupings = {sex}, .bootstrap = kFew});
  EXPECT_EQ(section.subgroups[0].groups[0].cases, 100);
  EXPECT_EQ(section.subgroups[0].groups[1].cases, 100);
}

TEST(Terminal, ShowsValueIntervalAndCasesOfEachMetric) {
  Section section = binary(300);
  section.points = {{"ill", {0.4321, "youden on val"}}};
  const std::string text = terminal_table(section);
  EXPECT_THAT(text, testing::StartsWith("label: 300 cases of 100 patients ("));
  EXPECT_THAT(text, testing::ContainsRegex("  metric +value +95 % interval +n\n"));
  EXPECT_THAT(text, testing::ContainsRegex("  auc +0\\.[0-9]+ +0\\.[0-9]+ to 0\\.[0-9]+ +300\n"));
  EXPECT_THAT(text, HasSubstr("ill is called at a probability of 0.432 or more (youden on val)"));
  Predictions healthy = metrics::test::drawn(Mode::binary, 60, 1);
  std::ranges::fill(healthy.labels, 0);
  EXPECT_THAT(terminal_table(section_of(healthy, rows_of(60), {.bootstrap = kFew})),
              testing::ContainsRegex("  auc +undefined: no positive case\n"));
}

TEST(ReportJson, HasEveryDigitAndNullsWithReasons) {
  metrics::Grouping site{.name = "site",
                         .values = {"a", "b", "c"},
                         .of_case = std::vector<uint32_t>(181),
                         .lines = {}};
  for (const size_t i : {1, 3, 5}) site.of_case[i] = 1;
  for (size_t i = 7; i < 60; ++i) site.of_case[i] = 2;
  Report report{.version = "0", .created = "2026-01-01T00:00:00Z", .title = "run", .split = "test"};
  report.sections = {binary(90, {.groupings = {site}, .bootstrap = kFew})};
  report.sections[0].coverage.unknown = 3;
  report.sections[0].tables.push_back({"t", "", {"a"}, {{std::nan("")}}});
  report.data = "caf\xe9.csv";  // no UTF-8
  const Json json = Json::parse(report_json(report));
  const Json& target = json["targets"][0];
  EXPECT_EQ(target["cases"], 93);
  EXPECT_EQ(target["figures"][0]["value"].get<double>(),
            report.sections[0].estimates[0].value.value);
  EXPECT_EQ(target["figures"][0]["interval"]["method"], "Obuchowski");
  EXPECT_EQ(target["figures"][0]["also"].size(), 2u);
  EXPECT_GT(target["figures"][0]["n_for_half_width"]["n"], 90);
  EXPECT_TRUE(target["tables"].back()["rows"][0][0].is_null());
  const Json& groups = target["subgroups"][0]["groups"];
  EXPECT_TRUE(groups[1]["n"].is_null());
  EXPECT_TRUE(groups[1]["figures"].empty());
  EXPECT_TRUE(groups[2]["n"].is_null());  // else the first group and the total give it away
  EXPECT_TRUE(groups[0]["n"].is_number());
}

TEST(ReportJson, OfAHundredThousandCasesIsSmall) {
  metrics::Grouping site{.name = "site", .values = {"a", "b"}, .of_case = {}, .lines = {}};
  for (uint32_t i = 0; i < 200'001; ++i) site.of_case.push_back(i % 3 == 0);
  Report report{.version = "0", .created = "", .title = "run", .split = "test"};
  report.sections = {binary(100'000, {.groupings = {site}, .bootstrap = {.replicates = 20}})};
  EXPECT_EQ(report.sections[0].n, 100'000u);
  EXPECT_LT(report_json(report).size(), 200'000u);
}

TEST(Card, IsMarkdownInWhichNothingIsReadAsMarkup) {
  Report report{.version = "0", .created = "", .title = "a_b *c*", .split = "test"};
  report.card = {{"Purpose", "Intended use", std::nullopt},
                 {"Purpose", "Limits", "not for <children>"},
                 {"Training", "Settings", "epochs: 3\nseed: 1"}};
  EXPECT_EQ(card_text(report),
            "# Model card: a\\_b \\*c\\*\n\n## Purpose\n\n* **Intended use:** not stated\n"
            "* **Limits:** not for \\<children\\>\n\n## Training\n\n* **Settings**\n\n"
            "      epochs: 3\n      seed: 1\n\n");
}

}  // namespace
}  // namespace fovea::report
