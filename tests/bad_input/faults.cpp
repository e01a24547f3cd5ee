// A library that is loaded before the program (LD_PRELOAD) and makes the machine fail. FOVEA_FAULT says how, FOVEA_FAULT_IN names
// a text in the paths that are meant:
//   space=N    the disk takes N more bytes in these paths, then it is full
//   full=N     as on a full disk from the N-th call on that writes, syncs, makes or renames something there
//   write=E    every write there fails with the error of this number; fsync=E, rename=E likewise
//   kill=N     the process is killed at the N-th write there
//   slow=MS    every fsync there takes this long
//   clock      once such a file was synced, the clock of the day stands an hour before
//   memory     once such a file was synced, the next step fails as where the memory of a GPU is full
//   allocation once such a file was synced, LibTorch is given no more memory of the computer
//   device     once such a file was synced, the next step fails as where the GPU is gone
//   record=F   after every call that changes something in this folder, what a power loss at this moment may leave of the folder
//              is copied below F: F/N/names with all names and the synced data, F/N/synced with the synced names alone
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

template <class Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

struct Fault {
  std::string how, value, where;
  int64_t number() const { return std::atoll(value.c_str()); }
};

const Fault& fault() {
  static const Fault instance = [] {
    Fault one;
    if (const char* text = std::getenv("FOVEA_FAULT")) one.how = text;
    if (const char* text = std::getenv("FOVEA_FAULT_IN")) one.where = text;
    if (const size_t equals = one.how.find('='); equals != std::string::npos) {
      one.value = one.how.substr(equals + 1);
      one.how.resize(equals);
    }
    return one;
  }();
  return instance;
}

thread_local bool inside = false;  // in this library, whose own calls are not meant
std::atomic<bool> due{false};      // a file that is meant was synced
std::atomic<int64_t> written{0}, writes{0}, calls{0};

std::string path_of(int descriptor) {
  char target[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t n = readlink(link.c_str(), target, sizeof target);
  return n > 0 ? std::string(target, static_cast<size_t>(n)) : std::string();
}
std::string path_of(int folder, const char* name) {
  if (name[0] == '/') return name;
  return folder == AT_FDCWD ? fs::absolute(name).string() : path_of(folder) + "/" + name;
}
bool meant(const std::string& path) { return path.find(fault().where) != std::string::npos; }

/// What a disk holds for sure, and what it has been told since.
class Recorder {
 public:
  void wrote(const std::string& path) {
    if (!synced_.contains(path)) synced_[path] = 0;
    take();
  }
  void synced(const std::string& path) {
    if (fs::is_directory(path)) {
      std::erase_if(names_,
                    [&](const Name& one) { return fs::path(one.to).parent_path() == path; });
    } else {
      synced_[path] = fs::file_size(path);
    }
    take();
  }
  void made(const std::string& path) {
    names_.push_back({"", path, ""});
    take();
  }
  void renamed(const std::string& from, const std::string& to, std::string replaced) {
    std::map<std::string, uintmax_t> moved;
    for (const auto& [path, bytes] : synced_)
      moved[path.starts_with(from) ? to + path.substr(from.size()) : path] = bytes;
    synced_ = std::move(moved);
    names_.push_back({from, to, std::move(replaced)});
    take();
  }

 private:
  struct Name {
    std::string from, to, replaced;  // from: "" where it was made; replaced: what `to` held before
  };

  void take() {
    const fs::path folder = fault().where, out = fs::path(fault().value) / std::to_string(count_++);
    for (const bool names : {true, false}) {
      const fs::path copy = out / (names ? "names" : "synced");
      fs::create_directories(copy);
      std::error_code ignored;
      fs::copy(folder, copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks,
               ignored);
      const auto in_copy = [&](const std::string& path) {
        return copy / fs::path(path).lexically_relative(folder);
      };
      for (const auto& [path, bytes] : synced_)
        if (fs::is_regular_file(fs::symlink_status(in_copy(path))) &&
            fs::file_size(in_copy(path)) > bytes)
          fs::resize_file(in_copy(path), bytes, ignored);
      if (names) continue;
      for (auto name = names_.rbegin(); name != names_.rend(); ++name) {
        if (name->from.empty()) {
          fs::remove_all(in_copy(name->to), ignored);
          continue;
        }
        fs::rename(in_copy(name->to), in_copy(name->from), ignored);
        if (name->replaced.empty()) continue;
        if (name->replaced[0] == 'l')
          fs::create_symlink(name->replaced.substr(1), in_copy(name->to), ignored);
        else
          write(in_copy(name->to), name->replaced.substr(1));
      }
    }
  }
  static void write(const fs::path& path, const std::string& text) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    [[maybe_unused]] const ssize_t n = ::write(descriptor, text.data(), text.size());
    ::close(descriptor);
  }

  std::map<std::string, uintmax_t> synced_;
  std::vector<Name> names_;  // not synced yet
  int64_t count_ = 0;
};

std::string content(const std::string& path) {
  std::error_code ignored;
  if (fs::is_symlink(path, ignored)) return "l" + fs::read_symlink(path, ignored).string();
  if (!fs::is_regular_file(path, ignored)) return "";
  std::string text(fs::file_size(path), '\0');
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  const ssize_t n = ::read(descriptor, text.data(), text.size());
  ::close(descriptor);
  return "f" + text.substr(0, static_cast<size_t>(std::max<ssize_t>(n, 0)));
}

/// Calls what records, where the path is meant, and not from within.
template <class Act>
void record(const std::string& path, const Act& act) {
  static std::mutex mutex;
  static Recorder recorder;
  if (fault().how != "record" || !path.starts_with(fault().where + "/")) return;
  const std::lock_guard lock(mutex);
  inside = true;
  act(recorder);
  inside = false;
}

