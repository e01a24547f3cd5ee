// Names in cells: classes, categories, splits, patients. A name is a text and never becomes a number;
// but 1 and 1.0 are one name (programs write a column of whole numbers with a blank as 1.0, 2.0),
// and blanks around it do not belong to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::tables {

/// Under which a name is known: without blanks around and, of a number, without zeros at the end of
/// its fraction: 1.0 is 1, 2.50 is 2.5. 01 stays 01.
std::string name_key(std::string_view cell, char decimal = '.');

/// A digit or several, and no sign: what an index, or the name of a grade, is.
bool is_whole(std::string_view name);

/// Under which names are suspiciously alike: key, in lower case, without accents, with one blank for
/// several or for an underscore; of a number its value (01, +1 and 1 are alike).
std::string alike_key(std::string_view key);

/// Two names of one column that cannot stand beside each other: two spellings of one name, or yes
/// and true, 0 and false, as if two people had filled it in.
struct Clash {
  std::string first, second;
  bool truths = false;  ///< of two ways to say yes and no
};
std::vector<Clash> clashes(const std::vector<std::string>& keys);

/// What a name says where it can only be yes or no: 0 and 1, false and true, no and yes, nein and
/// ja … are different ways to say so.
struct Truth {
  size_t way;  ///< 0: 0 and 1
  bool yes;
};
std::optional<Truth> truth_in(std::string_view key);

/// A list or an object of JSON rather than a name.
bool is_nested(std::string_view cell);

/// The keys of one column of names, and what had to be assumed of its cells.
class NameReader {
 public:
  explicit NameReader(char decimal = '.') : decimal_(decimal) {}

  std::string key(std::string_view cell);
  void add_notes(const std::string& column, std::vector<std::string>& notes) const;

 private:
  char decimal_;
  int64_t cells_ = 0, padded_ = 0, zeros_ = 0;
  std::string example_;  // of zeros
};

}  // namespace fovea::tables
