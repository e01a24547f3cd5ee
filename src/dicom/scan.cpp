#include "fovea/dicom/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "dicom/collected.h"
#include "dicom/source.h"

namespace fovea::dicom {
namespace {

constexpr uint32_t kUndefined = 0xFFFFFFFF;
constexpr uint32_t kItem = 0xFFFEE000;
constexpr uint32_t kItemEnd = 0xFFFEE00D;
constexpr uint32_t kSequenceEnd = 0xFFFEE0DD;
constexpr uint32_t kPixelData = 0x7FE00010;
constexpr uint32_t kFloatPixels = 0x7FE00008;
constexpr uint32_t kDoublePixels = 0x7FE00009;

/// Only the data set itself and a few sequences describe the image: an icon in a sequence has Rows of its own.
enum class Place { top, modality_lut, voi_lut, shared, frames, transformation, frame_voi, measures, other };

enum class Keep { no, text, words };

/// The sequences worth entering, and where they lead.
Place place_of_sequence(Place parent, uint32_t tag) {
  if (parent == Place::top) switch (tag) {
      case 0x00283000: return Place::modality_lut;
      case 0x00283010: return Place::voi_lut;
      case 0x52009229: return Place::shared;
      case 0x52009230: return Place::frames;
    }
  if (parent == Place::shared || parent == Place::frames) switch (tag) {
      case 0x00289145: return Place::transformation;
      case 0x00289132: return Place::frame_voi;
      case 0x00289110: return Place::measures;
    }
  return Place::other;
}

Keep keep(Place place, uint32_t tag) {
  switch (place) {
    case Place::top:
      switch (tag) {
        case 0x00080016: case 0x00080060: case 0x00180088: case 0x00181164: case 0x00182010:
        case 0x00280004: case 0x00280008: case 0x00280030: case 0x00280301: case 0x00281050:
        case 0x00281051: case 0x00281052: case 0x00281053: case 0x00281056: case 0x3004000E:
        case 0x7FE00001: case 0x7FE00002:
          return Keep::text;
        case 0x00280002: case 0x00280006: case 0x00280010: case 0x00280011: case 0x00280100:
        case 0x00280101: case 0x00280102: case 0x00280103: case 0x00280120: case 0x00280121:
        case 0x00281101: case 0x00281102: case 0x00281103: case 0x00281201: case 0x00281202:
        case 0x00281203: case 0x00281221: case 0x00281222: case 0x00281223:
          return Keep::words;
      }
      return Keep::no;
    case Place::modality_lut:
    case Place::voi_lut: return tag == 0x00283002 || tag == 0x00283006 ? Keep::words : Keep::no;
    case Place::transformation:
      return tag == 0x00281052 || tag == 0x00281053 ? Keep::text : Keep::no;
    case Place::frame_voi:
      return tag == 0x00281050 || tag == 0x00281051 || tag == 0x00281056 ? Keep::text : Keep::no;
    case Place::measures:
      return tag == 0x00280030 || tag == 0x00180088 ? Keep::text : Keep::no;
    default: return Keep::no;
  }
}

bool is_vr(const uint8_t* vr) {
  static constexpr std::string_view kAll =
      "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV";
  const char text[2] = {static_cast<char>(vr[0]), static_cast<char>(vr[1])};
  for (size_t i = 0; i + 1 < kAll.size(); i += 3)
    if (kAll[i] == text[0] && kAll[i + 1] == text[1]) return true;
  return false;
}

constexpr uint16_t vr_code(char a, char b) {
  return static_cast<uint16_t>(static_cast<uint8_t>(a) << 8 | static_cast<uint8_t>(b));
}

/// Value representations whose length takes four bytes after two reserved ones (PS3.5 7.1.2).
bool has_long_length(uint16_t vr) {
  switch (vr) {
    case vr_code('O', 'B'): case vr_code('O', 'D'): case vr_code('O', 'F'): case vr_code('O', 'L'):
    case vr_code('O', 'V'): case vr_code('O', 'W'): case vr_code('S', 'Q'): case vr_code('S', 'V'):
    case vr_code('U', 'C'): case vr_code('U', 'N'): case vr_code('U', 'R'): case vr_code('U', 'T'):
    case vr_code('U', 'V'):
      return true;
    default: return false;
  }
}

uint16_t u16(const uint8_t* p, bool big) {
  return static_cast<uint16_t>(big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

uint32_t u32(const uint8_t* p, bool big) {
  return big ? uint32_t{u16(p, true)} << 16 | u16(p + 2, true)
             : uint32_t{u16(p + 2, false)} << 16 | u16(p, false);
}

uint32_t tag_at(const uint8_t* p, bool big) { return uint32_t{u16(p, big)} << 16 | u16(p + 2, big); }

/// After a meta header without TransferSyntaxUID a data set must follow: only its way of writing is open.
const TransferSyntax& guess_after_meta(const uint8_t* p) {
  if (!is_vr(p + 4)) return kImplicitLittle;
  return u16(p, true) < u16(p, false) ? kExplicitBig : kExplicitLittle;
}

/// A data set without preamble begins with an element of a low group; which way of writing makes it plausible?
const TransferSyntax* plausible_start(const uint8_t* p, uint64_t left) {
  if (left < 8) return nullptr;
  const auto group_fits = [](uint32_t tag) {
    const uint32_t group = tag >> 16;
    return group == 0x0008 || group == 0x0004 || group == 0x0010 || group == 0x0018 || group == 0x0020 ||
           group == 0x0028;
  };
  for (const bool big : {false, true})
    if (group_fits(tag_at(p, big)) && is_vr(p + 4)) return big ? &kExplicitBig : &kExplicitLittle;
  const uint32_t length = u32(p + 4, false);
  if (group_fits(tag_at(p, false)) && (length == kUndefined || length <= left - 8)) return &kImplicitLittle;
  return nullptr;
}

struct Element {
  uint32_t tag = 0;
  uint16_t vr = 0;      ///< 0 where the syntax has none
  uint32_t length = 0;  ///< or kUndefined
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
  uint32_t cut = 0;     ///< stated length where fewer bytes are left: the innermost element that is cut off is named
  Values* kept = nullptr;
};

/// One pass over the data set with an explicit stack.
class Walk {
 public:
  Walk(Source& source, const std::string& name, const Limits& limits) : source_(source), name_(name), limits_(limits) {}

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

void Walk::count() {
  if (++elements_ > limits_.max_elements)
    refuse(fmt::format("more than limits.max_elements = {} elements and items by offset {}; raise the limit if the "
                       "object is meant to be so large",
                       limits_.max_elements, at_));
}

void Walk::too_long(const Element& element, uint64_t left) const {
  const bool in_file = element.value + left == source_.size();
  refuse(fmt::format("element {} at offset {} states a length of {} bytes, but {} are left in {}; {}",
                     tag_text(element.tag), element.offset, element.length, left, in_file ? "the file" : "what encloses it",
                     "the file is cut off or damaged: copy or export it again"));
}

Element Walk::element_at(uint64_t offset, const Level& level) {
  const uint64_t left = level.end - offset;
  if (left < 8)
    refuse(fmt::format("{} bytes are left at offset {}, too few for an element; the file is cut off or damaged: copy it "
                       "again",
                       left, offset));
  const uint8_t* p = source_.at(offset, std::min<uint64_t>(left, 12));
  Element element{.tag = tag_at(p, level.big_endian), .offset = offset};
  if (level.implicit_vr || element.tag >> 16 == 0xFFFE) {
    element.length = u32(p + 4, level.big_endian);
    element.value = offset + 8;
    return element;
  }
  if (!is_vr(p + 4))
    refuse(fmt::format("element {} at offset {} has the value representation {:02x} {:02x}, which does not exist; the file "
                       "is damaged or not written in its stated transfer syntax: export it again",
                       tag_text(element.tag), offset, p[4], p[5]));
  element.vr = vr_code(static_cast<char>(p[4]), static_cast<char>(p[5]));
  if (!has_long_length(element.vr)) {
    element.length = u16(p + 6, level.big_endian);
    element.value = offset + 8;
    return element;
  }
  if (left < 12)
    refuse(fmt::format("element {} at offset {} is cut off inside its header; copy the file again",
                       tag_text(element.tag), offset));
  element.length = u32(p + 8, level.big_endian);
  element.value = offset + 12;
  return element;
}

uint64_t Walk::meta(uint64_t start, std::string& transfer_syntax) {
  const Level level{.end = source_.size()};
  at_ = start;
  while (source_.size() - at_ >= 8 && u16(source_.at(at_, 2), false) == 0x0002) {
    count();
    const Element element = element_at(at_, level);
    const uint64_t left = source_.size() - element.value;
    if (element.length > left) too_long(element, left);
    if (element.tag == 0x00020010) {
      if (element.length > 64) refuse("TransferSyntaxUID is longer than the 64 characters of a UID");
      transfer_syntax.resize(element.length);
      source_.copy(element.value, transfer_syntax.data(), element.length);
      while (!transfer_syntax.empty() && (transfer_syntax.back() == '\0' || transfer_syntax.back() == ' '))
        transfer_syntax.pop_back();
    }
    at_ = element.value + element.length;
  }
  return at_;
}

void Walk::data_set(uint64_t start, const TransferSyntax& syntax) {
  at_ = start;
  found.encapsulated = syntax.encapsulated();
  stack_.push_back({.place = Place::top,
                    .implicit_vr = syntax.implicit_vr,
                    .big_endian = syntax.big_endian,
                    .end = source_.size(),
                    .kept = &found.top});
  while (!stack_.empty()) {
    const Level& level = stack_.back();
    if (at_ == level.end) {
      if (level.undefined)
        refuse(fmt::format("the {} {} at offset {} has no end: the end of {} was reached at offset {}; wanted {}; the file "
                           "is cut off or damaged: copy it again",
                           level.sequence ? "sequence" : "item of sequence", tag_text(level.tag), level.offset,
                           at_ == source_.size() ? "the file" : "what encloses it", at_,
                           tag_text(level.sequence ? kSequenceEnd : kItemEnd)));
      if (level.cut != 0)
        too_long({.tag = level.tag, .length = level.cut, .offset = level.offset, .value = at_}, 0);
      if (level.sequence) --nesting_;
      stack_.pop_back();
    } else if (level.sequence) {
      item();
    } else {
      element();
    }
  }
}

void Walk::item() {
  count();
  Level& level = stack_.back();
  const uint64_t left = level.end - at_;
  if (left < 8)
    refuse(fmt::format("sequence {} at offset {}: {} bytes are left, too few for an item; copy the file again",
                       tag_text(level.tag), level.offset, left));
  const uint8_t* p = source_.at(at_, 8);
  const uint32_t tag = tag_at(p, level.big_endian);
  const uint32_t length = u32(p + 4, level.big_endian);
  if (tag == kSequenceEnd && level.undefined) {
    at_ += 8;
    --nesting_;
    stack_.pop_back();
    return;
  }
  if (tag != kItem)
    refuse(fmt::format("sequence {} at offset {}: found {} at offset {}, wanted an item (fffe,e000){}", tag_text(level.tag),
                       level.offset, tag_text(tag), at_, level.undefined ? " or the end (fffe,e0dd)" : ""));
  Level inner = level;
  inner.sequence = false;
  inner.offset = at_;
  inner.undefined = length == kUndefined;
  inner.cut = !inner.undefined && length > left - 8 ? length : 0;
  if (!inner.undefined && inner.cut == 0) inner.end = at_ + 8 + length;
  if (level.place == Place::frames) {
    if (static_cast<int64_t>(found.frames.size()) >= limits_.max_frames)
      refuse(fmt::format("more than limits.max_frames = {} items in the per-frame functional groups", limits_.max_frames));
    found.frames.emplace_back();
    inner.kept = &found.frames.back();
  } else if (level.items > 0 && level.place != Place::other) {
    inner.place = Place::other;  // of LUTs and group macros the first item counts
  }
  ++level.items;
  at_ += 8;
  stack_.push_back(inner);
}

void Walk::enter(const Element& element, bool implicit_vr) {
  const Level& parent = stack_.back();
  Level level{.place = place_of_sequence(parent.place, element.tag),
              .sequence = true,
              .undefined = element.length == kUndefined,
              .implicit_vr = implicit_vr,
              .big_endian = parent.big_endian,
              .tag = element.tag,
              .offset = element.offset,
              .end = parent.end,
              .kept = parent.kept};
  if (!level.undefined && element.length > parent.end - element.value)
    level.cut = element.length;
  else if (!level.undefined)
    level.end = element.value + element.length;
  switch (level.place) {
    case Place::modality_lut: level.kept = &found.modality_lut; break;
    case Place::voi_lut: level.kept = &found.voi_lut; break;
    case Place::shared: level.kept = &found.shared; break;
    default: break;
  }
  if (++nesting_ > limits_.max_nesting)
    refuse(fmt::format("sequence {} at offset {} lies at depth {}; limits.max_nesting = {}", tag_text(element.tag),
                       element.offset, nesting_, limits_.max_nesting));
  stack_.push_back(level);
}

void Walk::element() {
  count();
  const Level level = stack_.back();
  const Element element = element_at(at_, level);
  if (element.tag == kItemEnd && level.undefined) {
    at_ = element.value;
    stack_.pop_back();
    return;
  }
  if (element.tag >> 16 == 0xFFFE)
    refuse(fmt::format("found {} at offset {}, where an element was wanted; the file is damaged: export it again",
                       tag_text(element.tag), at_));

  const bool top = level.place == Place::top;
  const bool undefined = element.length == kUndefined;
  const uint64_t left = level.end - element.value;
  const bool no_vr = element.vr == 0 || element.vr == vr_code('U', 'N');
  if (undefined && element.tag == kPixelData && element.vr != vr_code('S', 'Q')) return fragments(element, top);
  // A sequence that is cut off is entered: the innermost element that is cut off is the one to name.
  const bool cut = !undefined && element.length > left;
  const bool cut_sequence =
      cut && (element.vr == vr_code('S', 'Q') ||
              (no_vr && left >= 8 && tag_at(source_.at(element.value, 8), level.big_endian) == kItem));
  if (cut && !cut_sequence) {
    if (top && element.tag == kPixelData && left == source_.size() - element.value) {
      found.pixel_bytes_left = left;  // the checks know how many were wanted
    } else {
      too_long(element, left);
    }
  }
  at_ = undefined ? element.value : element.value + std::min<uint64_t>(element.length, left);

  const Place inner = place_of_sequence(level.place, element.tag);
  if (undefined || cut_sequence || element.vr == vr_code('S', 'Q') || (no_vr && inner != Place::other)) {
    if (undefined && !no_vr && element.vr != vr_code('S', 'Q'))
      refuse(fmt::format("element {} at offset {} has an undefined length, which only sequences and coded pixels may have",
                         tag_text(element.tag), element.offset));
    // Private and unneeded content is skipped by its length; without a length it must be walked.
    if (!undefined && inner == Place::other && !cut) return;
    at_ = element.value;
    return enter(element, level.implicit_vr || no_vr);
  }
  if (top && (element.tag == kPixelData || element.tag == kFloatPixels || element.tag == kDoublePixels)) {
    if (found.pixel_tag != 0)
      refuse(fmt::format("a second pixel data element {} at offset {}", tag_text(element.tag), element.offset));
    found.pixel_tag = element.tag;
    found.pixel_element_offset = element.offset;
    found.pixels = {element.value, element.length};
    found.pixel_bytes_left = std::min<uint64_t>(element.length, left);
    // Without a VR 8-bit pixels are OW (PS3.5 A.1), which matters in big endian only.
    found.pixel_words = element.vr == vr_code('O', 'W');
    return;
  }
  if (const Keep how = keep(level.place, element.tag); how != Keep::no) store(element, how, level);
}

void Walk::store(const Element& element, Keep how, const Level& level) {
  if (element.length > limits_.max_value_bytes)
    refuse(fmt::format("element {} at offset {} has {} bytes; limits.max_value_bytes = {}", tag_text(element.tag),
                       element.offset, element.length, limits_.max_value_bytes));
  if (element.length == 0) return;  // no value is the same as no element
  if (level.kept->contains(element.tag))
    refuse(fmt::format("element {} at offset {} appears a second time", tag_text(element.tag), element.offset));
  std::string& value = (*level.kept)[element.tag];
  value.resize(element.length);
  source_.copy(element.value, value.data(), element.length);
  if (how == Keep::words && level.big_endian && element.vr != vr_code('O', 'B'))
    for (size_t i = 0; i + 1 < value.size(); i += 2) std::swap(value[i], value[i + 1]);
}

void Walk::fragments(const Element& element, bool top) {
  const Level& level = stack_.back();
  if (top && found.pixel_tag != 0)
    refuse(fmt::format("a second pixel data element {} at offset {}", tag_text(element.tag), element.offset));
  if (top && !found.encapsulated)
    refuse(fmt::format("PixelData at offset {} has an undefined length, but the transfer syntax is uncompressed; the "
                       "TransferSyntaxUID of the file is wrong: export it again",
                       element.offset));
  at_ = element.value;
  bool table = true;
  while (true) {
    count();
    const uint64_t left = level.end - at_;
    if (left < 8)
      refuse(fmt::format("PixelData at offset {}: the end of the file was reached at offset {} before the end of the "
                         "fragments (fffe,e0dd); copy the file again",
                         element.offset, at_));
    const uint8_t* p = source_.at(at_, 8);
    const uint32_t tag = tag_at(p, level.big_endian);
    const uint32_t length = u32(p + 4, level.big_endian);
    at_ += 8;
    if (tag == kSequenceEnd) break;
    if (tag != kItem)
      refuse(fmt::format("PixelData at offset {}: found {} at offset {}, wanted a fragment (fffe,e000) or the end "
                         "(fffe,e0dd); the file is damaged: export it again",
                         element.offset, tag_text(tag), at_ - 8));
    if (length > left - 8) too_long({.tag = tag, .length = length, .offset = at_ - 8, .value = at_}, left - 8);
    if (top && table) {
      if (length > 8 * static_cast<uint64_t>(limits_.max_frames))
        refuse(fmt::format("PixelData at offset {}: an offset table of {} bytes, more than limits.max_frames = {} need",
                           element.offset, length, limits_.max_frames));
      found.offset_table.resize(length);
      source_.copy(at_, found.offset_table.data(), length);
    } else if (top) {
      found.fragments.push_back({at_, length});
    }
    table = false;
    at_ += length;
  }
  if (!top) return;
  found.pixel_tag = kPixelData;
  found.pixel_element_offset = element.offset;
}

std::string first_bytes(Source& source) {
  const size_t count = std::min<uint64_t>(8, source.size());
  std::string text;
  const uint8_t* p = source.at(0, count);
  for (size_t i = 0; i < count; ++i) text += fmt::format("{}{:02x}", i ? " " : "", p[i]);
  return text;
}

/// Where group 0002 starts, whether or not there is a preamble; or the start of a bare data set.
uint64_t find_start(Source& source, const std::string& name, Header& header) {
  if (source.size() == 0)
    throw data_error(name + ": the file has 0 bytes, wanted a DICOM file; export it again or remove it");
  if (source.size() >= 132 && std::memcmp(source.at(128, 4), "DICM", 4) == 0) return 132;
  const uint8_t* p = source.at(0, std::min<uint64_t>(source.size(), 12));
  if (source.size() >= 12 && tag_at(p, false) >> 16 == 0x0002 && is_vr(p + 4)) {
    header.notes.push_back("no preamble: the file starts with its meta header");
    return 0;
  }
  if (plausible_start(p, source.size()) == nullptr)
    throw data_error(fmt::format("{}: not a DICOM file: at offset 0 found {}; wanted DICM at offset 128 or a data set that "
                                 "starts with a known element; export it again or remove it",
                                 name, first_bytes(source)));
  header.notes.push_back("the meta header is missing");
  return 0;
}

const TransferSyntax& choose_syntax(Source& source, uint64_t start, const std::string& uid, Header& header) {
  if (!uid.empty()) {
    const TransferSyntax* syntax = find_syntax(uid);
    if (syntax == nullptr) {
      const bool sound = uid.find_first_not_of("0123456789.") == std::string::npos;
      throw data_error(fmt::format("{}: unknown transfer syntax {}; no decoder in this build; transcode the file, e.g. to "
                                   "1.2.840.10008.1.2.1",
                                   header.name, sound ? uid : "(not a UID)"));
    }
    if (!syntax->why_not.empty())
      throw data_error(fmt::format("{}: transfer syntax {} ({}): {}", header.name, uid, syntax->name, syntax->why_not));
    return *syntax;
  }
  const uint64_t left = source.size() - start;
  if (left < 8)
    throw data_error(fmt::format("{}: no TransferSyntaxUID, and {} bytes at offset {} where a data set was wanted; export the "
                                 "file again",
                                 header.name, left, start));
  const uint8_t* p = source.at(start, std::min<uint64_t>(left, 12));
  const TransferSyntax* guess = start > 0 ? &guess_after_meta(p) : plausible_start(p, left);
  header.notes.push_back(fmt::format("TransferSyntaxUID is missing: guessed {}", guess->name));
  return *guess;
}

Header scan(Source& source, const std::string& name, const Limits& limits) {
  Header header;
  header.name = name;
  std::string uid;
  uint64_t start = find_start(source, name, header);
  start = Walk(source, name, limits).meta(start, uid);
  header.syntax = &choose_syntax(source, start, uid, header);
  Collected found;
  if (header.syntax->deflated) {
    header.inflated = std::make_shared<const std::vector<std::byte>>(
        within(name, [&] { return inflate_raw(source, start, limits.max_inflated_bytes); }));
    Source inflated{std::span<const std::byte>(*header.inflated)};
    Walk walk(inflated, name, limits);
    walk.data_set(0, *header.syntax);
    found = std::move(walk.found);
  } else {
    Walk walk(source, name, limits);
    walk.data_set(start, *header.syntax);
    found = std::move(walk.found);
  }
  understand(found, limits, header);
  return header;
}

}  // namespace

bool looks_like_dicom(std::span<const std::byte> beginning) {
  if (beginning.size() >= 132 && std::memcmp(beginning.data() + 128, "DICM", 4) == 0) return true;
  if (beginning.size() < 12) return false;
  const auto* p = reinterpret_cast<const uint8_t*>(beginning.data());
  if (tag_at(p, false) >> 16 == 0x0002 && is_vr(p + 4)) return true;
  // The rest of the file is not at hand: any length up to a megabyte may be true.
  return plausible_start(p, 1 << 20) != nullptr;
}

Header scan(const std::filesystem::path& path, const Limits& limits) {
  Source source(path);
  return scan(source, path.string(), limits);
}

Header scan(std::span<const std::byte> file, const std::string& name, const Limits& limits) {
  Source source(file);
  return scan(source, name, limits);
}

}  // namespace fovea::dicom
