// A training run on disk: one folder that holds what was asked for, what happened and what came out
// (docs/runs.md). Checkpoints are all or nothing: after a crash at any instant a complete one is
// there.
//
//   config.yaml cases.csv manifest.json log.jsonl metrics.csv best salt lock
//   checkpoints/step-00001250/{model.safetensors optimizer.safetensors state.json MANIFEST.json}
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "fovea/nn/weights.h"
#include "fovea/storage/case_digests.h"
#include "fovea/train/state.h"

namespace fovea::train {

/// What a run is. A run that goes on must be the same.
struct RunIdentity {
  std::string config_yaml;  ///< the resolved configuration, written as config.yaml
  Node config;              ///< the same as a tree: entries marked cosmetic are not compared
  /// Of the run that goes on, its configuration as this fovea reads it: a setting that an older one
  /// did not know has its default there, and is not a change. Null where nobody knows.
  Node config_before = {};
  Node config_written = {};      ///< its config.yaml as it stands there, with the names of then
  std::string data_fingerprint;  ///< SHA-256 over the cases; "" where nobody made one
  /// cases.csv, and of the run that goes on as it stands there; none: what changed is not known.
  storage::CaseDigests cases = {}, cases_before = {};
  /// What else the numbers depend on: threads, device, precision.
  std::vector<std::pair<std::string, std::string>> facts;
};

struct RunOptions {
  enum class Opening {
    create,   ///< the folder is absent or empty
    resume,   ///< go on where the run stopped; from the start where no checkpoint is
    replace,  ///< forget the run that is there, its bundle and evaluations too; other files stay
  };
  Opening opening = Opening::create;
  bool fall_back = false;      ///< pass over a damaged newest checkpoint (resume: auto)
  bool allow_changed = false;  ///< go on although the identity differs; recorded
  bool break_lock = false;     ///< take over the lock of another host
  // For manifest.json: what was typed, which fovea it was, and what was assumed of the data.
  std::string command_line, version, commit;
  std::vector<std::string> notes;
};

struct Checkpoint {
  int64_t step = 0;
  nn::NamedTensors model;  ///< the weights to use: the averaged ones where there is an average
  State state;             ///< everything else
};

class RunFolder {
 public:
  /// Opens and locks the folder. A config Error where it is not empty (create), holds something but
  /// no run (resume, replace: nothing of others is deleted) or was another run
  /// (resume; each changed key with both values); an io Error where it cannot be written or another
  /// process holds it.
  RunFolder(std::filesystem::path path, RunIdentity identity, RunOptions options = {});
  ~RunFolder();  ///< gives the lock back

  /// The refusals of the constructor that need nothing but the path; to be asked before data are
  /// read. Makes and locks nothing.
  static void refuse_unfit(const std::filesystem::path& path, const RunOptions& options);

  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// The folder of the checkpoint of a step, whether it is there or not.
  std::filesystem::path checkpoint(int64_t step) const;

  /// The newest checkpoint, every file checked against its SHA-256 before a tensor is made; nothing
  /// in a new run. metrics.csv becomes what it was then, even where it was removed or edited since. A data Error names the file that is
  /// damaged or missing.
  std::optional<Checkpoint> resume();

  /// Before the first step: where the three checkpoints that a run keeps, those there already
  /// among them, take more than `free_bytes`, a warning goes to stderr and to log.jsonl.
  void check_space(const Checkpoint& checkpoint, int64_t free_bytes);

  /// Commits a checkpoint; keeps the newest two and the best. Where `best`, the link moves to it.
  /// On failure what was there stays (an io Error). A data Error where a weight is not finite.
  void save(const Checkpoint& checkpoint, bool best);

  /// Lines of metrics.csv: "epoch,step,split,metric,value". A failure is an io Error.
  void append_metrics(std::string_view lines);
  /// The whole of metrics.csv.
  const std::string& metrics() const;
  /// One line of log.jsonl: {"time": …, "level": …, "event": …, then the members of the JSON object
  /// `fields`}. A failure is counted and noted once: training goes on.
  void append_log(std::string_view level, std::string_view event, std::string_view fields = "{}");
  /// One more of the notes in manifest.json; it is written there by `finish`.
  void add_note(const std::string& note);
  /// End, exit code and the hashes of the outputs, for manifest.json.
  void finish(int exit_code);

 private:
  class Implementation;
  std::filesystem::path path_;
  std::unique_ptr<Implementation> implementation_;
};

/// Lets messages name patients by the hashes of this run (storage::pseudonym), where it is one; to be
/// asked before its data are read again.
void use_salt_of(const std::filesystem::path& run);

/// The weights of the run's best checkpoint; of its newest, with a warning, where none is best yet.
/// A data Error where there is none.
std::filesystem::path trained_weights(const std::filesystem::path& run);

/// Size and SHA-256 of a checkpoint's weights against the MANIFEST.json beside them. A data Error
/// where they differ.
void verify_weights(const std::filesystem::path& weights);

}  // namespace fovea::train
