// The words of PNG that its reader and its writer share (ISO 15948, clause 11).
#pragma once

#include <string_view>

namespace fovea::io {

constexpr std::string_view kPngSignature{"\x89PNG\r\n\x1a\n", 8};

enum PngColour {
  kPngGrey = 0,
  kPngRgb = 2,
  kPngPalette = 3,
  kPngGreyAlpha = 4,
  kPngRgba = 6,
};

}  // namespace fovea::io
