// What the fuzz targets share. A target hands bytes to one parser, which may refuse them with an Error
// and must do nothing else: no other exception, no crash, no leak, no allocation beyond its limits.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "fovea/core/error.h"

/// The entry of a target; a program of libFuzzer has just one.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace fovea::fuzz {

/// Ends the process, as a crash does, where what a parser gave cannot be true.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fputs(what, stderr);
  std::fputs("\n", stderr);
  std::abort();
}

/// Runs `parse`; an Error that is not our own mistake is an answer like any other.
template <class Parse>
int answers(Parse&& parse) {
  try {
    parse();
  } catch (const Error& error) {
    require(error.fault() != Fault::internal, error.what());
  }
  return 0;
}

/// An input taken apart from its front.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : left_(reinterpret_cast<const char*>(data), size) {}

  uint8_t byte() {
    if (left_.empty()) return 0;
    const auto first = static_cast<uint8_t>(left_[0]);
    left_.remove_prefix(1);
    return first;
  }
  /// Up to the next NUL, which is taken too; all of it where there is none.
  std::string part() {
    const size_t end = std::min(left_.find('\0'), left_.size());
    std::string text(left_.substr(0, end));
    left_.remove_prefix(std::min(end + 1, left_.size()));
    return text;
  }
  std::string_view rest() const { return left_; }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(left_)); }

 private:
  std::string_view left_;
};

/// The bytes as a file in memory, under a path that is the same each time.
inline std::filesystem::path file_of(std::string_view bytes) {
  static const int file = memfd_create("fuzz", MFD_CLOEXEC);
  const bool written = ftruncate(file, 0) == 0 && pwrite(file, bytes.data(), bytes.size(), 0) ==
                                                      static_cast<ssize_t>(bytes.size());
  require(written, "the input cannot be written to memory");
  return "/proc/self/fd/" + std::to_string(file);
}

/// A folder for parsers that read several files, removed at the end of the process. TMPDIR says where.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fovea-fuzz-XXXXXX").string();
    require(mkdtemp(pattern.data()) != nullptr, "no folder for the input");
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const char* name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace fovea::fuzz
