// A report of an evaluation that never was, to look at: report_example FOLDER writes report.json, its
// plots and thumbnails and report.html. Numbers are drawn with a fixed seed; names of cases hold what
// a page must not run.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "fovea/core/error.h"
#include "fovea/metrics/delong.h"
#include "fovea/metrics/interval.h"
#include "fovea/metrics/summary.h"
#include "fovea/report/page.h"
#include "fovea/report/plots.h"
#include "fovea/report/regression.h"
#include "fovea/storage/file.h"
#include "report/example_cohort.h"
#include "report/example_image.h"

namespace fovea {
namespace {

using namespace test;  // NOLINT

using Folder = std::filesystem::path;

constexpr double kThreshold = 0.43;

Json figures_of(const metrics::ClassificationSummary& summary, const metrics::Predictions& cases) {
  Json figures = Json::array();
  const metrics::Counts& counts = summary.classes.at(0).counts;
  for (const auto& [name, value] : summary.overall) {
    const int64_t n = name == "sensitivity"   ? counts.positives()
                      : name == "specificity" ? counts.negatives()
                      : name == "ppv"         ? counts.true_positives + counts.false_positives
                      : name == "npv"         ? counts.true_negatives + counts.false_negatives
                                              : static_cast<int64_t>(cases.cases());
    figures.push_back(figure(name, value, static_cast<double>(n)));
  }
  return figures;
}

std::vector<double> of_positive(const metrics::Predictions& cases) {
  std::vector<double> scores;
  for (size_t i = 0; i < cases.cases(); ++i) scores.push_back(cases.probability(i, 1));
  return scores;
}

std::vector<uint8_t> labels_of(const metrics::Predictions& cases) {
  return {cases.labels.begin(), cases.labels.end()};
}

Json thresholds(const metrics::Predictions& cases) {
  const auto scores = of_positive(cases);
  const auto labels = labels_of(cases);
  const auto positives = std::ranges::count(labels, 1);
  Json json{{"class", "pneumonia"},
            {"positives", positives},
            {"negatives", static_cast<int64_t>(labels.size()) - positives},
            {"steps", Json::array()}};
  std::vector<double> levels = scores;
  std::ranges::sort(levels, std::greater());
  const size_t stride = levels.size() / 300 + 1;
  for (size_t i = 0; i < levels.size(); i += stride) {
    const auto counts = metrics::count(scores, labels, levels[i]);
    json["steps"].push_back({levels[i], counts.true_positives, counts.false_positives});
  }
  return json;
}

Json group_of(const Cohort& cohort, const std::string& value,
              const std::function<bool(size_t)>& in_group) {
  metrics::Predictions part{.classes = cohort.predictions.classes};
  for (size_t i = 0; i < cohort.predictions.cases(); ++i) {
    if (!in_group(i)) continue;
    part.ids.push_back(cohort.predictions.ids[i]);
    part.labels.push_back(cohort.predictions.labels[i]);
    for (size_t k = 0; k < 2; ++k)
      part.probabilities.push_back(cohort.predictions.probability(i, k));
  }
  const auto n = static_cast<int64_t>(part.cases());
  Json json{
      {"value", value}, {"n", n}, {"patients", n}, {"small", n < 20}, {"figures", Json::array()}};
  if (n < 5) {
    json["n"] = json["patients"] = nullptr;
    return json;
  }
  const auto summary = metrics::summarize(part, {.threshold = kThreshold});
  for (Json& one : figures_of(summary, part))
    if (one["name"] == "auc" || one["name"] == "sensitivity" || one["name"] == "specificity" ||
        one["name"] == "ece")
      json["figures"].push_back(one);
  return json;
}

Json gap(const std::string& metric, const std::string& low, const std::string& high, double by,
         double half) {
  return {{"metric", metric},
          {"low_group", low},
          {"high_group", high},
          {"difference", by},
          {"interval", bounds("bootstrap of cases, percentile", {by - half, by + half})}};
}

Json subgroups(const Cohort& cohort) {
  Json sex{{"column", "sex"}, {"groups", Json::array()}, {"gaps", Json::array()}};
  for (const char* value : {"female", "male", "not stated"})
    sex["groups"].push_back(
        group_of(cohort, value, [&](size_t i) { return cohort.sex[i] == value; }));
  sex["groups"].push_back({{"value", "other"},
                           {"n", nullptr},
                           {"patients", nullptr},
                           {"small", true},
                           {"figures", Json::array()}});
  sex["gaps"] = {gap("auc", "female", "male", 0.0113, 0.0297),
                 gap("sensitivity", "male", "female", 0.0241, 0.0512)};
  Json site{{"column", "site"}, {"groups", Json::array()}, {"gaps", Json::array()}};
  for (const char* value : {"Site A", "Site B"})
    site["groups"].push_back(
        group_of(cohort, value, [&](size_t i) { return cohort.site[i] == value; }));
  site["gaps"] = {gap("auc", "Site B", "Site A", 0.0653, 0.0381)};
  Json age{{"column", "age"},
           {"note", "Bands of ten years."},
           {"groups", Json::array()},
           {"gaps", Json::array()}};
  for (int from = 20; from < 90; from += 10)
    age["groups"].push_back(
        group_of(cohort, fmt::format("{} to {}", from, from + 9),
                 [&](size_t i) { return cohort.age[i] >= from && cohort.age[i] < from + 10; }));
  return {sex, site, age};
}

Json failures(const Cohort& cohort, const Folder& folder, std::mt19937& random) {
  struct Wrong {
    size_t row;
    double margin;
  };
  std::vector<Wrong> wrong;
  const auto& cases = cohort.predictions;
  for (size_t i = 0; i < cases.cases(); ++i) {
    const double p = cases.probability(i, 1);
    if ((p >= kThreshold) != (cases.labels[i] == 1)) wrong.push_back({i, std::abs(p - kThreshold)});
  }
  std::ranges::sort(wrong, std::greater(), &Wrong::margin);
  wrong.resize(std::min<size_t>(wrong.size(), 40));
  std::filesystem::create_directories(folder / "failures");
  Json list = Json::array();
  for (const auto& [row, margin] : wrong) {
    const std::string file = fmt::format("failures/{:03}.png", row);
    if (list.size() != 3) storage::write_file_atomically(folder / file, chest_png(random()));
    const bool sick = cases.labels[row] == 1;
    list.push_back({{"id", row == wrong[1].row ? cases.ids[0] : cases.ids[row]},
                    {"type", sick ? "false negative" : "false positive"},
                    {"class", "pneumonia"},
                    {"truth", sick ? "pneumonia" : "normal"},
                    {"answer", fmt::format("{} (p = {:.3f})", sick ? "normal" : "pneumonia",
                                           cases.probability(row, 1))},
                    {"margin", margin},
                    {"image", file},
                    {"link", "images/" + cases.ids[row]}});
  }
  return list;
}

void plot(Json& target, const Folder& folder, const std::string& file, const std::string& title,
          const std::string& alt, const std::string& svg) {
  storage::write_file_atomically(folder / file, svg);
  target["plots"].push_back({{"file", file}, {"title", title}, {"alt", alt}});
}

Json binary(const Folder& folder, std::mt19937& random) {
  const Cohort cohort = draw(624, random);
  const auto& cases = cohort.predictions;
  const metrics::OperatingPoint point{.threshold = kThreshold, .chosen = "youden on val"};
  const auto scored = metrics::score(cases, point);
  const auto summary = metrics::summarize(cases, scored, point);
  const int64_t sick = summary.classes.at(0).counts.positives();
  Json target{
      {"name", "pneumonia"}, {"type", "binary"},
      {"folder", ""},        {"line", "split=test n=624 unknown=2 auc=0.9391 accuracy=0.8702"},
      {"cases", 626},        {"n", 624},
      {"unknown", 2},        {"failed", 0},
      {"patients", 624},     {"clustered", false}};
  target["classes"] = {{{"name", "normal"}, {"n", 624 - sick}, {"known", 624}},
                       {{"name", "pneumonia"}, {"n", sick}, {"known", 624}}};
  target["positive_class"] = "pneumonia";
  target["decision"] = {
      {"rule",
       "A case is called positive where the calibrated probability of pneumonia reaches the "
       "threshold that was largest in sensitivity + specificity on the validation cases "
       "(Youden's index)."},
      {"points",
       {{{"class", "pneumonia"}, {"threshold", kThreshold}, {"chosen", "Youden's index on val"}}}}};
  target["figures"] = figures_of(summary, cases);
  Json& auc = target["figures"][0];
  const auto estimate = metrics::estimate_auc(of_positive(cases), labels_of(cases), {});
  auc["interval"] = bounds("DeLong on the logit scale", estimate.interval);
  auc["n_for_half_width"] = {{"half_width", 0.01}, {"n", 2140}};
  target["confusion_matrix"] = {{"classes", cases.classes},
                                {"counts",
                                 {{summary.confusion.at(0, 0), summary.confusion.at(0, 1)},
                                  {summary.confusion.at(1, 0), summary.confusion.at(1, 1)}}}};
  target["thresholds"] = thresholds(cases);
  target["plots"] = Json::array();
  const std::string about_it = fmt::format("test · n = 624 ({} pneumonia)", sick);
  plot(target, folder, "roc.svg", "ROC curve with the operating point",
       "ROC curve: sensitivity against 1 - specificity, well above the diagonal",
       report::roc_curve_svg(scored, about_it));
  plot(target, folder, "precision_recall.svg", "Precision-recall curve",
       "Precision against recall, above the prevalence everywhere",
       report::precision_recall_svg(scored, about_it));
  plot(target, folder, "reliability.svg", "Reliability diagram, 15 equal bins",
       "Observed frequency against mean probability, close to the diagonal",
       report::reliability_svg(
           metrics::reliability(scored.questions[0].probabilities, scored.questions[0].labels),
           "pneumonia", about_it));
  target["plots"].push_back({{"file", "decision_curve.svg"},
                             {"title", "Decision curve"},
                             {"alt", "Net benefit against the threshold"}});
  target["tables"] = {{{"title", "PPV and NPV at other prevalences"},
                       {"note", "By Bayes from sensitivity and specificity."},
                       {"columns", {"Prevalence", "PPV", "NPV", "Cases per finding"}},
                       {"rows",
                        {{"1 %", 0.0653, 0.99874, 15.3},
                         {"5 %", 0.266, 0.9934, 3.76},
                         {"20 %", 0.6327, 0.969, nullptr}}}}};
  target["subgroups"] = subgroups(cohort);
  target["failures"] = failures(cohort, folder, random);
  target["warnings"] = {
      "The AUC is above 0.9 with fewer than 250 negative cases: in simulations of such studies the "
      "interval held the truth in 93.1 % instead of 95 %.",
      "2 cases have no label and count for nothing."};
  return target;
}

Json labels(const Folder& folder, std::mt19937& random) {
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
  const auto scored = metrics::score(cases);
  const auto summary = metrics::summarize(cases, scored, {});
  Json target{{"name", "findings"},
              {"type", "multilabel"},
              {"folder", "findings"},
              {"line", "split=test n=320 auc=0.9000"},
              {"cases", 326},
              {"n", 320},
              {"unknown", 3},
              {"failed", 3},
              {"patients", 107},
              {"clustered", true},
              {"decision", {{"rule", "One threshold per label."}, {"points", Json::array()}}},
              {"figures", Json::array()},
              {"per_class", Json::array()},
              {"plots", Json::array()},
              {"warnings", {"hernia: no positive case, so most of its metrics are undefined."}}};
  for (const auto& [name, value] : summary.overall)
    target["figures"].push_back(figure(name, value, 320));
  for (const auto& one : summary.classes) {
    target["classes"].push_back(
        {{"name", one.name}, {"n", one.counts.positives()}, {"known", one.counts.cases()}});
    target["decision"]["points"].push_back({{"class", one.name},
                                            {"threshold", 0.31 + 0.001 * one.counts.positives()},
                                            {"chosen", "Youden's index on val"}});
    Json figures = Json::array();
    for (const auto& [name, value] : one.metrics)
      if (name == "auc" || name == "sensitivity" || name == "specificity" || name == "brier")
        figures.push_back(figure(name, value, 320));
    target["per_class"].push_back({{"class", one.name}, {"figures", figures}});
  }
  std::filesystem::create_directories(folder / "findings");
  storage::write_file_atomically(folder / "findings/roc.svg",
                                 report::roc_curve_svg(scored, "test · n = 320"));
  target["plots"].push_back(
      {{"file", "roc.svg"}, {"title", "ROC curves"}, {"alt", "One ROC curve for each label"}});
  return target;
}

Json number_target(const Folder& folder, std::mt19937& random) {
  metrics::Numbers numbers;
  std::normal_distribution<double> normal;
  for (int i = 0; i < 240; ++i) {
    numbers.ids.push_back(fmt::format("{}", i));
    numbers.targets.push_back(std::clamp(1300 + 420 * normal(random), 200.0, 2600.0));
    numbers.predicted.push_back(numbers.targets.back() - 18 + 143 * normal(random));
  }
  Json target{{"name", "lung volume (ml)"},
              {"type", "regression"},
              {"folder", "volume"},
              {"line", "split=test n=240 rmse=143.2"},
              {"cases", 240},
              {"n", 240},
              {"unknown", 0},
              {"failed", 0},
              {"patients", nullptr},
              {"clustered", false},
              {"figures", Json::array()},
              {"plots", Json::array()},
              {"warnings", Json::array()}};
  for (const auto& metric : metrics::regression_catalogue()) {
    const double value = metric.compute(numbers).value, half = metric.name == "r2" ? 0.013 : 15.7;
    target["figures"].push_back(
        {{"name", metric.name},
         {"goal", words(metric.goal)},
         {"value", value},
         {"n", 240},
         {"interval", bounds("bootstrap of cases, BCa", {value - half * 1.1, value + half})}});
  }
  std::filesystem::create_directories(folder / "volume");
  storage::write_file_atomically(folder / "volume/scatter.svg",
                                 report::scatter_svg(numbers, "lung volume", "test · n = 240"));
  storage::write_file_atomically(
      folder / "volume/bland_altman.svg",
      report::bland_altman_svg(numbers, "lung volume", "test · n = 240"));
  target["plots"] = {{{"file", "scatter.svg"},
                      {"title", "Predicted against true"},
                      {"alt", "Points close to the diagonal"}},
                     {{"file", "bland_altman.svg"},
                      {"title", "Agreement (Bland and Altman)"},
                      {"alt", "Differences against means, most within the limits of agreement"}}};
  return target;
}

Json example(const Folder& folder) {
  std::mt19937 random(7);
  Json report = Json::parse(R"json({
    "schema_version": 1, "fovea": "0.1.0", "created": "2026-03-01T09:05:00Z", "title": "chest-resnet18",
    "split": "test", "level": 0.95, "replicates": 2000, "seed": 1,
    "model": {"name": "resnet18 with attention", "facts": [["Input", "1 x 224 x 224"], ["Parameters", "11,171,266"],
      ["Precision", "bf16"], ["Trained", "30 epochs, best at 17 by AUC on val"]]},
    "data": {"name": "chest_xray.csv", "external": false, "cases": 626, "patients": 624, "notes": [
      "images: 12 of 626 are RGB and were read as grey", "label: the column 'class' was read as text"]},
    "targets": [],
    "drift": [
      {"input": "image", "quantity": "size", "training": "median 1320 x 968 (1096 to 1664)", "here": "median 1286 x 941", "psi": 0.041, "p": 0.27, "test": "Kolmogorov-Smirnov"
},
      {"input": "image", "quantity": "intensity", "training": "mean 122 (109 to 134)", "here": "mean 131 (118 to 142)", "psi": 0.312, "p": 0.00002, "test": "Kolmogorov-Smirnov"},
      {"input": "age", "quantity": "missing", "training": "3.1 %", "here": "4.8 %", "psi": 0.118, "p": 0.034, "test": "chi-squared"},
      {"input": "view", "quantity": "category", "training": "all PA", "here": "all PA", "psi": null, "p": null, "undefined": "one category only"}],
    "card": [
      {"section": "Data", "item": "Source", "text": "Paediatric chest radiographs of one centre"},
      {"section": "Data", "item": "Inclusion", "text": null},
      {"section": "Data", "item": "Reference standard", "text": "Two readers, a third where they differed"},
      {"section": "Model", "item": "Preprocessing", "text": "- resize: 224\n- scale: zscore"},
      {"section": "Model", "item": "Intended use", "text": null},
      {"section": "Model", "item": "Limits", "text": "Not for adults; not for lateral views."}]
})json");
  report["model"]["weights_sha256"] = std::string(64, 'c');
  report["data"]["fingerprint"] = std::string(64, 'a');
  report["targets"] = {binary(folder, random), labels(folder, random),
                       number_target(folder, random)};
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
    std::filesystem::create_directories(folder);
    fovea::storage::write_file_atomically(folder / "report.json",
                                          fovea::example(folder).dump(2) + "\n");
    std::puts(fovea::report::write_report_page(folder).c_str());
  } catch (const fovea::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.fault());
  }
}
