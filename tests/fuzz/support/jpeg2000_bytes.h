// Small JPEG 2000 streams, written by OpenJPEG.
#pragma once

#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace fovea::fuzz {

inline std::string jpeg2000(int side, int components, int precision, bool sign, bool boxes) {
  std::vector<opj_image_cmptparm_t> parts(static_cast<size_t>(components));
  for (opj_image_cmptparm_t& part : parts) {
    part.dx = part.dy = 1;
    part.w = part.h = static_cast<OPJ_UINT32>(side);
    part.prec = part.bpp = static_cast<OPJ_UINT32>(precision);
    part.sgnd = sign;
  }
  opj_image_t* image = opj_image_create(static_cast<OPJ_UINT32>(components), parts.data(),
                                        components == 3 ? OPJ_CLRSPC_SRGB : OPJ_CLRSPC_GRAY);
  image->x1 = image->y1 = static_cast<OPJ_UINT32>(side);
  for (int c = 0; c < components; ++c)
    for (int i = 0; i < side * side; ++i) image->comps[c].data[i] = (i * 7 + c) % 100;
  opj_cparameters_t parameters;
  opj_set_default_encoder_parameters(&parameters);
  parameters.numresolution = 2;
  parameters.tcp_numlayers = 1;
  parameters.cp_disto_alloc = 1;
  parameters.tcp_mct = components == 3;
  opj_codec_t* codec = opj_create_compress(boxes ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
  struct Buffer {
    std::string text;
    size_t at = 0;
  } buffer;
  opj_stream_t* stream = opj_stream_default_create(OPJ_FALSE);
  opj_stream_set_user_data(stream, &buffer, nullptr);
  opj_stream_set_write_function(stream, [](void* from, OPJ_SIZE_T count, void* user) {
    auto& to = *static_cast<Buffer*>(user);
    to.text.resize(std::max(to.text.size(), to.at + count));
    std::memcpy(to.text.data() + to.at, from, count);
    to.at += count;
    return count;
  });
  opj_stream_set_skip_function(stream, [](OPJ_OFF_T count, void* user) {
    static_cast<Buffer*>(user)->at += static_cast<size_t>(count);
    return count;
  });
  opj_stream_set_seek_function(stream, [](OPJ_OFF_T to, void* user) -> OPJ_BOOL {
    static_cast<Buffer*>(user)->at = static_cast<size_t>(to);
    return OPJ_TRUE;
  });
  opj_setup_encoder(codec, &parameters, image);
  opj_start_compress(codec, image, stream);
  opj_encode(codec, stream);
  opj_end_compress(codec, stream);
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  opj_image_destroy(image);
  return buffer.text;
}

}  // namespace fovea::fuzz
