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
/// upwards. How many samples had other bits set than such a repetition.
template <class T>
size_t settle(std::byte* data, size_t bytes, int shift, int bits) {
  using Unsigned = std::make_unsigned_t<T>;
  constexpr int kBits = 8 * sizeof(T);
  if (shift == 0 && bits == kBits) return 0;
  T* values = reinterpret_cast<T*>(data);
  const int up = kBits - shift - bits, down = kBits - bits;
  const auto inside = static_cast<Unsigned>((Unsigned(~Unsigned{0}) >> down) << shift);
  size_t others = 0;
  for (size_t i = 0; i < bytes / sizeof(T); ++i) {
    const T raw = values[i];
    const T settled = static_cast<T>(
        static_cast<T>(static_cast<Unsigned>(static_cast<Unsigned>(raw) << up)) >> down);
    values[i] = settled;
    others += static_cast<Unsigned>(raw & ~inside) != 0 &&
              raw != static_cast<T>(static_cast<Unsigned>(settled) << shift);
  }
  return others;
}

size_t settle(Sample sample, std::byte* data, size_t bytes, int shift, int bits) {
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
      return 0;
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

/// Cuts off what stands outside BitsStored: by the standard overlays may, by mistake samples do.
void settle_stored(Image& image, const Header& header, std::byte* data, size_t bytes, int shift,
                   int bits) {
  if (settle(image.sample, data, bytes, shift, bits) > 0)
    note_once(image, fmt::format("bits beyond BitsStored {} are set and cut off: overlays, or the "
                                 "header is wrong",
                                 header.bits_stored));
}

/// Lossy compression may overshoot BitsStored a little, in a stream that has more bits.
template <class T>
void settle_overshoot(Image& image, const Header& header, std::byte* data, size_t bytes) {
  T* values = reinterpret_cast<T*>(data);
  const size_t count = bytes / sizeof(T);
  const auto most = static_cast<T>((uint64_t{1} << header.bits_stored) - 1);
  const T highest = *std::max_element(values, values + count);
  if (highest <= most) return;
  if (highest > most + most / 8)
    throw data_error(
        fmt::format("found samples up to {} where BitsStored is {}", highest, header.bits_stored),
        "export the file again: its header is wrong");
  for (size_t i = 0; i < count; ++i) values[i] = std::min(values[i], most);
  note_once(image, fmt::format("lossy JPEG beyond the highest value of BitsStored {}: became that",
                               header.bits_stored));
}

void settle_jpeg(Image& image, const Header& header, const StreamSays& says, std::byte* data,
                 size_t bytes) {
  const int bits = std::min(says.precision, header.bits_stored);
  if (!says.lossy || header.is_signed || says.precision <= bits)
    return settle_stored(image, header, data, bytes, 0, bits);
  if (image.sample == Sample::u8) return settle_overshoot<uint8_t>(image, header, data, bytes);
  settle_overshoot<uint16_t>(image, header, data, bytes);
}

/// JPEG 2000 says for itself how deep and whether signed its samples are; PixelRepresentation may
/// disagree.
void settle_jpeg2000(Image& image, const Header& header, const StreamSays& depth, std::byte* data,
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

/// The stream decides: what it says of its colour goes before what the header says. All frames must
/// agree.
void settle_colour(Image& image, Header& header, const StreamSays& says, bool first) {
  if (header.samples != 3 || says.colour == StreamColour::unsaid) return;
  const bool ybr = header.photometric == Photometric::ybr_full ||
                   header.photometric == Photometric::ybr_full_422;
  if (ybr == (says.colour == StreamColour::ybr)) return;
  if (!first)
    throw data_error("the frames differ in what their streams say of the colour",
                     "export the file again");
  const bool becomes = says.colour == StreamColour::ybr;
  note_once(image, fmt::format("the code stream is {} by {}, PhotometricInterpretation says {}: "
                               "read as {}",
                               becomes ? "YBR" : "RGB", says.colour_from, becomes ? "RGB" : "YBR",
                               becomes ? "YBR" : "RGB"));
  header.photometric = becomes ? Photometric::ybr_full : Photometric::rgb;
}

void decode_frame(Bytes stream, Header& header, const DecodeOptions& options, Image& image, Out out,
                  bool first) {
  auto* data = reinterpret_cast<std::byte*>(out.data());
  switch (header.syntax->coding) {
    case Coding::rle:
      decode_rle(stream, header, out);
      return settle_stored(image, header, data, out.size(),
                           header.high_bit + 1 - header.bits_stored, header.bits_stored);
    case Coding::jpeg:
    case Coding::jpeg_ls: {
      const StreamSays says = header.syntax->coding == Coding::jpeg
                                  ? decode_jpeg(stream, header, options, out)
                                  : decode_jpeg_ls(stream, header, out);
      if (says.bytes_after) note_once(image, "bytes after the end of the JPEG stream are ignored");
      settle_colour(image, header, says, first);
      return settle_jpeg(image, header, says, data, out.size());
    }
    case Coding::jpeg2000: {
      if (stream.size() > 8 && stream[4] == 'j' && stream[5] == 'P')
        note_once(image, "JP2 boxes around the JPEG 2000 stream");
      const StreamSays says = decode_jpeg2000(stream, header, out);
      settle_colour(image, header, says, first);
      return settle_jpeg2000(image, header, says, data, out.size());
    }
    default:
      throw Error(Fault::internal, "no decoder for " + std::string(header.syntax->name));
  }
}

void decode_fragments(Bytes file, Header& header, const DecodeOptions& options, Image& image) {
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
          {reinterpret_cast<uint8_t*>(image.pixels.data()) + frame * frame_size, frame_size},
          frame == 0);
    });
  }
}

