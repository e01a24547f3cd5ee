// Windows and VOI tables: physical values to the grey levels of a viewer, 0..1.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dicom/image_steps.h"

namespace fovea::dicom {
namespace {

/// One physical value through a window, PS3.3 C.11.2.1.2 and C.11.2.1.3.
struct WindowFormula {
  explicit WindowFormula(const Window& w) : function(w.function) {
    const bool linear = function == WindowFunction::linear;
    if (!std::isfinite(w.centre) || !std::isfinite(w.width) ||
        (linear ? w.width < 1 : w.width <= 0))
      throw data_error(
          fmt::format("a window of centre {} and width {} is impossible; wanted a width of {}",
                      w.centre, w.width, linear ? "at least 1" : "more than 0"));
    centre = linear ? w.centre - 0.5 : w.centre;
    width = linear ? w.width - 1 : w.width;
  }

  float operator()(double x) const {
    if (function == WindowFunction::sigmoid)
      return static_cast<float>(1 / (1 + std::exp(-4 * (x - centre) / width)));
    // Outside the window this is what the standard's three cases say; at its ends they agree.
    if (width > 0) return static_cast<float>(std::clamp((x - centre) / width + 0.5, 0.0, 1.0));
    return x > centre ? 1.0F : 0.0F;
  }

  WindowFunction function;
  double centre = 0, width = 0;
};

/// Applies `formula(physical value)` to one frame.
template <class Formula>
void map_frame(const Image& image, int64_t frame, Image& out, const Formula& formula) {
  const int64_t count = image.samples() / image.frames;
  float* to = out.data<float>() + frame * count;
  visit(image.sample, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T* from = image.data<T>() + frame * count;
    const double slope = image.slope, intercept = image.intercept;
    for (int64_t i = 0; i < count; ++i)
      to[i] = formula(static_cast<double>(from[i]) * slope + intercept);
  });
}

Image grey_levels(const Image& image) {
  Image out = like(image, Sample::f32, image.channels);
  out.slope = 1;
  out.intercept = 0;
  return out;
}

}  // namespace

Image like(const Image& image, Sample sample, int64_t channels) {
  Image out;
  out.frames = image.frames;
  out.height = image.height;
  out.width = image.width;
  out.channels = channels;
  out.sample = sample;
  out.slope = image.slope;
  out.intercept = image.intercept;
  out.spacing_mm = image.spacing_mm;
  out.affine = image.affine;
  out.notes = image.notes;
  out.pixels.resize(static_cast<size_t>(out.samples() * bytes_of(sample)));
  return out;
}

std::optional<Window> file_window(const Header& header, size_t index, int64_t frame) {
  const std::vector<Window>& windows = header.frame_windows.empty()
                                           ? header.windows
                                           : header.frame_windows.at(static_cast<size_t>(frame));
  if (index >= windows.size()) return std::nullopt;
  return windows[index];
}

Image apply_window(const Image& image, const Window& window) {
  const WindowFormula formula(window);
  Image out = grey_levels(image);
  for (int64_t f = 0; f < image.frames; ++f) map_frame(image, f, out, formula);
  return out;
}

Image apply_file_window(const Image& image, const Header& header, size_t index) {
  Image out = grey_levels(image);
  for (int64_t f = 0; f < image.frames; ++f) {
    if (const auto window = file_window(header, index, f)) {
      map_frame(image, f, out, WindowFormula(*window));
    } else if (header.voi_lut && index == 0) {
      const Lut& lut = *header.voi_lut;
      const double last = static_cast<double>(lut.values.size()) - 1;
      const double top = std::pow(2.0, lut.bits) - 1;
      map_frame(image, f, out, [&](double x) {
        const double entry = std::clamp(std::round(x) - static_cast<double>(lut.first), 0.0, last);
        return static_cast<float>(std::min(1.0, lut.values[static_cast<size_t>(entry)] / top));
      });
    } else {
      throw data_error(fmt::format(
          "{}: frame {} has no usable window with index {} (the file has {} windows); wanted one "
          "because the window is to come from the file; give centre and width instead, or no "
          "window",
          header.name, f + 1, index,
          header.frame_windows.empty() ? header.windows.size()
                                       : header.frame_windows[static_cast<size_t>(f)].size()));
    }
  }
  out.notes.push_back(header.windows.empty() && header.frame_windows.empty()
                          ? "VOI LUT of the file applied"
                          : "window of the file applied");
  if (header.windows.size() > 1)
    out.notes.push_back(
        fmt::format("the file has {} windows; used number {}", header.windows.size(), index + 1));
  return out;
}

std::pair<int64_t, int64_t> stored_range(const Header& header) {
  const int64_t half = int64_t{1} << (header.bits_stored - 1);
  if (header.is_signed) return {-half, half - 1};
  return {0, 2 * half - 1};
}

Image apply_range(const Image& image, const Header& header) {
  if (header.type != PixelType::integer)
    throw data_error(
        header.name +
        ": floating-point pixels have no range of their own; give a window by centre and width");
  const auto [lo, hi] = stored_range(header);
  Image out = grey_levels(image);
  for (int64_t f = 0; f < image.frames; ++f) {
    const Rescale rule = !header.frame_rescale.empty()
                             ? header.frame_rescale[static_cast<size_t>(f)]
                             : header.rescale.value_or(Rescale{});
    double least = static_cast<double>(lo) * rule.slope + rule.intercept;
    double most = static_cast<double>(hi) * rule.slope + rule.intercept;
    if (header.modality_lut) {
      least = 0;
      most = std::pow(2.0, header.modality_lut->bits) - 1;
    }
    if (least > most) std::swap(least, most);
    if (!(most > least) || !std::isfinite(most - least))
      throw data_error(
          fmt::format("{}: frame {} has no range of values: from {} to {}, by RescaleSlope {} and "
                      "RescaleIntercept {}",
                      header.name, f + 1, least, most, rule.slope, rule.intercept),
          "export it again: its header is wrong");
    map_frame(image, f, out, [=](double x) {
      return static_cast<float>(std::clamp((x - least) / (most - least), 0.0, 1.0));
    });
  }
  out.notes.push_back("the whole range of BitsStored mapped to 0..1");
  return out;
}

}  // namespace fovea::dicom
