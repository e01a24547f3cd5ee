// page.css and page.js, which the build puts into the library.
#pragma once

#include <string_view>

namespace fovea::report::page {

extern const std::string_view kStyle;
extern const std::string_view kScript;

}  // namespace fovea::report::page
