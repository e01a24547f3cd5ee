// What a person reads on a terminal.
#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/text.h"
#include "fovea/report/section.h"
#include "report/page/numbers.h"

namespace fovea::report {
namespace {

using metrics::Estimate;

/// Letters, not bytes, so that columns stand under each other.
std::string padded(const std::string& text, size_t width) {
  const auto letters = static_cast<size_t>(
      std::ranges::count_if(text, [](char byte) { return (byte & 0xc0) != 0x80; }));
  return text + std::string(width > letters ? width - letters : 0, ' ');
}

std::string row(const std::string& name, const Estimate& one, size_t names) {
  if (!one.value.defined())
    return fmt::format("  {}  undefined: {}\n", padded(name, names), one.value.why_undefined);
  const metrics::Interval& interval = one.bounds.interval;
  const page::Digits digits = interval.defined()
                                  ? page::digits(one.value.value, interval.low, interval.high)
                                  : page::digits(one.value.value);
  const std::string bounds =
      interval.defined() ? digits.low + " to " + digits.high : "none: " + interval.why_undefined;
  return fmt::format("  {}  {}  {}  {}\n", padded(name, names), padded(digits.value, 8),
                     padded(bounds, 18), one.cases);
}

}  // namespace

std::string terminal_table(const Section& section) {
  std::string text = fmt::format("{}: {} cases", section.target, section.n);
  if (section.patients > 0) text += fmt::format(" of {} patients", section.patients);
  std::vector<std::string> counts;
  for (const ClassCount& one : section.classes)
    counts.push_back(fmt::format("{} {}", one.cases, one.name));
  if (!counts.empty() && section.type != "tagging")
    text += fmt::format(" ({})", join(counts, ", ", 6));
  text += "\n";
  size_t names = std::string_view("metric").size();
  for (const Estimate& one : section.estimates)
    if (one.key.of_class.empty()) names = std::max(names, one.key.name.size());
  text += fmt::format("  {}  {}  {}  n\n", padded("metric", names), padded("value", 8),
                      padded("95 % interval", 18));
  for (const Estimate& one : section.estimates)
    if (one.key.of_class.empty()) text += row(one.key.name, one, names);
  for (const auto& [of_class, point] : section.points)
    if (section.points.size() <= 3)
      text += fmt::format("  {} is called at a probability of {} or more ({})\n", of_class,
                          page::digits(point.threshold).value, point.chosen);
  for (const std::string& warning : section.warnings) text += "  note: " + warning + "\n";
  return text;
}

}  // namespace fovea::report
