// From a scanned file to stored values: decompressed, unpacked, masked to BitsStored and
// sign-extended, and no more.
#pragma once

#include <cstddef>
#include <span>

#include "fovea/dicom/scan.h"
#include "fovea/image/image.h"

namespace fovea::dicom {

/// Which arithmetic undoes predictor 6 in 16-bit lossless JPEG: some encoders overflowed, and the
/// stream does not say.
enum class JpegPredictor6 {
  refuse,      ///< decode both ways; refuse where they differ
  standard,    ///< as ITU-T T.81 says
  overflowed,  ///< as the faulty encoders did
};

struct DecodeOptions {
  JpegPredictor6 jpeg_predictor6 = JpegPredictor6::refuse;
};

/// Stored pixel values [frames, rows, columns, samples], samples interleaved, in the smallest type
/// of BitsAllocated bits: 1-bit pixels take a byte each, 4:2:2 is expanded. Colour stays as stored
/// (YBR, palette indices), except that JPEG 2000 undoes its own transform. `slope` stays 1; see
/// image.h for physical values.
///
/// `file` is the content that `header` was scanned from. Throws Error (data) naming file, frame,
/// decoder and reason; nothing that the libraries throw passes.
Image decode(std::span<const std::byte> file, const Header& header,
             const DecodeOptions& options = {});

}  // namespace fovea::dicom
