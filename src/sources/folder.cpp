#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <numeric>
#include <regex>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/formats/formats.h"
#include "fovea/storage/text.h"
#include "fovea/targets/classes.h"
#include "sources/draw_splits.h"
#include "sources/files.h"
#include "sources/open.h"
#include "targets/labels.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

bool is_split(const std::string& folder) {
  const std::string name = split_named(folder);
  return name == "train" || name == "val" || name == "test";
}

// The name without what a reader may overlook: case, blanks, zeros in front of a number.
std::string bare(const std::string& name) {
  std::string text;
  for (const unsigned char c : name)
    if (std::isspace(c) == 0) text += static_cast<char>(std::tolower(c));
  const bool number = text.find_first_not_of("0123456789") == std::string::npos;
  while (number && text.size() > 1 && text[0] == '0') text.erase(0, 1);
  return text;
}

/// One image: where it lies below the root, and what its folders say of it.
struct Place {
  fs::path file;
  std::string split, label;
  std::vector<std::string> folders;  // below the one of its class
  std::string inside;                // its path below the one of its class
};

/// DataOptions::group of a folder: a level below the class, or an expression.
class PatientOf {
 public:
  explicit PatientOf(const std::string& group) {
    const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), level_);
    if (error == std::errc() && end == group.data() + group.size() && level_ >= 0) return;
    level_ = -1;
    try {
      expression_ = std::regex(group);
    } catch (const std::regex_error& wrong) {
      throw config_error(
          fmt::format("DataOptions::group: found '{}', which is neither a level nor a regular "
                      "expression ({})",
                      group, wrong.what()),
          "of a folder: 1 for the folder below the class's, 0 for none, or an expression");
    }
  }

  bool none() const { return level_ == 0; }

  /// "" where the path does not say it.
  std::string operator()(const Place& place) const {
    if (level_ > 0) {
      const auto at = static_cast<size_t>(level_) - 1;
      return at < place.folders.size() ? place.folders[at] : "";
    }
    std::smatch match;
    if (!std::regex_search(place.inside, match, expression_)) return "";
    return match[match.size() > 1 ? 1 : 0].str();
  }

 private:
  int64_t level_ = -1;
  std::regex expression_;
};

class TreeReader {
 public:
  TreeReader(const DataOptions& options, uint64_t seed)
      : options_(options), seed_(seed), root_(options.folder), where_(storage::shown(root_)) {}

  Source read() {
    const auto [input, input_options] = only_image(options_.inputs);
    const auto [target, target_options] = only_classes(options_.targets);
    sort_files();
    refuse_too_few(target_options);
    refuse_alike();
    targets::LabelTexts texts;
    texts.where = where_ + ": the folders' names";
    texts.cells.emplace_back();
    for (const Place& one : places_) texts.cells[0].push_back(one.label);
    texts.place = [this](size_t i) { return storage::shown(places_[i].file); };
    const std::vector<targets::TargetPtr> targets{
        targets::read_labels(target, target_options, texts)};
    Source source;
    note_meaning(source);
    const std::vector<std::string> patients = read_patients(source);
    std::vector<int64_t> every(places_.size());
    std::iota(every.begin(), every.end(), 0);
    if (has_splits_)
      for (const Place& one : places_) source.splits.push_back(one.split);
    else
      source.splits =
          within(by_folder_ ? "the folders below the classes taken as patients "
                              "(DataOptions::group 0: each image by itself)"
                            : where_,
                 [&] { return draw_splits(options_.split, targets, every, patients, seed_); });
    note_left_out(source);
    Cases cases;
    cases.groups = patients;
    std::vector<inputs::ListedFile> listed;
    for (const Place& one : places_) {
      cases.ids.push_back(one.file.lexically_relative(root_).string());
      listed.push_back({one.file, stamp_of(one.file).value_or(storage::FileStamp{})});
    }
    source.images = inputs::image_files(input, std::move(listed), input_options,
                                        read_options(options_, input), &source);
    cases.inputs.emplace_back(input, source.images);
    cases.targets = targets;
    source.data = case_dataset(std::move(cases));
    finish(source, targets, patients, texts.place);
    return source;
  }

