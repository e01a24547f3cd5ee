// Numbers in cells.
#pragma once

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace fovea::sources {

/// Nothing where the whole text is no number, or none that is finite.
inline std::optional<double> finite_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

}  // namespace fovea::sources
