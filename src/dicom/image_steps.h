// The steps from stored values to an image, each over a whole Image.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "fovea/core/error.h"
#include "fovea/dicom/image.h"

namespace fovea::dicom {

/// YBR_FULL of 8 bits to RGB (PS3.3 C.7.6.3.1.2), in place.
void ybr_to_rgb(Image& image);

/// Palette indices to RGB.
Image expand_palette(const Image& indices, const Header& header);

/// The file's window, or its VOI LUT, for each frame: f32 in 0..1.
Image apply_file_window(const Image& image, const Header& header, size_t index);

/// The whole range of the stored bits, as physical values, to 0..1.
Image apply_range(const Image& image, const Header& header);

/// The lowest and the highest value that BitsStored can say.
std::pair<int64_t, int64_t> stored_range(const Header& header);

/// Calls body with a null pointer of the type of the samples.
template <class Body>
decltype(auto) visit(Sample sample, Body&& body) {
  switch (sample) {
    case Sample::u8:
      return body(static_cast<uint8_t*>(nullptr));
    case Sample::i8:
      return body(static_cast<int8_t*>(nullptr));
    case Sample::u16:
      return body(static_cast<uint16_t*>(nullptr));
    case Sample::i16:
      return body(static_cast<int16_t*>(nullptr));
    case Sample::u32:
      return body(static_cast<uint32_t*>(nullptr));
    case Sample::i32:
      return body(static_cast<int32_t*>(nullptr));
    case Sample::f32:
      return body(static_cast<float*>(nullptr));
    default:
      return body(static_cast<double*>(nullptr));
  }
}

/// An Image of the same shape, spacing and notes with samples of another type, all zero.
Image like(const Image& image, Sample sample, int64_t channels);

}  // namespace fovea::dicom
