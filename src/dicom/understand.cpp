// From kept values to a Header: every rule that a sound image must obey, checked before a pixel is decoded.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "dicom/collected.h"

namespace fovea::dicom {
namespace {

/// Text of a value without the padding of the standard; control characters never reach a message.
std::string trimmed(const std::string& value) {
  const size_t first = value.find_first_not_of(" ");
  if (first == std::string::npos) return {};
  size_t last = value.size();
  while (last > first && (value[last - 1] == ' ' || value[last - 1] == '\0')) --last;
  return value.substr(first, last - first);
}

/// What a message may show of a value.
std::string shown(const std::string& value) {
  std::string text = trimmed(value).substr(0, 40);
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
}

std::string quoted(const std::string* value) { return value ? fmt::format("'{}'", shown(*value)) : "absent"; }

std::optional<double> number(const std::string& text) {
  const std::string s = trimmed(text);
  const char* begin = s.data() + (s.starts_with('+') ? 1 : 0);
  double value = 0;
  const auto [end, error] = std::from_chars(begin, s.data() + s.size(), value);
  if (error != std::errc{} || end != s.data() + s.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// Values separated by backslashes; nothing where one of them is not a finite number.
std::optional<std::vector<double>> numbers(const std::string& text) {
  std::vector<double> out;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('\\', start), text.size());
    const auto value = number(text.substr(start, end - start));
    if (!value) return std::nullopt;
    out.push_back(*value);
    start = end + 1;
  }
  return out;
}

const std::string* find(const Values& values, uint32_t tag) {
  const auto at = values.find(tag);
  return at == values.end() ? nullptr : &at->second;
}

/// The element with the given tag of the frame's groups, the shared groups or the data set, in this order.
const std::string* find(std::initializer_list<const Values*> places, uint32_t tag) {
  for (const Values* values : places)
    if (values != nullptr)
      if (const std::string* value = find(*values, tag)) return value;
  return nullptr;
}

uint16_t word(const std::string& value, size_t index) {
  return static_cast<uint16_t>(static_cast<uint8_t>(value[2 * index]) | static_cast<uint8_t>(value[2 * index + 1]) << 8);
}

class Checks {
 public:
  Checks(const Collected& from, const Limits& limits, Header& h) : from_(from), limits_(limits), h_(h) {}

  void all() {
    h_.sop_class = shown(text(0x00080016));
    h_.modality = shown(text(0x00080060));
    if (from_.pixel_tag == 0)
      throw NotAnImage(fmt::format("{}: not an image: {}, no PixelData", h_.name, sop_class_name(h_.sop_class)));
    size();
    depth();
    colour();
    frames();
    extent();
    if (h_.syntax->encapsulated()) fragments();
    grey();
    palette();
    spacing();
    oddities();
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw data_error(h_.name + ": " + what); }
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
  void fragments();
  std::vector<uint64_t> frame_offsets() const;
  void grey();
  std::optional<Rescale> rescale(std::initializer_list<const Values*> places, const std::string& where) const;
  std::vector<Window> windows(std::initializer_list<const Values*> places);
  Lut lut(const Values& values, uint32_t descriptor, uint32_t data, const char* what) const;
  void palette();
  void spacing();
  void oddities();

