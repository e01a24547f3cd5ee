// The bytes after the header of a .npy as an array.
#pragma once

#include <vector>

#include "fovea/io/npy.h"

namespace fovea::io {

/// Brings `bytes`, as many as the header wants, to C order and host byte order.
Array array_from(NpyHeader header, std::vector<std::byte> bytes);

}  // namespace fovea::io
