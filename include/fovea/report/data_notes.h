// What an evaluation's metrics are about: how its data were read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::report {

struct DataNotes {
  std::vector<std::string> notes;                          ///< of the source of the data
  std::vector<std::pair<std::string, int64_t>> cut_texts;  ///< by input, of the evaluated cases
};

/// Puts them into a metrics.json that is there, under "data": {"notes": […], "cut_texts": {…}}.
/// Nothing happens where there is neither.
void add_data_notes(const std::filesystem::path& metrics_json, const DataNotes& notes);

}  // namespace fovea::report
