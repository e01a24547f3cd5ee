#include "fovea/io/npy.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "fovea/storage/text.h"
#include "io/bytes.h"
#include "io/npy_bytes.h"

namespace fovea::io {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kMagic{"\x93NUMPY", 6};
constexpr size_t kMostSides = 32;  // of NumPy 1

struct Descr {
  std::string_view code;
  DType dtype;
};
constexpr std::array<Descr, 12> kDescrs{{{"b1", DType::boolean},
                                         {"u1", DType::u8},
                                         {"i1", DType::i8},
                                         {"u2", DType::u16},
                                         {"i2", DType::i16},
                                         {"u4", DType::u32},
                                         {"i4", DType::i32},
                                         {"u8", DType::u64},
                                         {"i8", DType::i64},
                                         {"f2", DType::f16},
                                         {"f4", DType::f32},
                                         {"f8", DType::f64}}};

Error refuse(const std::string& where, const std::string& what) {
  return data_error(fmt::format("reading npy {}: {}", where, what));
}

// Reads the Python literal {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, the keys in
// any order.
class HeaderText {
 public:
  HeaderText(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  NpyHeader read() {
    NpyHeader header;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      bool& seen = key == "descr" ? descr : key == "fortran_order" ? order : shape;
      if (seen || (key != "descr" && key != "fortran_order" && key != "shape")) malformed();
      seen = true;
      if (key == "descr")
        read_descr(header);
      else if (key == "fortran_order")
        header.fortran_order = boolean();
      else
        read_shape(header);
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!text_.empty() || !descr || !order || !shape) malformed();
    return header;
  }

