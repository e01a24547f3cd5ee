// NumPy's .npz: a zip archive of named arrays, as MedMNIST has them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/io/npy.h"

namespace fovea::io {

struct NpzLimits {
  int64_t max_member_bytes = int64_t{32} << 30;  ///< of one array, uncompressed
  int64_t max_members = 10'000;
};

struct NpzEntry {
  std::string name;  ///< without ".npy"
  NpyHeader header;
};

/// An open .npz. Opening reads the directory and the headers, no numbers. Not for several threads
/// at once; move only.
class NpzFile {
 public:
  /// A data Error with path and member where the archive is damaged, encrypted or of an unknown
  /// compression, where a member is a link, is no .npy, appears twice or has an absolute name or
  /// one with "..", where it is larger than the limit or than 64 MiB at more than 1000 to 1, or
  /// where its header is refused (npy.h).
  static NpzFile open(const std::filesystem::path& path, const NpzLimits& limits = {});
  NpzFile(NpzFile&&) noexcept;
  ~NpzFile();

  /// In the order of the archive.
  const std::vector<NpzEntry>& entries() const { return entries_; }
  /// Null where there is none of this name.
  const NpzEntry* find(std::string_view name) const;

  /// Inflates one array and checks its CRC-32; a data Error that names the nearest where there is
  /// none of that name.
  Array read(std::string_view name) const;

 private:
  struct Archive;
  NpzFile();

  std::vector<NpzEntry> entries_;
  std::unique_ptr<Archive> archive_;
};

/// Writes the arrays atomically, uncompressed as numpy.savez does it. Equal arrays give equal
/// bytes.
void write_npz(const std::filesystem::path& path, const std::map<std::string, Array>& arrays);

/// Whether the first bytes of a file (4 are enough) are those of a zip archive.
bool is_zip(std::string_view head);

}  // namespace fovea::io
