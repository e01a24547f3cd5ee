#include "tables/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "fovea/core/text.h"
#include "fovea/storage/text.h"

namespace fovea::tables {
namespace {

constexpr std::string_view kMinus = "\xe2\x88\x92";  // U+2212

bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t digits_at(std::string_view text) {
  return static_cast<size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

/// Bytes of the sign between groups at the start of `text`; 0 where there is none.
size_t separator_at(std::string_view text, char thousands) {
  const auto longest = [&](std::initializer_list<std::string_view> forms) -> size_t {
    for (const std::string_view form : forms)
      if (text.starts_with(form)) return form.size();
    return 0;
  };
  if (thousands == 0) return 0;
  if (thousands == ' ') return longest({" ", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89"});
  if (thousands == '\'') return longest({"'", "\xe2\x80\x99"});
  return !text.empty() && text[0] == thousands;
}

/// Takes the digits before the decimal sign; false where groups are not of three.
bool take_whole(std::string_view& text, char thousands, std::string& plain) {
  size_t count = digits_at(text);
  plain += text.substr(0, count);
  text.remove_prefix(count);
  const size_t first = count;
  while (const size_t separator = separator_at(text, thousands)) {
    count = digits_at(text.substr(separator));
    if (first < 1 || first > 3 || count != 3) return false;
    plain += text.substr(separator, count);
    text.remove_prefix(separator + count);
  }
  return true;
}

std::optional<ReadNumber> plain_number(std::string_view text, const NumberFormat& format) {
  ReadNumber number;
  std::string plain;
  if (text.starts_with(kMinus)) {
    number.unicode_minus = true;
    plain = "-";
    text.remove_prefix(kMinus.size());
  } else if (text.starts_with('-') || text.starts_with('+')) {
    if (text[0] == '-') plain = "-";
    text.remove_prefix(1);
  }
  const size_t begin = plain.size();
  if (!take_whole(text, format.thousands, plain)) return {};
  const size_t whole = plain.size() - begin;
  number.leading_zeros = whole > 1 && plain[begin] == '0';
  number.whole = text.empty();
  size_t fraction = 0;
  if (text.starts_with(format.decimal)) {
    fraction = digits_at(text.substr(1));
    plain += '.';
    plain += text.substr(1, fraction);
    text.remove_prefix(1 + fraction);
  }
  if (whole + fraction == 0) return {};
  if (text.starts_with('e') || text.starts_with('E')) {
    const bool sign = text.size() > 1 && (text[1] == '-' || text[1] == '+');
    const size_t count = digits_at(text.substr(1 + sign));
    if (count == 0) return {};
    plain += 'e';
    plain += text.substr(sign && text[1] == '+' ? 2 : 1, count + (sign && text[1] == '-'));
    text.remove_prefix(1 + sign + count);
  }
  if (!text.empty()) return {};
  const auto [end, error] =
      std::from_chars(plain.data(), plain.data() + plain.size(), number.value);
  if (error != std::errc() || end != plain.data() + plain.size()) return {};
  return number;
}

/// Digits at the start of `text` as a number of exactly `count` of them; -1 where there are others.
int take_digits(std::string_view& text, size_t count) {
  if (text.size() < count || digits_at(text.substr(0, count)) != count) return -1;
  int value = 0;
  std::from_chars(text.data(), text.data() + count, value);
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// Days of "17:30", "17:30:00.5"; negative where it is not a time of day.
double take_time(std::string_view& text) {
  const int hour = take_digits(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return -1;
  const int minute = take_digits(text, 2);
  if (minute < 0 || minute > 59) return -1;
  double seconds = 0;
  if (take(text, ':')) {
    seconds = take_digits(text, 2);
    if (seconds < 0 || seconds > 59) return -1;
    if (take(text, '.')) {
      const size_t count = digits_at(text);
      if (count == 0) return -1;
      double part = 0;
      const std::string digits = "0." + std::string(text.substr(0, count));
      std::from_chars(digits.data(), digits.data() + digits.size(), part);
      seconds += part;
      text.remove_prefix(count);
    }
  }
  return (hour * 3600 + minute * 60 + seconds) / 86400;
}

}  // namespace

void Findings::add(Findings other) {
  const auto move = [](auto& from, auto& to) { std::ranges::move(from, std::back_inserter(to)); };
  move(other.columns, columns);
  move(other.notes, notes);
  move(other.warnings, warnings);
  move(other.problems, problems);
}

std::vector<std::string> Findings::remarks() const {
  std::vector<std::string> all = notes;
  all.insert(all.end(), warnings.begin(), warnings.end());
  all.insert(all.end(), problems.begin(), problems.end());
  return all;
}

NumberFormat number_format(NumberFormat written, const storage::Table& table) {
  written.json = table.path().extension() == ".jsonl";
  return written;
}

std::optional<ReadNumber> number_in(std::string_view cell, const NumberFormat& format) {
  auto number = plain_number(cell, format);
  if (!number && format.json) number = plain_number(cell, {});
  return number;
}

std::optional<ReadDate> date_in(std::string_view cell) {
  using namespace std::chrono;
  const int y = take_digits(cell, 4);
  if (y < 0 || !take(cell, '-')) return {};
  const int m = take_digits(cell, 2);
  if (m < 0 || !take(cell, '-')) return {};
  const int d = take_digits(cell, 2);
  const year_month_day date{year{y}, month{static_cast<unsigned>(std::max(m, 0))},
                            day{static_cast<unsigned>(std::max(d, 0))}};
  if (d < 0 || !date.ok()) return {};
  ReadDate read{.days = static_cast<double>(sys_days{date}.time_since_epoch().count())};
  if (cell.empty()) return read;
  if (!take(cell, 'T') && !take(cell, ' ')) return {};
  const double time = take_time(cell);
  if (time < 0) return {};
  read.days += time;
  if (cell.empty()) return read;
  read.zoned = true;
  if (take(cell, 'Z')) return cell.empty() ? std::optional(read) : std::nullopt;
  const double direction = cell.starts_with('+') ? -1 : 1;
  if (!take(cell, '+') && !take(cell, '-')) return {};
  const double offset = take_time(cell);
  if (offset < 0 || !cell.empty()) return {};
  read.days += direction * offset;
  return read;
}

std::string date_text(double days) {
  using namespace std::chrono;
  const year_month_day date{sys_days{std::chrono::days{static_cast<int>(std::floor(days))}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

// --- a column

NumberReader::NumberReader(const NumberFormat& format, const std::vector<std::string>& missing,
                           Dates dates)
    : format_(format), missing_(missing), dates_(dates) {
  for (const std::string& text : missing)
    if (const auto number = number_in(text, format)) missing_numbers_.push_back(number->value);
}

bool NumberReader::is_missing(std::string_view cell) const {
  const auto named = [&](std::string_view text) {
    return std::ranges::find(missing_, text) != missing_.end();
  };
  if (named(cell) || named(storage::trimmed(cell))) return true;
  if (missing_numbers_.empty()) return false;
  const auto number = number_in(storage::trimmed(cell), format_);
  return number && std::ranges::find(missing_numbers_, number->value) != missing_numbers_.end();
}

NumberReader::Cell NumberReader::read(std::string_view cell) {
  ++cells_;
  if (is_missing(cell)) {
    if (!storage::trimmed(cell).empty()) ++as_missing_[std::string(storage::trimmed(cell))];
    return {Cell::missing};
  }
  const std::string_view text = storage::trimmed(cell);
  const auto number = dates() ? std::nullopt : number_in(text, format_);
  if (!number) {
    const Cell found = dates_ == Dates::never ? Cell{Cell::wrong} : date(text);
    padded_ += found.type == Cell::number && text.size() < cell.size();
    return found;
  }
  dates_ = Dates::never;
  padded_ += text.size() < cell.size();
  minus_ += number->unicode_minus;
  zeros_ += number->leading_zeros;
  return {Cell::number, number->value};
}

NumberReader::Cell NumberReader::date(std::string_view cell) {
  const auto read = date_in(cell);
  if (!read || zoned_.value_or(read->zoned) != read->zoned) return {Cell::wrong};
  zoned_ = read->zoned;
  dates_ = Dates::always;
  ++read_dates_;
  return {Cell::number, read->days};
}

Error NumberReader::refusal(std::string_view cell, const std::string& missing) const {
  const std::string_view text = storage::trimmed(cell);
  const std::string found = fmt::format("found '{}'", storage::escaped(cell, 40));
  if (dates()) {
    const auto date = date_in(text);
    return data_error(
        found + (date ? date->zoned ? ", a time with its zone, wanted one without as the others"
                                    : ", a time without its zone, wanted one with it as the others"
                      : ", wanted a date such as 2024-03-05"),
        "correct it, or name it in " + missing);
  }
  const NotANumber why = why_not_a_number(text, format_, missing);
  return data_error(
      found + (why.problem.empty() ? "" : ", " + why.problem) + ", wanted a finite number",
      why.remedy);
}

void NumberReader::add_notes(const std::string& column, std::vector<std::string>& notes) const {
  const auto note = [&](int64_t count, const std::string& what) {
    if (count > 0)
      notes.push_back(fmt::format("{}: {} of {} cells {}", column, count, cells_, what));
  };
  int64_t missing = 0;
  std::vector<std::string> texts;
  for (const auto& [text, count] : as_missing_) {
    missing += count;
    texts.push_back(fmt::format("'{}'", storage::escaped(text, 40)));
  }
  note(missing, fmt::format("({}) are read as missing", join(texts, ", ", 5)));
  note(read_dates_, "are dates, read as days since 1970-01-01");
  note(padded_, "have blanks around, which are left out");
  note(minus_, "have the minus of Unicode, read as that of a number");
  note(zeros_, "have leading zeros, which do not count");
}

void Range::add(double value) {
  low = values == 0 ? value : std::min(low, value);
  high = values++ == 0 ? value : std::max(high, value);
}

std::string Range::text(bool dates, size_t cells) const {
  const auto shown = [&](double value) {
    return dates ? date_text(value) : fmt::format("{:.6g}", value);
  };
  return (values == 0 ? "no value" : shown(low) + " to " + shown(high)) +
         (missing == 0 ? "" : fmt::format(", {} of {} missing", missing, cells));
}

}  // namespace fovea::tables
