// NumPy's .npy: one array of numbers (format versions 1.0 to 3.0). Pickled objects are never read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/io/image_file.h"
#include "fovea/storage/dtype.h"

namespace fovea::io {

using storage::DType;

/// Numbers in C order and host byte order.
struct Array {
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;

  int64_t size() const { return static_cast<int64_t>(bytes.size()) / storage::bytes_of(dtype); }
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(bytes.data());
  }
  template <class T>
  T* data() {
    return reinterpret_cast<T*>(bytes.data());
  }
};

/// What the header of a .npy says.
struct NpyHeader {
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  bool fortran_order = false;
  bool big_endian = false;
  int64_t data_offset = 0;  ///< bytes before the first number
  int64_t data_bytes = 0;
};

/// Reads an array of bool, whole numbers of 8 to 64 bits or floating point of 16 to 64. Fortran
/// order and big endian are converted, and 16-bit floats become 32-bit ones. A data Error, before
/// anything is allocated, for any other dtype (objects above all), a malformed header, a shape that
/// is negative, overflows or wants more or fewer bytes than are there, or more than the limit.
Array read_npy(const std::filesystem::path& path, const ImageLimits& limits = {});

/// The same from bytes in memory. `where` is for messages: a path, or a path and a member.
Array decode_npy(std::string_view file, const std::string& where);

/// The header at the start of a file or member, of which `head` has the first bytes; kNpyHeadBytes
/// are always enough.
NpyHeader read_npy_header(std::string_view head, const std::string& where);
constexpr int64_t kNpyHeadBytes = 12 + 65'536;

/// The bytes of a .npy file (version 1.0, C order, little endian), as NumPy itself writes them.
std::string encode_npy(const Array& array);
void write_npy(const std::filesystem::path& path, const Array& array);

bool is_npy(std::string_view head);

}  // namespace fovea::io
