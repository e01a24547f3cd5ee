// What `fovea infer --explain FOLDER` writes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fovea/bundle/predictor.h"
#include "fovea/storage/append_file.h"

namespace fovea::commands {

/// explanations.jsonl, a line per case; a plot per case and input (words shaded, bars, traces with
/// their time steps shaded); and where the parts are the same in every case the mean.
class ExplanationFolder {
 public:
  /// Does nothing where `folder` is empty.
  explicit ExplanationFolder(std::filesystem::path folder);

  void add(const Prediction& prediction);
  /// A config Error where no case had an explanation.
  void finish();

 private:
  void plot(const std::string& name, const Explanation& one, const std::string& subtitle) const;
  void count(const Explanation& one);

  std::filesystem::path folder_;
  std::optional<storage::PartialFile> lines_;
  std::vector<Explanation> sums_;
  int64_t cases_ = 0, explained_ = 0;
};

}  // namespace fovea::commands
