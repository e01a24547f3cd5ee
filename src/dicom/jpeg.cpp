// JPEG baseline, extended and lossless through the IJG libraries of DCMTK, frame by frame and
// without registration.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>
#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <memory>

#include "dicom/codecs.h"

namespace fovea::dicom {
namespace {

/// Counts the warnings, which DCMTK only writes to its log: libjpeg fills damaged samples up and
/// warns.
template <class Decoder>
class Heard final : public Decoder {
 public:
  Heard(const DJCodecParameter& parameter, int& warnings)
      : Decoder(parameter, OFFalse), warnings_(warnings) {}
  void emitMessage(int level) const override { warnings_ += level < 0; }

 private:
  int& warnings_;
};

std::unique_ptr<DJDecoder> decoder_for(int precision, const DJCodecParameter& parameter,
                                       int& warnings) {
  if (precision <= 8) return std::make_unique<Heard<DJDecompressIJG8Bit>>(parameter, warnings);
  if (precision <= 12) return std::make_unique<Heard<DJDecompressIJG12Bit>>(parameter, warnings);
  return std::make_unique<Heard<DJDecompressIJG16Bit>>(parameter, warnings);
}

/// `out` takes bytes for up to 8 bits, else 16-bit words.
void decode_once(Bytes stream, const JpegFrame& frame, bool predictor6_overflowed, bool is_signed,
                 Out out) {
  const DJCodecParameter parameter(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel,
                                   predictor6_overflowed);
  int warnings = 0;
  const auto decoder = decoder_for(frame.precision, parameter, warnings);
  OFCondition status = decoder->init();
  if (status.good())
    status = decoder->decode(const_cast<Uint8*>(stream.data()), static_cast<Uint32>(stream.size()),
                             out.data(), static_cast<Uint32>(out.size()), is_signed);
  if (status.bad())
    throw data_error(fmt::format(
        "DCMTK's JPEG decoder refused the frame: {}; export the file again", status.text()));
  if (warnings > frame.harmless_warnings)
    throw data_error(
        fmt::format("the samples of the frame are damaged (DCMTK's JPEG decoder warned {} times)",
                    warnings),
        "export the file again from its source");
}

}  // namespace

StreamSays decode_jpeg(Bytes stream, const Header& header, const DecodeOptions& options, Out out) {
  const JpegFrame frame = jpeg_frame(stream, header);
  if (frame.process != 0xC0 && frame.process != 0xC1 && frame.process != 0xC3)
    throw data_error(fmt::format(
        "the code stream uses JPEG process SOF{}, which DICOM's {} does not; transcode the file",
        frame.process - 0xC0, header.syntax->name));
  const size_t samples = static_cast<size_t>(header.frame_samples());
  const size_t width = frame.precision <= 8 ? 1 : 2;
  const size_t container = out.size() / samples;
  if (container > 2)
    throw data_error("JPEG samples in containers of 32 bits are not supported; transcode the file");
  if (std::max(stream.size(), samples * width) > std::numeric_limits<Uint32>::max())
    throw data_error("the frame is above the 4 GiB that DCMTK's JPEG decoder can count");

  std::vector<uint8_t> narrow(width < container ? samples : 0);
  const Out to = narrow.empty() ? out : Out(narrow);
  behind_wall("DCMTK's JPEG decoder", [&] {
    const bool doubtful = frame.process == 0xC3 && frame.predictor == 6 && frame.precision == 16;
    decode_once(stream, frame, doubtful && options.jpeg_predictor6 == JpegPredictor6::overflowed,
                header.is_signed, to);
    if (!doubtful || options.jpeg_predictor6 != JpegPredictor6::refuse) return;
    std::vector<uint8_t> other(to.size());
    decode_once(stream, frame, true, header.is_signed, other);
    if (std::memcmp(other.data(), to.data(), to.size()) != 0)
      throw data_error(
          "lossless JPEG, 16 bits, predictor 6: the stream decodes to two different images, with "
          "and without the overflow of some encoders",
          "say which with DecodeOptions::jpeg_predictor6 (standard or overflowed), or transcode "
          "the file");
  });
  for (size_t i = 0; i < narrow.size(); ++i) {
    out[2 * i] = narrow[i];
    out[2 * i + 1] = 0;
  }
  return {.precision = frame.precision,
          .is_signed = header.is_signed,
          .colour = frame.colour,
          .colour_from = frame.colour_from,
          .lossy = frame.process != 0xC3,
          .bytes_after = frame.bytes_after};
}

}  // namespace fovea::dicom
