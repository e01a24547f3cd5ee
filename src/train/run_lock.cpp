#include "train/run_lock.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <system_error>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/storage/file.h"

namespace fovea::train {
namespace {

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

std::string content_of(int descriptor) {
  char content[512] = {};
  const ssize_t bytes = pread(descriptor, content, sizeof content - 1, 0);
  return {content, bytes > 0 ? static_cast<size_t>(bytes) : 0};
}

std::string one_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

Error failure(const std::filesystem::path& path, const char* what, int code) {
  return io_error(fmt::format("locking the run: cannot {} {}: {}", what, storage::shown(path),
                              std::generic_category().message(code)));
}

/// Whether the name still leads to the open file: the last holder removes it.
bool is_current(int descriptor, const std::filesystem::path& path) {
  struct stat opened {
  }, named{};
  return fstat(descriptor, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& folder, bool break_lock) : path_(folder / "lock") {
  do {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) throw failure(path_, "write", errno);
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const std::string holder = one_line(content_of(descriptor_));
      close(descriptor_);
      throw io_error(fmt::format("locking the run: {} is held by another process ({})",
                                 storage::shown(path_), holder),
                     "wait for it, or choose another folder");
    }
  } while (!is_current(descriptor_, path_));

  const std::string before = content_of(descriptor_);
  const std::string here = "host " + host_name() + "\n";
  if (!before.empty() && before.find(here) == std::string::npos && !break_lock) {
    close(descriptor_);
    throw io_error(fmt::format("locking the run: {} was left by another host ({}), which may still "
                               "be at work",
                               storage::shown(path_), one_line(before)),
                   "if it is not, take the lock over (RunOptions::break_lock)");
  }
  if (!before.empty())
    log_warning("the run was left without a farewell (" + one_line(before) +
                "); its lock is taken");
  const std::string mine = fmt::format("pid {}\n{}start {:%Y-%m-%dT%H:%M:%SZ}\n", getpid(), here,
                                       fmt::gmtime(std::time(nullptr)));
  if (ftruncate(descriptor_, 0) != 0 ||
      pwrite(descriptor_, mine.data(), mine.size(), 0) != static_cast<ssize_t>(mine.size())) {
    const int code = errno;
    close(descriptor_);
    throw failure(path_, "write", code);
  }
}

RunLock::~RunLock() {
  unlink(path_.c_str());
  close(descriptor_);
}

}  // namespace fovea::train
