#include "fovea/storage/dtype.h"

#include <fmt/ranges.h>

#include <array>
#include <cstddef>

namespace fovea::storage {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  int64_t bytes;
};
constexpr std::array<Row, 13> kTypes{{{DType::boolean, "BOOL", 1},
                                      {DType::u8, "U8", 1},
                                      {DType::i8, "I8", 1},
                                      {DType::i16, "I16", 2},
                                      {DType::u16, "U16", 2},
                                      {DType::f16, "F16", 2},
                                      {DType::bf16, "BF16", 2},
                                      {DType::i32, "I32", 4},
                                      {DType::u32, "U32", 4},
                                      {DType::f32, "F32", 4},
                                      {DType::f64, "F64", 8},
                                      {DType::i64, "I64", 8},
                                      {DType::u64, "U64", 8}}};  // in the order of DType

const Row& row(DType dtype) { return kTypes[static_cast<size_t>(dtype)]; }

}  // namespace

int64_t bytes_of(DType dtype) { return row(dtype).bytes; }
std::string_view name_of(DType dtype) { return row(dtype).name; }

std::optional<DType> dtype_named(std::string_view name) {
  for (const Row& row : kTypes) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

std::optional<int64_t> bytes_of(DType dtype, std::span<const int64_t> shape) {
  int64_t bytes = bytes_of(dtype);
  for (const int64_t side : shape) {
    if (side < 0 || __builtin_mul_overflow(bytes, side, &bytes)) return std::nullopt;
  }
  return bytes;
}

std::string shape_text(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace fovea::storage
