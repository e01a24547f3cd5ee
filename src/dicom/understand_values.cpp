// What turns stored values into physical ones and grey levels, and pixels into places: rescale, tables,
// windows, palettes, spacing, grid.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dicom/checks.h"

namespace fovea::dicom {
namespace {

std::string quoted(const std::string* value) {
  return value ? fmt::format("'{}'", shown(*value)) : "absent";
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

/// The element with the given tag of the frame's groups, the shared groups or the data set, in this
/// order.
const std::string* find_in(std::initializer_list<const Values*> places, uint32_t tag) {
  for (const Values* values : places)
    if (values != nullptr)
      if (const std::string* value = find(*values, tag)) return value;
  return nullptr;
}

}  // namespace

std::optional<Rescale> Checks::rescale(std::initializer_list<const Values*> places,
                                       const std::string& where) const {
  const std::string* slope = find_in(places, 0x00281053);
  const std::string* intercept = find_in(places, 0x00281052);
  if (slope == nullptr && intercept == nullptr) return std::nullopt;
  const auto s = slope ? number(*slope) : std::nullopt;
  const auto i = intercept ? number(*intercept) : std::nullopt;
  if (!s || !i || *s == 0)
    refuse(
        fmt::format("{}RescaleSlope is {}, RescaleIntercept is {}; wanted a finite slope other "
                    "than 0 and an intercept",
                    where, quoted(slope), quoted(intercept)));
  return Rescale{*s, *i};
}

std::vector<Window> Checks::windows(std::initializer_list<const Values*> places) {
  const std::string* centre = find_in(places, 0x00281050);
  const std::string* width = find_in(places, 0x00281051);
  if (centre == nullptr || width == nullptr || trimmed(*centre).empty() || trimmed(*width).empty())
    return {};
  const std::string* named = find_in(places, 0x00281056);
  const std::string name = named ? trimmed(*named) : "";
  WindowFunction function = WindowFunction::linear;
  if (name == "LINEAR_EXACT")
    function = WindowFunction::linear_exact;
  else if (name == "SIGMOID")
    function = WindowFunction::sigmoid;
  const auto centres = numbers(*centre), widths = numbers(*width);
  const bool known = name.empty() || name == "LINEAR" || function != WindowFunction::linear;
  bool usable = known && centres && widths && centres->size() == widths->size();
  std::vector<Window> out;
  for (size_t i = 0; usable && i < centres->size(); ++i) {
    usable = function == WindowFunction::linear ? (*widths)[i] >= 1 : (*widths)[i] > 0;
    out.push_back({(*centres)[i], (*widths)[i], function});
  }
  if (usable) return out;
  h_.notes.push_back(
      fmt::format("the window of the file cannot be used: WindowCenter '{}', WindowWidth '{}', "
                  "VOILUTFunction '{}'",
                  shown(*centre), shown(*width), shown(name)));
  return {};
}

void Checks::grey() {
  const bool groups = !from_.frames.empty();
  if (groups && from_.frames.size() != static_cast<size_t>(h_.frames))
    refuse(fmt::format("NumberOfFrames is {}, but the per-frame functional groups have {} items",
                       h_.frames, from_.frames.size()));
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
        refuse(fmt::format("RescaleSlope is given for {} of {} frames; wanted all or none",
                           h_.frame_rescale.size(), h_.frames));
      const auto differs = [&](const Rescale& r) { return !(r == h_.frame_rescale.front()); };
      if (!h_.frame_rescale.empty() &&
          std::none_of(h_.frame_rescale.begin(), h_.frame_rescale.end(), differs)) {
        h_.rescale = h_.frame_rescale.front();
        h_.frame_rescale.clear();
      }
    } else {
      h_.rescale = rescale({&from_.shared, &from_.top}, "");
    }
  }
  if (groups) {
    for (const Values& frame : from_.frames)
      h_.frame_windows.push_back(windows({&frame, &from_.shared, &from_.top}));
    const auto differs = [&](const auto& w) { return w != h_.frame_windows.front(); };
    if (std::none_of(h_.frame_windows.begin(), h_.frame_windows.end(), differs)) {
      h_.windows = h_.frame_windows.front();
      h_.frame_windows.clear();
    }
  } else {
    h_.windows = windows({&from_.shared, &from_.top});
  }
  if (!from_.voi_lut.empty())
    h_.voi_lut = lut(from_.voi_lut, 0x00283002, 0x00283006, "the VOI LUT");
}

