// The JSON header of a safetensors file, without its buffer.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/storage/safetensors.h"

namespace fovea::storage {

struct SafetensorsHeader {
  std::vector<TensorEntry> entries;  // by begin
  std::map<std::string, std::string> metadata;
};

/// Parses and checks a header against a buffer of `buffer_bytes`. Memory stays in proportion to the
/// text. Throws a data Error with the offset or the tensor, without the path.
SafetensorsHeader parse_safetensors_header(std::string_view json, int64_t buffer_bytes);

}  // namespace fovea::storage
