// RLE Lossless, PS3.5 annex G: one segment per byte of a sample, the most significant first, each
// PackBits-coded.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "dicom/codecs.h"

namespace fovea::dicom {
namespace {

constexpr size_t kHeaderBytes = 64;

uint32_t u32(const uint8_t* p) {
  return p[0] | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

/// Writes `count` bytes, each `stride` apart. After the last wanted one only padding may follow.
void unpack(Bytes segment, size_t number, uint8_t* out, size_t count, size_t stride) {
  size_t in = 0, done = 0;
  while (done < count) {
    if (in >= segment.size())
      throw data_error(fmt::format(
          "RLE segment {} ends after {} of {} bytes; export the file again", number, done, count));
    const auto control = static_cast<int8_t>(segment[in++]);
    if (control == -128) continue;
    const bool run = control < 0;
    const size_t length = run ? 1 - static_cast<int>(control) : 1 + static_cast<int>(control);
    if (segment.size() - in < (run ? 1 : length) || length > count - done)
      throw data_error(
          fmt::format("RLE segment {} is damaged at byte {}: a run of {} with {} bytes left and {} "
                      "wanted; export the file again",
                      number, in - 1, length, segment.size() - in, count - done));
    for (size_t i = 0; i < length; ++i) out[(done + i) * stride] = segment[in + (run ? 0 : i)];
    in += run ? 1 : length;
    done += length;
  }
  const Bytes rest = segment.subspan(in);
  if (rest.size() > 1 &&
      std::any_of(rest.begin(), rest.end(), [](uint8_t b) { return b != 0 && b != 0x80; }))
    throw data_error(
        fmt::format("RLE segment {} goes on for {} bytes after the {} samples of Rows x Columns: "
                    "the header is wrong; export the file again",
                    number, rest.size(), count));
}

}  // namespace

void decode_rle(Bytes stream, const Header& header, Out out) {
  const size_t width = static_cast<size_t>(header.bits_allocated) / 8;
  const size_t wanted = width * static_cast<size_t>(header.samples);
  if (stream.size() < kHeaderBytes)
    throw data_error(
        fmt::format("the RLE frame has {} bytes, fewer than its header of 64", stream.size()));
  const size_t segments = u32(stream.data());
  if (segments != wanted)
    throw data_error(fmt::format("the RLE frame has {} segments; {} samples of {} bytes want {}",
                                 segments, header.samples, width, wanted));
  const auto pixels = static_cast<size_t>(header.rows * header.columns);
  for (size_t s = 0; s < segments; ++s) {
    const size_t begin = u32(stream.data() + 4 + 4 * s);
    const size_t end = s + 1 < segments ? u32(stream.data() + 8 + 4 * s) : stream.size();
    if (begin < kHeaderBytes || begin > end || end > stream.size())
      throw data_error(
          fmt::format("RLE segment {} lies at {}..{} in a frame of {} bytes; export the file again",
                      s + 1, begin, end, stream.size()));
    const size_t sample = s / width, byte = width - 1 - s % width;
    unpack(stream.subspan(begin, end - begin), s + 1, out.data() + sample * width + byte, pixels,
           wanted);
  }
}

}  // namespace fovea::dicom
