// Small pieces of text that error messages need.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea {

/// The candidate with the smallest edit distance to `word`, or "" when none is near (more than a
/// third of its letters).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "a, b, c"; with a limit, "a, b … (7 more)".
std::string join(const std::vector<std::string>& words, std::string_view separator = ", ",
                 size_t limit = static_cast<size_t>(-1));

/// The shortest decimal text that reads back as the same number: 0.1, 3e-04, 28.
std::string number(double value);

}  // namespace fovea
