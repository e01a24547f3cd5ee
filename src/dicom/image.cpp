#include "fovea/dicom/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dicom/codecs.h"
#include "dicom/image_steps.h"
#include "dicom/source.h"

namespace fovea::dicom {
namespace {

template <class T>
void invert(Image& image, int64_t sum) {
  T* values = image.data<T>();
  for (int64_t i = 0; i < image.samples(); ++i) values[i] = static_cast<T>(sum - values[i]);
}

/// lo + hi - v. With v * slope + intercept this is the same as inverting the physical values in
/// their range.
void invert(Image& image, const Header& header) {
  if (header.type != PixelType::integer)
    throw data_error(
        header.name + ": MONOCHROME1 with floating-point pixels has no range to be inverted in",
        "export it as MONOCHROME2");
  const auto [lo, hi] = stored_range(header);
  visit(image.sample, [&, lo = lo, hi = hi](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if constexpr (std::is_integral_v<T>) {
      // Only a code stream deeper than BitsStored can leave the range.
      if (header.syntax->coding == Coding::jpeg2000) {
        const auto [least, most] =
            std::minmax_element(image.data<T>(), image.data<T>() + image.samples());
        if (*least < lo || *most > hi)
          throw data_error(
              fmt::format("{}: MONOCHROME1 with values outside the range {}..{} of BitsStored {}",
                          header.name, lo, hi, header.bits_stored),
              "export it again: its header is wrong");
      }
      invert<T>(image, lo + hi);
    }
  });
}

/// One value of a modality table for each value that can be stored, inverted where asked; then
/// one look per pixel.
Image apply_modality_lut(const Image& stored, const Header& header, bool inverted) {
  if (header.bits_stored > 16 || header.type != PixelType::integer)
    throw data_error(
        fmt::format("{}: a modality LUT with {} bits stored; wanted integers of at most 16",
                    header.name, header.bits_stored));
  const Lut& lut = *header.modality_lut;
  const auto [lo, hi] = stored_range(header);
  const auto last = static_cast<int64_t>(lut.values.size()) - 1;
  std::vector<int32_t> table;
  for (int64_t v = lo; v <= hi; ++v)
    table.push_back(lut.values[static_cast<size_t>(std::clamp<int64_t>(v - lut.first, 0, last))]);
  if (inverted) {
    const int32_t sum = table.front() + table.back();
    for (int32_t& value : table) value = sum - value;
  }
  const auto [least, most] = std::minmax_element(table.begin(), table.end());
  const Sample sample = *least < 0 ? Sample::i32 : *most > 255 ? Sample::u16 : Sample::u8;
  Image out = like(stored, sample, 1);
  visit(stored.sample, [&, lo = lo, hi = hi](auto* from_type) {
    using From = std::remove_pointer_t<decltype(from_type)>;
    visit(sample, [&](auto* to_type) {
      using To = std::remove_pointer_t<decltype(to_type)>;
      const From* from = stored.data<From>();
      To* to = out.data<To>();
      for (int64_t i = 0; i < stored.samples(); ++i) {
        const auto v = std::clamp<int64_t>(static_cast<int64_t>(from[i]), lo, hi);
        to[i] = static_cast<To>(table[static_cast<size_t>(v - lo)]);
      }
    });
  });
  out.notes.push_back("modality LUT applied");
  return out;
}

Image apply_frame_rescale(const Image& stored, const Header& header) {
  Image out = like(stored, Sample::f32, 1);
  const int64_t count = stored.samples() / stored.frames;
  visit(stored.sample, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    for (int64_t f = 0; f < stored.frames; ++f) {
      const Rescale& r = header.frame_rescale[static_cast<size_t>(f)];
      for (int64_t i = f * count; i < (f + 1) * count; ++i)
        out.data<float>()[i] =
            static_cast<float>(static_cast<double>(stored.data<T>()[i]) * r.slope + r.intercept);
    }
  });
  out.notes.push_back("RescaleSlope and RescaleIntercept differ between frames: applied to each");
  return out;
}

void refuse_non_finite(const Image& image, const Header& header) {
  visit(image.sample, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if constexpr (std::is_floating_point_v<T>) {
      const T* values = image.data<T>();
      const auto finite = [](T v) { return std::isfinite(v); };
      const auto good = std::count_if(values, values + image.samples(), finite);
      if (good == image.samples()) return;
      const int64_t first = std::find_if_not(values, values + image.samples(), finite) - values;
      const int64_t frame = header.rows * header.columns;
      throw data_error(
          fmt::format("{}: {} pixels are not finite, the first in frame {} at row {}, column {}; "
                      "export the file without them",
                      header.name, image.samples() - good, first / frame + 1,
                      first % frame / header.columns, first % header.columns));
    }
  });
}

