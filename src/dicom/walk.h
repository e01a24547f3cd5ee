// One pass over the elements of a data set, nested ones too, with an explicit stack.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dicom/collected.h"
#include "dicom/kept.h"
#include "dicom/source.h"

namespace fovea::dicom {

struct Element {
  uint32_t tag = 0;
  uint16_t vr = 0;      ///< 0 where the syntax has none
  uint32_t length = 0;  ///< 0xFFFFFFFF: undefined
  uint64_t offset = 0;
  uint64_t value = 0;
};

struct Level {
  Place place = Place::other;
  bool sequence = false;   ///< holds items; else holds elements
  bool undefined = false;  ///< ends at a delimiter
  bool implicit_vr = false;
  bool big_endian = false;
  uint32_t tag = 0;
  uint64_t offset = 0;  ///< where its element or item starts
  uint64_t end = 0;     ///< its own end, or that of what encloses it
  int64_t items = 0;    ///< met so far
  /// The stated length where fewer bytes are left: the innermost element that is cut off is named.
  uint32_t cut = 0;
  Values* kept = nullptr;
};

/// Collects the values worth keeping. No recursion; every length is checked against the bytes left
/// before it is used.
class Walk {
 public:
  Walk(Source& source, const std::string& name, const Limits& limits)
      : source_(source), name_(name), limits_(limits) {}

  /// Group 0002; returns where the data set starts.
  uint64_t meta(uint64_t start, std::string& transfer_syntax);
  void data_set(uint64_t start, const TransferSyntax& syntax);

  Collected found;

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw data_error(name_ + ": " + what); }
  Element element_at(uint64_t offset, const Level& level);
  void element();
  void item();
  void enter(const Element& element, bool implicit_vr);
  void fragments(const Element& element, bool top);
  void too_long(const Element& element, uint64_t left) const;
  void count();
  void store(const Element& element, Keep how, const Level& level);

  Source& source_;
  const std::string& name_;
  const Limits& limits_;
  std::vector<Level> stack_;
  uint64_t at_ = 0;
  int64_t elements_ = 0;
  int64_t nesting_ = 0;
};

}  // namespace fovea::dicom
