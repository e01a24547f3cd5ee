// The markers of a JPEG or JPEG-LS stream, as far as they say what the libraries are about to
// allocate and decode.
#include <fmt/format.h>

#include <algorithm>

#include "dicom/codecs.h"

namespace fovea::dicom {
namespace {

constexpr int kEnd = 0xD9, kScan = 0xDA, kJfif = 0xE0, kAdobe = 0xEE;

int word(Bytes s, size_t at) { return s[at] << 8 | s[at + 1]; }

bool is_frame_header(int marker) {
  return (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) ||
         marker == 0xF7;
}

bool starts_with(Bytes s, std::string_view text) {
  return s.size() >= text.size() &&
         std::equal(text.begin(), text.end(), s.begin(),
                    [](char c, uint8_t byte) { return static_cast<uint8_t>(c) == byte; });
}

class Markers {
 public:
  explicit Markers(Bytes stream) : s_(stream) {}

  JpegFrame read() {
    if (!starts_with(s_, "\xFF\xD8"))
      throw data_error(
          "the fragment does not start with a JPEG stream (ff d8); export the file again");
    at_ = 2;
    while (segment()) {
    }
    if (!scanned_) throw data_error("the JPEG stream has no scan; export the file again");
    frame_.bytes_after = std::any_of(s_.begin() + static_cast<long>(at_), s_.end(),
                                     [](uint8_t byte) { return byte != 0 && byte != 0xFF; });
    settle_colour();
    return frame_;
  }

 private:
  [[noreturn]] void no_marker() const {
    throw data_error(fmt::format(
        "the JPEG stream is damaged at byte {}: no marker there; export the file again", at_));
  }

  /// One marker with its segment; false at the end of the stream.
  bool segment() {
    const size_t start = at_;
    while (at_ < s_.size() && s_[at_] == 0xFF) ++at_;  // fill bytes may stand before any marker
    if (at_ == start || at_ == s_.size()) {
      if (scanned_)
        throw data_error(fmt::format(
            "the JPEG stream of {} bytes has no end (ff d9): it is cut off; export the file again",
            s_.size()));
      no_marker();
    }
    const int marker = s_[at_++];
    if (marker == kEnd && scanned_) return false;
    // Others without a length (TEM, RSTn, SOI, EOI) have no place here.
    const bool bare = marker == 0x01 || (marker >= 0xD0 && marker <= kEnd);
    const int length = at_ + 2 <= s_.size() ? word(s_, at_) : 0;
    if (bare || length < 2 || at_ + static_cast<size_t>(length) > s_.size())
      throw data_error(fmt::format(
          "the JPEG stream is damaged at byte {}: marker {:02x} of {} bytes; export the file again",
          at_ - 1, marker, length));
    const Bytes body = s_.subspan(at_ + 2, static_cast<size_t>(length) - 2);
    at_ += static_cast<size_t>(length);
    if (is_frame_header(marker)) frame_header(marker, body);
    if (marker == kJfif && starts_with(body, std::string_view("JFIF\0", 5))) {
      jfif_ = true;
      // libjpeg warns of a major version that it does not know, and reads on.
      frame_.harmless_warnings += body.size() >= 14 && body[5] != 1;
    }
    if (marker == kAdobe && body.size() >= 12 && starts_with(body, "Adobe")) adobe_ = body[11];
    if (marker == kScan) scan(body);
    if (at_ >= s_.size() && !scanned_) no_marker();
    return true;
  }

  void frame_header(int marker, Bytes body) {
    if (frame_.process != 0 || body.size() < 6 || body.size() < 6 + 3 * size_t{body[5]})
      throw data_error("the JPEG stream has two or broken frame headers");
    frame_.process = marker;
    frame_.precision = body[0];
    frame_.height = word(body, 1);
    frame_.width = word(body, 3);
    frame_.components = body[5];
    for (size_t c = 0; c < body[5]; ++c) {
      ids_ += static_cast<char>(body[6 + 3 * c]);
      subsampled_ |= body[7 + 3 * c] != body[7];
    }
  }

