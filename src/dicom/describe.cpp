#include <fmt/format.h>

#include "dicom/collected.h"
#include "fovea/dicom/image.h"

namespace fovea::dicom {
namespace {

const char* name_of(Photometric photometric) {
  static constexpr const char* kNames[] = {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR",
                                           "RGB",         "YBR_FULL",    "YBR_FULL_422",
                                           "YBR_RCT",     "YBR_ICT"};
  return kNames[static_cast<size_t>(photometric)];
}

const char* name_of(WindowFunction function) {
  static constexpr const char* kNames[] = {"LINEAR", "LINEAR_EXACT", "SIGMOID"};
  return kNames[static_cast<size_t>(function)];
}

std::string sample_text(const Header& h) {
  if (h.type == PixelType::float32) return "32-bit float";
  if (h.type == PixelType::float64) return "64-bit float";
  return fmt::format("{} bits of {}, {}", h.bits_stored, h.bits_allocated,
                     h.is_signed ? "signed" : "unsigned");
}

}  // namespace

std::vector<std::pair<std::string, std::string>> describe(const Header& h) {
  std::vector<std::pair<std::string, std::string>> rows;
  const auto add = [&](const char* name, std::string value) {
    rows.emplace_back(name, std::move(value));
  };
  add("format", "DICOM");
  add("object", sop_class_name(h.sop_class));
  if (!h.modality.empty()) add("modality", h.modality);
  add("transfer syntax", fmt::format("{} ({})", h.syntax->name, h.syntax->uid));
  add("frames", std::to_string(h.frames));
  add("rows", std::to_string(h.rows));
  add("columns", std::to_string(h.columns));
  add("samples per pixel", std::to_string(h.samples));
  add("photometric interpretation", name_of(h.photometric));
  add("samples", sample_text(h));
  if (h.modality_lut)
    add("modality LUT",
        fmt::format("{} entries from {}", h.modality_lut->values.size(), h.modality_lut->first));
  else if (h.rescale)
    add("rescale", fmt::format("slope {}, intercept {}", h.rescale->slope, h.rescale->intercept));
  else if (!h.frame_rescale.empty())
    add("rescale", "differs between frames");
  for (const Window& w : h.windows)
    add("window", fmt::format("centre {}, width {}, {}", w.centre, w.width, name_of(w.function)));
  if (!h.frame_windows.empty()) add("window", "differs between frames");
  if (h.voi_lut)
    add("VOI LUT", fmt::format("{} entries from {}", h.voi_lut->values.size(), h.voi_lut->first));
  if (h.segmented_palette)
    add("palette", "segmented");
  else if (!h.palette[0].values.empty())
    add("palette",
        fmt::format("{} entries of {} bits", h.palette[0].values.size(), h.palette[0].bits));
  if (h.padding_value) add("padding value", std::to_string(*h.padding_value));
  if (h.spacing_mm[1] > 0)
    add("spacing", fmt::format("{} x {} mm between rows and columns ({})", h.spacing_mm[1],
                               h.spacing_mm[2], h.spacing_from));
  if (h.affine) {
    const auto& rows = h.affine->rows;
    const auto vector = [&](size_t c) {
      return fmt::format("({:g}, {:g}, {:g})", rows[0][c], rows[1][c], rows[2][c]);
    };
    add("grid", fmt::format("first voxel at {} mm LPS; a column {}, a row {}, a slice {} mm",
                            vector(3), vector(0), vector(1), vector(2)));
  }
  if (!h.fragments.empty()) add("fragments", std::to_string(h.fragments.size()));
  for (const std::string& note : h.notes) add("note", note);
  return rows;
}

}  // namespace fovea::dicom
