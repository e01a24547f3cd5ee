#include "fovea/storage/append_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"

namespace fovea::storage {
namespace fs = std::filesystem;

AppendFile::AppendFile(fs::path path) : path_(std::move(path)) {
  do {
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) fail("open");
}

AppendFile::~AppendFile() { close(descriptor_); }

int64_t AppendFile::size() const {
  struct stat info {};
  return fstat(descriptor_, &info) == 0 ? info.st_size : 0;
}

void AppendFile::append(std::string_view text) {
  const int64_t before = size();
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor_, text.data(), std::min<size_t>(text.size(), 1 << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int code = errno;
      [[maybe_unused]] const int cut = ftruncate(descriptor_, before);
      errno = code;
      fail("write");
    }
    text.remove_prefix(static_cast<size_t>(n));
  }
}

void AppendFile::cut(int64_t bytes) {
  if (bytes > size())
    throw Error(Fault::internal, "cutting " + shown(path_) + " would lengthen it");
  if (ftruncate(descriptor_, bytes) != 0) fail("cut");
}

void AppendFile::sync() {
  if (fsync(descriptor_) != 0) fail("fsync");
}

bool AppendFile::lock() { return flock(descriptor_, LOCK_EX | LOCK_NB) == 0; }

void AppendFile::fail(const char* what) const {
  const int code = errno;
  const char* remedy = code == ENOSPC || code == EDQUOT ? "free some space" : "";
  throw io_error(
      fmt::format("cannot {} {}: {}", what, shown(path_), std::generic_category().message(code)),
      remedy);
}

PartialFile::PartialFile(fs::path path) : path_(std::move(path)) {
  if (is_folder(path_))
    throw io_error("cannot write " + shown(path_) + ": it is a folder", "name a file in it");
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  if (!is_folder(folder))
    throw io_error("cannot write " + shown(path_) + ": there is no folder " + shown(folder),
                   "make it first, or name another");
  file_.emplace(fs::path(path_) += ".partial");
  if (!file_->lock())
    throw io_error("cannot write " + shown(path_) + ": another process is writing it",
                   "wait for it, or name another file");
  file_->cut(0);
}

PartialFile::~PartialFile() {
  if (!finished_ && file_ && empty()) unlink(part().c_str());
}

void PartialFile::finish() {
  file_->sync();
  rename_durably(part(), path_);
  finished_ = true;
}

}  // namespace fovea::storage
