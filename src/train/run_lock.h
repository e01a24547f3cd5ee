// One process at a time works on a run: the file `lock` with process, host and start, held with
// flock for the life of the object.
#pragma once

#include <filesystem>

namespace fovea::train {

class RunLock {
 public:
  /// Takes over the lock of a dead process of this host, with a note; that of another host only
  /// with `break_lock`. An io Error where a living process holds it.
  RunLock(const std::filesystem::path& folder, bool break_lock);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace fovea::train