 private:
  [[noreturn]] void malformed() const {
    throw refuse(
        where_,
        "its header is malformed; wanted {'descr': …, 'fortran_order': …, 'shape': …} and no more");
  }
  void skip_space() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n' || text_[0] == '\t'))
      text_.remove_prefix(1);
  }
  bool take(char wanted) {
    skip_space();
    if (text_.empty() || text_[0] != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) malformed();
  }
  std::string_view quoted() {
    skip_space();
    const char quote = text_.empty() ? ' ' : text_[0];
    if (quote != '\'' && quote != '"') malformed();
    const size_t end = text_.find(quote, 1);
    if (end == std::string_view::npos) malformed();
    const std::string_view inside = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return inside;
  }
  bool boolean() {
    skip_space();
    for (const std::string_view word : {"True", "False"}) {
      if (!text_.starts_with(word)) continue;
      text_.remove_prefix(word.size());
      return word == "True";
    }
    malformed();
  }
  void read_descr(NpyHeader& header) {
    skip_space();
    if (text_.starts_with('['))
      throw refuse(where_, "found a structured dtype, wanted plain numbers; save the fields apart");
    const std::string_view descr = quoted();
    const char order = descr.empty() ? ' ' : descr[0];
    const std::string_view code = descr.substr(std::min<size_t>(1, descr.size()));
    if (code == "O") {
      throw refuse(where_,
                   "dtype O: found pickled Python objects, which are never read (loading them can "
                   "run code); "
                   "wanted a numeric dtype: save it as numbers, with astype");
    }
    const auto found = std::find_if(kDescrs.begin(), kDescrs.end(),
                                    [&](const Descr& row) { return row.code == code; });
    if (found == kDescrs.end() || std::string_view("<>|=").find(order) == std::string_view::npos) {
      throw refuse(
          where_,
          fmt::format(
              "dtype '{}', wanted bool, whole numbers or floating point of 16, 32 or 64 bits",
              storage::escaped(descr, 40)));
    }
    header.dtype = found->dtype;
    header.big_endian = order == '>' && storage::bytes_of(header.dtype) > 1;
  }
  void read_shape(NpyHeader& header) {
    expect('(');
    while (!take(')')) {
      skip_space();
      int64_t side = 0;
      const auto [end, code] = std::from_chars(text_.data(), text_.data() + text_.size(), side);
      if (code == std::errc::result_out_of_range || side < 0) {
        const std::string_view found = text_.substr(0, static_cast<size_t>(end - text_.data()));
        throw refuse(where_, fmt::format("shape: found the side {}, wanted a number from 0 of at "
                                         "most 63 bits",
                                         found.substr(0, 40)));
      }
      if (code != std::errc()) malformed();
      text_.remove_prefix(static_cast<size_t>(end - text_.data()));
      if (text_.starts_with('L')) text_.remove_prefix(1);  // written by Python 2
      if (header.shape.size() == kMostSides)
        throw refuse(where_, fmt::format("shape: more than {} sides", kMostSides));
      header.shape.push_back(side);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
  }

  std::string_view text_;
  const std::string& where_;
};

template <class T>
void swap_all(std::vector<std::byte>& bytes) {
  for (size_t at = 0; at < bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    value = swapped(value);
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
}

void to_host_order(std::vector<std::byte>& bytes, int64_t size) {
  if (size == 2) swap_all<uint16_t>(bytes);
  if (size == 4) swap_all<uint32_t>(bytes);
  if (size == 8) swap_all<uint64_t>(bytes);
}

// Numbers whose first index runs fastest, rewritten so that the last one does.
template <class T>
std::vector<std::byte> to_c_order(const std::vector<std::byte>& bytes,
                                  const std::vector<int64_t>& shape) {
  std::vector<std::byte> out(bytes.size());
  std::vector<int64_t> index(shape.size(), 0), stride(shape.size(), 1);
  for (size_t d = 1; d < shape.size(); ++d) stride[d] = stride[d - 1] * shape[d - 1];
  int64_t from = 0;
  for (size_t to = 0; to < out.size(); to += sizeof(T)) {
    std::memcpy(out.data() + to, bytes.data() + from * static_cast<int64_t>(sizeof(T)), sizeof(T));
    for (size_t d = shape.size(); d-- > 0;) {
      from += stride[d];
      if (++index[d] < shape[d]) break;
      from -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}

std::vector<std::byte> to_c_order(const std::vector<std::byte>& bytes, const NpyHeader& header) {
  switch (storage::bytes_of(header.dtype)) {
    case 1:
      return to_c_order<uint8_t>(bytes, header.shape);
    case 2:
      return to_c_order<uint16_t>(bytes, header.shape);
    case 4:
      return to_c_order<uint32_t>(bytes, header.shape);
    default:
      return to_c_order<uint64_t>(bytes, header.shape);
  }
}

// IEEE 754 half precision as single precision, which holds every value of it exactly.
float from_half(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t exponent = (half >> 10) & 0x1f, fraction = half & 0x3ff;
  if (exponent == 0) {  // zero and the subnormal numbers, in units of 2^-24
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -value : value;
  }
  const uint32_t wide = exponent == 0x1f ? 0xff : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

std::vector<std::byte> to_f32(const std::vector<std::byte>& halves) {
  std::vector<std::byte> out(halves.size() * 2);
  for (size_t i = 0; i < halves.size() / 2; ++i) {
    uint16_t half;
    std::memcpy(&half, halves.data() + 2 * i, sizeof half);
    const float value = from_half(half);
    std::memcpy(out.data() + 4 * i, &value, sizeof value);
  }
  return out;
}

}  // namespace

Array array_from(NpyHeader header, std::vector<std::byte> bytes) {
  if (header.big_endian) to_host_order(bytes, storage::bytes_of(header.dtype));
  if (header.fortran_order && header.shape.size() > 1) bytes = to_c_order(bytes, header);
  if (header.dtype == DType::f16) {
    header.dtype = DType::f32;
    bytes = to_f32(bytes);
  }
  return {header.dtype, std::move(header.shape), std::move(bytes)};
}

bool is_npy(std::string_view head) { return head.starts_with(kMagic); }

NpyHeader read_npy_header(std::string_view head, const std::string& where) {
  if (!is_npy(head) || head.size() < 12)
    throw refuse(where, "it does not start with the magic of npy, or is cut off");
  const int version = head[6];
  if (version < 1 || version > 3 || head[7] != 0) {
    throw refuse(
        where, fmt::format("format version {}.{}, wanted 1.0, 2.0 or 3.0", version, int{head[7]}));
  }
  const size_t begin = version == 1 ? 10 : 12;
  const size_t length =
      version == 1 ? u16_at(head, 8, Order::little) : u32_at(head, 8, Order::little);
  if (length > 65'536 || length > head.size() - begin) {
    throw refuse(
        where,
        fmt::format(
            "bytes 8 on give a header of {} bytes, found {} after it (at most 65536 are read)",
            length, head.size() - begin));
  }
  NpyHeader header = HeaderText(head.substr(begin, length), where).read();
  header.data_offset = static_cast<int64_t>(begin + length);
  const auto bytes = storage::bytes_of(header.dtype, header.shape);
  if (!bytes) throw refuse(where, "shape " + storage::shape_text(header.shape) + " overflows");
  header.data_bytes = *bytes;
  return header;
}

Array decode_npy(std::string_view file, const std::string& where) {
  const NpyHeader header = read_npy_header(file, where);
  const int64_t present = static_cast<int64_t>(file.size()) - header.data_offset;
  if (present != header.data_bytes) {
    throw refuse(
        where,
        fmt::format("shape {} of {} wants {} bytes, found {}; the file is cut off or damaged",
                    storage::shape_text(header.shape), name_of(header.dtype), header.data_bytes,
                    present));
  }
  const auto* begin = reinterpret_cast<const std::byte*>(file.data()) + header.data_offset;
  return array_from(header, {begin, begin + present});
}

Array read_npy(const fs::path& path, const ImageLimits& limits) {
  return decode_npy(storage::read_file(path, limits.max_decoded_bytes), storage::shown(path));
}

std::string encode_npy(const Array& array) {
  const auto found = std::find_if(kDescrs.begin(), kDescrs.end(),
                                  [&](const Descr& row) { return row.dtype == array.dtype; });
  const auto bytes = storage::bytes_of(array.dtype, array.shape);
  if (found == kDescrs.end() || !bytes || *bytes != static_cast<int64_t>(array.bytes.size())) {
    throw Error(Fault::internal,
                fmt::format("an npy of dtype {} and shape {} with {} bytes", name_of(array.dtype),
                            storage::shape_text(array.shape), array.bytes.size()));
  }
  std::string shape = fmt::format("{}", fmt::join(array.shape, ", "));
  if (array.shape.size() == 1) shape += ',';
  std::string text =
      fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                  storage::bytes_of(array.dtype) == 1 ? '|' : '<', found->code, shape);
  text.append(63 - (10 + text.size()) % 64, ' ');  // numbers start at a multiple of 64 bytes
  text += '\n';
  std::string file(kMagic);
  file += {'\1', '\0', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  file += text;
  return file.append(reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size());
}

void write_npy(const fs::path& path, const Array& array) {
  storage::write_file_atomically(path, encode_npy(array));
}

}  // namespace fovea::io
