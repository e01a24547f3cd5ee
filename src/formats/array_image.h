// Arrays of numbers as images.
#pragma once

#include <string>

#include "fovea/image/image.h"
#include "fovea/io/npy.h"

namespace fovea::formats {

/// `axes` says what the sides are: hw, hwc, chw, dhw, dhwc or cdhw. Where it is empty they are told
/// where that is certain: a last or a first side of 1 or 3 is of channels, three sides of 5 or more
/// are a volume, with a note; what may be either is a data Error that names the setting. Channels
/// come out last, 1 or 3 of them. A data Error for types that are not a Sample.
Image array_image(io::Array array, const std::string& where, std::string axes = "");

}  // namespace fovea::formats