Lut Checks::lut(const Values& values, uint32_t descriptor, uint32_t data, const char* what) const {
  const std::string* d = find(values, descriptor);
  const std::string* table = find(values, data);
  if (d == nullptr || d->size() < 6 || table == nullptr)
    refuse(fmt::format(
        "{} is incomplete: {} of three numbers and {} are wanted; export the file again", what,
        tag_text(descriptor), tag_text(data)));
  const size_t n = word(*d, 0) == 0 ? 65536 : word(*d, 0);
  Lut lut;
  lut.first = h_.is_signed ? static_cast<int16_t>(word(*d, 1)) : static_cast<int64_t>(word(*d, 1));
  lut.bits = word(*d, 2);
  if (lut.bits < 1 || lut.bits > 16)
    refuse(fmt::format("{} has entries of {} bits; wanted 1..16", what, lut.bits));
  // Entries of 8 bits come packed or one per word; both are met.
  const bool packed = lut.bits <= 8 && table->size() < 2 * n && table->size() >= n;
  if (!packed && table->size() < 2 * n)
    refuse(
        fmt::format("{} has {} bytes for {} entries of {} bits", what, table->size(), n, lut.bits));
  lut.values.resize(n);
  for (size_t i = 0; i < n; ++i)
    lut.values[i] = packed ? static_cast<uint8_t>((*table)[i]) : word(*table, i);
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
      {0x00280030, "PixelSpacing"},
      {0x00181164, "ImagerPixelSpacing"},
      {0x00182010, "NominalScannedPixelSpacing"}};
  const Values* frame = from_.frames.empty() ? nullptr : &from_.frames.front();
  for (const auto& [tag, name] : kSources) {
    const std::string* value = find_in({frame, &from_.shared, &from_.top}, tag);
    if (value == nullptr || trimmed(*value).empty()) continue;
    const auto mm = numbers(*value);
    if (mm && mm->size() == 2 && (*mm)[0] > 0 && (*mm)[1] > 0) {
      h_.spacing_mm = {0, (*mm)[0], (*mm)[1]};
      h_.spacing_from = name;
      break;
    }
    if (h_.frames > 1)
      refuse(fmt::format("{} is '{}', and the file has {} frames; wanted two numbers above 0", name,
                         shown(*value), h_.frames),
             "export the file again");
    h_.notes.push_back(fmt::format("{} is '{}', not two numbers above 0: the spacing is unknown",
                                   name, shown(*value)));
    break;
  }
  if (h_.frames > 1)
    if (const std::string* value = find_in({frame, &from_.shared, &from_.top}, 0x00180088))
      if (const auto mm = number(*value); mm && *mm > 0) h_.spacing_mm[0] = *mm;
}

