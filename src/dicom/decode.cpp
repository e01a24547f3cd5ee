#include "fovea/dicom/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dicom/codecs.h"

namespace fovea::dicom {
namespace {

Sample container(const Header& header) {
  if (header.type == PixelType::float32) return Sample::f32;
  if (header.type == PixelType::float64) return Sample::f64;
  switch (header.bits_allocated) {
    case 16:
      return header.is_signed ? Sample::i16 : Sample::u16;
    case 32:
      return header.is_signed ? Sample::i32 : Sample::u32;
    case 8:
      return header.is_signed ? Sample::i8 : Sample::u8;
    default:
      return Sample::u8;
  }
}

/// Moves `bits` bits from above `shift` to the bottom of T; signed T repeats the highest of them
/// upwards.
template <class T>
void settle(std::byte* data, size_t bytes, int shift, int bits) {
  using Unsigned = std::make_unsigned_t<T>;
  constexpr int kBits = 8 * sizeof(T);
  if (shift == 0 && bits == kBits) return;
  T* values = reinterpret_cast<T*>(data);
  const int up = kBits - shift - bits, down = kBits - bits;
  for (size_t i = 0; i < bytes / sizeof(T); ++i)
    values[i] = static_cast<T>(
        static_cast<T>(static_cast<Unsigned>(static_cast<Unsigned>(values[i]) << up)) >> down);
}

void settle(Sample sample, std::byte* data, size_t bytes, int shift, int bits) {
  switch (sample) {
    case Sample::u8:
      return settle<uint8_t>(data, bytes, shift, bits);
    case Sample::i8:
      return settle<int8_t>(data, bytes, shift, bits);
    case Sample::u16:
      return settle<uint16_t>(data, bytes, shift, bits);
    case Sample::i16:
      return settle<int16_t>(data, bytes, shift, bits);
    case Sample::u32:
      return settle<uint32_t>(data, bytes, shift, bits);
    case Sample::i32:
      return settle<int32_t>(data, bytes, shift, bits);
    default:
      return;
  }
}

/// The fragments of one frame in a row; `joined` holds them where they are several.
Bytes frame_bytes(Bytes file, const Header& header, size_t frame, std::vector<uint8_t>& joined) {
  const size_t first = header.frame_starts[frame], end = header.frame_starts[frame + 1];
  if (end == first + 1)
    return file.subspan(header.fragments[first].offset, header.fragments[first].length);
  joined.clear();
  for (size_t i = first; i < end; ++i) {
    const Bytes part = file.subspan(header.fragments[i].offset, header.fragments[i].length);
    joined.insert(joined.end(), part.begin(), part.end());
  }
  return joined;
}

void note_once(Image& image, const std::string& note) {
  if (std::find(image.notes.begin(), image.notes.end(), note) == image.notes.end())
    image.notes.push_back(note);
}

/// JPEG 2000 says for itself how deep and whether signed its samples are; PixelRepresentation may
/// disagree.
void settle_jpeg2000(Image& image, const Header& header, const StreamDepth& depth, std::byte* data,
                     size_t bytes) {
  if (depth.is_signed && !header.is_signed) {
    const size_t width = static_cast<size_t>(bytes_of(image.sample));
    for (size_t i = width - 1; i < bytes; i += width)
      if (std::to_integer<int>(data[i]) & 0x80)
        throw data_error(
            "the code stream is signed and holds negative values, but PixelRepresentation is 0");
    note_once(image,
              "the JPEG 2000 stream is signed, PixelRepresentation is 0; no value is negative");
  }
  if (!depth.is_signed && header.is_signed)
    note_once(image, fmt::format("the JPEG 2000 stream is unsigned with {} bits, "
                                 "PixelRepresentation is 1: sign-extended from bit {}",
                                 depth.precision, depth.precision - 1));
  if (header.is_signed) settle(image.sample, data, bytes, 0, depth.precision);
}

void decode_frame(Bytes stream, const Header& header, const DecodeOptions& options, Image& image,
                  Out out) {
  auto* data = reinterpret_cast<std::byte*>(out.data());
  switch (header.syntax->coding) {
    case Coding::rle:
      decode_rle(stream, header, out);
      return settle(image.sample, data, out.size(), header.high_bit + 1 - header.bits_stored,
                    header.bits_stored);
    case Coding::jpeg: {
      const StreamDepth depth = decode_jpeg(stream, header, options, out);
      return settle(image.sample, data, out.size(), 0,
                    std::min(depth.precision, header.bits_stored));
    }
    case Coding::jpeg_ls: {
      const StreamDepth depth = decode_jpeg_ls(stream, header, out);
      return settle(image.sample, data, out.size(), 0,
                    std::min(depth.precision, header.bits_stored));
    }
    case Coding::jpeg2000: {
      if (stream.size() > 8 && stream[4] == 'j' && stream[5] == 'P')
        note_once(image, "JP2 boxes around the JPEG 2000 stream");
      return settle_jpeg2000(image, header, decode_jpeg2000(stream, header, out), data, out.size());
    }
    default:
      throw Error(Fault::internal, "no decoder for " + std::string(header.syntax->name));
  }
}

void decode_fragments(Bytes file, const Header& header, const DecodeOptions& options,
                      Image& image) {
  const size_t frame_size =
      static_cast<size_t>(header.decoded_bytes() / static_cast<uint64_t>(header.frames));
  image.pixels.reserve(header.decoded_bytes());
  std::vector<uint8_t> joined;
  for (size_t frame = 0; frame < static_cast<size_t>(header.frames); ++frame) {
    const Fragment& fragment = header.fragments[header.frame_starts[frame]];
    const std::string where = fmt::format("{}: frame {} (fragment at offset {}, {})", header.name,
                                          frame + 1, fragment.offset - 8, header.syntax->name);
    within(where, [&] {
      const Bytes stream = frame_bytes(file, header, frame, joined);
      image.pixels.resize((frame + 1) *
                          frame_size);  // frame by frame: a bad first one costs little
      decode_frame(
          stream, header, options, image,
          {reinterpret_cast<uint8_t*>(image.pixels.data()) + frame * frame_size, frame_size});
    });
  }
}

}  // namespace

Image decode(std::span<const std::byte> file, const Header& header, const DecodeOptions& options) {
  Image image;
  image.frames = header.frames;
  image.height = header.rows;
  image.width = header.columns;
  image.channels = header.samples;
  image.sample = container(header);
  if (header.inflated) file = *header.inflated;
  const Bytes bytes{reinterpret_cast<const uint8_t*>(file.data()), file.size()};
  const uint64_t end = header.fragments.empty()
                           ? header.pixels.offset + header.pixels.length
                           : header.fragments.back().offset + header.fragments.back().length;
  if (end > bytes.size())
    throw Error(Fault::internal,
                header.name + ": decode() was given other bytes than the header was scanned from");
  try {
    if (header.syntax->encapsulated()) {
      decode_fragments(bytes, header, options, image);
    } else {
      image.pixels.resize(header.decoded_bytes());
      decode_native(bytes.subspan(header.pixels.offset, header.pixels.length), header,
                    {reinterpret_cast<uint8_t*>(image.pixels.data()), image.pixels.size()});
      if (header.bits_allocated > 1 && header.type == PixelType::integer)
        settle(image.sample, image.pixels.data(), image.pixels.size(),
               header.high_bit + 1 - header.bits_stored, header.bits_stored);
      if (header.syntax->big_endian && header.bits_allocated == 32)
        image.notes.push_back("32-bit pixels in big endian: all four bytes reversed");
    }
  } catch (const std::bad_alloc&) {
    throw resource_error(
        fmt::format("{}: no memory for {} bytes of pixels", header.name, header.decoded_bytes()),
        "free some, or leave the file out");
  }
  return image;
}

}  // namespace fovea::dicom
