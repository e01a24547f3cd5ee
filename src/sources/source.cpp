#include "fovea/sources/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/core/text.h"
#include "fovea/data/splits.h"
#include "fovea/formats/formats.h"
#include "fovea/storage/case_names.h"
#include "fovea/storage/hash.h"
#include "fovea/tables/read_table.h"
#include "sources/files.h"
#include "sources/open.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

void refuse_shared(const std::vector<SharedGroup>& shared, const Source& source,
                   const std::vector<std::string>& groups,
                   const std::function<std::string(size_t)>& place) {
  std::vector<std::string> examples;
  for (const SharedGroup& one : shared)
    examples.push_back(
        fmt::format("{} ({}, {})", storage::pseudonym(groups[static_cast<size_t>(one.first)]),
                    place(static_cast<size_t>(one.first)), place(static_cast<size_t>(one.second))));
  throw data_error(
      fmt::format("{} patients are in more than one split, the first in '{}' and in '{}': every "
                  "metric would be flattering. Patients as hashes: {}",
                  shared.size(), source.splits[static_cast<size_t>(shared[0].first)],
                  source.splits[static_cast<size_t>(shared[0].second)], join(examples, "; ", 5)),
      "let DataOptions::split draw them by shares, or correct the split column");
}

std::vector<fs::path> files_of_table(const fs::path& path) {
  const storage::Table table = tables::read_table(path);
  for (const char* name : {"path", "filename", "file"}) {
    const std::optional<int64_t> column = table.find_column(name);
    if (!column) continue;
    std::vector<fs::path> files;
    for (int64_t row = 0; row < table.rows(); ++row)
      storage::note_path(
          files.emplace_back((path.parent_path() / table.cell(row, *column)).lexically_normal()));
    return files;
  }
  throw data_error(fmt::format("{}: found the columns {}, wanted one called path, filename or file",
                               table.name(), join(table.columns(), ", ", 20)));
}

}  // namespace

void finish(Source& source, const std::vector<targets::TargetPtr>& targets,
            const std::vector<std::string>& groups,
            const std::function<std::string(size_t)>& place) {
  const auto shared =
      groups.empty() ? std::vector<SharedGroup>() : shared_groups(groups, source.splits);
  if (!shared.empty()) refuse_shared(shared, source, groups, place);
  std::vector<int64_t> training = source.cases("train");
  const bool any = !training.empty();
  for (int64_t i = 0; !any && i < static_cast<int64_t>(source.splits.size()); ++i)
    training.push_back(i);
  for (const targets::TargetPtr& one : targets) {
    source.add(one->findings());
    one->fit(training, any);
    source.targets.push_back(one->spec());
    if (std::string said = one->summary(); !said.empty())
      source.columns.push_back({one->spec().name, std::move(said)});
  }
  source.truth = targets;
}

std::vector<std::string> Source::split_names() const {
  std::vector<std::string> names;
  for (const char* usual : {"train", "val", "test"})
    if (splits.contains(usual)) names.emplace_back(usual);
  for (const std::string& split : splits)
    if (std::ranges::find(names, split) == names.end()) names.push_back(split);
  return names;
}

std::vector<int64_t> Source::cases(std::string_view split) const {
  std::vector<int64_t> result;
  for (size_t i = 0; i < splits.size(); ++i)
    if (splits[i] == split) result.push_back(static_cast<int64_t>(i));
  return result;
}

DatasetPtr Source::part(std::string_view split) const {
  std::vector<int64_t> indices = cases(split);
  if (indices.empty())
    throw config_error(
        fmt::format("the data have no split '{}'; there are {}", split, join(split_names())));
  return subset(data, std::move(indices));
}

std::vector<std::string> Source::reading_notes() const {
  std::vector<std::string> lines;
  const auto add = [&](const inputs::InputPtr& input) {
    std::ranges::copy(input->notes(), std::back_inserter(lines));
  };
  for (const auto& [name, input] : inputs) add(input);
  if (images) add(images);
  return lines;
}

void keep_choices(const Source& source, DataOptions& options) {
  for (const auto& [name, chosen] : source.chosen) {
    auto& inputs = options.inputs.entries;
    auto input = std::ranges::find(inputs, name, [](const auto& one) { return one.first; });
    if (input == inputs.end()) input = inputs.insert(input, {name, inputs::InputChoice()});
    Node settings = input->second.settings().write();
    for (const Entry& entry : chosen.entries) settings.at(entry.key) = entry.value;
    input->second.read_settings(settings);
  }
}

namespace {

void take_choices(Source& source, const DataOptions& options) {
  const auto take = [&](const std::string& name, const inputs::InputPtr& input) {
    if (Node chosen = input->chosen(); chosen.kind != Node::Kind::null)
      source.chosen.entries.emplace_back(name, std::move(chosen));
  };
  for (const auto& [name, input] : source.inputs) take(name, input);
  if (source.images) take(only_image(options.inputs).first, source.images);
}

}  // namespace

inputs::ReadOptions read_options(const DataOptions& options, const std::string& input,
                                 const fs::path& table) {
  inputs::ReadOptions read{.formats = options.formats,
                           .cache_folder = options.cache_folder,
                           .root = folder_of(options, table),
                           .id = options.id};
  if (const auto longest = options.longest.find(input); longest != options.longest.end())
    read.longest = longest->second;
  if (!options.delimiter.empty()) read.csv.delimiter = options.delimiter[0];
  read.csv.check_quotes = options.quote == "auto";
  if (options.quote == "none" || options.quote.empty()) read.csv.quote = 0;
  if (options.quote.size() == 1) read.csv.quote = options.quote[0];
  if (!options.decimal.empty()) read.numbers.decimal = options.decimal[0];
  if (!options.thousands.empty()) read.numbers.thousands = options.thousands[0];
  return read;
}

