#include "sources/named_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "fovea/core/error.h"
#include "fovea/storage/case_names.h"
#include "sources/files.h"
#include "sources/open.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShown = 20;  // of the files that do not exist

/// Writes lines too many for a message to a file of the working folder, or of the temporary folder
/// where that cannot be written, and says where they are.
std::string keep_list(const char* name, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += storage::without_paths(line) + "\n";
  std::string failure;
  std::error_code ignored;
  for (const fs::path& folder : {fs::current_path(ignored), fs::temp_directory_path(ignored)}) {
    try {
      storage::write_file_atomically(folder / name, text);
      return "all of them are in " + storage::shown(folder / name);
    } catch (const Error& error) {
      failure = error.what();
    }
  }
  return "the list of all could not be written: " + failure;
}

}  // namespace

std::vector<inputs::ListedFile> NamedFiles::list(const inputs::FileColumn& where) {
  const int64_t column = rows_.table.column(where.column);
  std::vector<inputs::ListedFile> result;
  for (size_t i = 0; i < rows_.size(); ++i) {
    const fs::path root = folder_of(options_, rows_.table.path(rows_.used[i]));
    const std::string_view cell = rows_.cell(i, column);
    if (where.optional && cell.empty()) {
      result.emplace_back();
      continue;
    }
    fs::path path = (root / where.folder / cell).lexically_normal();
    storage::note_path(path);
    if (!where.ending.empty() && !path.string().ends_with(where.ending) && !stamp_of(path))
      storage::note_path(path += where.ending);
    if (!options_.allow_outside_root) check_inside(root, path, i);
    const std::optional<storage::FileStamp> stamp = cell.empty() ? std::nullopt : stamp_of(path);
    std::error_code error;
    if (!stamp && !cell.empty() &&
        fs::symlink_status(path, error).type() != fs::file_type::not_found)
      within(rows_.table.name() + ": " + rows_.place(i), [&] { storage::InputFile unfit(path); });
    if (!stamp) missing_.push_back(fmt::format("{}: {}", rows_.place(i), storage::shown(path)));
    result.push_back({path, stamp.value_or(storage::FileStamp{})});
  }
  return result;
}

// Neither by "..", nor by an absolute name, nor by a link.
void NamedFiles::check_inside(const fs::path& root, const fs::path& path, size_t i) {
  const auto inside = [](const fs::path& inner, const fs::path& outer) {
    const fs::path relative = inner.lexically_relative(outer);
    return !relative.empty() && *relative.begin() != "..";
  };
  std::error_code unreadable;
  fs::path& real_root = real_folders_[root.native()];
  if (real_root.empty()) real_root = fs::weakly_canonical(root, unreadable);
  fs::path& folder = real_folders_[path.parent_path().native()];
  if (folder.empty()) folder = fs::weakly_canonical(path.parent_path(), unreadable);
  fs::path real = folder / path.filename();
  if (fs::is_symlink(path, unreadable)) real = fs::weakly_canonical(path, unreadable);
  storage::note_path(real);
  if (inside(path, root.lexically_normal()) && inside(real, real_folders_[root.native()])) return;
  throw data_error(fmt::format("{}: {}: the file {} lies outside the root {}", rows_.table.name(),
                               rows_.place(i), storage::shown(real), storage::shown(root)),
                   "correct the row, or set DataOptions::allow_outside_root");
}

void NamedFiles::refuse_missing() const {
  if (missing_.empty()) return;
  std::string list;
  for (size_t k = 0; k < std::min(missing_.size(), kShown); ++k) list += "\n  " + missing_[k];
  if (missing_.size() > kShown)
    list += fmt::format("\n  … and {} more; {}", missing_.size() - kShown,
                        keep_list("missing-files.txt", missing_));
  throw data_error(
      fmt::format("{}: {} of {} files do not exist", rows_.table.name(), missing_.size(),
                  rows_.size() * options_.inputs.size()),
      "correct the table, DataOptions::root or DataOptions::inputs.NAME.folder:" + list);
}

}  // namespace fovea::sources
