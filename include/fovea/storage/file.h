// Files read whole and written whole: only regular files are read and nothing blocks (a FIFO, a
// device and a folder are refused), every write, fsync and close is checked, and a file is either
// the old one or the new one, never half. Failures are io Errors with the path, the errno text and,
// for writes, the bytes wanted and free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "fovea/core/standard_library.h"

namespace fovea::storage {

/// A path as messages show it: bytes that are not valid UTF-8 and control characters as \xNN.
std::string shown(const std::filesystem::path& path);

/// Whether something, or a folder, is there. What is missing is not an error; an io Error where it
/// cannot be known: no permission, a name that is too long, links in a loop.
bool exists(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);

/// What tells a changed file from an unchanged one without reading it.
struct FileStamp {
  int64_t size = 0;         ///< bytes
  int64_t modified_ns = 0;  ///< since 1970
  bool operator==(const FileStamp&) const = default;
};

/// A regular file, open for reading. Move only.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();

  const std::filesystem::path& path() const { return path_; }
  const FileStamp& stamp() const { return stamp_; }  ///< when it was opened
  int64_t size() const { return stamp_.size; }
  int descriptor() const { return descriptor_; }

  /// Fills `to` from byte `offset` on; an io Error where the file holds fewer bytes. Safe from
  /// several threads.
  void read(int64_t offset, std::span<std::byte> to) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  FileStamp stamp_;
};

constexpr int64_t kLargestFile = int64_t{4}
                                 << 30;  ///< bytes read into memory at once unless told otherwise

/// The whole file; a data Error where it is larger than `max_bytes`.
std::string read_file(const std::filesystem::path& path, int64_t max_bytes = kLargestFile);

/// Its first `bytes` bytes, fewer where it is shorter.
std::string read_head(const std::filesystem::path& path, int64_t bytes);

/// Writes `content` (or the pieces, one after the other) under a temporary name in the same folder,
/// then renames. When it returns, the file and its name are on the disk; when it throws, what was
/// there before still is.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);
void write_file_atomically(const std::filesystem::path& path,
                           std::span<const std::string_view> pieces);

/// Renames within one file system and makes the new name durable. Replaces a file of that name, or
/// an empty folder.
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Makes the names in a folder durable (fsync of the folder).
void sync_folder(const std::filesystem::path& folder);

/// Creates the folder and its parents; an existing folder is fine.
void make_folder(const std::filesystem::path& folder);

/// Bytes an ordinary user may still write where `path` (which must exist) lies.
int64_t free_bytes(const std::filesystem::path& path);

}  // namespace fovea::storage
