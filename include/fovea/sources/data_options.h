// Where the cases are and what is known of them: the section `data` of a config.
//
//   data:
//     root: ../data/nih
//     table: labels.csv                    # or {train: a.csv, test: b.csv}, or .jsonl
//                                          # or folder: …, or path: archive.npz
//     inputs: {image: {column: filename, folder: images, channels: 1}, labs: {table: {columns: [age]}}}
//     targets: {label: {column: class, classes: [no_finding, pneumonia]}}
//     group: patient_id
//     split: split                         # or {train: 0.7, val: 0.1, test: 0.2}
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fovea/core/fields.h"
#include "fovea/data/splits.h"
#include "fovea/formats/formats.h"
#include "fovea/inputs/inputs.h"
#include "fovea/targets/targets.h"

namespace fovea::sources {

/// The name of a column that holds the split, or shares by which cases are drawn, or by which they
/// are taken in their order: {chronological: {train: 0.6, val: 0.2, test: 0.2}}.
struct SplitOptions {
  std::string column{};
  Fractions fractions{};
  bool chronological = false;
};
void read_value(const Node& node, SplitOptions& split);
Node write_value(const SplitOptions& split);
std::string type_name(const SplitOptions& split);

/// One table of all cases, or a table for each split: `table: {train: a.csv, test: b.csv}`.
struct CaseTables {
  CaseTables() = default;
  CaseTables(const std::filesystem::path& one) : files{{"", one}} {}

  bool empty() const { return files.empty(); }
  bool by_split() const { return !files.empty() && !files[0].first.empty(); }

  std::vector<std::pair<std::string, std::filesystem::path>> files{};  ///< split, or "", and file
};

/// Which rows of the table are cases; the others are only seen in the windows of series.
struct RowOptions {
  int64_t every = 1;
  std::vector<std::string> last{};

  void describe(Fields& f) {
    f("every", every, "every n-th row of a patient is a case").above(0);
    f("last", last, "splits in which only the last row of each patient is a case");
  }
};

/// One of `table`, `folder` and `path` is set. In a config they are relative to the root, or to the
/// config's own folder where there is no root; here they are complete.
struct DataOptions {
  std::filesystem::path root;
  CaseTables table;
  std::filesystem::path folder;
  std::filesystem::path path;
  std::string delimiter = ",";
  std::string quote = "auto";
  std::string decimal = ".";
  std::string thousands;
  bool conll = false;
  std::vector<std::string> columns;
  RowOptions rows;
  inputs::Inputs inputs;
  targets::Targets targets;
  std::string id;
  std::string group;
  bool group_per_table = false;
  SplitOptions split;
  std::vector<std::string> subgroups;
  bool allow_outside_root = false;
  formats::FormatOptions formats;
  int64_t cache_mb = 0;
  std::filesystem::path cache_folder;
  /// By input: how many tokens or time steps its encoder has positions for. No setting: whoever
  /// knows the model says so. Longer texts are cut there, longer series are refused case by case.
  std::map<std::string, int64_t> longest;

  void describe(Fields& f);
};

}  // namespace fovea::sources
