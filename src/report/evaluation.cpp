#include "fovea/report/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fovea/metrics/catalogue.h"
#include "fovea/report/plots.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "report/metrics_json.h"

namespace fovea::report {
namespace {

using Json = nlohmann::ordered_json;
using metrics::Mode;
using metrics::Predictions;

Json json_of(const metrics::ClassSummary& of_class) {
  const metrics::Counts& counts = of_class.counts;
  Json json{{"class", of_class.name},
            {"n", counts.cases()},
            {"positives", counts.positives()},
            {"true_positives", counts.true_positives},
            {"false_positives", counts.false_positives},
            {"true_negatives", counts.true_negatives},
            {"false_negatives", counts.false_negatives}};
  put_metrics(json, of_class.metrics);
  return json;
}

Json json_of(const metrics::ConfusionMatrix& matrix) {
  Json rows = Json::array();
  for (size_t truth = 0; truth < matrix.classes(); ++truth) {
    Json row = Json::array();
    for (size_t decision = 0; decision < matrix.classes(); ++decision)
      row.push_back(matrix.at(truth, decision));
    rows.push_back(std::move(row));
  }
  return {{"rows", "truth"}, {"columns", "decision"}, {"counts", std::move(rows)}};
}

/// One threshold for all, or, where labels have their own, null and one for each.
Json decision_of(const Predictions& predictions) {
  if (predictions.mode == Mode::multiclass) return {{"rule", "largest probability"}};
  Json json{{"rule", "probability >= threshold"}};
  if (predictions.points.size() <= 1) {
    json["threshold"] = predictions.point().threshold;
    json["threshold_chosen"] = predictions.point().chosen;
    return json;
  }
  json["threshold"] = nullptr;
  for (size_t k = 0; k < predictions.width(); ++k) {
    json["thresholds"][predictions.classes[k]] = predictions.point(k).threshold;
    json["thresholds_chosen"][predictions.classes[k]] = predictions.point(k).chosen;
  }
  return json;
}

/// "test · n = 624 (390 pneumonia) · 120 patients"
std::string subtitle_of(const metrics::ClassificationSummary& summary, std::string_view split) {
  std::string text = fmt::format("{} · n = {}", split, summary.cases);
  if (summary.mode == Mode::binary) {
    text += fmt::format(" ({} {})", summary.classes.front().counts.positives(),
                        summary.classes.front().name);
  }
  if (summary.groups > 0 && summary.groups != summary.cases)
    text += fmt::format(" · {} patients", summary.groups);
  return text;
}

/// What the reliability diagram is about: the positive class, the class decided for, or every known
/// label.
std::string reliability_of(const metrics::Scored& scored, std::string_view subtitle) {
  std::vector<double> probabilities;
  std::vector<uint8_t> happened;
  if (scored.mode == Mode::multiclass) {
    const size_t k = scored.questions.size();
    for (size_t i = 0; i < scored.labels.size(); ++i) {
      const double* row = &scored.probabilities[i * k];
      const double* top = std::max_element(row, row + k);
      probabilities.push_back(*top);
      happened.push_back(top - row == scored.labels[i]);
    }
    return reliability_svg(metrics::reliability(probabilities, happened), "the class decided for",
                           subtitle);
  }
  for (const metrics::Question& question : scored.questions) {
    probabilities.insert(probabilities.end(), question.probabilities.begin(),
                         question.probabilities.end());
    happened.insert(happened.end(), question.labels.begin(), question.labels.end());
  }
  const std::string event =
      scored.mode == Mode::binary ? scored.questions.front().name : "a label (all pooled)";
  return reliability_svg(metrics::reliability(probabilities, happened), event, subtitle);
}

}  // namespace

std::string summary_line(const metrics::ClassificationSummary& summary, std::string_view split,
                         const metrics::Coverage& coverage) {
  return coverage_line(split, summary.cases, coverage) + metrics_line(summary.overall);
}

std::string metrics_json(const metrics::ClassificationSummary& summary,
                         const Predictions& predictions, std::string_view split,
                         const metrics::Coverage& coverage) {
  Json json{{"schema_version", kMetricsSchema}, {"split", split}, {"mode", name_of(summary.mode)}};
  put_coverage(json, summary.cases, coverage);
  json["n_groups"] = summary.groups > 0 ? Json(summary.groups) : Json(nullptr);
  json["classes"] = predictions.classes;
  if (summary.mode == Mode::binary)
    json["positive_class"] = predictions.classes[predictions.positive];
  json["decision"] = decision_of(predictions);
  put_metrics(json, summary.overall);
  json["per_class"] = Json::array();
  for (const metrics::ClassSummary& of_class : summary.classes)
    json["per_class"].push_back(json_of(of_class));
  if (summary.mode != Mode::multilabel) json["confusion_matrix"] = json_of(summary.confusion);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string predictions_csv(const Predictions& predictions) {
  const bool grouped = !predictions.groups.empty(),
             per_label = predictions.mode == Mode::multilabel;
  std::vector<std::string> columns{"id"};
  const auto add_per_class = [&](const char* prefix) {
    for (const std::string& name : predictions.classes) columns.push_back(prefix + name);
  };
  if (grouped) columns.push_back("group");
  if (per_label)
    add_per_class("label_");
  else
    columns.push_back("label");
  add_per_class("p_");
  if (per_label)
    add_per_class("decision_");
  else
    columns.push_back("decision");

  storage::CsvWriter csv(columns);
  const size_t k = predictions.width();
  for (size_t i = 0; i < predictions.cases(); ++i) {
    csv.text(predictions.ids[i]);
    if (grouped) csv.text(storage::pseudonym(predictions.groups[i]));
    if (per_label) {
      for (size_t c = 0; c < k; ++c) {
        const int label = predictions.labels[i * k + c];
        label == metrics::kUnknown ? csv.blank() : csv.number(int64_t{label});
      }
    } else {
      csv.text(predictions.classes[static_cast<size_t>(predictions.labels[i])]);
    }
    for (size_t c = 0; c < k; ++c) csv.number(predictions.probability(i, c));
    if (per_label) {
      for (size_t c = 0; c < k; ++c)
        csv.number(int64_t{predictions.probability(i, c) >= predictions.point(c).threshold});
    } else {
      csv.text(predictions.classes[decide(predictions, i)]);
    }
    csv.end_row();
  }
  return csv.take();
}

std::string write_evaluation(const std::filesystem::path& folder, const Predictions& predictions,
                             const Evaluation& evaluation) {
  const metrics::Scored scored = metrics::score(predictions);
  const auto summary = metrics::summarize(predictions, scored);
  storage::make_folder(folder);
  const auto write = [&](const char* name, const std::string& content) {
    storage::write_file_atomically(folder / name, content);
  };
  write("metrics.json", metrics_json(summary, predictions, evaluation.split, evaluation.coverage));
  write("predictions.csv", predictions_csv(predictions));
  if (evaluation.plots) {
    const std::string subtitle = subtitle_of(summary, evaluation.split);
    write("roc.svg", roc_curve_svg(scored, subtitle));
    write("precision_recall.svg", precision_recall_svg(scored, subtitle));
    write("reliability.svg", reliability_of(scored, subtitle));
    if (summary.mode == Mode::binary)
      write("net_benefit.svg", net_benefit_svg(scored.questions[0], subtitle));
    if (summary.mode != Mode::multilabel) {
      write("confusion_matrix.svg",
            confusion_matrix_svg(summary.confusion, predictions.classes, subtitle));
    }
  }
  return summary_line(summary, evaluation.split, evaluation.coverage);
}

}  // namespace fovea::report
