// The bytes of a file for the scanner: all of them in memory, or a 64 KiB window over a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fovea/storage/file.h"

namespace fovea::dicom {

class Source {
 public:
  explicit Source(std::span<const std::byte> bytes) : memory_(bytes), size_(bytes.size()) {}
  explicit Source(const std::filesystem::path& path);

  uint64_t size() const { return size_; }

  /// `count` bytes at `offset`, at most 64 KiB and inside the file (the caller has checked). Valid
  /// until the next call.
  const uint8_t* at(uint64_t offset, size_t count);
  void copy(uint64_t offset, void* destination, uint64_t count);

 private:
  void fill(uint64_t offset, void* destination, size_t count) const;

  std::span<const std::byte> memory_;
  std::optional<storage::InputFile> file_;
  uint64_t size_ = 0;
  uint64_t window_start_ = 0;
  std::vector<uint8_t> window_;
};

/// The whole file, read once. Refuses one larger than `limit` and anything that is not a regular
/// file.
std::vector<std::byte> read_whole(const std::filesystem::path& path, uint64_t limit);

/// Inflates a raw deflate stream (RFC 1951) until its end; refuses damage and output above `limit`.
std::vector<std::byte> inflate_raw(Source& source, uint64_t offset, uint64_t limit);

}  // namespace fovea::dicom
