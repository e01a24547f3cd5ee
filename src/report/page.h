// What the plots share: where title, subtitle and axes lie.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "fovea/report/svg.h"

namespace fovea::report {

inline constexpr double kLeft = 76, kTop = 74, kRight = 28,
                        kBottom = 62;       // margins around the axes, pixels
inline constexpr size_t kLongestName = 26;  // letters of a class in a legend

/// Draws the two lines above the axes; the subtitle is shortened to the width of the page.
inline void headline(Svg& page, double width, std::string_view title, std::string_view subtitle) {
  page.text({kLeft, 32}, title, {.size = 18, .color = "#111111", .bold = true});
  const auto letters = static_cast<size_t>((width - kLeft - 10) / 6.6);
  page.text({kLeft, 54}, shortened(subtitle, letters), {.size = 13, .color = "#666666"});
}

/// The stroke of a class: colours first, then the same colours dashed.
inline Stroke stroke_of_class(size_t index) {
  constexpr const char* kDashes[] = {"", "7 3", "2 3", "9 3 2 3"};
  return {color_of_series(index), 2, kDashes[index / 7 % 4]};
}

}  // namespace fovea::report
