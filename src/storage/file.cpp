#include "fovea/storage/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include "fovea/core/error.h"
#include "fovea/storage/text.h"

namespace fovea::storage {
namespace fs = std::filesystem;
namespace {

std::string errno_text(int code) { return std::generic_category().message(code); }

std::string type_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  if (S_ISSOCK(mode)) return "a socket";
  return "no regular file";
}

Error cannot_open(const fs::path& path, int code) {
  std::string found = errno_text(code);
  struct stat link;
  const bool is_link = lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode);
  if (is_link && code == ENOENT) found += ": a link whose target is missing";
  if (code == ENXIO) found += ": a socket or a device, not a regular file";
  const char* remedy = code == EACCES ? "give this user read permission" : "check the path";
  return io_error(fmt::format("cannot open {}: {}; {}", shown(path), found, remedy));
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// The open file of one atomic write: closed and removed again unless committed.
class NewFile {
 public:
  explicit NewFile(const fs::path& folder) {
    static std::atomic<unsigned> count{0};
    do {  // not named after the target, whose name may have all 255 bytes
      path_ = folder / fmt::format(".tmp-{}-{}", getpid(), count++);
      descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && (errno == EEXIST || errno == EINTR));
    if (descriptor_ < 0) fail("create a file in " + shown(folder));
  }
  ~NewFile() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!path_.empty()) unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      // Linux writes at most 2^31 - 4096 bytes at a time.
      const ssize_t n = ::write(descriptor_, bytes.data(), std::min<size_t>(bytes.size(), 1 << 30));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) fail("write");
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  void commit(const fs::path& target) {
    if (fsync(descriptor_) != 0) fail("fsync");
    if (close(std::exchange(descriptor_, -1)) != 0) fail("close");
    if (rename(path_.c_str(), target.c_str()) != 0) fail("rename the new file");
    path_.clear();
  }

 private:
  [[noreturn]] void fail(const char* what) { fail(std::string(what)); }
  [[noreturn]] void fail(const std::string& what) {
    throw io_error(fmt::format("cannot {}: {}", what, errno_text(errno)));
  }

  fs::path path_;
  int descriptor_ = -1;
};

}  // namespace

std::string shown(const fs::path& path) { return escaped(path.native()); }

namespace {

/// What is there, links followed; a mode of 0 where nothing is.
mode_t mode_of(const fs::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0) return info.st_mode;
  if (errno == ENOENT || errno == ENOTDIR) return 0;
  throw io_error(fmt::format("cannot look at {}: {}", shown(path), errno_text(errno)),
                 "check the path");
}

}  // namespace

bool exists(const fs::path& path) { return mode_of(path) != 0; }
bool is_folder(const fs::path& path) { return S_ISDIR(mode_of(path)); }

InputFile::InputFile(const fs::path& path) : path_(path) {
  do {
    descriptor_ = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) throw cannot_open(path, errno);
  struct stat info;
  const bool known = fstat(descriptor_, &info) == 0;
  if (known && S_ISREG(info.st_mode)) {
    stamp_ = {info.st_size, int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
    return;
  }
  const std::string found = known ? type_of(info.st_mode) : errno_text(errno);
  close(descriptor_);
  throw io_error(
      fmt::format("cannot read {}: it is {}; wanted a regular file", shown(path), found));
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      stamp_(other.stamp_) {}

InputFile::~InputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void InputFile::read(int64_t offset, std::span<std::byte> to) const {
  const int64_t end = offset + static_cast<int64_t>(to.size());
  while (!to.empty()) {
    const ssize_t n = pread(descriptor_, to.data(), std::min<size_t>(to.size(), 1 << 30), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      throw io_error(
          fmt::format("cannot read {} at byte {}: {}", shown(path_), offset, errno_text(errno)));
    }
    if (n == 0) {
      throw io_error(
          fmt::format("cannot read {}: it ends at byte {} and had {} when it was opened, wanted "
                      "bytes up to {}; "
                      "it was changed meanwhile: leave it alone during the run",
                      shown(path_), offset, size(), end));
    }
    offset += n;
    to = to.subspan(static_cast<size_t>(n));
  }
}

std::string read_file(const fs::path& path, int64_t max_bytes) {
  const InputFile file(path);
  if (file.size() > max_bytes) {
    throw data_error(fmt::format("cannot read {}: it has {} bytes, at most {} are read",
                                 shown(path), file.size(), max_bytes));
  }
  std::string content(static_cast<size_t>(file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(content)));
  return content;
}

std::string read_head(const fs::path& path, int64_t bytes) {
  const InputFile file(path);
  std::string content(static_cast<size_t>(std::min(bytes, file.size())), '\0');
  file.read(0, std::as_writable_bytes(std::span(content)));
  return content;
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, std::span(&content, 1));
}

void write_file_atomically(const fs::path& path, std::span<const std::string_view> pieces) {
  const fs::path folder = folder_of(path);
  try {
    NewFile file(folder);
    for (const std::string_view piece : pieces) file.write(piece);
    file.commit(path);
    sync_folder(folder);
  } catch (const Error& error) {
    size_t wanted = 0;
    for (const std::string_view piece : pieces) wanted += piece.size();
    struct statvfs disk;
    const bool known = statvfs(folder.c_str(), &disk) == 0;
    throw io_error(fmt::format("writing {}: {}; {} bytes wanted, {} free", shown(path),
                               error.what(), wanted,
                               known ? std::to_string(disk.f_bavail * disk.f_frsize) : "unknown"));
  }
}

void rename_durably(const fs::path& from, const fs::path& to) {
  if (rename(from.c_str(), to.c_str()) != 0) {
    throw io_error(
        fmt::format("cannot rename {} to {}: {}", shown(from), shown(to), errno_text(errno)));
  }
  sync_folder(folder_of(to));
}

void sync_folder(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    throw io_error(fmt::format("cannot open folder {}: {}", shown(folder), errno_text(errno)));
  }
  // Some network file systems cannot fsync a folder and say EINVAL: their renames are durable or
  // not, as they are.
  const int code = fsync(descriptor) != 0 ? errno : 0;
  close(descriptor);
  if (code != 0 && code != EINVAL) {
    throw io_error(fmt::format("cannot fsync folder {}: {}", shown(folder), errno_text(code)));
  }
}

void make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (!code && !fs::is_directory(folder, code) && !code) {
    code = std::make_error_code(std::errc::not_a_directory);
  }
  if (code) {
    throw io_error(fmt::format("cannot make folder {}: {}", shown(folder), code.message()));
  }
}

int64_t free_bytes(const fs::path& path) {
  struct statvfs disk;
  if (statvfs(path.c_str(), &disk) != 0) {
    throw io_error(
        fmt::format("cannot ask for the free space at {}: {}", shown(path), errno_text(errno)));
  }
  return static_cast<int64_t>(disk.f_bavail * disk.f_frsize);
}

}  // namespace fovea::storage
