#include "train/run_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"

namespace fovea::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kForgotten = ".forgotten";  // where parts lie until they are deleted

/// In the order in which they go. A checkpoint and `best` are fovea's whole.
const std::vector<std::string> kParts = {
    "bundle",       "best",          "model.json",          "config.yaml",
    "checkpoints",  "metrics.csv",   "learning_curves.svg", "log.jsonl",
    "rejected.csv", "salt",          "cases.csv",           ".best-new",
    ".old-bundle",  "manifest.json",
};

/// What `fovea eval` and a bundle consist of, besides plots.
const std::set<std::string> kFiles = {
    "metrics.json",      "predictions.csv", "entities.jsonl", "config.yaml", "model.json",
    "model.safetensors", "MANIFEST.json",   "report.html",    "report.json", "card.md"};

/// A picture of a case that was decided wrongly: failures/0007.png.
bool is_picture(const fs::path& file) {
  const std::string number = file.stem().string();
  return file.parent_path().filename() == "failures" && file.extension() == ".png" &&
         std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_ours(const fs::path& file) {
  return is_picture(file) || kFiles.contains(file.filename().string()) ||
         file.extension() == ".svg";
}

/// What a write that was cut off leaves (storage/file.h).
bool is_half_written(const std::string& name) { return name.starts_with(".tmp-"); }

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code code;
  std::vector<fs::path> all;
  for (const auto& entry : fs::directory_iterator(folder, code)) all.push_back(entry.path());
  if (code)
    throw io_error("cannot list " + storage::shown(folder) + ": " + code.message(),
                   "give this user read permission, or name another folder");
  std::ranges::sort(all);
  return all;
}

bool is_real_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(fs::symlink_status(path, ignored));
}

/// Moves everything of a run's own into a folder, to be deleted there.
class Bin {
 public:
  explicit Bin(const fs::path& run) : path_(run / kForgotten) {
    fs::remove_all(path_, ignored_);
    storage::make_folder(path_);
  }
  ~Bin() { fs::remove_all(path_, ignored_); }
  Bin(const Bin&) = delete;
  Bin& operator=(const Bin&) = delete;

  void take(const fs::path& part) {
    storage::rename_durably(part, path_ / std::to_string(count_++));
  }

  /// A folder in which others may have put something: evaluations of several targets lie a level
  /// deeper.
  void take_own_files(const fs::path& folder) {
    for (const fs::path& one : entries_of(folder)) {
      if (is_real_folder(one))
        take_own_files(one);
      else if (is_ours(one))
        take(one);
    }
    fs::remove(folder, ignored_);  // where it is empty now
  }

 private:
  fs::path path_;
  int64_t count_ = 0;
  std::error_code ignored_;
};

}  // namespace

bool is_run(const fs::path& folder) {
  if (!storage::exists(folder / "manifest.json")) return false;
  constexpr int64_t kLargest = 64 << 20;  // bytes
  const auto json = nlohmann::json::parse(storage::read_file(folder / "manifest.json", kLargest),
                                          nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("fovea");
}

bool holds_nothing(const fs::path& folder) {
  return std::ranges::all_of(entries_of(folder), [](const fs::path& path) {
    const std::string name = path.filename().string();
    return name == "lock" || name == kForgotten || is_half_written(name);
  });
}

void forget_run(const fs::path& folder) {
  Bin bin(folder);
  for (const fs::path& one : entries_of(folder)) {
    const std::string name = one.filename().string();
    if (name.starts_with("eval-") && is_real_folder(one)) bin.take_own_files(one);
    if (name.starts_with("events.out.tfevents.") || is_half_written(name)) bin.take(one);
  }
  for (const std::string& name : kParts) {
    std::error_code missing;
    const fs::path part = folder / name;
    if (!fs::exists(fs::symlink_status(part, missing))) continue;
    if (name == "bundle" && is_real_folder(part))
      bin.take_own_files(part);
    else
      bin.take(part);
  }
}

}  // namespace fovea::train
