// JPEG 2000 and HTJ2K through OpenJPEG. Its header is read and compared before it allocates the
// image.
#include <fmt/format.h>
#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "dicom/codecs.h"

namespace fovea::dicom {
namespace {

struct Cursor {
  Bytes bytes;
  size_t at = 0;
};

OPJ_SIZE_T read(void* buffer, OPJ_SIZE_T count, void* user) {
  auto& cursor = *static_cast<Cursor*>(user);
  const size_t left = cursor.bytes.size() - cursor.at;
  if (left == 0) return static_cast<OPJ_SIZE_T>(-1);
  count = std::min(count, left);
  std::memcpy(buffer, cursor.bytes.data() + cursor.at, count);
  cursor.at += count;
  return count;
}

OPJ_OFF_T skip(OPJ_OFF_T count, void* user) {
  auto& cursor = *static_cast<Cursor*>(user);
  if (count < 0) return -1;
  const size_t step = std::min<size_t>(static_cast<size_t>(count), cursor.bytes.size() - cursor.at);
  cursor.at += step;
  return step == 0 && count > 0 ? -1 : static_cast<OPJ_OFF_T>(step);
}

OPJ_BOOL seek(OPJ_OFF_T to, void* user) {
  auto& cursor = *static_cast<Cursor*>(user);
  if (to < 0 || static_cast<size_t>(to) > cursor.bytes.size()) return OPJ_FALSE;
  cursor.at = static_cast<size_t>(to);
  return OPJ_TRUE;
}

void remember(const char* message, void* user) {
  std::string& text = *static_cast<std::string*>(user);
  text = message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
}

void ignore(const char*, void*) {}

/// Whether the stream itself turned RGB into luminance and chrominance, which OpenJPEG undoes.
bool transformed(opj_codec_t* codec) {
  opj_codestream_info_v2_t* info = opj_get_cstr_info(codec);
  if (info == nullptr) return false;
  const bool mct = info->m_default_tile_info.mct != 0;
  opj_destroy_cstr_info(&info);
  return mct;
}

void check(const opj_image_t& image, const Header& header) {
  if (image.numcomps != static_cast<OPJ_UINT32>(header.samples))
    throw data_error(fmt::format(
        "the code stream has {} components, SamplesPerPixel is {}; export the file again",
        image.numcomps, header.samples));
  const opj_image_comp_t& first = image.comps[0];
  for (OPJ_UINT32 c = 0; c < image.numcomps; ++c) {
    const opj_image_comp_t& comp = image.comps[c];
    if (comp.w != header.columns || comp.h != header.rows || comp.dx != 1 || comp.dy != 1)
      throw data_error(
          fmt::format("component {} of the code stream is {} x {} (sampled {} x {}), but Columns x "
                      "Rows is {} x {}; export the file again",
                      c + 1, comp.w, comp.h, comp.dx, comp.dy, header.columns, header.rows));
    if (comp.prec != first.prec || comp.sgnd != first.sgnd)
      throw data_error(
          "the components of the code stream differ in precision or sign; transcode the file");
  }
  if (first.prec < 1 || first.prec > static_cast<OPJ_UINT32>(header.bits_allocated))
    throw data_error(fmt::format("the code stream has {} bits per sample, BitsAllocated is {}",
                                 first.prec, header.bits_allocated));
}

uint64_t big_endian(Bytes bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
  return value;
}

/// The code stream within its boxes; nothing where there is none.
Bytes within_boxes(Bytes bytes) {
  for (size_t at = 0; bytes.size() - at >= 8;) {
    uint64_t length = big_endian(bytes, at, 4);
    size_t header = 8;
    if (length == 1 && bytes.size() - at >= 16) {
      length = big_endian(bytes, at + 8, 8);
      header = 16;
    }
    if (std::memcmp(bytes.data() + at + 4, "jp2c", 4) == 0) return bytes.subspan(at + header);
    if (length < header || length > bytes.size() - at) break;
    at += length;
  }
  return {};
}

/// OpenJPEG allocates some kilobytes for each tile that the header states, before it is asked to
/// decode; a header of a hundred bytes may state 65535.
void refuse_many_tiles(Bytes stream, const Header& header) {
  constexpr size_t kLast = 40;  // byte of SIZ that is looked at
  constexpr uint64_t kFew = 64, kPixels = 1024;
  if (stream.size() < kLast || stream[2] != 0xFF || stream[3] != 0x51)
    throw data_error("the JPEG 2000 stream has no whole header (ff 51); export the file again");
  const auto number = [&](size_t at) { return big_endian(stream, at, 4); };
  uint64_t tiles = 1;
  for (const size_t axis : {8, 12}) {
    const uint64_t end = number(axis), side = number(axis + 16), start = number(axis + 24);
    if (side == 0 || start >= end)
      throw data_error("the JPEG 2000 stream states impossible tiles; export the file again");
    tiles *= (end - start + side - 1) / side;
  }
  const auto pixels = static_cast<uint64_t>(header.rows * header.columns);
  if (tiles > kFew + pixels / kPixels)
    throw data_error(
        fmt::format("the JPEG 2000 stream has {} tiles for {} x {} pixels, fewer than "
                    "{} pixels each; transcode the file",
                    tiles, header.columns, header.rows, kPixels));
}

template <class T>
void interleave(const opj_image_t& image, Out out) {
  const size_t pixels = size_t{image.comps[0].w} * image.comps[0].h;
  for (OPJ_UINT32 c = 0; c < image.numcomps; ++c)
    for (size_t i = 0; i < pixels; ++i) {
      const auto value = static_cast<T>(image.comps[c].data[i]);
      std::memcpy(out.data() + (i * image.numcomps + c) * sizeof(T), &value, sizeof(T));
    }
}

}  // namespace

StreamSays decode_jpeg2000(Bytes bytes, const Header& header, Out out) {
  static constexpr uint8_t kBoxes[] = {0, 0, 0, 12, 'j', 'P', ' ', ' '};
  const bool boxes =
      bytes.size() >= sizeof kBoxes && std::memcmp(bytes.data(), kBoxes, sizeof kBoxes) == 0;
  if (!boxes && (bytes.size() < 4 || bytes[0] != 0xFF || bytes[1] != 0x4F))
    throw data_error(
        "the fragment does not start with a JPEG 2000 stream (ff 4f) or its boxes; export the file "
        "again");

  refuse_second_stream(bytes, "\xFF\xD9", "\xFF\x4F\xFF\x51");
  refuse_many_tiles(boxes ? within_boxes(bytes) : bytes, header);
  StreamSays says;
  behind_wall("OpenJPEG", [&] {
    Cursor cursor{bytes};
    std::string reason = "no reason given";
    const auto refuse = [&](const char* step) {
      throw data_error(fmt::format("OpenJPEG {} could not {}: {}; export the file again",
                                   opj_version(), step, reason));
    };
    const std::unique_ptr<opj_stream_t, void (*)(opj_stream_t*)> stream(
        static_cast<opj_stream_t*>(opj_stream_default_create(OPJ_TRUE)),
        [](opj_stream_t* s) { opj_stream_destroy(s); });
    const std::unique_ptr<opj_codec_t, void (*)(opj_codec_t*)> codec(
        static_cast<opj_codec_t*>(opj_create_decompress(boxes ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K)),
        [](opj_codec_t* c) { opj_destroy_codec(c); });
    if (!stream || !codec) throw std::bad_alloc();
    opj_stream_set_user_data(stream.get(), &cursor, nullptr);
    opj_stream_set_user_data_length(stream.get(), bytes.size());
    opj_stream_set_read_function(stream.get(), read);
    opj_stream_set_skip_function(stream.get(), skip);
    opj_stream_set_seek_function(stream.get(), seek);
    opj_set_error_handler(codec.get(), remember, &reason);
    opj_set_warning_handler(codec.get(), ignore, nullptr);
    opj_set_info_handler(codec.get(), ignore, nullptr);
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    if (!opj_setup_decoder(codec.get(), &parameters)) refuse("start");

    opj_image_t* raw = nullptr;
    const bool read_header = opj_read_header(stream.get(), codec.get(), &raw);
    const std::unique_ptr<opj_image_t, void (*)(opj_image_t*)> image(
        raw, [](opj_image_t* i) { opj_image_destroy(i); });
    if (!read_header || !image) refuse("read the header of the code stream");
    check(*image, header);
    if (!opj_decode(codec.get(), stream.get(), image.get())) refuse("decode the frame");
    check(*image, header);
    for (OPJ_UINT32 c = 0; c < image->numcomps; ++c)
      if (image->comps[c].data == nullptr) refuse("decode a component");
    says.precision = static_cast<int>(image->comps[0].prec);
    says.is_signed = image->comps[0].sgnd != 0;
    if (transformed(codec.get())) {
      says.colour = StreamColour::rgb;
      says.colour_from = "its own colour transform";
    } else if (image->color_space == OPJ_CLRSPC_SYCC) {
      says.colour = StreamColour::ybr;
      says.colour_from = "its boxes";
    }
    switch (header.bits_allocated) {
      case 8:
        return interleave<uint8_t>(*image, out);
      case 16:
        return interleave<uint16_t>(*image, out);
      default:
        return interleave<uint32_t>(*image, out);
    }
  });
  return says;
}

}  // namespace fovea::dicom
