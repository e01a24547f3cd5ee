// All cases of a data set with what is known of them: from a table, a folder or an archive.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/core/few_names.h"
#include "fovea/data/dataset.h"
#include "fovea/sources/data_options.h"

namespace fovea::sources {

struct Source : tables::Findings {
  DatasetPtr data;
  std::vector<std::pair<std::string, inputs::InputPtr>> inputs;  ///< of a table, else empty
  inputs::InputPtr images;                                       ///< of a folder, else null
  std::vector<TargetSpec> targets;
  std::vector<targets::TargetPtr> truth;  ///< of each target; of the cases of a model alone none
  FewNames splits;                        ///< of each case: "train", "val", "test"
  /// Per column, the text of each case.
  std::vector<std::pair<std::string, std::vector<std::string>>> subgroups;
  Named<Node> chosen;  ///< Input::chosen, of inputs that chose something

  /// What readers assumed, converted or left out in the cases that were read so far, a line for each
  /// type.
  std::vector<std::string> reading_notes() const;
  std::vector<std::string> split_names() const;  ///< train, val, test first, then the others
  std::vector<int64_t> cases(std::string_view split) const;
  /// The cases of one split; a config Error that lists the splits there are, where there is none.
  DatasetPtr part(std::string_view split) const;
};

/// Opens what `options` name. Nothing is decoded, but everything is checked that can be without:
/// every file is there, every row has its fields, labels and split, no patient is in two splits,
/// and every class is in the training split. `seed` draws the splits where shares are given.
///
/// `fitted` is what was fitted for the inputs of a trained model, by name; what is not there is
/// fitted to the training rows.
///
/// Errors: config where several or none of table, folder and path are set; data for what is wrong
/// in them, with file, line and column but no cell other than labels and splits.
Source open_source(const DataOptions& options, uint64_t seed, const Named<Node>& fitted = {});

/// Reads files that stand in no table as `open_source` would read those of one: a case's only input
/// is the file, an image or a text, and it has no target. `fitted`: as open_source has it. May be
/// called from many threads. A config Error, when it is called, where a case is more than a file.
struct CaseReader {
  Schema schema;
  std::function<Example(const std::filesystem::path&)> read;
  std::function<std::vector<std::string>()> notes{};  ///< Source::reading_notes of what was read
};
CaseReader case_reader(const DataOptions& options, const Named<Node>& fitted = {});

/// What a case that is a file is called: its name without the ending of an image or a text; the
/// last number of 1.2.840.1.2.3 is none.
std::string case_id(const std::filesystem::path& file);

/// Writes what `source` chose into the settings that it was opened with, so that whoever reads them
/// later, for other data, chooses the same.
void keep_choices(const Source& source, DataOptions& options);

/// The rows of another table as cases without targets, read as `options` say of theirs. A cell that
/// cannot be read is the failure of its case alone.
Source open_cases(const std::filesystem::path& table, const DataOptions& options,
                  const Named<Node>& fitted);

/// The files that `paths` name: files as they are, folders with all images below them (sorted;
/// links to folders are followed; hidden files, other content and DICOM objects without pixels are
/// left out, with notes in the log), tables with the files of their column `path` (else `filename` or `file`), relative to
/// the table's folder. A path that does not exist is kept: reading it
/// is the error. A data Error for a table without such a column.
std::vector<std::filesystem::path> list_inputs(const std::vector<std::filesystem::path>& paths);

/// What a model with these inputs is to be asked about.
struct NamedCases {
  std::vector<std::filesystem::path> files;   ///< for case_reader
  std::vector<std::filesystem::path> tables;  ///< for open_cases
};
/// Where a case is an image: list_inputs. Where it is another file, a text: tables by their ending
/// (.csv, .tsv, .jsonl, .conll), all others are such files, of a folder those that FileCases takes
/// for one. Else all are tables.
NamedCases list_cases(const std::vector<std::filesystem::path>& paths, const DataOptions& options);

}  // namespace fovea::sources
