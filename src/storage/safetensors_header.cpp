#include "storage/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "fovea/core/error.h"
#include "fovea/storage/text.h"

namespace fovea::storage {
namespace {

constexpr size_t kMostSides = 64;

std::string in_quotes(const std::string& name) { return "'" + escaped(name, 200) + "'"; }

// Takes the events of the parser; any that does not belong to
//   {"name": {"dtype": "F32", "shape": [..], "data_offsets": [b, e]}, …, "__metadata__": {"key":
//   "text"}}
// is refused at once, so nothing but entries is ever stored.
class HeaderEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader header;

  bool start_object(size_t) override {
    switch (place_) {
      case Place::start:
        place_ = Place::root;
        return true;
      case Place::root_value:
        place_ = name_ == "__metadata__" ? Place::metadata : Place::entry;
        if (place_ == Place::entry) {
          header.entries.emplace_back().name = name_;
          fields_.clear();
        }
        return true;
      default:
        throw unexpected("an object");
    }
  }
  bool key(std::string& text) override {
    switch (place_) {
      case Place::root:
        if (!names_.insert(text).second)
          throw data_error("key " + in_quotes(text) + " appears twice");
        name_ = text;
        place_ = Place::root_value;
        return true;
      case Place::metadata:
        if (!header.metadata.emplace(text, "").second) {
          throw data_error("__metadata__: key " + in_quotes(text) + " appears twice");
        }
        field_ = text;
        place_ = Place::metadata_value;
        return true;
      default:
        if (text != "dtype" && text != "shape" && text != "data_offsets") {
          throw in_tensor("unknown key " + in_quotes(text) +
                          "; wanted dtype, shape and data_offsets");
        }
        if (!fields_.insert(text).second) throw in_tensor("key '" + text + "' appears twice");
        field_ = text;
        place_ = Place::entry_value;
        return true;
    }
  }
  bool string(std::string& text) override {
    if (place_ == Place::metadata_value) {
      header.metadata[field_] = text;
      place_ = Place::metadata;
      return true;
    }
    if (place_ != Place::entry_value || field_ != "dtype") throw unexpected("a string");
    const auto dtype = dtype_named(text);
    if (!dtype) throw in_tensor("unknown dtype " + in_quotes(text));
    header.entries.back().dtype = *dtype;
    place_ = Place::entry;
    return true;
  }
  bool start_array(size_t) override {
    if (place_ != Place::entry_value || field_ == "dtype") throw unexpected("an array");
    place_ = Place::array;
    numbers_.clear();
    return true;
  }
  bool number_unsigned(uint64_t value) override {
    if (place_ != Place::array) throw unexpected("a number");
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      throw in_tensor(fmt::format("{}: {} does not fit 63 bits", field_, value));
    }
    if (numbers_.size() == kMostSides) {
      throw in_tensor(fmt::format("{}: found more than {} numbers", field_, kMostSides));
    }
    numbers_.push_back(static_cast<int64_t>(value));
    return true;
  }
  bool end_array() override {
    TensorEntry& entry = header.entries.back();
    if (field_ == "shape") {
      entry.shape = numbers_;
    } else if (numbers_.size() == 2) {
      entry.begin = numbers_[0];
      entry.end = numbers_[1];
    } else {
      throw in_tensor(fmt::format("data_offsets: found {} numbers, wanted 2", numbers_.size()));
    }
    place_ = Place::entry;
    return true;
  }
  bool end_object() override {
    if (place_ == Place::entry && fields_.size() != 3) {
      throw in_tensor("found not all of the keys dtype, shape and data_offsets");
    }
    place_ = place_ == Place::root ? Place::done : Place::root;
    return true;
  }
  bool number_integer(int64_t value) override {
    throw unexpected(fmt::format("the negative number {}", value));
  }
  bool number_float(double, const std::string& text) override {
    throw unexpected("the number " + escaped(text, 40));
  }
  bool null() override { throw unexpected("null"); }
  bool boolean(bool) override { throw unexpected("a boolean"); }
  bool binary(nlohmann::json::binary_t&) override { throw unexpected("bytes"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    throw data_error(fmt::format("the header is not valid JSON in UTF-8 at byte {}", 7 + position));
  }

 private:
  enum class Place {
    start,
    root,
    root_value,
    metadata,
    metadata_value,
    entry,
    entry_value,
    array,
    done
  };

  Error in_tensor(const std::string& what) const {
    return data_error("tensor " + in_quotes(header.entries.back().name) + ": " + what);
  }
  Error unexpected(const std::string& what) const {
    switch (place_) {
      case Place::metadata_value:
        return data_error("__metadata__: key " + in_quotes(field_) + ": found " + what +
                          ", wanted a string");
      case Place::entry_value:
      case Place::array:
        return in_tensor(field_ + ": found " + what + ", wanted " +
                         (field_ == "dtype" ? "a string" : "whole numbers from 0 on in brackets"));
      default:
        return data_error("key " + in_quotes(name_) + ": found " + what + ", wanted an object");
    }
  }

  Place place_ = Place::start;
  std::string name_, field_;
  std::set<std::string> names_, fields_;
  std::vector<int64_t> numbers_;
};

void check_entry(const TensorEntry& entry, int64_t buffer_bytes) {
  const auto refuse = [&](const std::string& what) {
    throw data_error(fmt::format("tensor {}: {}", in_quotes(entry.name), what));
  };
  if (entry.end < entry.begin || entry.end > buffer_bytes) {
    refuse(fmt::format(
        "found data_offsets [{}, {}], wanted them rising and within the {} bytes of the buffer",
        entry.begin, entry.end, buffer_bytes));
  }
  const auto bytes = bytes_of(entry.dtype, entry.shape);
  const std::string text = shape_text(entry.shape);
  if (!bytes) refuse(fmt::format("shape {} of {} overflows", text, name_of(entry.dtype)));
  if (*bytes != entry.end - entry.begin) {
    refuse(fmt::format("shape {} of {} wants {} bytes, found {} at offset {}", text,
                       name_of(entry.dtype), *bytes, entry.end - entry.begin, entry.begin));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, int64_t buffer_bytes) {
  if (!json.starts_with('{')) throw data_error("the header does not start with '{' at byte 8");
  // The parser takes a NUL for the end of the text.
  if (const size_t at = json.find('\0'); at != std::string_view::npos) {
    throw data_error(fmt::format("found a NUL in the header at byte {}", 8 + at));
  }
  HeaderEvents events;
  nlohmann::json::sax_parse(json.begin(), json.end(), &events);

  auto& entries = events.header.entries;
  std::sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  int64_t covered = 0;
  for (const TensorEntry& entry : entries) {
    check_entry(entry, buffer_bytes);
    if (entry.begin != covered) {
      throw data_error(fmt::format(
          "tensor {}: starts at offset {}, wanted {}: {}", in_quotes(entry.name), entry.begin,
          covered, entry.begin < covered ? "tensors overlap" : "a hole between tensors"));
    }
    covered = entry.end;
  }
  if (covered != buffer_bytes) {
    throw data_error(fmt::format(
        "tensors cover {} bytes of the buffer, found {}: {} bytes at its end belong to none",
        covered, buffer_bytes, buffer_bytes - covered));
  }
  return std::move(events.header);
}

}  // namespace fovea::storage