/// More bytes than the header wants are padding or the header is wrong. What is not padding is told
/// by being other than 0 (see Checks::extent for its length).
void refuse_more(Bytes value, size_t wanted, const Header& header) {
  const Bytes rest = value.subspan(std::min(wanted + wanted % 2, value.size()));
  if (std::all_of(rest.begin(), rest.end(), [](uint8_t byte) { return byte == 0; })) return;
  throw data_error(
      fmt::format("{}: PixelData at offset {} holds {} bytes, wanted {}, and the others are not 0",
                  header.name, header.pixel_element_offset, value.size(), wanted),
      "the header is wrong: export the file again");
}

void decode_plain(Bytes file, const Header& header, Image& image) {
  const Bytes value = file.subspan(header.pixels.offset, header.pixels.length);
  refuse_more(value, header.native_bytes(), header);
  image.pixels.resize(header.decoded_bytes());
  decode_native(value, header,
                {reinterpret_cast<uint8_t*>(image.pixels.data()), image.pixels.size()});
  if (header.bits_allocated > 1 && header.type == PixelType::integer)
    settle_stored(image, header, image.pixels.data(), image.pixels.size(),
                  header.high_bit + 1 - header.bits_stored, header.bits_stored);
  if (header.syntax->big_endian && header.bits_allocated == 32)
    image.notes.push_back("32-bit pixels in big endian: all four bytes reversed");
}

}  // namespace

Image decode_and_correct(std::span<const std::byte> file, Header& header,
                         const DecodeOptions& options) {
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
    if (header.syntax->encapsulated())
      decode_fragments(bytes, header, options, image);
    else
      decode_plain(bytes, header, image);
  } catch (const std::bad_alloc&) {
    throw resource_error(
        fmt::format("{}: no memory for {} bytes of pixels", header.name, header.decoded_bytes()),
        "lower Limits::max_decoded_bytes");
  }
  return image;
}

Image decode(std::span<const std::byte> file, const Header& header, const DecodeOptions& options) {
  Header corrected = header;
  return decode_and_correct(file, corrected, options);
}

}  // namespace fovea::dicom
