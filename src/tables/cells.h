// Numbers and dates in cells: one policy for every table, whatever its format.
//
//   certain   1  -2.5  +3  .5  1e5: read
//   assumed   blanks around, the minus of Unicode, leading zeros, ISO dates as days: read, and said
//   doubtful  26,75 (without DataOptions::decimal), 1,234, 5 %, 3 mg, <5, 1/2, 0x1F, inf, NA,
//             05.03.2024: refused with its line and what would help
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/error.h"
#include "fovea/storage/table.h"
#include "fovea/tables/reading.h"

namespace fovea::tables {

/// How numbers of this table are written: those of lines of JSON are those of JSON, too.
NumberFormat number_format(NumberFormat written, const storage::Table& table);

/// A number as it stands in a cell, and what had to be assumed.
struct ReadNumber {
  double value = 0;
  bool unicode_minus = false;
  bool leading_zeros = false;  ///< 007, but not 0.07
  bool whole = false;          ///< digits alone
};
/// Nothing where the whole cell is not a finite number. Without blanks around.
std::optional<ReadNumber> number_in(std::string_view cell, const NumberFormat& format = {});

/// Days since 1970-01-01 of "2024-03-05", with the time of day behind a T or a blank where there is
/// one ("2024-03-05T17:30:00", "…Z", "…+01:00": then in UTC). Nothing for anything else.
struct ReadDate {
  double days = 0;
  bool zoned = false;
};
std::optional<ReadDate> date_in(std::string_view cell);
std::string date_text(double days);  ///< "2024-03-05"

/// Why a cell is not a number, and what would help.
struct NotANumber {
  std::string problem;  ///< "a decimal comma"; "" where it is a word like others
  std::string remedy;
};
/// `missing`: the setting that names texts for "not measured".
NotANumber why_not_a_number(std::string_view cell, const NumberFormat& format,
                            const std::string& missing);

/// NA, n/a, NaN, null, ?, - and the like: what programs and people write for "no value".
bool means_missing(std::string_view cell);

/// Reads one column of numbers, or of dates, cell by cell.
class NumberReader {
 public:
  enum class Dates { never, always, either };  ///< either: as the first number or date is
  struct Cell {
    enum Type { number, missing, wrong } type;
    double value = 0;
  };

  /// `missing`: texts that mean "not measured", also where blanks stand around them and where they
  /// are the same number (-9 and -9.0).
  NumberReader(const NumberFormat& format, const std::vector<std::string>& missing,
               Dates dates = Dates::never);

  Cell read(std::string_view cell);
  bool is_missing(std::string_view cell) const;
  bool dates() const { return dates_ == Dates::always; }

  /// "found '26,75', a decimal comma, wanted a finite number", with what would help; `missing`: the
  /// setting, "DataOptions::inputs.labs.missing".
  Error refusal(std::string_view cell, const std::string& missing) const;

  /// Adds what was assumed of the cells so far, one line each: "labs.crp: 31 of 80 cells …".
  void add_notes(const std::string& column, std::vector<std::string>& notes) const;

 private:
  Cell date(std::string_view cell);

  NumberFormat format_;
  std::vector<std::string> missing_;
  std::vector<double> missing_numbers_;
  Dates dates_;
  std::optional<bool> zoned_;  // of dates
  int64_t cells_ = 0, padded_ = 0, minus_ = 0, zeros_ = 0, read_dates_ = 0;
  std::map<std::string, int64_t> as_missing_;  // not blank ones
};

/// The lowest and the highest number of a column, and how many cells have none.
struct Range {
  double low = 0, high = 0;
  size_t values = 0, missing = 0;

  void add(double value);
  /// "0.3 to 184, 31 of 80 missing"
  std::string text(bool dates, size_t cells) const;
};

}  // namespace fovea::tables