  const Collected& from_;
  const Limits& limits_;
  Header& h_;
};

void Checks::size() {
  const auto rows = us(0x00280010), columns = us(0x00280011);
  if (rows.value_or(0) < 1 || columns.value_or(0) < 1)
    refuse(fmt::format("Rows is {}, Columns is {}; wanted 1..65535; export the file again", or_absent(rows),
                       or_absent(columns)));
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
      refuse(fmt::format("BitsAllocated is {}; floating-point pixels of this element want {}", *allocated,
                         h_.bits_allocated));
    if (h_.syntax->encapsulated()) refuse("floating-point pixels in a compressed transfer syntax");
    return;
  }
  const auto stored = us(0x00280101), high = us(0x00280102), sign = us(0x00280103);
  const std::string found =
      fmt::format("BitsAllocated is {}, BitsStored is {}, HighBit is {}", or_absent(allocated), or_absent(stored), or_absent(high));
  const int64_t a = allocated.value_or(0), s = stored.value_or(0);
  if (a != 1 && a != 8 && a != 16 && a != 32) refuse(found + "; wanted BitsAllocated 1, 8, 16 or 32 for integer pixels");
  if (s < 1 || s > a) refuse(found + "; wanted BitsStored in 1..BitsAllocated");
  const int64_t top = high.value_or(s - 1);
  if (top < s - 1 || top >= a) refuse(found + "; wanted HighBit = BitsStored - 1");
  if (!high) h_.notes.push_back("HighBit is absent: taken as BitsStored - 1");
  if (!sign || *sign > 1) refuse(fmt::format("PixelRepresentation is {}; wanted 0 or 1", or_absent(sign)));
  h_.bits_allocated = static_cast<int>(a);
  h_.bits_stored = static_cast<int>(s);
  h_.high_bit = static_cast<int>(top);
  h_.is_signed = *sign == 1;
  if (top != s - 1 && h_.syntax->encapsulated() && h_.syntax->coding != Coding::rle)
    refuse(found + "; in a compressed file fovea reads only HighBit = BitsStored - 1");
  if (a == 1 && h_.syntax->encapsulated()) refuse("1-bit pixels in a compressed transfer syntax are not supported; transcode");
}

void Checks::colour() {
  struct Row {
    std::string_view name;
    Photometric value;
    int samples;
  };
  static constexpr Row kRows[] = {
      {"MONOCHROME1", Photometric::monochrome1, 1},   {"MONOCHROME2", Photometric::monochrome2, 1},
      {"PALETTE COLOR", Photometric::palette, 1},     {"RGB", Photometric::rgb, 3},
      {"YBR_FULL", Photometric::ybr_full, 3},         {"YBR_FULL_422", Photometric::ybr_full_422, 3},
      {"YBR_RCT", Photometric::ybr_rct, 3},           {"YBR_ICT", Photometric::ybr_ict, 3},
  };
  const std::string name = shown(text(0x00280004));
  const auto row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.name == name; });
  if (row == std::end(kRows))
    refuse(fmt::format("PhotometricInterpretation is '{}'; supported: MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB, YBR_FULL, "
                       "YBR_FULL_422, YBR_RCT, YBR_ICT; transcode the file",
                       name));
  h_.photometric = row->value;
  const auto samples = us(0x00280002);
  if (samples.value_or(0) != row->samples)
    refuse(fmt::format("SamplesPerPixel is {} with PhotometricInterpretation {}; wanted {}", or_absent(samples), name,
                       row->samples));
  h_.samples = row->samples;
  const int64_t planar = h_.samples > 1 ? us(0x00280006).value_or(0) : 0;
  if (planar > 1) refuse(fmt::format("PlanarConfiguration is {}; wanted 0 or 1", planar));
  h_.planar = planar == 1;
  if (h_.samples == 3 && h_.bits_allocated < 8) refuse(fmt::format("{} with BitsAllocated {}", name, h_.bits_allocated));
  if (h_.samples == 3 && h_.type != PixelType::integer) refuse(name + " with floating-point pixels");
  const bool native = h_.syntax->coding == Coding::native || h_.syntax->coding == Coding::rle;
  if (native && (h_.photometric == Photometric::ybr_rct || h_.photometric == Photometric::ybr_ict))
    refuse(name + " belongs to JPEG 2000, but the transfer syntax is " + std::string(h_.syntax->name));
  if (h_.photometric == Photometric::ybr_full_422 && h_.syntax->coding == Coding::native &&
      (h_.bits_allocated != 8 || h_.columns % 2 != 0 || h_.planar))
    refuse(fmt::format("uncompressed YBR_FULL_422 with {} columns, {} bits, PlanarConfiguration {}; wanted an even number, 8 "
                       "and 0",
                       h_.columns, h_.bits_allocated, planar));
}

void Checks::frames() {
  const std::string found = trimmed(text(0x00280008));
  if (found.empty()) return;
  int64_t count = 0;
  const auto [end, error] = std::from_chars(found.data(), found.data() + found.size(), count);
  if (error != std::errc{} || end != found.data() + found.size() || count < 1)
    refuse(fmt::format("NumberOfFrames is '{}' (PixelData holds {} bytes in {} fragments); wanted an integer from 1",
                       shown(found), from_.pixels.length, from_.fragments.size()));
  h_.frames = count;
}

