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
  within(node.where, [&] { check_fractions(split.fractions); });
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
    "CSV file with one case per row, or a map of split: file; files that end in .jsonl contain "
    "JSON lines");
  table = tables.tables;
  placed("folder", folder, "folder of images: train/<class>/…, val/<class>/…, or <class>/…");
  placed("path", path, "MedMNIST .npz archive: train_images, train_labels, val_images, …");
  f("delimiter", delimiter, "separates the fields of the table; several blanks count as one")
      .one_of({",", ";", "\t", "|", " "});
  f("quote", quote,
    "encloses cells of the table that contain delimiters or line breaks; auto: a double quote, but "
    "one that seems never to be closed is refused; none: quotes are ordinary characters")
      .one_of({"auto", "\"", "'", "none", ""});
  f("decimal", decimal, "decimal separator of the numbers in the table, as in 26.75")
      .one_of({".", ","});
  f("thousands", thousands, "thousands separator of the numbers in the table")
      .one_of({"", ",", ".", " ", "'", "_"});
  f("conll", conll,
    "the table is a file of tokens and BIO tags, one per line, with blank lines between sentences; "
    "its columns are text and spans (implied for names that end in .conll)");
  f("columns", columns, "names of the columns, if the table has no header");
  f("rows", rows, "which rows of the table are cases");
  f("inputs", inputs, "what a case consists of, by name; default for folder and path: image");
  f("targets", targets, "what is to be learned, by name; default for folder and path: label");
  f("id", id, "column with the id of the case; default: the file name");
  f("group", group,
    "column of the patient, who stays in one split; for a folder: the level of the patients' "
    "folders below the classes (1: the first, 0: none), or a regular expression whose first group "
    "is the patient in the path below the class");
  f("group_per_table", group_per_table,
    "the same name in different tables means different patients");
  f("split", split,
    "column with train, val and test, or shares {train: 0.7, val: 0.1, test: 0.2}; {chronological: "
    "shares} splits the rows (of each group) in their order; with a table for each split, shares "
    "of the table named train");
  f("subgroups", subgroups,
    "columns for whose values eval also reports separate metrics (sex, age; numbers in four "
    "bands)");
  f("allow_outside_root", allow_outside_root, "files of the table may lie outside the root");
  f("dicom", formats.dicom, "how DICOM files are read");
  f("max_decoded_mb", formats.max_decoded_mb, "largest decoded image in MiB").at_least(1);
  f("cache_mb", cache_mb, "decoded images kept in memory, in MiB").at_least(0).cosmetic();
  f("cache_folder", cache_folder, "folder where decoded images are kept on disk").cosmetic();
}

}  // namespace fovea::sources