Image colour(Image image, const Header& header, const ReadOptions& options) {
  switch (header.photometric) {
    case Photometric::palette:
      if (header.segmented_palette)
        throw data_error(header.name +
                         ": a segmented palette is not supported; transcode the file to RGB");
      image = expand_palette(image, header);
      image.notes.push_back("palette expanded to RGB");
      break;
    case Photometric::ybr_full:
    case Photometric::ybr_full_422:
      if (image.sample != Sample::u8)
        throw data_error(
            fmt::format("{}: YBR of {} bits is not supported; transcode the file to RGB",
                        header.name, header.bits_allocated));
      ybr_to_rgb(image);
      image.notes.push_back("YBR converted to RGB");
      break;
    default:
      break;
  }
  if (options.window != WindowFrom::none) image.notes.push_back("colour: no window applied");
  return image;
}

Image windowed(Image image, const Header& header, const ReadOptions& options) {
  const bool has_window =
      !header.windows.empty() || !header.frame_windows.empty() || header.voi_lut;
  switch (options.window) {
    case WindowFrom::none:
      return image;
    case WindowFrom::given:
      return apply_window(image, options.given);
    case WindowFrom::range:
      return apply_range(image, header);
    case WindowFrom::file_or_range:
      if (!has_window) return apply_range(image, header);
      [[fallthrough]];
    default:
      return apply_file_window(image, header, options.window_index);
  }
}

Image grey(Image image, const Header& header, const ReadOptions& options) {
  refuse_non_finite(image, header);
  const bool inverting =
      header.photometric == Photometric::monochrome1 && options.polarity == Polarity::monochrome2;
  // A window speaks of the file's own values, which are not inverted.
  const bool invert_first = inverting && options.window == WindowFrom::none;
  if (header.modality_lut) {
    image = apply_modality_lut(image, header, invert_first);
  } else {
    if (invert_first) invert(image, header);
    if (!header.frame_rescale.empty()) {
      image = apply_frame_rescale(image, header);
    } else if (header.rescale) {
      image.slope = header.rescale->slope;
      image.intercept = header.rescale->intercept;
    }
  }
  image = windowed(std::move(image), header, options);
  if (inverting && !invert_first)
    for (int64_t i = 0; i < image.samples(); ++i)
      image.data<float>()[i] = 1 - image.data<float>()[i];
  if (inverting) image.notes.push_back("MONOCHROME1 inverted to MONOCHROME2");
  if (header.photometric == Photometric::monochrome1 && !inverting)
    image.notes.push_back("MONOCHROME1 kept: low is white");
  if (header.padding_value)
    image.notes.push_back(fmt::format(
        "PixelPaddingValue {} is declared; such pixels are not masked", *header.padding_value));
  return image;
}

}  // namespace

Image read(std::span<const std::byte> file, const std::string& name, const ReadOptions& options) {
  Header header = scan(file, name, options.limits);
  Image image = decode_and_correct(file, header, options.decode);
  image.spacing_mm = header.spacing_mm;
  image.affine = header.affine;
  image.notes.insert(image.notes.begin(), header.notes.begin(), header.notes.end());
  const bool is_grey = header.samples == 1 && header.photometric != Photometric::palette;
  return is_grey ? grey(std::move(image), header, options)
                 : colour(std::move(image), header, options);
}

Image read(const std::filesystem::path& path, const ReadOptions& options) {
  const std::vector<std::byte> file = read_whole(path, options.limits.max_inflated_bytes);
  return read(file, path.string(), options);
}

}  // namespace fovea::dicom
