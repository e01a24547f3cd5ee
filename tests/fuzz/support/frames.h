// The targets of the decoders of DICOM frames: the first four bytes of an input are the header, the
// rest is the code stream.
#pragma once

#include "dicom/codecs.h"
#include "fuzz/support/fuzz.h"

namespace fovea::fuzz {

/// rows, columns, then bits 0: three samples, 1 and 2: 8, 16 or 32 bits, 3: signed; then BitsStored.
inline dicom::Header frame_header(Input& input, const char* syntax) {
  dicom::Header header;
  header.name = "input";
  header.syntax = dicom::find_syntax(syntax);
  header.rows = input.byte() % 64 + 1;
  header.columns = input.byte() % 64 + 1;
  const uint8_t flags = input.byte();
  header.samples = (flags & 1) != 0 ? 3 : 1;
  header.photometric =
      header.samples == 3 ? dicom::Photometric::rgb : dicom::Photometric::monochrome2;
  header.bits_allocated = 8 << ((flags >> 1) % 4 % 3);
  header.is_signed = (flags & 8) != 0;
  header.bits_stored = 1 + input.byte() % header.bits_allocated;
  header.high_bit = header.bits_stored - 1;
  return header;
}

/// A frame of that header, from a decoder that is called as `decode(stream, header, out)`.
template <class DecodeFrame>
int decode_frame(const uint8_t* data, size_t size, const char* syntax, DecodeFrame&& decode) {
  return answers([&] {
    Input input(data, size);
    const dicom::Header header = frame_header(input, syntax);
    const std::string_view rest = input.rest();
    std::vector<uint8_t> out(header.decoded_bytes());
    decode(dicom::Bytes(reinterpret_cast<const uint8_t*>(rest.data()), rest.size()), header,
           dicom::Out(out));
  });
}

}  // namespace fovea::fuzz
