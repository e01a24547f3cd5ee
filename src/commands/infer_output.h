// What `fovea infer` writes: a table or lines of JSON.
#pragma once

#include "fovea/bundle/predictor.h"
#include "fovea/storage/csv.h"

namespace fovea::commands {

/// A file is written at the end, whole or not at all; standard output line by line.
class InferOutput {
 public:
  /// `out` is a name that ends in .csv or .jsonl, or - for a table on standard output. `columns` are
  /// those of the answers.
  InferOutput(std::string out, const std::vector<std::string>& columns);

  void add(const Prediction& prediction);
  void finish();

 private:
  std::string out_;
  storage::CsvWriter table_;
  std::string lines_;
};

}  // namespace fovea::commands
