#include "commands/eval_data.h"

#include <fmt/format.h>

#include <algorithm>

#include "commands/groupings.h"

#include "fovea/commands/words.h"
#include "fovea/config/yaml.h"
#include "fovea/core/log.h"
#include "fovea/storage/file.h"
#include "fovea/tables/read_table.h"

namespace fovea::commands {
namespace {

namespace fs = std::filesystem;

/// Everything but the data belongs to the model as it was trained.
void check_settable(const std::vector<std::string>& set) {
  for (const std::string& assignment : set) {
    const std::string key = assignment.substr(0, assignment.find('='));
    if (key != "data" && !key.starts_with("data."))
      throw config_error(fmt::format(
          "--set {}: found the key '{}'; only data.* can be set in eval, the rest belongs to the "
          "model as it was trained: leave it out, or train a model with it",
          assignment, key));
  }
}

/// "of the classes normal, ill", "a number"
std::string shown(const TargetSpec& target) {
  return target.classes.empty() ? "a " + target.type
                                : fmt::format("of the {} {}", target.type, join(target.classes));
}

/// The model's own settings. A bundle names no data.
config::RunConfig own_settings(const EvalRequest& request, const bundle::Trained& trained,
                               bool needs_data) {
  const std::filesystem::path own = trained.folder / "config.yaml";
  if (!trained.portable) return config::read_config(own, request.set);
  config::RunConfig settings = trained.config;  // a bundle names no data
  Node node = Fields::write(settings);
  for (const std::string& assignment : request.set) config::set_value(node, assignment);
  Fields::read(node, settings);
  const sources::DataOptions& data = settings.data;
  if (needs_data && data.table.empty() && data.folder.empty() && data.path.empty())
    throw config_error(storage::shown(trained.folder) + ": a bundle names no data to evaluate on",
                       "give them with --data: a table, a folder of classes, an .npz archive or a "
                       "config (.yaml); or --set data.table=FILE (data.folder, data.path)");
  return settings;
}

bool is_config(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

/// The classes are the model's, whichever of them the other data hold.
void keep_classes(sources::DataOptions& data, const bundle::ModelCard& card) {
  for (auto& [name, choice] : data.targets.entries) {
    const auto target = std::ranges::find(card.targets, name, &TargetSpec::name);
    if (target == card.targets.end() || target->classes.empty()) continue;
    Node settings = choice.settings().write();
    if (Node* classes = settings.find("classes"); classes && classes->items.empty()) {
      *classes = write_value(target->classes);
      choice.read_settings(settings);
    }
  }
}

/// Other data in place of the model's own, described as these were.
void take_other(EvalData& all, const EvalRequest& request, const bundle::ModelCard& card) {
  sources::DataOptions& data = all.settings.data;
  const fs::path path = fs::absolute(request.data);
  if (!storage::exists(path))
    throw io_error(storage::shown(path) + ": found nothing there",
                   "name a table, a folder of classes, an .npz archive or a config (.yaml)");
  data.root.clear();
  data.table = {};
  data.folder.clear();
  data.path.clear();
  if (storage::is_folder(path)) {
    data.folder = path;
  } else if (path.extension() == ".npz") {
    data.path = path;
  } else {
    data.table = path;
    data.root = path.parent_path();
  }
  // An archive says its splits itself, and so may the names of folders.
  const bool divided = !data.path.empty() ||
                       (!data.folder.empty() &&
                        (storage::is_folder(path / "train") || storage::is_folder(path / "test")));
  if (divided || request.split.empty()) data.split = {};
  if (request.split.empty()) {
    all.split = divided ? "all" : "test";
    if (!divided) data.split.fractions = {{"test", 1.0}};
  }
  keep_classes(data, card);
}

/// Leaves out the subgroups that other data have no column for.
void keep_known_subgroups(EvalData& all) {
  sources::DataOptions& data = all.settings.data;
  if (data.subgroups.empty()) return;
  std::vector<std::string> known;
  if (!data.table.empty()) {
    const fs::path& file = data.table.files[0].second;
    storage::CsvOptions format;
    if (!data.delimiter.empty()) format.delimiter = data.delimiter[0];
    known = tables::read_table(file, format).columns();
  }
  std::erase_if(data.subgroups, [&](const std::string& column) {
    if (std::ranges::find(known, column) != known.end()) return false;
    all.notes.push_back(
        fmt::format("the data have no column '{}', so there are no subgroups of it", column));
    return true;
  });
}

}  // namespace

void check_targets(const bundle::Trained& trained, const sources::Source& source) {
  for (size_t i = 0; i < trained.card.targets.size(); ++i) {
    const TargetSpec& wanted = trained.card.targets[i];
    if (i >= source.targets.size() || source.targets[i].classes != wanted.classes ||
        source.targets[i].type != wanted.type)
      throw data_error(
          fmt::format("the data's target '{}' is {}, the model's is {}; say so in data.targets.{}",
                      wanted.name, i < source.targets.size() ? shown(source.targets[i]) : "absent",
                      shown(wanted), wanted.name));
  }
}

report::DataNotes notes_of(const sources::Source& source, const std::string& split) {
  report::DataNotes notes;
  for (const std::string& note : source.remarks()) notes.notes.push_back(in_our_words(note));
  for (const std::string& note : source.reading_notes()) notes.notes.push_back(noted(note));
  for (const auto& [name, input] : source.inputs) {
    int64_t cut = 0;
    for (size_t i = 0; i < source.splits.size(); ++i)
      cut += (split == "all" || source.splits[i] == split) && input->cut(static_cast<int64_t>(i));
    if (cut > 0) notes.cut_texts.emplace_back(name, cut);
  }
  return notes;
}

EvalData eval_data(const EvalRequest& request, const bundle::Trained& trained) {
  check_settable(request.set);
  EvalData all;
  all.split = request.split.empty() ? "test" : request.split;
  all.folder = "eval-" + all.split;
  if (!request.data.empty()) all.folder = "eval-" + request.data.stem().string();
  if (request.data.empty()) {
    all.settings = own_settings(request, trained, /*needs_data=*/true);
  } else if (is_config(request.data)) {
    all.settings = config::read_config(request.data, request.set);
  } else {
    all.settings = own_settings(request, trained, /*needs_data=*/false);
    take_other(all, request, trained.card);
    if (request.by.empty()) keep_known_subgroups(all);
  }
  all.by = request.by.empty() ? all.settings.data.subgroups : request.by;
  all.settings.data.subgroups = columns_of(all.by);
  return all;
}

}  // namespace fovea::commands
