// A stand-alone SVG file as a part of the page.
#pragma once

#include <string>
#include <string_view>

#include "report/page/html.h"

namespace fovea::report::page {

struct Drawing {
  Html svg;
  std::string why_not;  ///< empty where there is one
};

/// `label` is its text for those who do not see it; `prefix` goes before each of its ids, which are
/// then its own. Looked through first: a file that is cut short, or holds anything but shapes and
/// text (a script, a handler, a picture from elsewhere), is refused.
Drawing drawing(std::string_view svg, std::string_view prefix, std::string_view label);

}  // namespace fovea::report::page
