#include "fovea/report/regression.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fovea/report/evaluation.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "report/metrics_json.h"

namespace fovea::report {
namespace {

using Json = nlohmann::ordered_json;

std::vector<metrics::NamedMetric> metrics_of(const metrics::Numbers& numbers) {
  std::vector<metrics::NamedMetric> metrics;
  for (const metrics::RegressionMetric& metric : metrics::regression_catalogue())
    metrics.push_back({std::string(metric.name), metric.compute(numbers)});
  return metrics;
}

std::string json_text(const metrics::Numbers& numbers, const std::string& target,
                      const std::string& split, const metrics::Coverage& coverage) {
  const size_t groups = numbers.distinct_groups();
  Json json{{"schema_version", kMetricsSchema},
            {"split", split},
            {"mode", "regression"},
            {"target", target}};
  put_coverage(json, numbers.cases(), coverage);
  json["n_groups"] = groups > 0 ? Json(groups) : Json(nullptr);
  put_metrics(json, metrics_of(numbers));
  const metrics::Agreement agreement = metrics::limits_of_agreement(numbers);
  if (agreement.low.defined()) {
    json["limits_of_agreement"] = {agreement.low.value, agreement.high.value};
  } else {
    json["limits_of_agreement"] = nullptr;
    json["undefined"]["limits_of_agreement"] = agreement.low.why_undefined;
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string csv_text(const metrics::Numbers& numbers, bool grouped) {
  std::vector<std::string> columns{"id", "group", "target", "predicted"};
  if (!grouped) columns.erase(columns.begin() + 1);
  storage::CsvWriter csv(columns);
  for (size_t i = 0; i < numbers.cases(); ++i) {
    csv.text(numbers.ids[i]);
    if (grouped) csv.text(storage::pseudonym(numbers.groups[i]));
    csv.number(numbers.targets[i]).number(numbers.predicted[i]).end_row();
  }
  return csv.take();
}

}  // namespace

std::string write_regression(const std::filesystem::path& folder, const metrics::Numbers& numbers,
                             const std::string& target, const std::string& split,
                             const metrics::Coverage& coverage) {
  numbers.check();
  const size_t groups = numbers.distinct_groups();
  std::string subtitle = fmt::format("{} · n = {}", split, numbers.cases());
  if (groups > 0 && groups != numbers.cases()) subtitle += fmt::format(" · {} patients", groups);
  storage::make_folder(folder);
  const auto write = [&](const char* name, const std::string& content) {
    storage::write_file_atomically(folder / name, content);
  };
  write("metrics.json", json_text(numbers, target, split, coverage));
  write("predictions.csv", csv_text(numbers, groups > 0));
  write("scatter.svg", scatter_svg(numbers, target, subtitle));
  write("bland_altman.svg", bland_altman_svg(numbers, target, subtitle));
  return coverage_line(split, numbers.cases(), coverage) + metrics_line(metrics_of(numbers));
}

}  // namespace fovea::report
