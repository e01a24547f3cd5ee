#include "dicom/walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "dicom/elements.h"

namespace fovea::dicom {
namespace {

constexpr uint32_t kUndefined = 0xFFFFFFFF;
constexpr uint32_t kItem = 0xFFFEE000;
constexpr uint32_t kItemEnd = 0xFFFEE00D;
constexpr uint32_t kSequenceEnd = 0xFFFEE0DD;
constexpr uint32_t kPixelData = 0x7FE00010;
constexpr uint32_t kFloatPixels = 0x7FE00008;
constexpr uint32_t kDoublePixels = 0x7FE00009;

}  // namespace

void Walk::count() {
  if (++elements_ > limits_.max_elements)
    refuse(fmt::format(
        "more than the {} elements and items that are accepted, by offset {}; split the "
        "object, if it is meant to be so large",
        limits_.max_elements, at_));
}

void Walk::too_long(const Element& element, uint64_t left) const {
  const bool in_file = element.value + left == source_.size();
  refuse(
      fmt::format("element {} at offset {} states a length of {} bytes, but {} are left in {}; {}",
                  tag_text(element.tag), element.offset, element.length, left,
                  in_file ? "the file" : "what encloses it",
                  "the file is cut off or damaged: copy or export it again"));
}

Element Walk::element_at(uint64_t offset, const Level& level) {
  const uint64_t left = level.end - offset;
  if (left < 8)
    refuse(
        fmt::format("{} bytes are left at offset {}, too few for an element; the file is cut off "
                    "or damaged: copy it again",
                    left, offset));
  const uint8_t* p = source_.at(offset, std::min<uint64_t>(left, 12));
  Element element{.tag = tag_at(p, level.big_endian), .offset = offset};
  if (level.implicit_vr || element.tag >> 16 == 0xFFFE) {
    element.length = u32_at(p + 4, level.big_endian);
    element.value = offset + 8;
    return element;
  }
  if (!is_vr(p + 4))
    refuse(fmt::format(
        "element {} at offset {} has the value representation {:02x} {:02x}, which does not exist; "
        "the file is damaged or not written in its stated transfer syntax: export it again",
        tag_text(element.tag), offset, p[4], p[5]));
  element.vr = u16_at(p + 4, true);
  if (!has_long_length(element.vr)) {
    element.length = u16_at(p + 6, level.big_endian);
    element.value = offset + 8;
    return element;
  }
  if (left < 12)
    refuse(fmt::format("element {} at offset {} is cut off inside its header; copy the file again",
                       tag_text(element.tag), offset));
  element.length = u32_at(p + 8, level.big_endian);
  element.value = offset + 12;
  return element;
}

uint64_t Walk::meta(uint64_t start, std::string& transfer_syntax) {
  const Level level{.end = source_.size()};
  at_ = start;
  while (source_.size() - at_ >= 8 && u16_at(source_.at(at_, 2), false) == 0x0002) {
    count();
    const Element element = element_at(at_, level);
    const uint64_t left = source_.size() - element.value;
    if (element.length > left) too_long(element, left);
    if (element.tag == 0x00020010) {
      if (element.length > 64)
        refuse("TransferSyntaxUID is longer than the 64 characters of a UID");
      transfer_syntax.resize(element.length);
      source_.copy(element.value, transfer_syntax.data(), element.length);
      while (!transfer_syntax.empty() &&
             (transfer_syntax.back() == '\0' || transfer_syntax.back() == ' '))
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
        refuse(
            fmt::format("the {} {} at offset {} has no end: the end of {} was reached at offset "
                        "{}; wanted {}; the file is cut off or damaged: copy it again",
                        level.sequence ? "sequence" : "item of sequence", tag_text(level.tag),
                        level.offset, at_ == source_.size() ? "the file" : "what encloses it", at_,
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
    refuse(fmt::format(
        "sequence {} at offset {}: {} bytes are left, too few for an item; copy the file again",
        tag_text(level.tag), level.offset, left));
  const uint8_t* p = source_.at(at_, 8);
  const uint32_t tag = tag_at(p, level.big_endian);
  const uint32_t length = u32_at(p + 4, level.big_endian);
  if (tag == kSequenceEnd && level.undefined) {
    at_ += 8;
    --nesting_;
    stack_.pop_back();
    return;
  }
  if (tag != kItem)
    refuse(
        fmt::format("sequence {} at offset {}: found {} at offset {}, wanted an item (fffe,e000){}",
                    tag_text(level.tag), level.offset, tag_text(tag), at_,
                    level.undefined ? " or the end (fffe,e0dd)" : ""));
  Level inner = level;
  inner.sequence = false;
  inner.offset = at_;
  inner.undefined = length == kUndefined;
  inner.cut = !inner.undefined && length > left - 8 ? length : 0;
  if (!inner.undefined && inner.cut == 0) inner.end = at_ + 8 + length;
  if (level.place == Place::frames) {
    if (static_cast<int64_t>(found.frames.size()) >= limits_.max_frames)
      refuse(fmt::format(
          "more than {} items in the per-frame functional groups, wanted at most so many",
          limits_.max_frames));
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
    case Place::modality_lut:
      level.kept = &found.modality_lut;
      break;
    case Place::voi_lut:
      level.kept = &found.voi_lut;
      break;
    case Place::shared:
      level.kept = &found.shared;
      break;
    default:
      break;
  }
  if (++nesting_ > limits_.max_nesting)
    refuse(fmt::format("sequence {} at offset {} lies at depth {}, wanted at most {}",
                       tag_text(element.tag), element.offset, nesting_, limits_.max_nesting));
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
    refuse(fmt::format(
        "found {} at offset {}, where an element was wanted; the file is damaged: export it again",
        tag_text(element.tag), at_));

  const bool top = level.place == Place::top;
  const bool undefined = element.length == kUndefined;
  const uint64_t left = level.end - element.value;
  const bool no_vr = element.vr == 0 || element.vr == kUN;
  if (undefined && element.tag == kPixelData && element.vr != kSQ) return fragments(element, top);
  // A sequence that is cut off is entered: the innermost element that is cut off is the one to
  // name.
  const bool cut = !undefined && element.length > left;
  const bool cut_sequence =
      cut &&
      (element.vr == kSQ ||
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
  if (undefined || cut_sequence || element.vr == kSQ || (no_vr && inner != Place::other)) {
    if (undefined && !no_vr && element.vr != kSQ)
      refuse(
          fmt::format("element {} at offset {} has an undefined length, which only sequences and "
                      "coded pixels may have",
                      tag_text(element.tag), element.offset));
    // Private and unneeded content is skipped by its length; without a length it must be walked.
    if (!undefined && inner == Place::other && !cut) return;
    at_ = element.value;
    return enter(element, level.implicit_vr || no_vr);
  }
  if (top &&
      (element.tag == kPixelData || element.tag == kFloatPixels || element.tag == kDoublePixels)) {
    if (found.pixel_tag != 0)
      refuse(fmt::format("a second pixel data element {} at offset {}", tag_text(element.tag),
                         element.offset));
    found.pixel_tag = element.tag;
    found.pixel_element_offset = element.offset;
    found.pixels = {element.value, element.length};
    found.pixel_bytes_left = std::min<uint64_t>(element.length, left);
    // Without a VR 8-bit pixels are OW (PS3.5 A.1), which matters in big endian only.
    found.pixel_words = element.vr == kOW;
    return;
  }
  if (const Keep how = keep(level.place, element.tag); how != Keep::no) store(element, how, level);
}

void Walk::store(const Element& element, Keep how, const Level& level) {
  if (element.length > limits_.max_value_bytes)
    refuse(fmt::format("element {} at offset {} has {} bytes, wanted at most {}",
                       tag_text(element.tag), element.offset, element.length,
                       limits_.max_value_bytes));
  if (element.length == 0) return;  // no value is the same as no element
  if (level.kept->contains(element.tag))
    refuse(fmt::format("element {} at offset {} appears a second time", tag_text(element.tag),
                       element.offset));
  std::string& value = (*level.kept)[element.tag];
  value.resize(element.length);
  source_.copy(element.value, value.data(), element.length);
  if (how == Keep::words && level.big_endian && element.vr != kOB)
    for (size_t i = 0; i + 1 < value.size(); i += 2) std::swap(value[i], value[i + 1]);
}

void Walk::fragments(const Element& element, bool top) {
  const Level& level = stack_.back();
  if (top && found.pixel_tag != 0)
    refuse(fmt::format("a second pixel data element {} at offset {}", tag_text(element.tag),
                       element.offset));
  if (top && !found.encapsulated)
    refuse(
        fmt::format("PixelData at offset {} has an undefined length, but the transfer syntax is "
                    "uncompressed; the TransferSyntaxUID of the file is wrong: export it again",
                    element.offset));
  at_ = element.value;
  bool table = true;
  while (true) {
    count();
    const uint64_t left = level.end - at_;
    if (left < 8)
      refuse(
          fmt::format("PixelData at offset {}: the end of the file was reached at offset {} before "
                      "the end of the fragments (fffe,e0dd); copy the file again",
                      element.offset, at_));
    const uint8_t* p = source_.at(at_, 8);
    const uint32_t tag = tag_at(p, level.big_endian);
    const uint32_t length = u32_at(p + 4, level.big_endian);
    at_ += 8;
    if (tag == kSequenceEnd) break;
    if (tag != kItem)
      refuse(
          fmt::format("PixelData at offset {}: found {} at offset {}, wanted a fragment "
                      "(fffe,e000) or the end (fffe,e0dd); the file is damaged: export it again",
                      element.offset, tag_text(tag), at_ - 8));
    if (length > left - 8)
      too_long({.tag = tag, .length = length, .offset = at_ - 8, .value = at_}, left - 8);
    if (top && table) {
      if (length > 8 * static_cast<uint64_t>(limits_.max_frames))
        refuse(
            fmt::format("PixelData at offset {}: an offset table of {} bytes, more than "
                        "the {} frames need that are accepted",
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

}  // namespace fovea::dicom
