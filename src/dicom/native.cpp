#include <bit>
#include <cstring>

#include "dicom/codecs.h"

namespace fovea::dicom {
namespace {

static_assert(std::endian::native == std::endian::little,
              "samples are copied as they lie in little-endian files");

void reverse_each(Out out, size_t width) {
  for (size_t i = 0; i + width <= out.size(); i += width)
    for (size_t a = i, b = i + width - 1; a < b; ++a, --b) std::swap(out[a], out[b]);
}

/// Y1 Y2 Cb Cr -> Y1 Cb Cr Y2 Cb Cr
void expand_422(const uint8_t* in, Out out) {
  for (size_t i = 0; i + 6 <= out.size(); i += 6, in += 4) {
    const uint8_t values[6] = {in[0], in[2], in[3], in[1], in[2], in[3]};
    std::memcpy(out.data() + i, values, 6);
  }
}

void interleave(const uint8_t* in, const Header& header, size_t width, Out out) {
  const auto plane = static_cast<size_t>(header.rows * header.columns);
  const auto samples = static_cast<size_t>(header.samples);
  for (int64_t frame = 0; frame < header.frames; ++frame) {
    uint8_t* to = out.data() + static_cast<size_t>(frame) * plane * samples * width;
    const uint8_t* from = in + static_cast<size_t>(frame) * plane * samples * width;
    for (size_t s = 0; s < samples; ++s)
      for (size_t i = 0; i < plane; ++i)
        std::memcpy(to + (i * samples + s) * width, from + (s * plane + i) * width, width);
  }
}

}  // namespace

void decode_native(Bytes value, const Header& header, Out out) {
  // Bytes sent as big-endian words come in swapped pairs; an odd last byte has its partner in the
  // padding.
  std::vector<uint8_t> unswapped;
  if (header.syntax->big_endian && header.pixel_words && header.bits_allocated <= 8) {
    unswapped.assign(value.begin(), value.end());
    reverse_each(unswapped, 2);
    value = unswapped;
  }
  if (header.bits_allocated == 1) {
    for (size_t i = 0; i < out.size(); ++i) out[i] = value[i / 8] >> (i % 8) & 1;
    return;
  }
  const size_t width = static_cast<size_t>(header.bits_allocated) / 8;
  if (header.photometric == Photometric::ybr_full_422)
    expand_422(value.data(), out);
  else if (header.planar)
    interleave(value.data(), header, width, out);
  else
    std::memcpy(out.data(), value.data(), out.size());
  if (header.syntax->big_endian) reverse_each(out, width);
}

}  // namespace fovea::dicom
