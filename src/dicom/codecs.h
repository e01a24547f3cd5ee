// The decoders, one per coding, one .cpp each. Each writes one frame of samples in containers of
// BitsAllocated bits, host byte order, interleaved; decode() masks and sign-extends afterwards.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <string>

#include "fovea/core/error.h"
#include "fovea/dicom/decode.h"

namespace fovea::dicom {

/// What a code stream says of its own samples.
struct StreamDepth {
  int precision = 0;
  bool is_signed = false;
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
};

using Bytes = std::span<const uint8_t>;
using Out = std::span<uint8_t>;

/// Reads the markers up to the first scan; refuses what is no JPEG or not of the size that the
/// header states.
JpegFrame jpeg_frame(Bytes stream, const Header& header);

void decode_native(Bytes value, const Header& header, Out out);  ///< all frames at once
void decode_rle(Bytes stream, const Header& header, Out out);
StreamDepth decode_jpeg(Bytes stream, const Header& header, const DecodeOptions& options, Out out);
StreamDepth decode_jpeg_ls(Bytes stream, const Header& header, Out out);
StreamDepth decode_jpeg2000(Bytes stream, const Header& header, Out out);

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
