#include "report/page/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fovea::report::page {
namespace {

constexpr double kSmallest = 1e-5, kLargest = 1e7;  // beyond them with a power of ten
constexpr int kMostDecimals = 6;
constexpr double kSlack = 1e-9;  // of a logarithm that should be a whole number

int rounded_up(double x) { return static_cast<int>(std::ceil(x - kSlack)); }

/// Decimals of a number beyond 1, by its size alone; below 0: tens, hundreds.
int places_of(double size) { return 2 - static_cast<int>(std::floor(std::log10(size) + kSlack)); }

/// The same of one from -1 to 1.
int places_of_share(double size) {
  int places = 3;
  if (size > 0) places = std::max(places, rounded_up(-std::log10(size)) + 1);
  if (size < 1) places = std::max(places, rounded_up(-std::log10(1 - size)));
  return places;
}

/// Decimals that an interval of this width supports.
int places_of_width(double width) { return rounded_up(-std::log10(width)) + 1; }

std::string grouped(std::string digits) {
  const size_t point = std::min(digits.find('.'), digits.size());
  if (point < 5) return digits;
  for (size_t at = point; at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

/// The sign as typography has it; none before a zero.
std::string with_sign(bool negative, const std::string& digits) {
  const bool zero = digits.find_first_of("123456789") == std::string::npos;
  return negative && !zero ? "−" + digits : digits;
}

std::string fixed(double value, int places) {
  double size = std::abs(value);
  if (places < 0) {
    const double unit = std::pow(10, -places);
    size = std::round(size / unit) * unit;
  }
  return with_sign(value < 0, grouped(fmt::format("{:.{}f}", size, std::max(places, 0))));
}

std::string with_power(double value) {
  if (value == 0) return "0";
  static constexpr const char* kRaised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  const std::string text = fmt::format("{:.1e}", std::abs(value));  // 1.2e-07
  const size_t e = text.find('e');
  std::string power = text[e + 1] == '-' ? "⁻" : "";
  const size_t first = std::min(text.find_first_not_of('0', e + 2), text.size() - 1);
  for (size_t i = first; i < text.size(); ++i) power += kRaised[text[i] - '0'];
  return with_sign(value < 0, text.substr(0, e) + " × 10" + power);
}

}  // namespace

Digits digits(std::optional<double> value, std::optional<double> low, std::optional<double> high) {
  const auto size = [](std::optional<double> x) { return x ? std::abs(*x) : 0.0; };
  const double largest = std::max({size(value), size(low), size(high)});
  const auto each = [&](auto text) {
    return Digits{value ? text(*value) : "", low ? text(*low) : "", high ? text(*high) : ""};
  };
  if (largest >= kLargest || (largest > 0 && largest < kSmallest))
    return each([](double x) { return with_power(x); });
  const double shown = size(value) > 0 ? size(value) : largest;
  int places = largest > 1 ? places_of(shown)
                           : std::max({places_of_share(size(value)), places_of_share(size(low)),
                                       places_of_share(size(high))});
  if (low && high && *high > *low) places = std::min(places, places_of_width(*high - *low));
  places = std::min(places, kMostDecimals);
  return each([&](double x) { return fixed(x, places); });
}

std::string p_value(double p) {
  if (p < 0.001) return "< 0.001";
  if (p > 0.99) return "> 0.99";
  return fmt::format("{:.{}f}", p, p < 0.0995 ? 3 : 2);
}

std::string count_text(int64_t n) {
  return with_sign(n < 0, grouped(fmt::format("{}", n < 0 ? -n : n)));
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

}  // namespace fovea::report::page
