// Arrays of numbers as pictures.
#pragma once

#include <string>

#include "fovea/core/image.h"
#include "fovea/io/npy.h"

namespace fovea::sources {

/// [height, width], [height, width, 3], [depth, height, width] or [depth, height, width, 3]; a last
/// side of 3 is colour. A data Error for other shapes and for types that are no Sample.
Image array_image(io::Array array, const std::string& where);

}  // namespace fovea::sources
