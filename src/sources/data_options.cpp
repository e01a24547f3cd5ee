#include "fovea/sources/data_options.h"

#include <fmt/format.h>

#include "fovea/core/catalogue.h"  // reads settings inside settings
#include "fovea/core/error.h"
#include "fovea/storage/file.h"

namespace fovea::sources {

namespace {

// A path relative to the root, or to the config's own folder where there is none.
struct PlacedPath {
  std::filesystem::path path;
  const std::filesystem::path& root;
};

/// Whether it comes from a command line: then its place is not a line of a file.
bool is_typed(const Node& node) {
  const size_t colon = node.where.rfind(':');
  return !node.where.empty() &&
         (colon == std::string::npos ||
          node.where.find_first_not_of("0123456789", colon + 1) != std::string::npos);
}

/// What was typed is relative to the folder where it was typed; where nothing is there, to
/// the root, as the paths of the file are.
std::filesystem::path place_typed(const Node& node, const std::filesystem::path& text,
                                  const std::filesystem::path& root) {
  const std::filesystem::path here = node.base / text, there = root / text;
  if (!storage::exists(there)) return here;
  if (!storage::exists(here)) return there;
  std::error_code ignored;
  if (!std::filesystem::equivalent(here, there, ignored))
    throw config_error(fmt::format("{}found two of that name, {} and {}", place(node),
                                   storage::shown(here), storage::shown(there)),
                       "give the whole path of the one that is meant");
  return here;
}

void read_value(const Node& node, PlacedPath& placed) {
  if (node.kind == Node::Kind::null) return placed.path.clear();
  std::string text;
  fovea::read_value(node, text);
  placed.path = placed.root.empty() ? node.base / text
                : is_typed(node)    ? place_typed(node, text, placed.root)
                                    : placed.root / text;
  placed.path = placed.path.lexically_normal();
}

struct PlacedTables {
  CaseTables tables;
  const std::filesystem::path& root;
};

void read_value(const Node& node, PlacedTables& placed) {
  const auto add = [&](const std::string& split, const Node& file) {
    PlacedPath one{{}, placed.root};
    read_value(file, one);
    placed.tables.files.emplace_back(split, one.path);
  };
  placed.tables.files.clear();
  if (node.kind == Node::Kind::null) return;
  if (node.kind != Node::Kind::map) return add("", node);
  for (const Entry& entry : node.entries) add(entry.key, entry.value);
}

Node write_value(const PlacedTables& placed) {
  const CaseTables& tables = placed.tables;
  if (tables.empty()) return {};
  if (!tables.by_split()) return fovea::write_value(tables.files[0].second);
  Node node;
  for (const auto& [split, file] : tables.files) node.at(split) = fovea::write_value(file);
  return node;
}

std::string type_name(const PlacedTables&) { return "path, or a map of split: path"; }

Node write_value(const PlacedPath& placed) { return fovea::write_value(placed.path); }

std::string type_name(const PlacedPath&) { return "path"; }

}  // namespace

void read_value(const Node& node, SplitOptions& split) {
  split = {};
  if (node.kind == Node::Kind::null) return;
  if (node.kind != Node::Kind::map) return fovea::read_value(node, split.column);
  const Node* shares = &node;
  if (node.entries.size() == 1 && node.entries[0].key == "chronological") {
    split.chronological = true;
    shares = &node.entries[0].value;
    if (shares->kind != Node::Kind::map) wrong_kind(*shares, "a map of split: share");
  }
  for (const Entry& entry : shares->entries) {
    double share = 0;
    fovea::read_value(entry.value, share);
    split.fractions.emplace_back(entry.key, share);
  }
}

Node write_value(const SplitOptions& split) {
  if (!split.column.empty()) return fovea::write_value(split.column);
  Node node;
  Node& shares = split.chronological ? node.at("chronological") : node;
  for (const auto& [name, share] : split.fractions) shares.at(name) = fovea::write_value(share);
  return node;
}

std::string type_name(const SplitOptions&) { return "a column, or a map of split: share"; }

void DataOptions::describe(Fields& f) {
  const auto placed = [&](std::string_view name, std::filesystem::path& path, const char* help) {
    PlacedPath value{path, root};
    f(name, value, help);
    path = value.path;
  };
  f("root", root, "folder that the paths below are relative to; default: that of the config");
  PlacedTables tables{table, root};
  f("table", tables,
    "CSV file with one case per row, or a map of split: file; a name that ends in .jsonl: lines of "
    "JSON");
  table = tables.tables;
  placed("folder", folder, "tree of images: train/<class>/…, val/<class>/…, or <class>/…");
  placed("path", path, "MedMNIST .npz archive: train_images, train_labels, val_images, …");
  f("delimiter", delimiter, "between the fields of the table; a blank stands for several, too")
      .one_of({",", ";", "\t", "|", " "});
  f("quote", quote,
    "around cells of the table that hold delimiters or lines; auto: a double quote, but one that "
    "looks as if it was never closed is refused; none: quotes are letters like others")
      .one_of({"auto", "\"", "'", "none", ""});
  f("decimal", decimal, "the sign in numbers of the table such as 26.75").one_of({".", ","});
  f("thousands", thousands, "the sign between groups of three digits in numbers of the table")
      .one_of({"", ",", ".", " ", "'", "_"});
  f("conll", conll,
    "the table is a file of tokens and BIO tags, a line each, with blank lines between sentences; "
    "its "
    "columns are text and spans (names that end in .conll always are)");
  f("columns", columns, "names of the columns, where the table has no line of names");
  f("rows", rows, "which rows of the table are cases");
  f("inputs", inputs, "what a case consists of, by name; default for folder and path: image");
  f("targets", targets, "what is to be learned, by name; default for folder and path: label");
  f("id", id, "column that names the case; default: the file");
  f("group", group,
    "column of the patient, who stays in one split; of a folder the level of the patients' folders "
    "below the classes (1: the first, 0: none), or a regular expression that finds the patient in "
    "the path below the class (its first group)");
  f("group_per_table", group_per_table,
    "the same name in another of several tables is another patient");
  f("split", split,
    "column with train, val and test, or shares {train: 0.7, val: 0.1, test: 0.2}; {chronological: "
    "shares} takes the rows (of each group) in their order; of a table for each split, shares of "
    "the one called train");
  f("subgroups", subgroups,
    "columns whose values eval reports apart too (sex, age; numbers in four bands)");
  f("allow_outside_root", allow_outside_root, "files of the table may lie outside the root");
  f("dicom", formats.dicom, "how DICOM files are read");
  f("max_decoded_mb", formats.max_decoded_mb, "largest decoded image in MiB").at_least(1);
  f("cache_mb", cache_mb, "decoded images kept in memory, in MiB").at_least(0).cosmetic();
  f("cache_folder", cache_folder, "folder where decoded images are kept on disk").cosmetic();
}

}  // namespace fovea::sources
