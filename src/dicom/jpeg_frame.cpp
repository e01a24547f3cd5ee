// The markers of a JPEG or JPEG-LS stream, as far as they say what the libraries are about to
// allocate and decode.
#include <fmt/format.h>

#include "dicom/codecs.h"

namespace fovea::dicom {
namespace {

int word(Bytes s, size_t at) { return s[at] << 8 | s[at + 1]; }

bool is_frame_header(int marker) {
  return (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) ||
         marker == 0xF7;
}

}  // namespace

JpegFrame jpeg_frame(Bytes s, const Header& header) {
  if (s.size() < 4 || s[0] != 0xFF || s[1] != 0xD8)
    throw data_error(
        "the fragment does not start with a JPEG stream (ff d8); export the file again");
  JpegFrame frame;
  size_t at = 2;
  while (true) {
    while (at < s.size() && s[at] == 0xFF) ++at;  // fill bytes may stand before any marker
    if (at + 3 > s.size() || s[at - 1] != 0xFF)
      throw data_error(fmt::format(
          "the JPEG stream is damaged at byte {}: no marker there; export the file again", at));
    const int marker = s[at];
    const int length = word(s, at + 1);
    const size_t body = at + 3;
    // Markers without a length (TEM, RSTn, SOI, EOI) have no place before the first scan.
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD9) || length < 2 ||
        body + length - 2 > s.size())
      throw data_error(fmt::format(
          "the JPEG stream is damaged at byte {}: marker {:02x} of {} bytes; export the file again",
          at, marker, length));
    if (marker == 0xDA) {
      const size_t predictor = body + 1 + 2 * static_cast<size_t>(s[body]);
      if (length < 3 || predictor >= body + length - 2)
        throw data_error("the JPEG scan header is damaged");
      frame.predictor = s[predictor];
      break;
    }
    if (is_frame_header(marker)) {
      if (frame.process != 0 || length < 8)
        throw data_error("the JPEG stream has two or broken frame headers");
      frame.process = marker;
      frame.precision = s[body];
      frame.height = word(s, body + 1);
      frame.width = word(s, body + 3);
      frame.components = s[body + 5];
    }
    at = body + static_cast<size_t>(length) - 2;
    if (at >= s.size() || s[at] != 0xFF)
      throw data_error(fmt::format(
          "the JPEG stream is damaged at byte {}: no marker there; export the file again", at));
  }
  if (frame.process == 0)
    throw data_error("the JPEG stream has no frame header before its first scan");
  if (frame.width != header.columns || frame.height != header.rows ||
      frame.components != header.samples)
    throw data_error(fmt::format(
        "the code stream is {} x {} x {}, but Columns x Rows x SamplesPerPixel is {} x {} x {}; "
        "export the file again",
        frame.width, frame.height, frame.components, header.columns, header.rows, header.samples));
  if (frame.precision < 2 || frame.precision > 16 || frame.precision > header.bits_allocated)
    throw data_error(fmt::format("the code stream has {} bits per sample, BitsAllocated is {}",
                                 frame.precision, header.bits_allocated));
  return frame;
}

}  // namespace fovea::dicom
