// A trained model, ready to read files. This header needs no LibTorch: it is what other
// programs include.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fovea/core/standard_library.h"
#include "fovea/tasks/answer.h"

namespace fovea {

class Dataset;   // data/dataset.h
struct Example;  // data/example.h

/// How much each part of an input (a column, a word, a time step) counted for the answer. Attention
/// of the model itself: where it looked, which is not always why it decided so (Jain and Wallace,
/// NAACL 2019).
struct Explanation {
  std::string input;
  std::vector<std::pair<std::string, double>> weights;  ///< in the order of the input; sum 1
  std::string text;                                     ///< of a text: as it was given, UTF-8
  /// Of a text: the bytes of each weight, from `first` on, before `second`.
  std::vector<std::pair<size_t, size_t>> places;
  /// Of a series: each channel by name, standardised, a value per time step.
  std::vector<std::pair<std::string, std::vector<double>>> channels;
};

/// What a model says of one case.
struct Prediction {
  std::string id;  ///< the file's name without folder and ending (its path where several of the
                   ///< files asked about have that name), or what the table calls it
  std::filesystem::path path;
  std::vector<Answer> answers;  ///< one per target
  /// Of the first target, which most models have alone: its answer's.
  std::vector<std::pair<std::string, double>> probabilities;
  std::string decision;
  std::vector<Explanation> explanations;  ///< of the inputs whose encoder gives weights
};

/// Reads files with a trained model (`fovea::load` in bundle/load.h makes one).
///
///   const auto predictor = fovea::load("runs/chest");
///   std::cout << predictor.predict("image.dcm").decision << '\n';
///
/// The evaluation transforms of the run are applied; nothing is random. Errors are fovea::Error
/// (core/error.h), with the path and what to do. It computes on as many threads as OpenMP would start
/// for the calling thread, on one in a thread that had computed before it forked the process; nothing
/// of the process is changed (docs/embedding.md).
class Predictor {
 public:
  struct Parts;  ///< model, task, reader and transforms: bundle/parts.h
  explicit Predictor(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

  /// May be called from several threads.
  Prediction predict(const std::filesystem::path& file) const;
  /// A case that is in memory (data/example.h), as a reader of files would give it: the inputs in
  /// their own values, before any transform. Messages call it by its id.
  Prediction predict(const Example& example) const;

  using Result = std::function<void(const Prediction&)>;
  using Failed = std::function<void(const std::filesystem::path&, const std::string&)>;

  /// Many files: decoded on `threads` threads (fewer where the system starts no more) while the model
  /// computes, and through the model in batches. `result` is called once a file, in the order of `files`; `failed` with the
  /// message of each file that could not be read, which does not stop the rest.
  void predict(const std::vector<std::filesystem::path>& files, int threads, const Result& result,
               const Failed& failed) const;
  /// The same for cases of any data set; a path is then what the data set calls the case.
  void predict(const Dataset& cases, int threads, const Result& result, const Failed& failed) const;

  const std::vector<std::string>& classes() const;  ///< of the first target; of a number none
  std::vector<std::string> columns() const;         ///< of a table of answers
  /// What was assumed, converted or left out in the files that were read so far, a line for each
  /// type, with its count.
  std::vector<std::string> notes() const;

 private:
  std::shared_ptr<const Parts> parts_;
};

}  // namespace fovea
