// From kept values to a Header: every rule that a sound image must obey, checked before a pixel is
// decoded.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "dicom/checks.h"

namespace fovea::dicom {
namespace {

/// Bytes after native pixels that may be padding. More are pixels that the header does not tell.
constexpr uint64_t kMostPadding = 512;

}  // namespace

std::string trimmed(const std::string& value) {
  const size_t first = value.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  size_t last = value.size();
  while (last > first && (value[last - 1] == ' ' || value[last - 1] == '\0')) --last;
  return value.substr(first, last - first);
}

std::string shown(const std::string& value) {
  std::string text = trimmed(value).substr(0, 40);
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
}

std::optional<double> number(const std::string& text) {
  const std::string s = trimmed(text);
  const char* begin = s.data() + (s.starts_with('+') ? 1 : 0);
  double value = 0;
  const auto [end, error] = std::from_chars(begin, s.data() + s.size(), value);
  if (error != std::errc{} || end != s.data() + s.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

const std::string* find(const Values& values, uint32_t tag) {
  const auto at = values.find(tag);
  return at == values.end() ? nullptr : &at->second;
}

uint16_t word(const std::string& value, size_t index) {
  return static_cast<uint16_t>(static_cast<uint8_t>(value[2 * index]) |
                               static_cast<uint8_t>(value[2 * index + 1]) << 8);
}

void Checks::all() {
  h_.sop_class = shown(text(0x00080016));
  h_.modality = shown(text(0x00080060));
  if (from_.pixel_tag == 0) throw NotAnImage(h_.name, sop_class_name(h_.sop_class));
  size();
  depth();
  colour();
  frames();
  extent();
  if (h_.syntax->encapsulated()) fragments();
  grey();
  palette();
  spacing();
  grid();
  oddities();
}

void Checks::size() {
  const auto rows = us(0x00280010), columns = us(0x00280011);
  if (rows.value_or(0) < 1 || columns.value_or(0) < 1)
    refuse(fmt::format("Rows is {}, Columns is {}; wanted 1..65535; export the file again",
                       or_absent(rows), or_absent(columns)));
  h_.rows = *rows;
  h_.columns = *columns;
}

void Checks::depth() {
  h_.type = from_.pixel_tag == 0x7FE00008   ? PixelType::float32
            : from_.pixel_tag == 0x7FE00009 ? PixelType::float64
                                            : PixelType::integer;
  const auto allocated = us(0x00280100);
  if (h_.type != PixelType::integer) {
    h_.bits_allocated = h_.bits_stored = h_.type == PixelType::float32 ? 32 : 64;
    h_.high_bit = h_.bits_allocated - 1;
    h_.is_signed = true;
    if (allocated && *allocated != h_.bits_allocated)
      refuse(fmt::format("BitsAllocated is {}; floating-point pixels of this element want {}",
                         *allocated, h_.bits_allocated));
    if (h_.syntax->encapsulated()) refuse("floating-point pixels in a compressed transfer syntax");
    return;
  }
  const auto stored = us(0x00280101), high = us(0x00280102), sign = us(0x00280103);
  const std::string found = fmt::format("BitsAllocated is {}, BitsStored is {}, HighBit is {}",
                                        or_absent(allocated), or_absent(stored), or_absent(high));
  const int64_t a = allocated.value_or(0), s = stored.value_or(0);
  if (a != 1 && a != 8 && a != 16 && a != 32)
    refuse(found + "; wanted BitsAllocated 1, 8, 16 or 32 for integer pixels");
  if (s < 1 || s > a) refuse(found + "; wanted BitsStored in 1..BitsAllocated");
  const int64_t top = high.value_or(s - 1);
  if (top < s - 1 || top >= a) refuse(found + "; wanted HighBit = BitsStored - 1");
  if (!high) h_.notes.push_back("HighBit is absent: taken as BitsStored - 1");
  if (!sign || *sign > 1)
    refuse(fmt::format("PixelRepresentation is {}; wanted 0 or 1", or_absent(sign)));
  h_.bits_allocated = static_cast<int>(a);
  h_.bits_stored = static_cast<int>(s);
  h_.high_bit = static_cast<int>(top);
  h_.is_signed = *sign == 1;
  if (top != s - 1 && h_.syntax->encapsulated() && h_.syntax->coding != Coding::rle)
    refuse(found + "; in a compressed file fovea reads only HighBit = BitsStored - 1");
  if (a == 1 && h_.syntax->encapsulated())
    refuse("1-bit pixels in a compressed transfer syntax are not supported; transcode");
}

void Checks::colour() {
  struct Row {
    std::string_view name;
    Photometric value;
    int samples;
  };
  static constexpr Row kRows[] = {
      {"MONOCHROME1", Photometric::monochrome1, 1}, {"MONOCHROME2", Photometric::monochrome2, 1},
      {"PALETTE COLOR", Photometric::palette, 1},   {"RGB", Photometric::rgb, 3},
      {"YBR_FULL", Photometric::ybr_full, 3},       {"YBR_FULL_422", Photometric::ybr_full_422, 3},
      {"YBR_RCT", Photometric::ybr_rct, 3},         {"YBR_ICT", Photometric::ybr_ict, 3},
  };
  const std::string name = shown(text(0x00280004));
  const auto row = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& r) { return r.name == name; });
  if (row == std::end(kRows))
    refuse(fmt::format(
        "PhotometricInterpretation is '{}'; supported: MONOCHROME1, MONOCHROME2, PALETTE COLOR, "
        "RGB, YBR_FULL, YBR_FULL_422, YBR_RCT, YBR_ICT; transcode the file",
        name));
  h_.photometric = row->value;
  const auto samples = us(0x00280002);
  if (samples.value_or(0) != row->samples)
    refuse(fmt::format("SamplesPerPixel is {} with PhotometricInterpretation {}; wanted {}",
                       or_absent(samples), name, row->samples));
  h_.samples = row->samples;
  const int64_t planar = h_.samples > 1 ? us(0x00280006).value_or(0) : 0;
  if (planar > 1) refuse(fmt::format("PlanarConfiguration is {}; wanted 0 or 1", planar));
  h_.planar = planar == 1;
  if (h_.samples == 3 && h_.bits_allocated < 8)
    refuse(fmt::format("{} with BitsAllocated {}", name, h_.bits_allocated));
  if ((h_.samples == 3 || h_.photometric == Photometric::palette) && h_.type != PixelType::integer)
    refuse(name + " with floating-point pixels");
  if (h_.samples > 1 && !us(0x00280006) && h_.syntax->coding == Coding::native)
    h_.notes.push_back("PlanarConfiguration is absent: taken as 0");
  if (h_.syntax->coding != Coding::jpeg2000 &&
      (h_.photometric == Photometric::ybr_rct || h_.photometric == Photometric::ybr_ict))
    refuse(name + " belongs to JPEG 2000, but the transfer syntax is " +
           std::string(h_.syntax->name));
  if (h_.photometric == Photometric::ybr_full_422 && h_.syntax->coding == Coding::native &&
      (h_.bits_allocated != 8 || h_.columns % 2 != 0 || h_.planar))
    refuse(
        fmt::format("uncompressed YBR_FULL_422 with {} columns, {} bits, PlanarConfiguration {}; "
                    "wanted an even number, 8 and 0",
                    h_.columns, h_.bits_allocated, planar));
}

void Checks::frames() {
  count_streams();
  const std::string found = trimmed(text(0x00280008));
  if (found.empty()) return more_streams("absent");
  int64_t count = 0;
  const auto [end, error] = std::from_chars(found.data(), found.data() + found.size(), count);
  if (error != std::errc{} || end != found.data() + found.size() || count < 1)
    refuse(
        fmt::format("NumberOfFrames is '{}' (PixelData holds {} bytes in {} fragments); wanted an "
                    "integer from 1",
                    shown(found), from_.pixels.length, from_.fragments.size()));
  h_.frames = count;
  more_streams(std::to_string(count));
}

/// Whether a code stream begins in the fragment. An RLE frame begins with the number of its segments
/// and the place of the first, which is 64.
bool Checks::begins_stream(size_t fragment) const {
  const auto& b = from_.beginnings[fragment];
  const auto is = [&](std::string_view text) {
    return std::equal(text.begin(), text.end(), b.begin(),
                      [](char c, uint8_t byte) { return static_cast<uint8_t>(c) == byte; });
  };
  static constexpr uint8_t kRest[] = {0, 0, 0, 64, 0, 0, 0};
  switch (h_.syntax->coding) {
    case Coding::jpeg:
    case Coding::jpeg_ls:
      return is("\xFF\xD8\xFF");
    case Coding::jpeg2000:
      return is("\xFF\x4F\xFF\x51") || is(std::string_view("\0\0\0\x0CjP  ", 8));
    case Coding::rle:
      return b[0] >= 1 && b[0] <= 15 && std::equal(b.begin() + 1, b.begin() + 8, kRest);
    default:
      return false;
  }
}

void Checks::count_streams() {
  if (!h_.syntax->encapsulated()) return;
  for (size_t i = 0; i < from_.fragments.size(); ++i)
    if (begins_stream(i)) streams_.push_back(i);
  if (!streams_.empty() && streams_.front() != 0) streams_.clear();
}

/// Frames that NumberOfFrames does not count are there all the same.
void Checks::more_streams(const std::string& stated) {
  if (streams_.size() <= static_cast<size_t>(h_.frames)) return;
  h_.frames = static_cast<int64_t>(streams_.size());
  h_.notes.push_back(fmt::format(
      "NumberOfFrames is {}, but PixelData holds {} frames: all are read", stated, h_.frames));
}

void Checks::extent() {
  // 128 bits: the product of what the tags may say does not fit 64.
  using Wide = unsigned __int128;
  const Wide samples = Wide(h_.rows) * Wide(h_.columns) * Wide(h_.samples) * Wide(h_.frames);
  const Wide decoded = samples * Wide((h_.bits_allocated + 7) / 8);
  const Wide all = (samples * Wide(h_.bits_allocated) + 7) / 8;
  if (h_.photometric == Photometric::ybr_full_422 && h_.syntax->coding == Coding::native &&
      (from_.pixels.length == all || from_.pixels.length == all + all % 2)) {
    h_.photometric = Photometric::ybr_full;
    h_.notes.push_back(
        "PhotometricInterpretation is YBR_FULL_422, but PixelData has the length of YBR_FULL: read "
        "as that");
  }
  const Wide wanted =
      h_.photometric == Photometric::ybr_full_422 && h_.syntax->coding == Coding::native
          ? all / 3 * 2
          : all;
  const auto number = [](Wide value) {
    return value > UINT64_MAX ? std::string("more than 2^64")
                              : std::to_string(static_cast<uint64_t>(value));
  };
  const std::string image =
      fmt::format("Rows {} x Columns {} x NumberOfFrames {} x SamplesPerPixel {} x {} bits",
                  h_.rows, h_.columns, h_.frames, h_.samples, h_.bits_allocated);
  h_.pixel_element_offset = from_.pixel_element_offset;
  if (!h_.syntax->encapsulated()) {
    if (from_.pixel_bytes_left < wanted)
      refuse(fmt::format("PixelData at offset {} holds {} bytes; wanted {} ({})",
                         h_.pixel_element_offset, from_.pixel_bytes_left, number(wanted), image),
             "the file is cut off or its header is wrong: copy or export it again");
    if (from_.pixel_bytes_left < from_.pixels.length)
      refuse(
          fmt::format("PixelData at offset {} states {} bytes, but {} are left in the file; copy "
                      "the file again",
                      h_.pixel_element_offset, from_.pixels.length, from_.pixel_bytes_left));
  }
  if (h_.frames > limits_.max_frames)
    refuse(fmt::format("NumberOfFrames is {} (PixelData holds {} bytes); at most {} are read",
                       h_.frames, from_.pixels.length, limits_.max_frames));
  if (decoded > limits_.max_decoded_bytes)
    refuse(fmt::format("{} = {} bytes when decoded (PixelData holds {}); at most {} are read",
                       image, number(decoded), from_.pixels.length, limits_.max_decoded_bytes),
           "raise Limits::max_decoded_bytes if the image is meant to be so large");
  h_.pixels = from_.pixels;
  h_.pixel_words = from_.pixel_words;
  if (h_.syntax->encapsulated() || from_.pixels.length <= wanted + wanted % 2) return;
  if (from_.pixels.length - wanted > kMostPadding)
    refuse(fmt::format("PixelData at offset {} holds {} bytes; wanted {} ({})",
                       h_.pixel_element_offset, from_.pixels.length, number(wanted), image),
           "its header is wrong: export the file again");
  h_.notes.push_back(fmt::format("PixelData holds {} bytes, {} are needed; the rest is padding",
                                 from_.pixels.length, number(wanted)));
}

std::vector<uint64_t> Checks::frame_offsets() const {
  std::vector<uint64_t> offsets;
  if (const std::string extended = text(0x7FE00001); !extended.empty()) {
    offsets.resize(extended.size() / 8);
    std::memcpy(offsets.data(), extended.data(), offsets.size() * 8);
  } else {
    for (size_t i = 0; i + 4 <= from_.offset_table.size(); i += 4)
      offsets.push_back(word(from_.offset_table, i / 2) |
                        uint64_t{word(from_.offset_table, i / 2 + 1)} << 16);
  }
  return offsets;
}

void Checks::fragments() {
  if (!from_.encapsulated || (from_.fragments.empty() && from_.pixels.length > 0))
    refuse(
        fmt::format("PixelData at offset {} is one plain value, but transfer syntax {} wants "
                    "fragments; the TransferSyntaxUID of the file is wrong: export it again",
                    h_.pixel_element_offset, h_.syntax->name));
  h_.fragments = from_.fragments;
  const size_t count = h_.fragments.size();
  const auto frames = static_cast<size_t>(h_.frames);
  if (count == 0)
    refuse(fmt::format(
        "PixelData at offset {} holds 0 fragments; wanted {} frames; export the file again",
        h_.pixel_element_offset, frames));
  const std::vector<uint64_t> offsets = frame_offsets();
  if (frames == 1 && offsets.size() < 2) {
    h_.frame_starts = {0, count};
    return;
  }
  if (offsets.empty()) {
    if (streams_.size() == frames) {
      h_.frame_starts = streams_;
      h_.frame_starts.push_back(count);
      return;
    }
    if (count != frames)
      refuse(
          fmt::format("NumberOfFrames is {}, but PixelData at offset {} holds {} fragments and no "
                      "offset table; fovea does not guess which belong together",
                      frames, h_.pixel_element_offset, count));
    for (size_t i = 0; i <= frames; ++i) h_.frame_starts.push_back(i);
    return;
  }
  if (offsets.size() != frames)
    refuse(fmt::format(
        "NumberOfFrames is {} with {} code streams, but the offset table of PixelData at offset {} "
        "has {} entries; export the file again",
        shown(text(0x00280008)), streams_.size(), h_.pixel_element_offset, offsets.size()));
  // An offset counts from the item tag of the first fragment.
  const uint64_t base = h_.fragments.front().offset - 8;
  size_t fragment = 0;
  for (size_t i = 0; i < frames; ++i) {
    while (fragment < count && h_.fragments[fragment].offset - 8 - base < offsets[i]) ++fragment;
    if (fragment == count || h_.fragments[fragment].offset - 8 - base != offsets[i] ||
        (i > 0 && fragment == h_.frame_starts.back()))
      refuse(
          fmt::format("entry {} of the offset table of PixelData at offset {} is {}, where no "
                      "fragment of its own starts",
                      i + 1, h_.pixel_element_offset, offsets[i]));
    h_.frame_starts.push_back(fragment);
  }
  h_.frame_starts.push_back(count);
}

std::string tag_text(uint32_t tag) {
  return fmt::format("({:04x},{:04x})", tag >> 16, tag & 0xFFFF);
}

void understand(const Collected& from, const Limits& limits, Header& header) {
  Checks(from, limits, header).all();
}

}  // namespace fovea::dicom
