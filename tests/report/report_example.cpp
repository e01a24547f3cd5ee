// A report to look at, of cases that never were: report_example FOLDER. A binary target with subgroups, failures and
// drift, labels of patients with several cases, and a number.
#include <cstdio>
#include <filesystem>

#include "fovea/core/error.h"
#include "fovea/report/evaluation.h"
#include "fovea/report/page.h"
#include "fovea/report/regression.h"
#include "fovea/report/report.h"
#include "fovea/storage/file.h"
#include "report/example_cohort.h"
#include "report/example_image.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using metrics::Grouping;

metrics::Coverage rows_of(size_t cases, size_t unknown) {
  metrics::Coverage coverage{.unknown = unknown};
  for (uint32_t i = 0; i < cases; ++i) coverage.rows.push_back(i);
  return coverage;
}

/// Texts as groups, in the order in which they first appear.
Grouping grouping(const std::string& name, const std::vector<std::string>& values) {
  Grouping grouping{.name = name, .values = {}, .of_case = {}, .lines = {}};
  for (const std::string& value : values) {
    auto known = std::ranges::find(grouping.values, value);
    if (known == grouping.values.end()) known = grouping.values.insert(known, value);
    grouping.of_case.push_back(static_cast<uint32_t>(known - grouping.values.begin()));
  }
  return grouping;
}

report::Section binary(const fs::path& folder, std::mt19937& random) {
  test::Cohort cohort = test::draw(624, random);
  cohort.predictions.points = {{0.43, "youden on val"}};
  const metrics::Coverage coverage = rows_of(624, 2);
  std::vector<std::string> decades;
  for (const double age : cohort.age)
    decades.push_back(fmt::format("{0}0 to {0}9", static_cast<int>(age / 10)));
  report::Section section =
      report::section_of(cohort.predictions, coverage,
                         {.groupings = {grouping("sex", cohort.sex), grouping("site", cohort.site),
                                        grouping("age", decades)},
                          .prevalence = 0.05});
  section.target = "pneumonia";
  section.line = report::write_evaluation(folder, cohort.predictions, {.coverage = coverage});
  section.tables.insert(
      section.tables.begin(),
      report::at_other_points(cohort.predictions, {{"sensitivity 0.95", {{0.31, "x"}}},
                                                   {"specificity 0.95", {{0.72, "x"}}}}));
  section.plots.push_back({"absent.svg", "A plot that was deleted", "The page says so."});
  uint32_t number = 0;
  for (report::Failure& failure : section.failures) {
    failure.image = fmt::format("failures/{:04}.png", ++number);
    failure.link = "/data/chest/" + failure.id;
    storage::make_folder(folder / "failures");
    storage::write_file_atomically(folder / failure.image, test::chest_png(failure.row));
  }
  return section;
}

report::Section labels(const fs::path& folder, std::mt19937& random) {
  metrics::Predictions cases{.mode = metrics::Mode::multilabel,
                             .classes = {"effusion", "cardiomegaly", "<b>mass</b>", "hernia"}};
  std::normal_distribution<double> normal;
  for (size_t i = 0; i < 320; ++i) {
    cases.ids.push_back(fmt::format("{}", i));
    cases.groups.push_back(fmt::format("p{}", i / 3));
    for (size_t k = 0; k < 4; ++k) {
      const bool yes = k < 3 && random() % (3 + 3 * k) == 0;
      cases.labels.push_back(yes ? 1 : 0);
      cases.probabilities.push_back(1 / (1 + std::exp(2 - (yes ? 2.2 : 0) - normal(random))));
    }
  }
  const metrics::Coverage coverage = rows_of(320, 3);
  report::Section section = report::section_of(cases, coverage, {.bootstrap = {.replicates = 300}});
  section.target = section.folder = "findings";
  section.line = report::write_evaluation(folder / "findings", cases, {.coverage = coverage});
  return section;
}

report::Section volume(const fs::path& folder, std::mt19937& random) {
  metrics::Numbers numbers;
  std::normal_distribution<double> normal;
  for (int i = 0; i < 240; ++i) {
    numbers.ids.push_back(fmt::format("{}", i));
    numbers.targets.push_back(std::clamp(1300 + 420 * normal(random), 200.0, 2600.0));
    numbers.predicted.push_back(numbers.targets.back() - 18 + 143 * normal(random));
  }
  report::Section section = report::section_of(numbers, rows_of(240, 0), {});
  section.target = "lung volume (ml)";
  section.folder = "volume";
  section.line = report::write_regression(folder / "volume", numbers, section.target, "test");
  return section;
}

report::Report example(const fs::path& folder) {
  std::mt19937 random(7);
  report::Report report{.version = "0.1.0",
                        .created = "2026-03-01T09:05:00Z",
                        .title = "chest-resnet18",
                        .split = "test",
                        .bootstrap = {},
                        .model = "chest-resnet18",
                        .weights_sha256 = std::string(64, 'c'),
                        .model_facts = {{"input image", "1 x 224 x 224"},
                                        {"encoder image", "{resnet: {depth: 18}}"},
                                        {"parameters", "11171266"}},
                        .data = "chest_xray.csv",
                        .data_fingerprint = std::string(64, 'a'),
                        .cases = 626,
                        .notes = {"images: 12 of 626 are RGB and were read as grey"}};
  report.sections = {binary(folder, random), labels(folder, random), volume(folder, random)};
  report.drift = {
      {"image", "width", "1320 (1096 to 1664)", "1286 (941 to 1500)", 0.041, 0.27, "chi-squared"},
      {"image", "mean intensity", "122 (109 to 134)", "131 (118 to 142)", 0.312, 2e-5,
       "chi-squared"},
      {"labs", "age, missing", "3.1 %", "4.8 %", 0.118, 0.034, "chi-squared"},
      {"labs", "view", "PA 100.0 %", "PA 100.0 %", 0.0,
       metrics::MetricValue::undefined("all cases are in one cell"), ""}};
  report.card = {{"Purpose", "Intended use", std::nullopt},
                 {"Purpose", "Limits", "Not for adults; not for lateral views."},
                 {"Data", "Source", "Paediatric chest radiographs of one centre"},
                 {"Data", "Inclusion and exclusion", std::nullopt},
                 {"Model", "Preprocessing", "- resize: 224\n- scale: zscore"}};
  return report;
}

}  // namespace
}  // namespace fovea

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: report_example FOLDER\n", stderr);
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    fovea::storage::make_folder(folder);
    fovea::storage::write_file_atomically(folder / "report.json",
                                          fovea::report::report_json(fovea::example(folder)));
    std::puts(fovea::report::write_report_page(folder).c_str());
  } catch (const fovea::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.fault());
  }
}
