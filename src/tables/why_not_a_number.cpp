// Why a cell is not a number, in words that help.
#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/text.h"
#include "fovea/storage/text.h"
#include "tables/cells.h"

namespace fovea::tables {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t digits_at(std::string_view text) {
  return static_cast<size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// Three numbers with one of . - / between them.
bool is_date_like(std::string_view text) {
  for (int part = 0; part < 3; ++part) {
    const size_t count = digits_at(text);
    if (count < 1 || count > 4) return false;
    text.remove_prefix(count);
    if (part < 2) {
      if (text.empty() || std::string_view(".-/").find(text[0]) == std::string_view::npos)
        return false;
      text.remove_prefix(1);
    }
  }
  return text.empty() || text[0] == ' ' || text[0] == 'T';
}

bool is_time_like(std::string_view text) {
  const size_t hours = digits_at(text);
  return (hours == 1 || hours == 2) && text.size() >= hours + 3 && text[hours] == ':' &&
         is_digit(text[hours + 1]) && is_digit(text[hours + 2]);
}

/// Without quotes, brackets, and the signs of currencies, spreadsheets and footnotes around.
std::string_view without_marks(std::string_view cell) {
  const auto strip = [&](std::string_view mark) {
    bool any = false;
    if (cell.starts_with(mark)) cell.remove_prefix(mark.size()), any = true;
    if (cell.ends_with(mark)) cell.remove_suffix(mark.size()), any = true;
    return any;
  };
  for (bool any = true; any;) {
    any = false;
    for (const std::string_view mark :
         {"'", "\"", "=", "(", ")", "[", "]", "#", "*", "$", "\xe2\x82\xac", "\xc2\xa3", " "})
      any |= strip(mark);
  }
  return cell;
}

/// The settings under which the cell would be a number.
std::string formats_of(std::string_view cell, const NumberFormat& own) {
  const auto fits = [&](char decimal, char thousands) {
    return number_in(cell, {.decimal = decimal, .thousands = thousands}).has_value();
  };
  std::vector<std::string> ways;
  const char other = own.decimal == '.' ? ',' : '.';
  if (fits(other, 0)) ways.push_back(fmt::format("DataOptions::decimal to '{}'", other));
  for (const char thousands : {',', '.', ' ', '\'', '_'}) {
    if (thousands != own.decimal && fits(own.decimal, thousands))
      ways.push_back(fmt::format("DataOptions::thousands to '{}'", thousands));
    else if (thousands != other && fits(other, thousands) && !fits(other, 0))
      ways.push_back(fmt::format("DataOptions::decimal to '{}' and DataOptions::thousands to '{}'",
                                 other, thousands));
  }
  return join(ways, ", or ");
}

}  // namespace

bool means_missing(std::string_view cell) {
  static const std::vector<std::string> words = {
      "na",      "n/a",          "n.a.",         "#n/a",     "#na",
      "<na>",    "nan",          "-nan",         "null",     "nil",
      "missing", "n/d",          "nd",           "not done", "?",
      "-",       "--",           "---",          ".",        "..",
      "*",       "\xe2\x80\x93", "\xe2\x80\x94", "nr",       "k.a.",
      "#value!", "#ref!",        "#div/0!",      "#name?",   "#num!",
      "#null!"};
  return std::ranges::find(words, lower(cell)) != words.end();
}

NotANumber why_not_a_number(std::string_view cell, const NumberFormat& format,
                            const std::string& missing) {
  const std::string correct = "correct it, or name it in " + missing;
  const std::string other = "; else " + correct;
  if (cell.empty()) return {"a blank cell", "fill it in, or name \"\" in " + missing};
  if (means_missing(cell) || lower(cell) == "none" || lower(cell) == "unknown")
    return {"which usually means a value that is missing", "if so name it in " + missing};
  if (const std::string ways = formats_of(cell, format); !ways.empty())
    return {"a number written otherwise", "set " + ways + other};
  if (date_in(cell) || is_date_like(cell))
    return {"a date", "write dates as 2024-03-05, in all of the column" + other};
  if (is_time_like(cell)) return {"a time of day", "write it as a number, of hours say" + other};
  const std::string low = lower(cell);
  const size_t sign = cell.starts_with('-') || cell.starts_with('+');
  if (low.substr(sign) == "inf" || low.substr(sign) == "infinity") return {"infinite", correct};
  if (std::string_view(low).substr(sign).starts_with("0x"))
    return {"a hexadecimal number", correct};
  if (std::string_view("<>=~").find(cell[0]) != std::string_view::npos ||
      cell.starts_with("\xe2\x89"))
    return {"a limit rather than a number",
            "write the number that it shall count as, or name it in " + missing};
  if (const std::string_view inner = without_marks(cell);
      inner.size() < cell.size() &&
      (number_in(inner, format) || !formats_of(inner, format).empty()))
    return {"a number with other signs around", "write the number alone" + other};
  size_t digits = sign + digits_at(cell.substr(sign));
  if (digits == sign) {
    const bool point = cell.size() > sign + 1 && cell[sign] == format.decimal;
    if (!point || !is_digit(cell[sign + 1])) return {"", correct};
  }
  if (cell.find('/') == digits) return {"a fraction", correct};
  if (cell.ends_with('%'))
    return {"a percentage", "write the number alone, without the sign" + other};
  size_t end = cell.size();
  while (end > digits && !is_digit(cell[end - 1])) --end;
  const std::string_view number = storage::trimmed(cell.substr(0, end));
  if (end < cell.size() && (number_in(number, format) || !formats_of(number, format).empty()))
    return {"a number with a unit", "write the number alone, all in one unit" + other};
  if (cell.find_first_not_of("+-0123456789.eE") == std::string_view::npos &&
      cell.find_first_of("eE") != std::string_view::npos)
    return {"beyond what a double holds", correct};
  return {"", correct};
}

}  // namespace fovea::tables
