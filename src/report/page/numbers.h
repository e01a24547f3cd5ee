// Numbers as a reader can use them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace fovea::report::page {

struct Digits {
  std::string value, low, high;  ///< "" where there is none
};

/// A value and its interval, all to the same place. Of numbers between -1 and 1 three decimals, of
/// others three digits; more where these would say 0 or 1 of what is neither, and fewer where the
/// interval is so wide that they would say nothing: its width has two or three digits. With a
/// proper minus, and commas from 10,000 on.
Digits digits(std::optional<double> value, std::optional<double> low = {},
              std::optional<double> high = {});

/// "0.034", "0.27", "< 0.001", "> 0.99"
std::string p_value(double p);
/// "1234", "12,345"
std::string count_text(int64_t n);
/// "62.5 %"
std::string percent(double share);

}  // namespace fovea::report::page
