#include "commands/subgroups.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/file.h"

namespace fovea::commands {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kMostNumbers = 10, kMostWords = 50, kBands = 4;
constexpr int64_t kSmall = 20;  // cases, below which a metric says little
constexpr const char* kBlank = "(blank)";

std::optional<double> number_in(const std::string& cell) {
  double value = 0;
  const char* end = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) return {};
  return value;
}

/// Bands of about equal size in place of numbers: "20 to 41". Equal numbers are in one band.
void cut_into_bands(std::vector<std::string>& values) {
  std::vector<double> sorted;
  for (const std::string& value : values)
    if (const auto number = number_in(value)) sorted.push_back(*number);
  std::ranges::sort(sorted);
  std::vector<double> uppers;
  for (size_t band = 1; band <= kBands; ++band)
    uppers.push_back(sorted[(sorted.size() * band + kBands - 1) / kBands - 1]);
  for (std::string& value : values) {
    const auto number = number_in(value);
    if (!number) continue;
    const double upper = *std::ranges::lower_bound(uppers, *number);
    const auto band = std::ranges::find(uppers, upper);  // the first of equal ones
    const double lower =
        band == uppers.begin() ? sorted[0] : *std::ranges::upper_bound(sorted, *(band - 1));
    value = fovea::number(lower) + " to " + fovea::number(upper);
  }
}

/// The values in their order: numbers by size, words by the alphabet, blanks last.
std::vector<std::string> in_order(const std::set<std::string>& values) {
  std::vector<std::string> all(values.begin(), values.end());
  std::ranges::stable_sort(all, {}, [](const std::string& value) {
    const auto number = number_in(value.substr(0, value.find(' ')));
    return std::pair(value == kBlank ? 2 : number ? 0 : 1, number.value_or(0));
  });
  return all;
}

/// One value for each case, of few enough that each is a group.
void make_groups(const std::string& column, std::vector<std::string>& values) {
  std::set<std::string> different;
  bool all_numbers = true;
  for (std::string& value : values) {
    if (value.empty()) value = kBlank;
    if (value == kBlank) continue;
    different.insert(value);
    all_numbers &= number_in(value).has_value();
  }
  if (all_numbers && different.size() > kMostNumbers) return cut_into_bands(values);
  if (different.size() > kMostWords)
    throw data_error(fmt::format("data.subgroups: the column '{}' has {} different values, wanted "
                                 "at most {}",
                                 column, different.size(), kMostWords),
                     "name a column that puts cases into groups, or leave it out");
}

TensorMap rows_of(const TensorMap& all, const torch::Tensor& rows, int64_t cases) {
  TensorMap some;
  for (const auto& [name, tensor] : all)
    some[name] =
        tensor.dim() > 0 && tensor.size(0) == cases ? tensor.index_select(0, rows) : tensor;
  return some;
}

Batch rows_of(const Batch& all, const std::vector<int64_t>& rows) {
  const torch::Tensor at = torch::tensor(rows);
  const int64_t n = all.size();
  Batch some{.inputs = rows_of(all.inputs, at, n),
             .targets = rows_of(all.targets, at, n),
             .lengths = rows_of(all.lengths, at, n),
             .present = rows_of(all.present, at, n)};
  for (const int64_t row : rows) {
    const auto i = static_cast<size_t>(row);
    some.ids.push_back(all.ids[i]);
    if (i < all.groups.size()) some.groups.push_back(all.groups[i]);
    some.indices.push_back(all.indices[i]);
  }
  return some;
}

/// The task's metrics whose names begin with `prefix`, without it; the loss is of batches.
std::vector<tasks::NamedMetric> metrics_of(const tasks::Evaluation& evaluation,
                                           const std::string& prefix) {
  std::vector<tasks::NamedMetric> metrics;
  for (tasks::NamedMetric metric : evaluation.metrics()) {
    if (metric.name == "loss" || !metric.name.starts_with(prefix)) continue;
    metric.name.erase(0, prefix.size());
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

void put_metrics(Json& json, const std::vector<tasks::NamedMetric>& metrics) {
  Json values = Json::object(), undefined = Json::object();
  for (const tasks::NamedMetric& metric : metrics) {
    const bool defined = metric.why_undefined.empty();
    values[metric.name] = defined ? Json(metric.value) : Json(nullptr);
    if (!defined) undefined[metric.name] = metric.why_undefined;
  }
  json["figures"] = std::move(values);
  if (!undefined.empty()) json["undefined"] = std::move(undefined);
}

}  // namespace

Subgroups::Subgroups(const sources::Source& source, const std::string& split,
                     const tasks::Task& task) {
  for (const auto& [name, cells] : source.subgroups) {
    std::vector<std::string> values;
    if (split == "all") {
      values = cells;
    } else {
      for (const int64_t i : source.cases(split)) values.push_back(cells[static_cast<size_t>(i)]);
    }
    make_groups(name, values);
    Column column{.name = name};
    std::map<std::string, size_t> places;
    for (const std::string& value : in_order({values.begin(), values.end()})) {
      places[value] = column.groups.size();
      column.groups.push_back({value, 0, task.evaluation()});
    }
    for (const std::string& value : values) {
      column.group_of.push_back(places.at(value));
      ++column.groups[places.at(value)].cases;
    }
    columns_.push_back(std::move(column));
  }
}

void Subgroups::add(const TensorMap& decoded, const Batch& batch) {
  for (Column& column : columns_) {
    std::map<size_t, std::vector<int64_t>> rows;
    for (int64_t row = 0; row < batch.size(); ++row) {
      const auto position = static_cast<size_t>(batch.indices[static_cast<size_t>(row)]);
      rows[column.group_of.at(position)].push_back(row);
    }
    for (const auto& [group, some] : rows)
      column.groups[group].evaluation->add(rows_of(decoded, torch::tensor(some), batch.size()),
                                           rows_of(batch, some));
  }
}

void Subgroups::write(const fs::path& folder) const {
  if (columns_.empty()) return;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() != "metrics.json") continue;
    const fs::path within = entry.path().parent_path().lexically_relative(folder);
    const std::string prefix = within == "." ? "" : within.string() + ".";
    if (!prefix.empty() && storage::exists(folder / "metrics.json")) continue;  // of another task
    if (metrics_of(*columns_[0].groups.at(0).evaluation, prefix).empty()) continue;
    Json json = Json::parse(storage::read_file(entry.path()));
    for (const Column& column : columns_)
      for (const Group& group : column.groups) {
        Json one{{"value", group.value}, {"n", group.cases}};
        if (group.cases < kSmall) one["small"] = true;
        put_metrics(one, metrics_of(*group.evaluation, prefix));
        json["subgroups"][column.name].push_back(std::move(one));
      }
    storage::write_file_atomically(entry.path(),
                                   json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  }
}

std::string Subgroups::lines() const {
  std::string text;
  for (const Column& column : columns_)
    for (const Group& group : column.groups) {
      const auto metrics = metrics_of(*group.evaluation, "");
      const tasks::NamedMetric& main = metrics.at(0);
      text += fmt::format(
          "subgroup {}={} n={} {}={}\n", column.name, group.value, group.cases, main.name,
          main.why_undefined.empty() ? fmt::format("{:.4f}", main.value) : "undefined");
    }
  return text;
}

}  // namespace fovea::commands