/// Whether a call on this path fails: its errno.
int error_of(const char* call, const std::string& path) {
  if (fault().how == "full" && meant(path) && ++calls >= fault().number()) return ENOSPC;
  return fault().how == call && meant(path) ? static_cast<int>(fault().number()) : 0;
}

/// A call that puts something at this path, or fails as is wanted.
template <class Call>
int make_name(const char* name, const char* path, const Call& call) {
  if (inside || fault().how.empty()) return call();
  const std::string whole = path_of(AT_FDCWD, path);
  if (const int code = error_of(name, whole)) {
    errno = code;
    return -1;
  }
  const int result = call();
  if (result == 0) record(whole, [&](Recorder& r) { r.made(whole); });
  return result;
}

/// LibTorch's own error, thrown as it throws those of CUDA.
void throw_of_cuda(const std::string& what) {
  using Throw = void(const char*, const char*, uint32_t, const std::string&);
  if (auto* thrower = reinterpret_cast<Throw*>(
          dlsym(RTLD_DEFAULT,
                "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_string"
                "IcSt11char_traitsIcESaIcEEE")))
    thrower("step", "faults.cpp", 1, what);
  std::abort();
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* data, size_t count) {
  static auto* const call = original<ssize_t(int, const void*, size_t)>("write");
  if (inside || fault().how.empty()) return call(descriptor, data, count);
  const std::string path = path_of(descriptor);
  if (const int code = error_of("write", path)) {
    errno = code;
    return -1;
  }
  if (fault().how == "kill" && meant(path) && ++writes == fault().number()) raise(SIGKILL);
  if (fault().how == "space" && meant(path)) {
    const int64_t left = fault().number() - written;
    if (left <= 0) {
      errno = ENOSPC;
      return -1;
    }
    count = std::min(count, static_cast<size_t>(left));
    written += static_cast<int64_t>(count);
  }
  const ssize_t n = call(descriptor, data, count);
  if (n > 0) record(path, [&](Recorder& r) { r.wrote(path); });
  return n;
}

int fsync(int descriptor) {
  static auto* const call = original<int(int)>("fsync");
  if (inside || fault().how.empty()) return call(descriptor);
  const std::string path = path_of(descriptor);
  if (const int code = error_of("fsync", path)) {
    errno = code;
    return -1;
  }
  if (fault().how == "slow" && meant(path)) {
    const int64_t ms = fault().number();
    timespec wait{ms / 1000, ms % 1000 * 1'000'000};
    nanosleep(&wait, nullptr);
  }
  const int result = call(descriptor);
  if (meant(path)) due = true;
  record(path + "/", [&](Recorder& r) { r.synced(path); });
  return result;
}

int rename(const char* from, const char* to) {
  static auto* const call = original<int(const char*, const char*)>("rename");
  if (inside || fault().how.empty()) return call(from, to);
  const std::string before = path_of(AT_FDCWD, from), after = path_of(AT_FDCWD, to);
  if (const int code = error_of("rename", after)) {
    errno = code;
    return -1;
  }
  std::string replaced;
  record(after, [&](Recorder&) { replaced = content(after); });
  const int result = call(from, to);
  if (result == 0) record(after, [&](Recorder& r) { r.renamed(before, after, replaced); });
  return result;
}

int mkdir(const char* path, mode_t mode) {
  static auto* const call = original<int(const char*, mode_t)>("mkdir");
  return make_name("mkdir", path, [&] { return call(path, mode); });
}

int symlink(const char* target, const char* path) {
  static auto* const call = original<int(const char*, const char*)>("symlink");
  return make_name("symlink", path, [&] { return call(target, path); });
}

int open(const char* path, int flags, ...) {
  static auto* const call = original<int(const char*, int, ...)>("open");
  va_list more;
  va_start(more, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  va_end(more);
  if (!inside && flags & O_CREAT && !fault().how.empty())
    if (const int code = error_of("open", path_of(AT_FDCWD, path))) {
      errno = code;
      return -1;
    }
  struct stat ignored {};
  const bool made =
      !inside && fault().how == "record" && flags & O_CREAT && stat(path, &ignored) != 0;
  const int result = call(path, flags, mode);
  if (made && result >= 0) {
    const std::string whole = path_of(AT_FDCWD, path);
    record(whole, [&](Recorder& r) { r.made(whole); });
  }
  return result;
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open(path, flags, mode);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static auto* const call = original<int(clockid_t, timespec*)>("clock_gettime");
  const int result = call(clock, time);
  if (clock == CLOCK_REALTIME && due && fault().how == "clock") time->tv_sec -= 3600;
  return result;
}

int posix_memalign(void** memory, size_t alignment, size_t size) {
  static auto* const call = original<int(void**, size_t, size_t)>("posix_memalign");
  if (due && size >= 64 && fault().how == "allocation") return ENOMEM;
  return call(memory, alignment, size);
}

// at::stack, which every step calls: a tensor is returned through the first argument.
#define STACK "_ZN2at4_ops5stack4callEN3c108ArrayRefINS_6TensorEEEl"
void* stack_of_torch(void* result, const void* tensors, size_t count, int64_t dim) asm(STACK);
void* stack_of_torch(void* result, const void* tensors, size_t count, int64_t dim) {
  static auto* const call = original<void*(void*, const void*, size_t, int64_t)>(STACK);
  if (due && fault().how == "device") throw_of_cuda("CUDA error: unspecified launch failure");
  if (due && fault().how == "memory")
    throw_of_cuda(
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of "
        "8.00 GiB of which 1.00 GiB is free. Including more advice");
  return call(result, tensors, count, dim);
}
}