void Checks::extent() {
  // 128 bits: the product of what the tags may say does not fit 64.
  using Wide = unsigned __int128;
  const Wide samples = Wide(h_.rows) * Wide(h_.columns) * Wide(h_.samples) * Wide(h_.frames);
  const Wide decoded = samples * Wide((h_.bits_allocated + 7) / 8);
  Wide wanted = (samples * Wide(h_.bits_allocated) + 7) / 8;
  if (h_.photometric == Photometric::ybr_full_422 && h_.syntax->coding == Coding::native) wanted = wanted / 3 * 2;
  const auto number = [](Wide value) {
    return value > UINT64_MAX ? std::string("more than 2^64") : std::to_string(static_cast<uint64_t>(value));
  };
  const std::string image =
      fmt::format("Rows {} x Columns {} x NumberOfFrames {} x SamplesPerPixel {} x {} bits", h_.rows, h_.columns, h_.frames,
                  h_.samples, h_.bits_allocated);
  h_.pixel_element_offset = from_.pixel_element_offset;
  if (!h_.syntax->encapsulated()) {
    if (from_.pixel_bytes_left < wanted)
      refuse(fmt::format("PixelData at offset {} holds {} bytes; wanted {} ({}); limits.max_decoded_bytes = {}; the file is cut "
                         "off or its header is wrong: copy or export it again",
                         h_.pixel_element_offset, from_.pixel_bytes_left, number(wanted), image, limits_.max_decoded_bytes));
    if (from_.pixel_bytes_left < from_.pixels.length)
      refuse(fmt::format("PixelData at offset {} states {} bytes, but {} are left in the file; copy the file again",
                         h_.pixel_element_offset, from_.pixels.length, from_.pixel_bytes_left));
  }
  if (h_.frames > limits_.max_frames)
    refuse(fmt::format("NumberOfFrames is {} (PixelData holds {} bytes); limits.max_frames = {}", h_.frames,
                       from_.pixels.length, limits_.max_frames));
  if (decoded > limits_.max_decoded_bytes)
    refuse(fmt::format("{} = {} bytes when decoded (PixelData holds {}); limits.max_decoded_bytes = {}; raise the limit if "
                       "the image is meant to be so large",
                       image, number(decoded), from_.pixels.length, limits_.max_decoded_bytes));
  h_.pixels = from_.pixels;
  h_.pixel_words = from_.pixel_words;
  if (!h_.syntax->encapsulated() && from_.pixels.length > wanted + 1)
    h_.notes.push_back(fmt::format("PixelData holds {} bytes, {} are needed; the rest is ignored", from_.pixels.length,
                                   number(wanted)));
}

std::vector<uint64_t> Checks::frame_offsets() const {
  std::vector<uint64_t> offsets;
  if (const std::string extended = text(0x7FE00001); !extended.empty()) {
    offsets.resize(extended.size() / 8);
    std::memcpy(offsets.data(), extended.data(), offsets.size() * 8);
  } else {
    for (size_t i = 0; i + 4 <= from_.offset_table.size(); i += 4)
      offsets.push_back(word(from_.offset_table, i / 2) | uint64_t{word(from_.offset_table, i / 2 + 1)} << 16);
  }
  return offsets;
}

void Checks::fragments() {
  if (!from_.encapsulated || (from_.fragments.empty() && from_.pixels.length > 0))
    refuse(fmt::format("PixelData at offset {} is one plain value, but transfer syntax {} wants fragments; the "
                       "TransferSyntaxUID of the file is wrong: export it again",
                       h_.pixel_element_offset, h_.syntax->name));
  h_.fragments = from_.fragments;
  const size_t count = h_.fragments.size();
  const auto frames = static_cast<size_t>(h_.frames);
  if (count == 0)
    refuse(fmt::format("PixelData at offset {} holds 0 fragments; wanted {} frames; export the file again",
                       h_.pixel_element_offset, frames));
  if (frames == 1) {
    h_.frame_starts = {0, count};
    return;
  }
  const std::vector<uint64_t> offsets = frame_offsets();
  if (offsets.empty()) {
    if (count != frames)
      refuse(fmt::format("NumberOfFrames is {}, but PixelData at offset {} holds {} fragments and no offset table; fovea does "
                         "not guess which belong together",
                         frames, h_.pixel_element_offset, count));
    for (size_t i = 0; i <= frames; ++i) h_.frame_starts.push_back(i);
    return;
  }
  if (offsets.size() != frames)
    refuse(fmt::format("NumberOfFrames is {}, but the offset table of PixelData at offset {} has {} entries", frames,
                       h_.pixel_element_offset, offsets.size()));
  // An offset counts from the item tag of the first fragment.
  const uint64_t base = h_.fragments.front().offset - 8;
  size_t fragment = 0;
  for (size_t i = 0; i < frames; ++i) {
    while (fragment < count && h_.fragments[fragment].offset - 8 - base < offsets[i]) ++fragment;
    if (fragment == count || h_.fragments[fragment].offset - 8 - base != offsets[i] ||
        (i > 0 && fragment == h_.frame_starts.back()))
      refuse(fmt::format("entry {} of the offset table of PixelData at offset {} is {}, where no fragment of its own starts",
                         i + 1, h_.pixel_element_offset, offsets[i]));
    h_.frame_starts.push_back(fragment);
  }
  h_.frame_starts.push_back(count);
}

