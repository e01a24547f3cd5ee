// The decoders, one per coding, one .cpp each. Each writes one frame of samples in containers of
// BitsAllocated bits, host byte order, interleaved; decode() masks and sign-extends afterwards.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>

#include "fovea/core/error.h"
#include "fovea/dicom/decode.h"

namespace fovea::dicom {

enum class StreamColour { unsaid, rgb, ybr };

/// What a code stream says of its own samples.
struct StreamSays {
  int precision = 0;
  bool is_signed = false;
  StreamColour colour = StreamColour::unsaid;  ///< of what the decoder hands out
  const char* colour_from = "";                ///< "JFIF marker"
  bool lossy = false;
  bool bytes_after = false;  ///< more than padding stands after its end
};

/// What the frame header of a JPEG or JPEG-LS stream says, read by us before a library sees the
/// stream.
struct JpegFrame {
  /// Low byte of the SOF marker: 0xC0 baseline, 0xC1 extended, 0xC3 lossless, 0xF7 JPEG-LS.
  int process = 0;
  int precision = 0;
  int64_t width = 0, height = 0;
  int components = 0;
  int predictor = 0;  ///< of the first scan; lossless only
  StreamColour colour = StreamColour::unsaid;
  const char* colour_from = "";
  int harmless_warnings = 0;  ///< that libjpeg has of the markers alone
  bool bytes_after = false;   ///< more than padding stands after its end
};

using Bytes = std::span<const uint8_t>;
using Out = std::span<uint8_t>;

/// Follows the markers to the end of the stream; refuses what is not JPEG, is cut off, is not of
/// the size that the header states, or is followed by a second stream.
JpegFrame jpeg_frame(Bytes stream, const Header& header);

void decode_native(Bytes value, const Header& header, Out out);  ///< all frames at once
void decode_rle(Bytes stream, const Header& header, Out out);
StreamSays decode_jpeg(Bytes stream, const Header& header, const DecodeOptions& options, Out out);
StreamSays decode_jpeg_ls(Bytes stream, const Header& header, Out out);
StreamSays decode_jpeg2000(Bytes stream, const Header& header, Out out);

/// Refuses a frame in which a second stream begins behind the `end` mark of the first, with or
/// without a byte of padding between.
void refuse_second_stream(Bytes stream, std::string_view end, std::string_view start);

/// As the public `decode`; what the code streams contradict is corrected in `header`.
Image decode_and_correct(std::span<const std::byte> file, Header& header,
                         const DecodeOptions& options);

/// The one place where a third party's exception can end.
template <class Body>
void behind_wall(const char* library, Body&& body) {
  try {
    body();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw resource_error(std::string(library) + " ran out of memory");
  } catch (const std::exception& error) {
    throw data_error(std::string(library) + " failed: " + error.what() + "; export the file again");
  } catch (...) {
    throw data_error(std::string(library) + " failed without a reason; export the file again");
  }
}

}  // namespace fovea::dicom
