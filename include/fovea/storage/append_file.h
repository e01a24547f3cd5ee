// Files that grow while a program works. What is on disk after any instant is whole lines, as long as
// whole lines are appended. Failures are io Errors with the path and the errno text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "fovea/core/standard_library.h"

namespace fovea::storage {

/// Appends to a file, which is made where it is absent.
class AppendFile {
 public:
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int64_t size() const;

  /// All of `text`, or nothing of it and an Error: on a full disk no half line stays.
  void append(std::string_view text);
  void cut(int64_t bytes);  ///< to its first `bytes`, of at most `size()`
  void sync();              ///< what was appended is on the disk
  /// Keeps other processes from locking it until this object ends; false where one has done so.
  bool lock();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// A file of answers: it grows as `path`.partial beside its place and takes its name when it is
/// complete, so a file of that name is never a part, and what an interrupted program has answered is
/// not lost.
class PartialFile {
 public:
  /// Starts anew, before anything is computed: an Error where `path` is a folder, lies in none, or
  /// cannot be written, and where another process is writing it.
  explicit PartialFile(std::filesystem::path path);
  ~PartialFile();  ///< without `finish` the part stays, unless it is empty

  const std::filesystem::path& part() const { return file_->path(); }
  bool empty() const { return file_->size() == 0; }
  void append(std::string_view text) { file_->append(text); }
  void clear() { file_->cut(0); }
  void finish();

 private:
  std::filesystem::path path_;
  std::optional<AppendFile> file_;
  bool finished_ = false;
};

}  // namespace fovea::storage