 private:
  void sort_files() {
    listing_ = list_folder(root_);
    for (const fs::path& folder : listing_.folders) {
      const fs::path relative = folder.lexically_relative(root_);
      if (std::distance(relative.begin(), relative.end()) != 1) continue;
      has_splits_ |= is_split(relative.string());
      top_.push_back(relative.string());
    }
    for (const fs::path& file : listing_.files) sort_file(file);
  }

  void sort_file(const fs::path& file) {
    if (const std::string why = formats::why_not_image(file); !why.empty()) {
      other_[why].push_back(storage::shown(file));
      return;
    }
    const fs::path relative = file.lexically_relative(root_);
    std::vector<std::string> steps;
    for (const fs::path& step : relative) steps.push_back(step.string());
    if (has_splits_ && steps.size() > 1 && !is_split(steps[0])) {
      ++beside_[steps[0]];
      return;
    }
    const size_t label = has_splits_ ? 1 : 0;
    if (steps.size() < label + 2) {
      loose_.push_back(relative.string());
      return;
    }
    Place place{.file = file,
                .split = has_splits_ ? split_named(steps[0]) : "",
                .label = steps[label],
                .folders = {steps.begin() + static_cast<long>(label) + 1, steps.end() - 1},
                .inside = ""};
    for (size_t i = label + 1; i < steps.size(); ++i)
      place.inside += (place.inside.empty() ? "" : "/") + steps[i];
    classes_.insert(place.label);
    places_.push_back(std::move(place));
  }

  void refuse_too_few(const targets::ClassesOptions& target) const {
    if (places_.empty())
      throw data_error(fmt::format(
          "{}: found no image in folders of classes, wanted train/<class>/… or <class>/… ({} "
          "images lie beside such folders, {} files are not images)",
          where_, loose_.size(), files_that_are_none()));
    if (classes_.size() > 1 || !target.classes.empty()) return;
    const fs::path only = root_ / (has_splits_ ? "" : *classes_.begin());
    throw data_error(fmt::format("{}: found the one class folder '{}', wanted two or more", where_,
                                 storage::escaped(*classes_.begin())),
                     places_[0].folders.empty() || has_splits_
                         ? "give each class a folder"
                         : "give each class a folder; if the classes are the folders in " +
                               storage::shown(only) + ", name that as DataOptions::folder");
  }

  void refuse_alike() const {
    std::map<std::string, std::string> seen;
    for (const std::string& name : classes_) {
      const auto [other, added] = seen.emplace(bare(name), name);
      if (!added)
        throw data_error(
            fmt::format("{}: the class folders '{}' and '{}' differ in case, blanks or zeros alone",
                        where_, storage::escaped(other->second), storage::escaped(name)),
            "if they are one class give them one name, else names that differ");
    }
  }

  size_t files_that_are_none() const {
    size_t count = 0;
    for (const auto& [why, files] : other_) count += files.size();
    return count;
  }

  void note_meaning(Source& source) const {
    std::vector<std::string> splits;
    for (const std::string& name : top_)
      if (is_split(name)) splits.push_back(name);
    std::vector<std::string> names;
    for (const std::string& name : classes_) names.push_back(storage::escaped(name));
    source.notes.push_back(fmt::format(
        "{}: {} images; classes are the folders {}{}", where_, places_.size(),
        join(names, ", ", 10),
        has_splits_ ? fmt::format(" below {}, which are the splits", join(splits)) : ""));
    if (has_splits_ && !options_.split.fractions.empty())
      source.notes.push_back(where_ +
                             ": the folders say the splits, the shares of DataOptions::split are "
                             "not used");
  }

