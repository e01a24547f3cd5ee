// What `fovea infer` writes: a table or lines of JSON.
#pragma once

#include <optional>

#include "fovea/bundle/predictor.h"
#include "fovea/storage/append_file.h"
#include "fovea/storage/csv.h"

namespace fovea::commands {

/// Each answer is written as it comes: to standard output, or to a file that grows beside the place
/// of the one that was asked for and takes its name when it is whole (storage::PartialFile).
class InferOutput {
 public:
  /// `out` is a name that ends in .csv or .jsonl, or - for a table on standard output. An Error where
  /// it cannot be written, or is one of `inputs`.
  InferOutput(std::string out, const std::vector<std::filesystem::path>& inputs);

  /// Before the first answer: the columns of the answers.
  void begin(const std::vector<std::string>& columns);
  /// Throws Stopped where nobody reads standard output any more.
  void add(const Prediction& prediction);
  void finish();

  int64_t answers() const { return answers_; }
  /// "; their answers are in out.csv.partial", "" of standard output.
  std::string where_they_are() const;

 private:
  void put(std::string_view text);

  std::string out_;
  std::optional<storage::PartialFile> file_;
  std::optional<storage::CsvWriter> table_;  // not of lines of JSON
  int64_t answers_ = 0;
};

}  // namespace fovea::commands