  void scan(Bytes body) {
    if (frame_.process == 0)
      throw data_error("the JPEG stream has no frame header before its first scan");
    const size_t predictor = body.empty() ? 0 : 1 + 2 * size_t{body[0]};
    if (predictor == 0 || predictor >= body.size())
      throw data_error("the JPEG scan header is damaged");
    if (!scanned_) frame_.predictor = body[predictor];
    scanned_ = true;
    // The coded samples end at the first marker other than RSTn; JPEG-LS stuffs a bit, not a byte.
    const int least = frame_.process == 0xF7 ? 0x80 : 0x01;
    while (at_ + 1 < s_.size()) {
      const auto found = std::find(s_.begin() + static_cast<long>(at_), s_.end() - 1, 0xFF);
      at_ = static_cast<size_t>(found - s_.begin());
      if (at_ + 1 >= s_.size()) break;
      const int next = s_[at_ + 1];
      if (next == 0xFF) {
        ++at_;
        continue;
      }
      if (next >= least && !(next >= 0xD0 && next <= 0xD7)) return;
      at_ += 2;
    }
    at_ = s_.size();
  }

  // As libjpeg understands it, but where nothing is said the DICOM header counts. A lossless stream
  // is not JFIF, whatever stands in it.
  void settle_colour() {
    if (frame_.components != 3) return;
    const auto found = [&](StreamColour colour, const char* from) {
      if (frame_.colour != StreamColour::unsaid) return;
      frame_.colour = colour;
      frame_.colour_from = from;
    };
    const bool lossy = frame_.process == 0xC0 || frame_.process == 0xC1;
    if (lossy && jfif_) found(StreamColour::ybr, "JFIF marker");
    if (adobe_ == 0) found(StreamColour::rgb, "Adobe marker");
    if (adobe_ == 1) found(StreamColour::ybr, "Adobe marker");
    frame_.harmless_warnings += adobe_ > 1;
    if (lossy && subsampled_) found(StreamColour::ybr, "subsampled components");
    if (lossy && ids_ == "RGB") found(StreamColour::rgb, "components called R, G, B");
  }

  Bytes s_;
  size_t at_ = 0;
  JpegFrame frame_;
  bool scanned_ = false, jfif_ = false, subsampled_ = false;
  int adobe_ = -1;
  std::string ids_;
};

}  // namespace

void refuse_second_stream(Bytes stream, std::string_view end, std::string_view start) {
  for (const char* padding : {"", "p"}) {
    std::string both = std::string(end) + padding + std::string(start);
    if (*padding != 0) both[end.size()] = '\0';
    const auto found = std::search(stream.begin(), stream.end(), both.begin(), both.end(),
                                   [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); });
    if (found != stream.end())
      throw data_error(fmt::format(
          "a second image begins at byte {} of the frame: NumberOfFrames is wrong; export the "
          "file again",
          found - stream.begin() + static_cast<long>(end.size())));
  }
}

JpegFrame jpeg_frame(Bytes stream, const Header& header) {
  const JpegFrame frame = Markers(stream).read();
  if (frame.width != header.columns || frame.height != header.rows ||
      frame.components != header.samples)
    throw data_error(fmt::format(
        "the code stream is {} x {} x {}, but Columns x Rows x SamplesPerPixel is {} x {} x {}; "
        "export the file again",
        frame.width, frame.height, frame.components, header.columns, header.rows, header.samples));
  if (frame.precision < 2 || frame.precision > 16 || frame.precision > header.bits_allocated)
    throw data_error(fmt::format("the code stream has {} bits per sample, BitsAllocated is {}",
                                 frame.precision, header.bits_allocated));
  if (frame.bytes_after) refuse_second_stream(stream, "\xFF\xD9", "\xFF\xD8\xFF");
  return frame;
}

}  // namespace fovea::dicom
