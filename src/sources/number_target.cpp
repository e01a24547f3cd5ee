#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/sources/targets.h"
#include "sources/cells.h"
#include "sources/complaints.h"

namespace fovea::sources {
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

}  // namespace

Labels number_target(const NumberOptions& options, const TargetPlace& place) {
  const std::string setting = "DataOptions::targets." + place.name + ".number";
  const std::string where = fmt::format("{}: column '{}'", place.where, options.column);
  check(options, setting);
  Labels labels{.spec = {.name = place.name, .classes = {}, .kind = TargetKind::number},
                .values = torch::full({static_cast<int64_t>(place.cases)},
                                      std::numeric_limits<float>::quiet_NaN())};
  auto* values = labels.values.data_ptr<float>();
  Complaints complaints;
  std::string remedy;  // of the first bad cell
  NumberReader reader(place.format, options.missing);
  Range range;
  size_t clipped = 0;
  const std::vector<std::string_view> cells = place.cells(options.column);
  for (size_t i = 0; i < cells.size(); ++i) {
    const NumberReader::Cell cell = reader.read(cells[i]);
    range.missing += cell.kind == NumberReader::Cell::missing;
    if (cell.kind == NumberReader::Cell::missing) continue;
    if (cell.kind == NumberReader::Cell::wrong || !std::isfinite(static_cast<float>(cell.value))) {
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
  reader.add_notes(where, labels.findings.notes);
  if (clipped > 0)
    labels.findings.notes.push_back(fmt::format(
        "target '{}': {} of {} numbers lie outside [{}, {}] and count as its ends (clip)",
        place.name, clipped, range.values, number(options.clip[0]), number(options.clip[1])));
  labels.findings.columns.push_back({place.name, "number, " + range.text(false, cells.size())});
  return labels;
}

}  // namespace fovea::sources
