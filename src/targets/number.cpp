#include "fovea/targets/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "tables/cells.h"
#include "tables/complaints.h"
#include "tables/numbers.h"
#include "targets/labels.h"

namespace fovea::targets {
namespace {

void check(const NumberOptions& options, const std::string& setting) {
  if (options.clip.empty() || (options.clip.size() == 2 && options.clip[0] < options.clip[1]))
    return;
  std::vector<std::string> found;
  for (const double one : options.clip) found.push_back(number(one));
  throw config_error(
      fmt::format("{}.clip: found [{}], wanted [lowest, highest], the first below the second",
                  setting, join(found)));
}

class NumberTarget final : public TensorTarget {
 public:
  NumberTarget(std::string name, torch::Tensor values, tables::Findings findings) {
    spec_.name = std::move(name);
    spec_.type = "number";
    values_ = std::move(values);
    findings_ = std::move(findings);
  }

  std::vector<TruthColumn> columns() const override {
    TruthColumn column{.number = true};
    const auto* values = values_.const_data_ptr<float>();
    column.values.assign(values, values + values_.size(0));
    return {column};
  }

  void fit(const std::vector<int64_t>& training, bool) override {
    std::vector<double> numbers;
    const auto* values = values_.const_data_ptr<float>();
    for (const int64_t i : training)
      if (!std::isnan(values[i])) numbers.push_back(values[i]);
    if (numbers.empty())
      throw data_error(fmt::format("target '{}': no training case has its number", spec_.name));
    const tables::Spread spread = tables::spread_of(numbers);
    spec_.mean = spread.mean;
    spec_.deviation = spread.deviation > 0 ? spread.deviation : 1;
  }
};

}  // namespace

TargetPtr number_of_cases(std::string name, torch::Tensor values, tables::Findings findings) {
  return std::make_shared<NumberTarget>(std::move(name), std::move(values), std::move(findings));
}

TargetPtr number_target(const NumberOptions& options, const TargetPlace& place) {
  const std::string setting = "DataOptions::targets." + place.name + ".number";
  const std::string where = fmt::format("{}: column '{}'", place.where, options.column);
  check(options, setting);
  const torch::Tensor all =
      torch::full({static_cast<int64_t>(place.cases)}, std::numeric_limits<float>::quiet_NaN());
  auto* values = all.mutable_data_ptr<float>();
  tables::Findings findings;
  tables::Complaints complaints;
  std::string remedy;  // of the first bad cell
  tables::NumberReader reader(place.format, options.missing);
  tables::Range range;
  size_t clipped = 0;
  const std::vector<std::string_view> cells = place.cells(options.column);
  for (size_t i = 0; i < cells.size(); ++i) {
    const tables::NumberReader::Cell cell = reader.read(cells[i]);
    range.missing += cell.type == tables::NumberReader::Cell::missing;
    if (cell.type == tables::NumberReader::Cell::missing) continue;
    if (cell.type == tables::NumberReader::Cell::wrong ||
        !std::isfinite(static_cast<float>(cell.value))) {
      if (complaints.empty()) remedy = reader.refusal(cells[i], setting + ".missing").remedy();
      complaints.add(i, cells[i]);
      continue;
    }
    double value = cell.value;
    if (!options.clip.empty()) value = std::clamp(value, options.clip[0], options.clip[1]);
    clipped += value != cell.value;
    values[i] = static_cast<float>(value);
    range.add(value);
  }
  complaints.raise(where, place.line, "finite numbers", remedy);
  reader.add_notes(where, findings.notes);
  if (clipped > 0)
    findings.notes.push_back(fmt::format(
        "target '{}': {} of {} numbers lie outside [{}, {}] and count as its ends (clip)",
        place.name, clipped, range.values, number(options.clip[0]), number(options.clip[1])));
  findings.columns.push_back({place.name, "number, " + range.text(false, cells.size())});
  return number_of_cases(place.name, all, std::move(findings));
}

}  // namespace fovea::targets
