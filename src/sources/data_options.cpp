#include "fovea/sources/data_options.h"

#include "fovea/core/catalogue.h"  // reads settings inside settings

namespace fovea::sources {

namespace {

// A path that stands on the root, or on the config's own folder where there is none.
struct PlacedPath {
  std::filesystem::path path;
  const std::filesystem::path& root;
};

void read_value(const Node& node, PlacedPath& placed) {
  if (node.kind == Node::Kind::null) return placed.path.clear();
  std::string text;
  fovea::read_value(node, text);
  placed.path = ((placed.root.empty() ? node.base : placed.root) / text).lexically_normal();
}

Node write_value(const PlacedPath& placed) { return fovea::write_value(placed.path); }

std::string type_name(const PlacedPath&) { return "path"; }

}  // namespace

void read_value(const Node& node, SplitOptions& split) {
  split = {};
  if (node.kind == Node::Kind::null) return;
  if (node.kind != Node::Kind::map) return fovea::read_value(node, split.column);
  for (const Entry& entry : node.entries) {
    double share = 0;
    fovea::read_value(entry.value, share);
    split.fractions.emplace_back(entry.key, share);
  }
}

Node write_value(const SplitOptions& split) {
  if (!split.column.empty()) return fovea::write_value(split.column);
  Node node;
  for (const auto& [name, share] : split.fractions) node.at(name) = fovea::write_value(share);
  return node;
}

std::string type_name(const SplitOptions&) { return "a column, or a map of split: share"; }

void DataOptions::describe(Fields& f) {
  const auto placed = [&](std::string_view name, std::filesystem::path& path, const char* help) {
    PlacedPath value{path, root};
    f(name, value, help);
    path = value.path;
  };
  f("root", root, "folder that the paths below stand on; default: the config's own");
  placed("table", table, "CSV file with one case per row");
  placed("folder", folder, "tree of pictures: train/<class>/…, val/<class>/…, or <class>/…");
  placed("path", path, "MedMNIST .npz archive: train_images, train_labels, val_images, …");
  f("delimiter", delimiter, "between the fields of the table").one_of({",", ";", "\t", "|"});
  f("inputs", inputs, "what a case consists of, by name; default for folder and path: image");
  f("targets", targets, "what is to be learned, by name; default for folder and path: label");
  f("id", id, "column that names the case; default: the file");
  f("group", group, "column of the patient, who stays in one split");
  f("split", split, "column with train, val and test, or shares {train: 0.7, val: 0.1, test: 0.2}");
  f("subgroups", subgroups, "columns by which results are reported too (sex, site)");
  f("allow_outside_root", allow_outside_root, "files of the table may lie outside the root");
  f("dicom", formats.dicom, "how DICOM files are read");
  f("max_decoded_mb", formats.max_decoded_mb, "largest decoded picture in MiB").at_least(1);
  f("cache_mb", cache_mb, "decoded pictures kept in memory, in MiB").at_least(0).cosmetic();
  f("cache_folder", cache_folder, "folder where decoded pictures are kept on disk").cosmetic();
}

}  // namespace fovea::sources
