// The three kinds of source.
#pragma once

#include "fovea/sources/source.h"
#include "fovea/storage/csv.h"
#include "sources/targets.h"

namespace fovea::sources {

/// A file of tokens, one per line, tab (or blank), tag, with a blank line behind each sentence, as a
/// table with a row per sentence: `text`, its tokens with a blank between, and `spans`, the entities
/// that its BIO (or IOB) tags say, as the target `tags` reads them. A data Error with the line of
/// what is none.
storage::Table read_conll(const std::filesystem::path& path);

/// CSV, or by its ending lines of JSON (.jsonl), WFDB annotations (.atr: record, sample, symbol, aux)
/// or tokens with tags (.conll).
storage::Table read_table(const std::filesystem::path& path,
                          const storage::CsvOptions& format = {});

/// How `options` say that the cells of a table are told apart; without the names of columns.
storage::CsvOptions csv_options(const DataOptions& options);

/// The folder that names in a table stand on: the root, else the table's own.
inline std::filesystem::path folder_of(const DataOptions& options,
                                       const std::filesystem::path& table) {
  const std::filesystem::path folder = options.root.empty() ? table.parent_path() : options.root;
  return folder.empty() ? std::filesystem::current_path() : folder;
}

Source open_table(const DataOptions& options, uint64_t seed, const Named<Node>& learned);
Source open_folder(const DataOptions& options, uint64_t seed);
Source open_npz(const DataOptions& options);  // its own splits

/// Puts targets and splits into `source` and checks what holds for every kind: a split name for
/// each case, no patient in two splits (`place` says where a case is listed), every class in the
/// training split.
void finish(Source& source, const std::vector<TargetPtr>& targets,
            const std::vector<std::string>& groups,
            const std::function<std::string(size_t)>& place);

/// The name and settings of the only target (or input) that a folder or an archive has.
template <class Options>
std::pair<std::string, Options> only(const Named<Options>& named, const char* what,
                                     const char* fallback) {
  if (named.empty()) return {fallback, Options()};
  if (named.size() > 1)
    throw config_error(std::string("DataOptions::") + what + ": found " +
                       std::to_string(named.size()) +
                       " entries, wanted one: only a table can hold several");
  return *named.begin();
}

/// The same for the input, which is a picture.
inline std::pair<std::string, ImageOptions> only_image(const Inputs& inputs) {
  const auto [name, input] = only(inputs, "inputs", "image");
  if (const auto* image = input.as<ImageOptions>()) return {name, *image};
  throw config_error("DataOptions::inputs." + name + ": found the kind '" + input.name() +
                     "', wanted image: only the rows of a table have other inputs");
}

/// The same for the target, which is of classes.
inline std::pair<std::string, ClassesOptions> only_classes(const Targets& targets) {
  const auto [name, target] = only(targets, "targets", "label");
  if (const auto* classes = target.as<ClassesOptions>()) return {name, *classes};
  throw config_error("DataOptions::targets." + name + ": found the kind '" + target.name() +
                     "', wanted classes: only the rows of a table have other targets");
}

}  // namespace fovea::sources