std::optional<Rescale> Checks::rescale(std::initializer_list<const Values*> places, const std::string& where) const {
  const std::string* slope = find(places, 0x00281053);
  const std::string* intercept = find(places, 0x00281052);
  if (slope == nullptr && intercept == nullptr) return std::nullopt;
  const auto s = slope ? number(*slope) : std::nullopt;
  const auto i = intercept ? number(*intercept) : std::nullopt;
  if (!s || !i || *s == 0)
    refuse(fmt::format("{}RescaleSlope is {}, RescaleIntercept is {}; wanted a finite slope other than 0 and an intercept",
                       where, quoted(slope), quoted(intercept)));
  return Rescale{*s, *i};
}

std::vector<Window> Checks::windows(std::initializer_list<const Values*> places) {
  const std::string* centre = find(places, 0x00281050);
  const std::string* width = find(places, 0x00281051);
  if (centre == nullptr || width == nullptr || trimmed(*centre).empty() || trimmed(*width).empty()) return {};
  const std::string* function = find(places, 0x00281056);
  const std::string name = function ? trimmed(*function) : "";
  WindowFunction kind = WindowFunction::linear;
  if (name == "LINEAR_EXACT") kind = WindowFunction::linear_exact;
  else if (name == "SIGMOID") kind = WindowFunction::sigmoid;
  const auto centres = numbers(*centre), widths = numbers(*width);
  const bool known = name.empty() || name == "LINEAR" || kind != WindowFunction::linear;
  bool usable = known && centres && widths && centres->size() == widths->size();
  std::vector<Window> out;
  for (size_t i = 0; usable && i < centres->size(); ++i) {
    usable = kind == WindowFunction::linear ? (*widths)[i] >= 1 : (*widths)[i] > 0;
    out.push_back({(*centres)[i], (*widths)[i], kind});
  }
  if (usable) return out;
  h_.notes.push_back(fmt::format("the window of the file cannot be used: WindowCenter '{}', WindowWidth '{}', VOILUTFunction '{}'",
                                 shown(*centre), shown(*width), shown(name)));
  return {};
}

void Checks::grey() {
  const bool groups = !from_.frames.empty();
  if (groups && from_.frames.size() != static_cast<size_t>(h_.frames))
    refuse(fmt::format("NumberOfFrames is {}, but the per-frame functional groups have {} items", h_.frames,
                       from_.frames.size()));
  if (h_.samples == 1 && h_.photometric != Photometric::palette) {
    if (!from_.modality_lut.empty()) {
      h_.modality_lut = lut(from_.modality_lut, 0x00283002, 0x00283006, "the modality LUT");
    } else if (const std::string* scaling = find(from_.top, 0x3004000E)) {
      const auto value = number(*scaling);
      if (!value || *value <= 0)
        refuse(fmt::format("DoseGridScaling is '{}'; wanted a number above 0", shown(*scaling)));
      h_.rescale = Rescale{*value, 0};
      h_.notes.push_back("values are dose: DoseGridScaling applied");
    } else if (groups) {
      for (int64_t f = 0; f < h_.frames; ++f) {
        const auto own = rescale({&from_.frames[static_cast<size_t>(f)], &from_.shared, &from_.top},
                                 fmt::format("frame {}: ", f + 1));
        if (own) h_.frame_rescale.push_back(*own);
      }
      if (!h_.frame_rescale.empty() && h_.frame_rescale.size() != static_cast<size_t>(h_.frames))
        refuse(fmt::format("RescaleSlope is given for {} of {} frames; wanted all or none", h_.frame_rescale.size(), h_.frames));
      const auto differs = [&](const Rescale& r) { return !(r == h_.frame_rescale.front()); };
      if (!h_.frame_rescale.empty() && std::none_of(h_.frame_rescale.begin(), h_.frame_rescale.end(), differs)) {
        h_.rescale = h_.frame_rescale.front();
        h_.frame_rescale.clear();
      }
    } else {
      h_.rescale = rescale({&from_.shared, &from_.top}, "");
    }
  }
  if (groups) {
    for (const Values& frame : from_.frames) h_.frame_windows.push_back(windows({&frame, &from_.shared, &from_.top}));
    const auto differs = [&](const auto& w) { return w != h_.frame_windows.front(); };
    if (std::none_of(h_.frame_windows.begin(), h_.frame_windows.end(), differs)) {
      h_.windows = h_.frame_windows.front();
      h_.frame_windows.clear();
    }
  } else {
    h_.windows = windows({&from_.shared, &from_.top});
  }
  if (!from_.voi_lut.empty()) h_.voi_lut = lut(from_.voi_lut, 0x00283002, 0x00283006, "the VOI LUT");
}

