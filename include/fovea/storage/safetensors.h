// Weights on disk: safetensors (8 bytes little-endian header length N, N bytes of JSON, then the
// buffer), read strictly and written atomically. Nothing in such a file can run code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/storage/dtype.h"

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

/// A safetensors file in memory. Move only; the spans live as long as it does and start at
/// multiples of their dtype's size in every file that fovea or the Python package wrote.
class SafetensorsFile {
 public:
  /// A data Error with path, tensor, offset, found and wanted, before the buffer is allocated,
  /// where: the header is longer than the file or 100 MB, is no JSON object of the known form, is
  /// no UTF-8, or names a key twice; a dtype is unknown; a shape is negative, overflows or
  /// disagrees with its offsets; tensors overlap, leave a hole or do not end with the file. Pickle
  /// and TorchScript files are refused with the conversion (storage/pickle.h).
  static SafetensorsFile open(const std::filesystem::path& path);

  /// As open, but leaves the buffer on the disk: entries have an empty span. For listing what is in
  /// a large file.
  static SafetensorsFile open_header(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  /// In the order of the buffer.
  const std::vector<TensorView>& entries() const { return entries_; }
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  const TensorView* find(std::string_view name) const;   ///< null where there is none
  const TensorView& entry(std::string_view name) const;  ///< a data Error where there is none
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  static SafetensorsFile load(const std::filesystem::path& path, bool with_buffer);

  std::filesystem::path path_;
  std::vector<TensorView> entries_;
  std::map<std::string, size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
  std::unique_ptr<std::byte[]> buffer_;
};

/// Writes a file atomically. The bytes depend only on the arguments, not on the order of the
/// tensors: they are sorted as the Python package sorts them, by dtype and then by name, which
/// keeps every tensor aligned.
void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace fovea::storage
