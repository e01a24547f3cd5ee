// What an evaluation left in its folder, read back: report.json with predictions.csv or entities.jsonl.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fovea/metrics/evaluated.h"

namespace fovea::report {

/// The cases of one target. `truths`: of each case, what is true, as a text that is equal where the truth is.
struct StoredTarget {
  std::string name, type;
  std::vector<std::string> ids, groups, truths;
  std::shared_ptr<const metrics::Evaluated> cases;
};

struct StoredEvaluation {
  std::filesystem::path folder;
  std::string title, split;
  std::vector<StoredTarget> targets;
};

/// Errors: io where a file cannot be read; data where one is damaged, or is of a later version.
StoredEvaluation read_evaluation(const std::filesystem::path& folder);

}  // namespace fovea::report
