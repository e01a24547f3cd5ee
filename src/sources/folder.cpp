#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "fovea/core/error.h"
#include "sources/files.h"
#include "sources/open.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

// The visible folders of one level, sorted.
std::vector<fs::path> folders_of(const fs::path& folder) {
  std::vector<fs::path> result;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory() && !entry.path().filename().native().starts_with('.'))
      result.push_back(entry.path());
  if (error)
    throw io_error(storage::shown(folder) + ": cannot list the folder: " + error.message() +
                   " (data.folder)");
  std::ranges::sort(result);
  return result;
}

bool is_split(const fs::path& folder) {
  const std::string name = split_named(folder.filename().string());
  return name == "train" || name == "val" || name == "test";
}

class TreeReader {
 public:
  TreeReader(const DataOptions& options, uint64_t seed)
      : options_(options), seed_(seed), root_(options.folder) {}

  Source read() {
    const auto [input, input_options] = only_image(options_.inputs);
    const auto [target, target_options] = only_classes(options_.targets);
    const std::vector<fs::path> top = folders_of(root_);
    const bool has_splits = std::ranges::any_of(top, is_split);
    if (has_splits) {
      for (const fs::path& folder : top)
        if (is_split(folder)) add_classes(folder, split_named(folder.filename().string()));
    } else {
      add_classes(root_, "");
    }
    if (files_.empty())
      throw data_error(fmt::format(
          "{}: found no picture, wanted train/<class>/… or <class>/… ({} files are no pictures)",
          storage::shown(root_), other_.size()));
    LabelTexts texts;
    texts.where = storage::shown(root_) + ": the folders' names";
    texts.cells.emplace_back(classes_.begin(), classes_.end());
    texts.place = [this](size_t i) { return storage::shown(files_[i]); };
    const std::vector<Labels> labels{read_labels(target, target_options, texts)};
    Source source;
    note_others(source);
    source.splits =
        has_splits ? splits_ : draw_splits(options_.split, labels, {}, files_.size(), seed_);
    Cases cases;
    std::vector<ListedFile> listed;
    for (const fs::path& file : files_) {
      cases.ids.push_back(file.lexically_relative(root_).string());
      listed.push_back({file, stamp_of(file).value_or(storage::FileStamp{})});
    }
    cases.inputs.emplace_back(input, file_input(std::move(listed), input_options, options_));
    cases.targets[target] = labels[0].values;
    cases.specs = {labels[0].spec};
    source.data = case_dataset(std::move(cases));
    finish(source, labels, {}, texts.place);
    return source;
  }

 private:
  void add_classes(const fs::path& parent, const std::string& split) {
    for (const fs::path& folder : folders_of(parent))
      for (const fs::path& file : files_below(folder)) {
        if (const std::string why = why_no_picture(file); !why.empty()) {
          other_[why].push_back(storage::shown(file));
          continue;
        }
        files_.push_back(file);
        classes_.push_back(folder.filename().string());
        splits_.push_back(split);
      }
  }

  void note_others(Source& source) const {
    for (const auto& [why, files] : other_)
      source.notes.push_back(fmt::format("{}: {} files left out ({}): {}", storage::shown(root_),
                                         files.size(), why, join(files, ", ", 20)));
  }

  const DataOptions& options_;
  uint64_t seed_;
  const fs::path& root_;
  std::vector<fs::path> files_;
  std::vector<std::string> classes_;
  std::vector<std::string> splits_;
  std::map<std::string, std::vector<std::string>> other_;  // by reason
};

}  // namespace

Source open_folder(const DataOptions& options, uint64_t seed) {
  return TreeReader(options, seed).read();
}

}  // namespace fovea::sources
