#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/sources/targets.h"
#include "sources/complaints.h"
#include "sources/numbers.h"

namespace fovea::sources {
namespace {

void check(const NumberOptions& options, const std::string& name) {
  if (options.clip.empty() || (options.clip.size() == 2 && options.clip[0] < options.clip[1]))
    return;
  std::vector<std::string> found;
  for (const double one : options.clip) found.push_back(number(one));
  throw config_error(fmt::format(
      "data.targets.{}.clip: found [{}], wanted [lowest, highest], the first below the second",
      name, join(found)));
}

}  // namespace

Labels number_target(const NumberOptions& options, const TargetPlace& place) {
  check(options, place.name);
  Labels labels{.spec = {.name = place.name, .classes = {}, .kind = TargetKind::number},
                .values = torch::full({static_cast<int64_t>(place.cases)},
                                      std::numeric_limits<float>::quiet_NaN())};
  auto* values = labels.values.data_ptr<float>();
  Complaints complaints;
  const std::vector<std::string_view> cells = place.cells(options.column);
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string_view cell = cells[i];
    if (std::ranges::find(options.missing, cell) != options.missing.end()) continue;
    const auto number = finite_number(cell);
    if (!number || !std::isfinite(static_cast<float>(*number))) {
      complaints.add(i, cell);
      continue;
    }
    double value = *number;
    if (!options.clip.empty()) value = std::clamp(value, options.clip[0], options.clip[1]);
    values[i] = static_cast<float>(value);
  }
  complaints.raise(fmt::format("{}: column '{}'", place.where, options.column), place.line,
                   "finite numbers");
  return labels;
}

}  // namespace fovea::sources
