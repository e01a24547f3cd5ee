#include <algorithm>
#include <cmath>

#include "dicom/image_steps.h"

namespace fovea::dicom {

void ybr_to_rgb(Image& image) {
  const auto level = [](double v) {
    return static_cast<uint8_t>(std::clamp(std::floor(v + 0.5), 0.0, 255.0));
  };
  uint8_t* p = image.data<uint8_t>();
  for (int64_t i = 0; i < image.samples(); i += 3, p += 3) {
    const double y = p[0], cb = p[1] - 128.0, cr = p[2] - 128.0;
    p[0] = level(y + 1.402 * cr);
    p[1] = level(y - 0.344136 * cb - 0.714136 * cr);
    p[2] = level(y + 1.772 * cb);
  }
}

Image expand_palette(const Image& indices, const Header& header) {
  const bool wide = std::any_of(header.palette.begin(), header.palette.end(),
                                [](const Lut& l) { return l.bits > 8; });
  Image rgb = like(indices, wide ? Sample::u16 : Sample::u8, 3);
  visit(indices.sample, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if constexpr (std::is_integral_v<T>) {
      const T* in = indices.data<T>();
      for (int64_t i = 0; i < indices.samples(); ++i)
        for (size_t c = 0; c < 3; ++c) {
          const Lut& lut = header.palette[c];
          const auto last = static_cast<int64_t>(lut.values.size()) - 1;
          const uint16_t value = lut.values[static_cast<size_t>(
              std::clamp<int64_t>(static_cast<int64_t>(in[i]) - lut.first, 0, last))];
          const size_t at = static_cast<size_t>(i) * 3 + c;
          if (wide)
            rgb.data<uint16_t>()[at] = value;
          else
            rgb.data<uint8_t>()[at] = static_cast<uint8_t>(value);
        }
    }
  });
  return rgb;
}

}  // namespace fovea::dicom
