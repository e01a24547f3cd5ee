// The commands of the program, each a struct of what can be asked and a function that does it.
// Results go to standard output, progress and warnings to standard error; the return value is the
// exit code where it is not simply 0.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::commands {

using Paths = std::vector<std::filesystem::path>;

struct TrainRequest {
  std::filesystem::path config;
  std::vector<std::string> set;  ///< "train.epochs=10"
  std::filesystem::path out;     ///< the run folder; empty: runs/<name of the config>
  std::string device = "auto";
  bool resume = false;         ///< go on where the run folder stands; a new run where there is none
  bool force = false;          ///< delete what the run folder holds
  bool allow_changed = false;  ///< resume although what decides the numbers has changed
  bool break_lock = false;     ///< take over a run folder that another machine has locked
  int64_t threads = 0;         ///< of computing; 0: all cores
};
/// 0, or 75 when a signal stopped it with a checkpoint on disk.
int train(const TrainRequest& request);

struct EvalRequest {
  std::filesystem::path model;  ///< a run or a bundle
  std::string split;            ///< or "all"; empty: test, of other data than a config's all cases
  /// Other data than the model's own: a config whose data section replaces the run's, or a table, a folder
  /// of classes or an .npz archive like the run's.
  std::filesystem::path data;
  std::vector<std::string> set;
  std::filesystem::path out;         ///< empty: <model>/eval-<split>, or -<name of the other data>
  std::vector<std::string> by;       ///< "sex", "sex+age"; empty: data.subgroups
  std::vector<std::string> perturb;  ///< names of transforms::perturbations
  bool small_groups = false;         ///< also tells of groups of fewer than 5 cases
  bool images = true;                ///< thumbnails and links in the report
  int64_t replicates = 2000;         ///< of the bootstrap; 0: none
  std::optional<double> prevalence = {};  ///< where the model will be used
  std::string device = "auto";
  int64_t threads = 0;
};
/// 0, or 75 when a signal stopped it: a part of a split has no metrics, so nothing is written then.
int eval(const EvalRequest& request);

struct ReportRequest {
  std::filesystem::path folder;  ///< an evaluation's, or a run or bundle that was evaluated
  std::string split = "test";
  bool images = true;
};
/// Draws report.html once more, from report.json and what lies beside it.
int report(const ReportRequest& request);

struct CompareRequest {
  Paths folders;  ///< two or more, likewise
  std::string split = "test";
  std::filesystem::path out;  ///< empty: compare
  int64_t replicates = 2000;
};
/// Each evaluation beside the first, on the same cases: compare.html and compare.json.
int compare(const CompareRequest& request);

struct InferRequest {
  std::filesystem::path model;
  Paths inputs;  ///< files, folders (recursive), CSV tables with a column `path`; of a model that
                 ///< reads a table: tables with its columns
  std::string out = "-";          ///< .csv, .jsonl, or "-": a table on standard output
  std::filesystem::path explain;  ///< folder for what counted in each case; empty: not wanted
  std::string device = "auto";
  int64_t threads = 0;
};
/// 0, or 3 when at least one file could not be read; 75 when a signal stopped it, with the answers so
/// far in OUT.partial. Also 0, without a word, where nobody reads standard output any more.
int infer(const InferRequest& request);

/// Says what is in each path: an image, an archive, weights, a run, a bundle. 0, or 3 when one
/// could not be read.
int inspect(const Paths& paths);

struct CheckRequest {
  std::filesystem::path config;
  std::vector<std::string> set;
  int64_t threads = 0;
};
/// 0, or 3 when there are problems that `train` would refuse; 75 when a signal stopped it, with a
/// report of the cases it has looked at.
int check(const CheckRequest& request);

/// Prints one catalogue; `verbose` with the settings of each entry. Families: see `families`.
int list(const std::string& family, bool verbose);
std::vector<std::string> families();

/// Every key of a config file that needs no name of the user's own: "train.batch_size".
std::vector<std::string> configuration_keys();

/// docs/configuration.md, from the settings themselves.
std::string configuration_reference();

struct PhantomRequest {
  std::filesystem::path out;
  std::vector<std::string> set;  ///< "patients=300", the settings of phantom::PhantomOptions
};
int phantom(const PhantomRequest& request);

struct BundleRequest {
  std::filesystem::path folder;  ///< a bundle
  std::filesystem::path key;     ///< PEM: the private key to sign, the public key to verify
};
/// Signs a bundle, or verifies one that was signed (bundle/signed.h), and prints which key it was.
int sign_bundle(const BundleRequest& request);
int verify_bundle(const BundleRequest& request);

/// Whether whoever read standard output has gone away (`| head`), which is not a failure.
bool nobody_reads();

/// Versions, devices, threads, instruction sets, known defects of the linked libraries.
int doctor();

}  // namespace fovea::commands