  /// The patient of each image; empty where each is its own.
  std::vector<std::string> read_patients(Source& source) {
    const bool deep =
        std::ranges::any_of(places_, [](const Place& one) { return !one.folders.empty(); });
    if (options_.group.empty() && !deep) return {};
    const PatientOf patient(options_.group.empty() ? "1" : options_.group);
    if (patient.none()) return {};
    std::vector<std::string> patients;
    std::vector<std::string> unsaid;
    for (const Place& one : places_) {
      patients.push_back(patient(one));
      if (!patients.back().empty()) continue;
      unsaid.push_back(storage::shown(one.file));
      patients.back() = one.file.string();
    }
    if (!options_.group.empty() && !unsaid.empty())
      throw data_error(
          fmt::format("{}: the paths of {} of {} images do not say the patient as "
                      "DataOptions::group '{}' wants: {}",
                      where_, unsaid.size(), places_.size(), options_.group, join(unsaid, ", ", 3)),
          "correct DataOptions::group or the tree");
    if (!options_.group.empty()) return patients;
    return has_splits_ ? warn_of_shared(source, patients) : group_by_folder(source, patients);
  }

  // Whether the folders are patients is not known: those of a tree with splits are left as they are.
  std::vector<std::string> warn_of_shared(Source& source,
                                          const std::vector<std::string>& folders) const {
    std::map<std::string, std::set<std::string>> splits;
    for (size_t i = 0; i < places_.size(); ++i)
      if (!places_[i].folders.empty()) splits[folders[i]].insert(places_[i].split);
    const auto shared =
        std::ranges::count_if(splits, [](const auto& one) { return one.second.size() > 1; });
    if (shared > 0)
      source.warnings.push_back(
          fmt::format("{}: {} of {} folders below the classes occur in more than one split; if "
                      "they are patients, every metric is flattering: set DataOptions::group to 1",
                      where_, shared, splits.size()));
    return {};
  }

  std::vector<std::string> group_by_folder(Source& source,
                                           const std::vector<std::string>& folders) {
    by_folder_ = true;
    std::set<std::string> names;
    for (size_t i = 0; i < places_.size(); ++i)
      if (!places_[i].folders.empty()) names.insert(folders[i]);
    source.notes.push_back(
        fmt::format("{}: the {} folders below the classes are taken as patients, each stays in one "
                    "split (DataOptions::group)",
                    where_, names.size()));
    return folders;
  }

  void note_left_out(Source& source) const {
    const auto note = [&](std::string text) {
      source.notes.push_back(fmt::format("{}: {}", where_, std::move(text)));
    };
    for (const auto& [folder, count] : beside_)
      note(fmt::format("{} images of the folder '{}' left out: it is beside the splits", count,
                       storage::escaped(folder)));
    if (!loose_.empty())
      note(fmt::format("{} images left out, they lie in no folder of a class: {}", loose_.size(),
                       join(loose_, ", ", 5)));
    for (const auto& [why, files] : other_)
      note(fmt::format("{} files left out ({}): {}", files.size(), why, join(files, ", ", 20)));
    note_empty(source);
    std::ranges::copy(listing_.notes, std::back_inserter(source.notes));
  }

  void note_empty(Source& source) const {
    std::vector<std::string> empty;
    for (const fs::path& folder : listing_.folders) {
      const fs::path relative = folder.lexically_relative(root_);
      const auto depth = std::distance(relative.begin(), relative.end());
      const std::string first = relative.begin()->string(), last = folder.filename().string();
      if (depth != (has_splits_ ? 2 : 1) || (has_splits_ && !is_split(first))) continue;
      if (!classes_.contains(last)) empty.push_back(relative.string());
    }
    if (!empty.empty())
      source.notes.push_back(fmt::format("{}: {} folders contain no image and are not classes: {}",
                                         where_, empty.size(), join(empty, ", ", 5)));
  }

  const DataOptions& options_;
  uint64_t seed_;
  const fs::path& root_;
  std::string where_;
  FolderListing listing_;
  bool has_splits_ = false, by_folder_ = false;
  std::vector<std::string> top_;  // folders in the root
  std::vector<Place> places_;     // of the images that are read
  std::set<std::string> classes_;
  std::map<std::string, int64_t> beside_;  // images of folders beside those of splits
  std::vector<std::string> loose_;         // images in no folder of a class
  std::map<std::string, std::vector<std::string>> other_;  // by reason
};

}  // namespace

Source open_folder(const DataOptions& options, uint64_t seed) {
  return TreeReader(options, seed).read();
}

}  // namespace fovea::sources
