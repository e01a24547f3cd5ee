// Colours by number, as BMP and GIF store them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fovea/image/image.h"

namespace fovea::io {

/// Both formats have no other way to store grey: colours that are all grey make a grey image.
class Palette {
 public:
  using Colour = std::array<uint8_t, 3>;  // red, green, blue

  void add(Colour colour) { colours_.push_back(colour); }
  size_t size() const { return colours_.size(); }
  bool grey() const {
    return std::ranges::all_of(colours_,
                               [](const Colour& c) { return c[0] == c[1] && c[1] == c[2]; });
  }
  int64_t channels() const { return grey() ? 1 : 3; }

  /// Puts what was done into the notes of an image: nothing where colour i of 256 is the grey i.
  void note(Image& image) const {
    const auto is_its_number = [&](const Colour& c) {
      return c[0] == static_cast<size_t>(&c - colours_.data());
    };
    if (!grey())
      image.notes.push_back("palette expanded to RGB");
    else if (colours_.size() != 256 || !std::ranges::all_of(colours_, is_its_number))
      image.notes.push_back("palette of greys expanded to grey");
  }

  /// Writes one pixel of `channels`; false where the palette has no such colour.
  bool put(size_t index, int64_t channels, uint8_t* to) const {
    if (index >= colours_.size()) return false;
    const Colour& colour = colours_[index];
    to[0] = colour[0];
    if (channels == 3) {
      to[1] = colour[1];
      to[2] = colour[2];
    }
    return true;
  }

 private:
  std::vector<Colour> colours_;
};

}  // namespace fovea::io
