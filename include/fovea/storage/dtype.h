// The types of numbers that files hold, by the names of safetensors.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::storage {

/// In the order by which safetensors sorts tensors, from the last to the first.
enum class DType { boolean, u8, i8, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };

int64_t bytes_of(DType dtype);
std::string_view name_of(DType dtype);                    ///< "BOOL", "U8", …, "BF16", "F64"
std::optional<DType> dtype_named(std::string_view name);  ///< nothing where the name is unknown

/// Bytes of an array of this shape in C order, 0 where a side is 0; nothing where a side is
/// negative or the product does not fit 63 bits.
std::optional<int64_t> bytes_of(DType dtype, std::span<const int64_t> shape);

/// "[2, 3]"
std::string shape_text(std::span<const int64_t> shape);

}  // namespace fovea::storage
