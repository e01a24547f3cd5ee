// What `fovea eval` leaves of token classification: metrics.json and the entities of each text.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fovea/metrics/coverage.h"
#include "fovea/metrics/entities.h"

namespace fovea::report {

/// Writes, into a folder that exists or is made:
///   metrics.json     metrics with all digits, over all entities and per type, and their counts; of
///                    the true ones how many are cut or cannot be aligned
///   entities.jsonl   a line per text: id, group (where there is one; a pseudonym), truth and found as
///                    [begin, end, label] in code points, tokens and right_tokens; no line holds any of
///                    the text
/// and returns "split=test n=940 f1=0.7000 …". Entities are in code points of the texts.
std::string write_entities(const std::filesystem::path& folder,
                           const std::vector<metrics::TaggedText>& texts,
                           const std::vector<std::string>& ids,
                           const std::vector<std::string>& groups,
                           const std::vector<std::string>& types, const std::string& split,
                           const metrics::Coverage& coverage = {});

}  // namespace fovea::report