/// One slice: its position; frames: all of them, in even steps along one line. Where the thickness of
/// a single slice stands in for the step, it does not matter: there is no second one.
void Checks::grid() {
  constexpr double kUnit = 1e-3;  // of direction cosines
  constexpr double kEven = 0.01;  // millimetres
  const auto frame = [&](int64_t k) {
    return static_cast<size_t>(k) < from_.frames.size() ? &from_.frames[static_cast<size_t>(k)]
                                                        : nullptr;
  };
  const auto three = [&](int64_t k, uint32_t tag, size_t count) -> std::vector<double> {
    const std::string* value = find_in({frame(k), &from_.shared, &from_.top}, tag);
    const auto read = value ? numbers(*value) : std::nullopt;
    return read && read->size() == count ? *read : std::vector<double>{};
  };
  const auto unknown = [&](const std::string& why) {
    h_.notes.push_back(why + ": the place in the patient is unknown");
  };
  if (h_.spacing_mm[1] <= 0) return;
  const std::vector<double> cosines = three(0, 0x00200037, 6), first = three(0, 0x00200032, 3);
  if (cosines.empty() || first.empty()) return;  // radiographs have none
  const Point row{cosines[0], cosines[1], cosines[2]}, column{cosines[3], cosines[4], cosines[5]};
  const double across = row[0] * column[0] + row[1] * column[1] + row[2] * column[2];
  const double wide = std::hypot(row[0], row[1], row[2]);
  const double tall = std::hypot(column[0], column[1], column[2]);
  if (std::abs(wide - 1) > kUnit || std::abs(tall - 1) > kUnit || std::abs(across) > kUnit)
    refuse(fmt::format("ImageOrientationPatient has vectors of the lengths {:.6g} and {:.6g} with "
                       "the dot product {:.6g}; wanted 1, 1 and 0, each within {}",
                       wide, tall, across, kUnit),
           "export the file again");
  Point step{row[1] * column[2] - row[2] * column[1], row[2] * column[0] - row[0] * column[2],
             row[0] * column[1] - row[1] * column[0]};
  const Point origin{first[0], first[1], first[2]};
  if (h_.frames > 1) {
    const std::vector<double> last = three(h_.frames - 1, 0x00200032, 3);
    if (last.empty()) return unknown("the last frame has no position");
    for (size_t axis = 0; axis < 3; ++axis)
      step[axis] = (last[axis] - origin[axis]) / static_cast<double>(h_.frames - 1);
    for (int64_t k = 0; k < h_.frames; ++k) {
      const std::vector<double> at = three(k, 0x00200032, 3);
      const bool turned = three(k, 0x00200037, 6) != cosines;
      for (size_t axis = 0; axis < 3; ++axis)
        if (turned || at.empty() ||
            std::abs(at[axis] - origin[axis] - static_cast<double>(k) * step[axis]) > kEven)
          return unknown("the frames do not lie on each other in even steps");
    }
    if (std::hypot(step[0], step[1], step[2]) < kEven)
      return unknown("all frames lie at one place");
  } else {
    const std::string* between = find_in({frame(0), &from_.shared, &from_.top}, 0x00180088);
    if (!between) between = find_in({frame(0), &from_.shared, &from_.top}, 0x00180050);
    const auto mm = between ? number(*between) : std::nullopt;
    for (double& one : step) one *= mm && *mm > 0 ? *mm : 1;
  }
  h_.affine = affine_of(row, column, h_.spacing_mm[2], h_.spacing_mm[1], step, origin);
}

void Checks::oddities() {
  const auto stored = [&](uint32_t tag) -> std::optional<int64_t> {
    const auto value = us(tag);
    return value && h_.is_signed ? static_cast<int16_t>(*value) : value;
  };
  h_.padding_value = stored(0x00280120);
  h_.padding_limit = stored(0x00280121);
  // CT without a type is in Hounsfield units (PS3.3 C.8.2.1.1.2); US is "unspecified".
  std::string unit = shown(text(0x00541001).empty() ? text(0x00281054) : text(0x00541001));
  if (unit.empty() && h_.modality == "CT" && h_.rescale) unit = "HU";
  if (!unit.empty() && unit != "US") h_.notes.push_back("values are in " + unit);
  const double tall = h_.spacing_mm[1], wide = h_.spacing_mm[2];
  if (tall > 0 && std::abs(tall - wide) > 0.01 * wide)
    h_.notes.push_back(
        fmt::format("pixels are not square, {} x {} mm: kept as they are", tall, wide));
  h_.burned_in_annotation = trimmed(text(0x00280301)) == "YES";
  if (h_.burned_in_annotation)
    h_.notes.push_back(
        "BurnedInAnnotation is YES: the pixels may hold text that identifies the patient");
}

}  // namespace fovea::dicom
