// The words of the page.
#pragma once

#include <string>
#include <string_view>

#include "report/page/document.h"
#include "report/page/html.h"

namespace fovea::report::page {

/// "average_precision" as a reader says it: "Average precision".
std::string label_of(std::string_view metric);

/// The same for a narrow column: what stands in brackets at its end.
std::string short_label_of(std::string_view metric);

/// One sentence about a metric, from the document or from the catalogues; "" where neither has one.
std::string help_of(const Node& figure);

/// With a capital at its beginning and a full stop at its end.
std::string sentence(std::string text);

/// "binary" as "Binary classification".
std::string words_of_type(std::string_view type);

/// "2026-03-01T09:05:00Z" as "1 March 2026, 09:05 UTC"; other texts as they are.
std::string date_of(std::string_view iso);

/// "95 % interval"
std::string interval_name(double level);

/// "1 case", "12 cases"
std::string counted(int64_t n, std::string_view one, std::string_view many);

}  // namespace fovea::report::page
