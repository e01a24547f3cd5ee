// The checks between the walk over a file and its Header; they live in understand.cpp (shape,
// depth, frames, fragments) and understand_values.cpp (rescale, windows, tables, spacing, grid).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "dicom/collected.h"

namespace fovea::dicom {

/// Text of a value without the padding of the standard.
std::string trimmed(const std::string& value);

/// What a message may show of a value: short and printable.
std::string shown(const std::string& value);

/// A finite decimal string (DS), or nothing.
std::optional<double> number(const std::string& text);

const std::string* find(const Values& values, uint32_t tag);

/// A 16-bit word of a kept value; the caller has checked the length.
uint16_t word(const std::string& value, size_t index);

class Checks {
 public:
  Checks(const Collected& from, const Limits& limits, Header& h)
      : from_(from), limits_(limits), h_(h) {}

  void all();

 private:
  [[noreturn]] void refuse(const std::string& what, const std::string& remedy = "") const {
    throw data_error(h_.name + ": " + what, remedy);
  }
  std::string text(uint32_t tag) const {
    const std::string* value = find(from_.top, tag);
    return value ? *value : std::string();
  }
  std::optional<int64_t> us(uint32_t tag) const {
    const std::string* value = find(from_.top, tag);
    if (value == nullptr || value->size() < 2) return std::nullopt;
    return word(*value, 0);
  }
  static std::string or_absent(const std::optional<int64_t>& value) {
    return value ? std::to_string(*value) : "absent";
  }

  void size();
  void depth();
  void colour();
  void frames();
  void extent();
  bool begins_stream(size_t fragment) const;
  void count_streams();
  void more_streams(const std::string& stated);
  void fragments();
  std::vector<uint64_t> frame_offsets() const;
  void grey();
  std::optional<Rescale> rescale(std::initializer_list<const Values*> places,
                                 const std::string& where) const;
  std::vector<Window> windows(std::initializer_list<const Values*> places);
  Lut lut(const Values& values, uint32_t descriptor, uint32_t data, const char* what) const;
  void palette();
  void spacing();
  void grid();
  void oddities();

  const Collected& from_;
  const Limits& limits_;
  Header& h_;
  std::vector<size_t> streams_;  // the fragments in which a code stream begins
};

}  // namespace fovea::dicom
