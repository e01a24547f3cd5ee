// Evaluations read back from their folders, and compared.
#include "fovea/report/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/report/entities.h"
#include "fovea/report/evaluation.h"
#include "fovea/report/regression.h"
#include "fovea/report/report.h"
#include "metrics/drawn.h"
#include "support/test_files.h"

namespace fovea::report {
namespace {

using metrics::Mode;
using metrics::Predictions;
using testing::HasSubstr;
namespace fs = std::filesystem;

const metrics::BootstrapOptions kFew{.replicates = 100};

/// What `eval` leaves of these sections, but for plots.
void write_report(const fs::path& folder, std::vector<Section> sections, const std::string& title) {
  Report report{.version = "0", .created = "", .title = title, .split = "test"};
  report.sections = std::move(sections);
  std::ofstream(folder / "report.json") << report_json(report);
}

void write(const fs::path& folder, const Predictions& predictions, const std::string& title) {
  write_evaluation(folder, predictions, {.plots = false});
  Section section = section_of(predictions, {}, {.bootstrap = {.replicates = 0}});
  section.target = "label";
  write_report(folder, {section}, title);
}

std::string refusal(const std::vector<fs::path>& folders) {
  try {
    std::vector<StoredEvaluation> all;
    for (const fs::path& folder : folders) all.push_back(read_evaluation(folder));
    compare_evaluations(all, kFew);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    return error.what();
  }
  return "";
}

/// Blurred, and in another order.
Predictions another(const Predictions& first) {
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < first.cases(); ++i) rows.push_back((i * 7 + 3) % first.cases());
  Predictions other = first.part(rows);
  Random random(4, Purpose::sample);
  for (double& p : other.probabilities) p = 0.7 * p + 0.3 * random.uniform();
  if (first.mode != Mode::multilabel)
    for (size_t i = 0; i < other.cases(); ++i) {
      double sum = 0;
      for (size_t k = 0; k < other.width(); ++k) sum += other.probability(i, k);
      for (size_t k = 0; k < other.width(); ++k) other.probabilities[i * other.width() + k] /= sum;
    }
  return other;
}

TEST(StoredEvaluation, ReadsBackToTheSameMetrics) {
  for (const Mode mode : {Mode::binary, Mode::multiclass, Mode::multilabel}) {
    const test::TempFolder folder;
    Predictions predictions = metrics::test::drawn(mode, 90, 3);
    predictions.points = {{0.45, "youden on val"}};
    predictions.classes[0] = "=SUM(A1)";  // a spreadsheet would run it
    write(folder.path(), predictions, "run");
    const StoredEvaluation stored = read_evaluation(folder.path());
    ASSERT_EQ(stored.targets.size(), 1u);
    EXPECT_EQ(stored.title, "run");
    EXPECT_EQ(stored.targets[0].ids, predictions.ids);
    const auto wanted = metrics::evaluated(predictions)->values();
    const auto found = stored.targets[0].cases->values();
    ASSERT_EQ(found.size(), wanted.size());
    for (size_t k = 0; k < wanted.size(); ++k) EXPECT_EQ(found[k].value, wanted[k].value) << k;
  }
}

TEST(StoredEvaluation, OfNumbersAndOfTextsReadsBackToo) {
  const test::TempFolder folder;
  const metrics::Numbers numbers = metrics::test::drawn_numbers(40);
  write_regression(folder / "count", numbers, "count", "test");
  const auto texts = metrics::test::drawn_texts(30);
  std::vector<std::string> ids, groups;
  for (int i = 0; i < 30; ++i) {
    ids.push_back("t" + std::to_string(i));
    groups.push_back("p" + std::to_string(i / 2));
  }
  write_entities(folder / "tags", texts, ids, groups, {"DRUG", "DOSE"}, "test");
  Section count = section_of(numbers, {}, {.bootstrap = {.replicates = 0}});
  count.target = count.folder = "count";
  Section tags =
      section_of(texts, ids, groups, {"DRUG", "DOSE"}, {}, {.bootstrap = {.replicates = 0}});
  tags.target = tags.folder = "tags";
  write_report(folder.path(), {count, tags}, "run");
  const StoredEvaluation stored = read_evaluation(folder.path());
  ASSERT_EQ(stored.targets.size(), 2u);
  for (size_t k = 0; k < 2; ++k) {
    const auto wanted = k == 0 ? metrics::evaluated(numbers)->values()
                               : metrics::evaluated(texts, {"DRUG", "DOSE"})->values();
    const auto found = stored.targets[k].cases->values();
    for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(found[i].value, wanted[i].value);
  }
  EXPECT_EQ(metrics::clusters_of(stored.targets[1].groups, 30).count, 15u);
}

TEST(ComparedEvaluations, MatchCasesByTheirIdsAndPatientsByWhoSharesThem) {
  const test::TempFolder a, b;
  const Predictions first = metrics::test::drawn(Mode::binary, 120, 3);
  Predictions other = another(first);
  for (std::string& group : other.groups) group = "salted " + group;  // as another run would
  write(a.path(), first, "a");
  write(b.path(), other, "b");
  const Comparison found =
      compare_evaluations({read_evaluation(a.path()), read_evaluation(b.path())}, kFew);
  ASSERT_EQ(found.targets[0].differences.size(), 1u);
  const metrics::Difference& auc = found.targets[0].differences[0][0];
  EXPECT_EQ(auc.b.value, metrics::evaluated(first)->values()[0].value);
  EXPECT_NEAR(auc.a.value, metrics::evaluated(other)->values()[0].value, 1e-12);
  EXPECT_EQ(auc.test, "Obuchowski");
  EXPECT_EQ(found.targets[0].patients, 40u);
  EXPECT_EQ(found.targets[0].holm[0][0], auc.p.value);  // one comparison is worth what it is
  const std::string text = comparison_text(found);
  EXPECT_THAT(text, HasSubstr("label: b less a, 120 cases of 40 patients"));
  EXPECT_THAT(text, HasSubstr("\ntarget=label first=a other=b n=120 auc=-0."));
}

TEST(ComparedEvaluations, SeveralAreCorrectedByHolm) {
  const test::TempFolder a, b, c;
  const Predictions first = metrics::test::drawn(Mode::binary, 120, 1);
  write(a.path(), first, "a");
  write(b.path(), another(first), "b");
  write(c.path(), another(another(first)), "c");
  const Comparison found = compare_evaluations(
      {read_evaluation(a.path()), read_evaluation(b.path()), read_evaluation(c.path())}, kFew);
  const auto& target = found.targets[0];
  const double p = target.differences[0][0].p.value, q = target.differences[1][0].p.value;
  const double smaller = std::min(p, q), larger = std::max(p, q);
  EXPECT_NEAR(std::min(target.holm[0][0], target.holm[1][0]), std::min(1.0, 2 * smaller), 1e-12);
  EXPECT_NEAR(std::max(target.holm[0][0], target.holm[1][0]),
              std::min(1.0, std::max(2 * smaller, larger)), 1e-12);
  const auto json = nlohmann::json::parse(comparison_json(found));
  EXPECT_EQ(json["targets"][0]["comparisons"][1]["other"], "c");
  EXPECT_EQ(json["targets"][0]["comparisons"][1]["metrics"][0]["p_holm"].get<double>(),
            target.holm[1][0]);
  const std::string page = comparison_page(found, "0");
  EXPECT_THAT(page, HasSubstr("p (Holm)"));
  EXPECT_THAT(page, testing::Not(HasSubstr("http:")));
}

TEST(ComparedEvaluations, OfOtherCasesTruthsPatientsOrTargetsAreRefused) {
  const test::TempFolder a, b;
  const Predictions first = metrics::test::drawn(Mode::binary, 60, 3);
  write(a.path(), first, "a");
  Predictions fewer = first.part(std::vector<uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  fewer.ids[0] = "new";
  write(b.path(), fewer, "b");
  EXPECT_THAT(refusal({a.path(), b.path()}),
              HasSubstr("51 of 60 are only in the first, 1 of 10 only in the second"));
  Predictions labels = first;
  labels.labels[5] = 1 - labels.labels[5];
  write(b.path(), labels, "b");
  EXPECT_THAT(refusal({a.path(), b.path()}), HasSubstr("1 of 60 cases have another truth"));
  Predictions patients = first;
  patients.groups[5] = "somebody else";
  write(b.path(), patients, "b");
  EXPECT_THAT(refusal({a.path(), b.path()}), HasSubstr("which cases are of one patient"));
  Predictions twice = first;
  twice.ids[5] = twice.ids[6];
  write(b.path(), twice, "b");
  EXPECT_THAT(refusal({a.path(), b.path()}), HasSubstr("occurs twice"));
  write(b.path(), metrics::test::drawn(Mode::multiclass, 60, 3), "b");
  EXPECT_THAT(refusal({a.path(), b.path()}),
              HasSubstr("b has no target 'label' of the type binary"));
}

TEST(StoredEvaluation, ADamagedOneIsRefusedByName) {
  const test::TempFolder a;
  write(a.path(), metrics::test::drawn(Mode::binary, 30, 1), "a");
  const std::string csv = test::read_text(a / "predictions.csv");
  std::string damaged = csv;
  damaged.replace(damaged.find("0."), 2, "x.");
  a.write("predictions.csv", damaged);
  EXPECT_THAT(
      refusal({a.path(), a.path()}),
      testing::AllOf(HasSubstr("predictions.csv"), HasSubstr("line 2"), HasSubstr("no number")));
  a.write("report.json", "{\"schema_version\": 1");
  EXPECT_THAT(refusal({a.path(), a.path()}), HasSubstr("report.json"));
}

}  // namespace
}  // namespace fovea::report