Source open_source(const DataOptions& options, uint64_t seed, const Named<Node>& fitted) {
  std::vector<std::string> set;
  if (!options.table.empty()) set.push_back("table");
  if (!options.folder.empty()) set.push_back("folder");
  if (!options.path.empty()) set.push_back("path");
  if (set.size() != 1)
    throw config_error(
        fmt::format(
            "found {} of DataOptions::table, DataOptions::folder and DataOptions::path ({}), "
            "wanted exactly one: each names all the cases",
            set.size(), set.empty() ? "none" : join(set)),
        set.empty() ? "" : "drop the others");
  if (options.table.empty() && !options.subgroups.empty())
    throw config_error("found DataOptions::subgroups, but only a table has columns",
                       "leave it out");
  if (!options.path.empty() && !options.group.empty())
    throw config_error("found DataOptions::group, but an archive of arrays says no patients",
                       "leave it out, or give a table");
  if (options.folder.empty() + options.path.empty() < 2 && !options.split.column.empty())
    throw config_error("DataOptions::split: found the column '" + options.split.column +
                           "', but only a table has columns",
                       "give shares, or leave it out");
  if (options.table.empty() && (options.split.chronological || options.rows.every > 1))
    throw config_error("only the rows of a table have an order",
                       "leave `chronological` out of DataOptions::split, and RowOptions::every");
  if (options.table.by_split() && !options.split.column.empty())
    throw config_error("DataOptions::split: found the column '" + options.split.column +
                           "', but each table of DataOptions::table is a split",
                       "leave it out");
  Source source = !options.table.empty()    ? open_table(options, seed, fitted)
                  : !options.folder.empty() ? open_folder(options, seed)
                                            : open_npz(options);
  take_choices(source, options);
  if (options.cache_mb > 0) source.data = cached(source.data, options.cache_mb << 20);
  return source;
}

std::string case_id(const fs::path& file) {
  const bool known = formats::named_as_image(file) || file.extension() == ".txt";
  return known ? file.stem().string() : file.filename().string();
}

CaseReader case_reader(const DataOptions& options, const Named<Node>& fitted) {
  const auto refusing = [](const Error& error) {
    return CaseReader{{}, [error](const fs::path&) -> Example { throw error; }};
  };
  std::pair<std::string, inputs::InputChoice> input;
  try {
    input = only(options.inputs, "inputs", "image");
  } catch (const Error& error) {
    return refusing(error);
  }
  const std::string& name = input.first;
  const inputs::FileCases files = input.second.make().files;
  if (!files.open)
    return refusing(config_error("DataOptions::inputs." + name + ": found the type '" +
                                 input.second.name() +
                                 "', wanted image: only the rows of a table have other inputs"));
  const inputs::FileReader reader =
      files.open({name, read_options(options, name), fitted.find(name)});
  Schema schema;
  if (!reader.shape.sizes.empty()) schema.inputs.push_back({name, reader.shape});
  return {std::move(schema),
          [name, read = reader.read](const fs::path& path) {
            Example example;
            storage::note_path(path);
            example.id = storage::known_as(case_id(path));
            auto origin = std::make_shared<Origin>();
            example.inputs[name] = read(path, *origin);
            example.origin = std::move(origin);
            return example;
          },
          reader.notes};
}

std::vector<fs::path> list_inputs(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  std::map<std::string, std::vector<std::string>> others;  // by reason
  for (const fs::path& path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::is_directory(status)) storage::note_path(path);
    if (fs::is_directory(status)) {
      const FolderListing listing = list_folder(path);
      for (const std::string& note : listing.notes) log_info(note);
      for (const fs::path& file : listing.files) {
        if (const std::string why = formats::why_not_image(file); why.empty())
          files.push_back(file);
        else
          others[why].push_back(storage::shown(file));
      }
    } else if ((path.extension() == ".csv" || path.extension() == ".jsonl") &&
               !formats::format_of(storage::read_head(path, formats::kHeadBytes))) {
      std::ranges::copy(files_of_table(path), std::back_inserter(files));
    } else {
      files.push_back(path);
    }
  }
  for (const auto& [why, names] : others)
    log_info(fmt::format("{} files in the folders are not images and are left out ({}): {}",
                         names.size(), why, join(names, ", ", 20)));
  return files;
}

NamedCases list_cases(const std::vector<fs::path>& paths, const DataOptions& options) {
  if (options.inputs.size() > 1) return {{}, paths};
  const inputs::InputChoice input =
      options.inputs.empty() ? inputs::InputChoice() : options.inputs.begin()->second;
  const inputs::FileCases type = input.make().files;
  if (!type.open) return {{}, paths};
  if (type.rows_name_files) return {list_inputs(paths), {}};
  NamedCases cases;
  for (const fs::path& path : paths) {
    const fs::path ending = path.extension();
    std::error_code unreadable;
    if (fs::is_directory(path, unreadable)) {
      for (const fs::path& file : list_folder(path).files)
        if (type.why_not(file).empty()) cases.files.push_back(file);
    } else if (ending == ".csv" || ending == ".tsv" || ending == ".jsonl" || ending == ".conll") {
      cases.tables.push_back(path);
    } else {
      storage::note_path(cases.files.emplace_back(path));
    }
  }
  return cases;
}

}  // namespace fovea::sources