Lut Checks::lut(const Values& values, uint32_t descriptor, uint32_t data, const char* what) const {
  const std::string* d = find(values, descriptor);
  const std::string* table = find(values, data);
  if (d == nullptr || d->size() < 6 || table == nullptr)
    refuse(fmt::format("{} is incomplete: {} of three numbers and {} are wanted; export the file again", what,
                       tag_text(descriptor), tag_text(data)));
  const size_t n = word(*d, 0) == 0 ? 65536 : word(*d, 0);
  Lut lut;
  lut.first = h_.is_signed ? static_cast<int16_t>(word(*d, 1)) : static_cast<int64_t>(word(*d, 1));
  lut.bits = word(*d, 2);
  if (lut.bits < 1 || lut.bits > 16) refuse(fmt::format("{} has entries of {} bits; wanted 1..16", what, lut.bits));
  // Entries of 8 bits come packed or one per word; both are met.
  const bool packed = lut.bits <= 8 && table->size() < 2 * n && table->size() >= n;
  if (!packed && table->size() < 2 * n)
    refuse(fmt::format("{} has {} bytes for {} entries of {} bits", what, table->size(), n, lut.bits));
  lut.values.resize(n);
  for (size_t i = 0; i < n; ++i) lut.values[i] = packed ? static_cast<uint8_t>((*table)[i]) : word(*table, i);
  return lut;
}

void Checks::palette() {
  if (h_.photometric != Photometric::palette) return;
  h_.segmented_palette = find(from_.top, 0x00281221) != nullptr;
  for (uint32_t c = 0; c < 3 && !h_.segmented_palette; ++c)
    h_.palette[c] = lut(from_.top, 0x00281101 + c, 0x00281201 + c, "the palette");
}

void Checks::spacing() {
  static constexpr std::pair<uint32_t, const char*> kSources[] = {
      {0x00280030, "PixelSpacing"}, {0x00181164, "ImagerPixelSpacing"}, {0x00182010, "NominalScannedPixelSpacing"}};
  const Values* frame = from_.frames.empty() ? nullptr : &from_.frames.front();
  for (const auto& [tag, name] : kSources) {
    const std::string* value = find({frame, &from_.shared, &from_.top}, tag);
    if (value == nullptr || trimmed(*value).empty()) continue;
    const auto mm = numbers(*value);
    if (mm && mm->size() == 2 && (*mm)[0] > 0 && (*mm)[1] > 0) {
      h_.spacing_mm = {0, (*mm)[0], (*mm)[1]};
      h_.spacing_from = name;
    } else {
      h_.notes.push_back(fmt::format("{} is '{}', not two numbers above 0: the spacing is unknown", name, shown(*value)));
    }
    break;
  }
  if (h_.frames > 1)
    if (const std::string* value = find({frame, &from_.shared, &from_.top}, 0x00180088))
      if (const auto mm = number(*value); mm && *mm > 0) h_.spacing_mm[0] = *mm;
}

void Checks::oddities() {
  const auto stored = [&](uint32_t tag) -> std::optional<int64_t> {
    const auto value = us(tag);
    return value && h_.is_signed ? static_cast<int16_t>(*value) : value;
  };
  h_.padding_value = stored(0x00280120);
  h_.padding_limit = stored(0x00280121);
  h_.burned_in_annotation = trimmed(text(0x00280301)) == "YES";
  if (h_.burned_in_annotation)
    h_.notes.push_back("BurnedInAnnotation is YES: the pixels may hold text that identifies the patient");
}

}  // namespace

std::string tag_text(uint32_t tag) { return fmt::format("({:04x},{:04x})", tag >> 16, tag & 0xFFFF); }

void understand(const Collected& from, const Limits& limits, Header& header) { Checks(from, limits, header).all(); }

}  // namespace fovea::dicom
