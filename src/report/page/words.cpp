#include "report/page/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "fovea/core/text.h"
#include "fovea/metrics/catalogue.h"
#include "fovea/metrics/regression.h"
#include "report/page/numbers.h"

namespace fovea::report::page {
namespace {

constexpr std::array<std::pair<std::string_view, const char*>, 28> kLabels{{
    {"auc", "Area under the ROC curve (AUC)"},
    {"auc_weighted", "AUC, weighted by prevalence"},
    {"auc_micro", "AUC, all labels pooled"},
    {"ppv", "Positive predictive value (PPV)"},
    {"npv", "Negative predictive value (NPV)"},
    {"f1", "F1 score"},
    {"mcc", "Matthews correlation (MCC)"},
    {"kappa", "Cohen's kappa"},
    {"brier", "Brier score"},
    {"ece", "Expected calibration error (ECE)"},
    {"ece_by_mass", "Expected calibration error, bins of equal mass"},
    {"mce", "Maximum calibration error (MCE)"},
    {"lr_positive", "Positive likelihood ratio"},
    {"lr_negative", "Negative likelihood ratio"},
    {"rmse", "Root mean squared error (RMSE)"},
    {"mae", "Mean absolute error (MAE)"},
    {"r2", "R²"},
    {"bias", "Bias (mean of predicted − true)"},
    {"pearson", "Pearson correlation"},
    {"spearman", "Spearman rank correlation"},
    {"dice", "Dice coefficient"},
    {"iou", "Intersection over union (IoU)"},
    {"hd95", "95th percentile of the surface distance (HD95)"},
    {"net_benefit", "Net benefit"},
    {"calibration_slope", "Calibration slope"},
    {"calibration_intercept", "Calibration intercept"},
    {"exact_match", "Exact match"},
    {"macro_f1", "F1 score, mean over classes"},
}};

constexpr std::array kMonths{"January", "February", "March",     "April",   "May",      "June",
                             "July",    "August",   "September", "October", "November", "December"};

}  // namespace

std::string label_of(std::string_view metric) {
  const auto* known = std::ranges::find(kLabels, metric, [](const auto& row) { return row.first; });
  if (known != kLabels.end()) return known->second;
  std::string label(metric);
  std::ranges::replace(label, '_', ' ');
  if (!label.empty() && label[0] >= 'a' && label[0] <= 'z')
    label[0] = static_cast<char>(label[0] - 'a' + 'A');
  return label;
}

std::string short_label_of(std::string_view metric) {
  const std::string label = label_of(metric);
  const size_t open = label.rfind('(');
  if (open == std::string::npos || !label.ends_with(')') ||
      label.find(' ', open) != std::string::npos)
    return label;
  return label.substr(open + 1, label.size() - open - 2);
}

std::string sentence(std::string text) {
  if (text.empty()) return text;
  if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  if (text.back() != '.' && text.back() != '?' && text.back() != '!') text += '.';
  return text;
}

std::string help_of(const Node& figure) {
  if (figure.has("help")) return sentence(figure.text("help"));
  const std::string name = figure.text("name");
  for (const metrics::Metric& metric : metrics::catalogue())
    if (metric.name == name) return sentence(std::string(metric.help));
  for (const metrics::RegressionMetric& metric : metrics::regression_catalogue())
    if (metric.name == name) return sentence(std::string(metric.help));
  return "";
}

std::string words_of_type(std::string_view type) {
  if (type == "binary") return "Binary classification";
  if (type == "multiclass") return "Classification, one of several classes";
  if (type == "multilabel") return "Classification, several labels";
  if (type == "tagging") return "Tagging of entities";
  return label_of(type);
}

std::string date_of(std::string_view iso) {
  const auto part = [&](size_t at, size_t length) {
    int value = -1;
    const char* begin = iso.data() + at;
    const auto read = std::from_chars(begin, begin + length, value);
    return read.ptr == begin + length ? value : -1;
  };
  if (iso.size() < 16 || iso[4] != '-' || iso[7] != '-' || iso[10] != 'T' || iso[13] != ':')
    return std::string(iso);
  const int year = part(0, 4), month = part(5, 2), day = part(8, 2), hour = part(11, 2),
            minute = part(14, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || minute < 0)
    return std::string(iso);
  return fmt::format("{} {} {}, {:02}:{:02}{}", day, kMonths[static_cast<size_t>(month - 1)], year,
                     hour, minute, iso.ends_with('Z') ? " UTC" : "");
}

std::string interval_name(double level) { return fmt::format("{:g} % interval", 100 * level); }

std::string counted(int64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count_text(n), n == 1 ? one : many);
}

}  // namespace fovea::report::page
