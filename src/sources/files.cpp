#include "sources/files.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/case_names.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

class CaseDataset final : public Dataset {
 public:
  explicit CaseDataset(Cases cases) : cases_(std::move(cases)) {
    for (std::string& id : cases_.ids) id = storage::known_as(std::move(id));
    for (const auto& [name, input] : cases_.inputs)
      schema_.inputs.push_back({name, input->shape()});
    for (const targets::TargetPtr& target : cases_.targets)
      schema_.targets.push_back(target->spec());
  }

  int64_t size() const override { return static_cast<int64_t>(cases_.ids.size()); }
  std::string id(int64_t index) const override { return cases_.ids.at(static_cast<size_t>(index)); }

  Example get(int64_t index) const override {
    // No gradient comes here, and to note that a slice is one costs more than to slice.
    const at::AutoDispatchBelowADInplaceOrView plain;
    Example example{id(index), group(index), {}, targets(index), {}};
    Origin origin;
    for (const auto& [name, input] : cases_.inputs)
      if (input->has(index)) example.inputs[name] = input->read(index, origin);
    for (const targets::TargetPtr& target : cases_.targets) target->add_origin(index, origin);
    if (!origin.empty()) example.origin = std::make_shared<const Origin>(std::move(origin));
    return example;
  }

  const Schema& schema() const override { return schema_; }

  TensorMap targets(int64_t index) const override {
    TensorMap one;
    for (const targets::TargetPtr& target : cases_.targets)
      one[target->spec().name] = target->read(index);
    return one;
  }

  std::string group(int64_t index) const override {
    return cases_.groups.empty() ? "" : cases_.groups.at(static_cast<size_t>(index));
  }

  std::string name(int64_t index) const override {
    for (const auto& [name, input] : cases_.inputs)
      if (std::string file = input->file(index); !file.empty()) return file;
    return cases_.place(static_cast<size_t>(index));
  }

 private:
  Cases cases_;
  Schema schema_;
};

}  // namespace

DatasetPtr case_dataset(Cases cases) { return std::make_shared<CaseDataset>(std::move(cases)); }

std::optional<storage::FileStamp> stamp_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return storage::FileStamp{
      .size = status.st_size,
      .modified_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

namespace {

class Lister {
 public:
  explicit Lister(const fs::path& root) : root_(root) {}

  FolderListing list() {
    std::error_code error;
    const fs::path real = fs::canonical(root_, error);
    waiting_.push_back({root_, real, {}});
    for (; !waiting_.empty(); waiting_.pop_front()) read(waiting_.front());
    std::ranges::sort(listing_.files);
    std::ranges::sort(listing_.folders);
    say("links to folders are followed", followed_);
    say("links are left out, they lead back to a folder they stand in", loops_);
    say("links are left out, their folder is read already", again_);
    say("links are left out, they lead nowhere", broken_);
    say("entries are left out, they are not regular files", special_);
    say("hidden entries are left out", hidden_);
    return std::move(listing_);
  }

 private:
  struct Folder {
    fs::path path, real;
    std::vector<fs::path> links;  // real folders in which the links that led here stand
  };

  void read(const Folder& folder) {
    std::error_code error;
    std::vector<fs::path> paths;
    for (fs::directory_iterator entry(folder.path, error), end; !error && entry != end;
         entry.increment(error))
      paths.push_back(entry->path());
    if (error)
      throw io_error(storage::shown(folder.path) + ": cannot list the folder: " + error.message());
    std::ranges::sort(paths);  // which of two links to a folder is followed
    for (const fs::path& path : paths) storage::note_path(path);
    for (const fs::path& path : paths) take(path, folder);
  }

  void take(const fs::path& path, const Folder& folder) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (path.filename().native().starts_with('.')) return hidden_.push_back(path);
    if (fs::is_symlink(fs::symlink_status(path, error)) && !fs::is_regular_file(status))
      return follow(path, status, folder);
    if (fs::is_regular_file(status)) return listing_.files.push_back(path);
    if (!fs::is_directory(status)) return special_.push_back(path);
    listing_.folders.push_back(path);
    waiting_.push_back({path, folder.real / path.filename(), folder.links});
  }

  void follow(const fs::path& path, const fs::file_status& status, const Folder& folder) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    if (error) return broken_.push_back(path);
    if (!fs::is_directory(status)) return special_.push_back(path);
    const auto holds = [&](const fs::path& inner) {
      return std::mismatch(real.begin(), real.end(), inner.begin(), inner.end()).first ==
             real.end();
    };
    if (holds(folder.real) || std::ranges::any_of(folder.links, holds))
      return loops_.push_back(path);
    if (!targets_.insert(real).second) return again_.push_back(path);
    followed_.push_back(path);
    listing_.folders.push_back(path);
    Folder next{path, real, folder.links};
    next.links.push_back(folder.real);
    waiting_.push_back(std::move(next));
  }

  void say(const char* what, std::vector<fs::path>& paths) {
    if (paths.empty()) return;
    std::ranges::sort(paths);
    std::vector<std::string> names;
    for (const fs::path& path : paths)
      names.push_back(
          storage::shown(storage::names_are_hidden() ? path : path.lexically_relative(root_)));
    listing_.notes.push_back(fmt::format("{}: {} {}: {}", storage::shown(root_), paths.size(), what,
                                         join(names, ", ", 5)));
  }

  const fs::path& root_;
  FolderListing listing_;
  std::deque<Folder> waiting_;
  std::set<fs::path> targets_;  // that links led to
  std::vector<fs::path> followed_, loops_, again_, broken_, special_, hidden_;
};

}  // namespace

FolderListing list_folder(const fs::path& folder) { return Lister(folder).list(); }

}  // namespace fovea::sources
