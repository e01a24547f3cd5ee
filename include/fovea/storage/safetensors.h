// Weights on disk: safetensors (8 bytes little-endian header length N, N bytes of JSON, then the
// buffer), read strictly and written atomically. Nothing in such a file can run code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/storage/dtype.h"
#include "fovea/storage/file.h"

namespace fovea::storage {

/// A named array that somebody else owns: bytes in C order, little-endian.
struct TensorView {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

constexpr int64_t kLargestSafetensorsHeader =
    100'000'000;  ///< bytes, as in the reference implementation

/// A tensor in a file.
struct TensorEntry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  int64_t begin = 0;  ///< byte offsets in the buffer
  int64_t end = 0;
};

/// An open safetensors file: its header is in memory, its tensors are read one by one. Move only.
class SafetensorsFile {
 public:
  /// A data Error with path, tensor, offset, found and wanted, before a tensor is read, where: the
  /// header is longer than the file or 100 MB, is not a JSON object of the known form, is not valid
  /// UTF-8, or names a key twice; a dtype is unknown; a shape is negative, overflows or disagrees
  /// with its offsets; tensors overlap, leave a hole or do not end with the file. Pickle and
  /// TorchScript files are refused with the conversion (storage/pickle.h).
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  /// In the order of the buffer.
  const std::vector<TensorEntry>& entries() const { return entries_; }
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  const TensorEntry* find(std::string_view name) const;   ///< null where there is none
  const TensorEntry& entry(std::string_view name) const;  ///< a data Error where there is none
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// Fills `to`, of end - begin bytes, with the numbers of a tensor: C order, little-endian. Safe
  /// from several threads. An io Error where the file was changed since it was opened.
  void read(const TensorEntry& entry, std::span<std::byte> to) const;

 private:
  explicit SafetensorsFile(InputFile file) : file_(std::move(file)) {}

  InputFile file_;
  int64_t buffer_ = 0;  // where it begins in the file
  std::vector<TensorEntry> entries_;
  std::map<std::string, size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

/// Writes a file atomically. The bytes depend only on the arguments, not on the order of the
/// tensors: they are sorted as the Python package sorts them, by dtype and then by name, which
/// keeps every tensor aligned.
void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace fovea::storage
