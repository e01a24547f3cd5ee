// Units of measured signals: which measure one quantity, and how many of one make another.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace fovea::tables {

/// What a number in `from` is to be multiplied by to be one in `to`; nothing where that is not known
/// (a unit is compared as it is written: "mv" is not millivolt).
inline std::optional<double> unit_factor(std::string_view from, std::string_view to) {
  struct Unit {
    std::string_view name, quantity;
    double size;  // in the first unit of its quantity
  };
  constexpr std::array<Unit, 16> kUnits{{{"V", "volt", 1},
                                         {"mV", "volt", 1e-3},
                                         {"uV", "volt", 1e-6},
                                         {"\xC2\xB5V", "volt", 1e-6},  // the micro sign
                                         {"\xCE\xBCV", "volt", 1e-6},  // the Greek letter
                                         {"nV", "volt", 1e-9},
                                         {"Pa", "pascal", 1},
                                         {"hPa", "pascal", 100},
                                         {"kPa", "pascal", 1000},
                                         {"mmHg", "pascal", 133.322387415},
                                         {"cmH2O", "pascal", 98.0665},
                                         {"Hz", "hertz", 1},
                                         {"kHz", "hertz", 1000},
                                         {"A", "ampere", 1},
                                         {"mA", "ampere", 1e-3},
                                         {"uA", "ampere", 1e-6}}};
  if (from == to) return 1.0;
  const auto find = [&](std::string_view name) {
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits)
      if (unit.name == name) found = &unit;
    return found;
  };
  const Unit *own = find(from), *wanted = find(to);
  if (!own || !wanted || own->quantity != wanted->quantity) return {};
  return own->size / wanted->size;
}

}  // namespace fovea::tables
