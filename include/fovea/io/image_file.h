// Images as files: PNG, JPEG, TIFF, BMP, WebP and GIF become an Image in the samples of the file.
// Sixteen bits stay sixteen bits, colour comes out as RGB, and whatever was dropped or turned is in
// `notes`.
//
// The size is read from the header, and refused there when the decoded image would pass the
// limit, before anything of that size is allocated; while a PNG or a WebP is decoded its samples are
// in memory twice. A file that is cut off is refused, never filled up with grey. Any other damage to
// a PNG is refused by its checksums. The others have none: damage inside the samples is refused where
// libjpeg, libtiff, libwebp or giflib notices it, and may pass where the bytes still mean something.
// All refusals are data Errors with the path, what was found, what was wanted and what to do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "fovea/image/image.h"

namespace fovea::io {

struct ImageLimits {
  int64_t max_decoded_bytes = int64_t{2} << 30;  ///< of all frames together, and of the file itself
};

/// PNG (ISO 15948) of every colour type and depth, interlaced or not: grey or RGB of 8 or 16 bits.
/// Palettes become RGB, greys of 1, 2 and 4 bits are scaled to 0..255 and an alpha channel is
/// dropped, each with a note.
Image read_png(const std::filesystem::path& path, const ImageLimits& limits = {});

/// JPEG (ITU-T T.81) of 8 bits, grey or RGB, baseline or progressive. The EXIF orientation is
/// applied, with a note; CMYK is refused.
Image read_jpeg(const std::filesystem::path& path, const ImageLimits& limits = {});

/// TIFF 6.0: whole numbers of 8 or 16 bits, signed ones also of 32, floating point of 32 or 64;
/// grey or RGB, and palettes, YCbCr and 1-bit grey (0 or 255) of 8 bits; stripped or tiled,
/// uncompressed or LZW, Deflate, PackBits, JPEG or what else libtiff decodes. Each page is a frame,
/// and all must be alike; pages marked as reduced copies are left out, with a note. White-is-zero
/// is inverted for unsigned samples, with a note. Refused: BigTIFF, alpha, separate planes, an
/// orientation other than top left.
Image read_tiff(const std::filesystem::path& path, const ImageLimits& limits = {});

/// BMP of Windows and OS/2: palettes of 1, 4 and 8 bits, plain or as run lengths; 16, 24 and 32
/// bits, also by masks of up to 8 bits. A palette of greys alone becomes grey, any other RGB; alpha
/// is dropped; each with a note. Refused: JPEG, PNG or CMYK inside.
Image read_bmp(const std::filesystem::path& path, const ImageLimits& limits = {});

/// WebP, with or without loss: always RGB, for it knows no grey. The first frame of an animation;
/// alpha is dropped and the EXIF orientation applied, each with a note.
Image read_webp(const std::filesystem::path& path, const ImageLimits& limits = {});

/// The first frame of a GIF on its screen, with a note of how many are left out. A palette of greys
/// alone becomes grey, any other RGB; a transparent colour is what it is beneath.
Image read_gif(const std::filesystem::path& path, const ImageLimits& limits = {});

/// Whether the first bytes of a file (18 are enough) are of this format.
bool is_png(std::string_view head);
bool is_jpeg(std::string_view head);
bool is_tiff(std::string_view head);
bool is_bmp(std::string_view head);
bool is_webp(std::string_view head);
bool is_gif(std::string_view head);

/// What the header of a file of these formats (a TIFF: of its first page) says of the samples that come out.
struct StoredImage {
  int64_t channels = 1;
  int64_t bits = 8;
  bool floating = false;
};
/// Reads no more than headers. Nothing where the file is none of these, or its header is damaged.
std::optional<StoredImage> stored_image(const std::filesystem::path& path);

/// The same as read_…, from the bytes of a file already in memory; `path` is for messages.
Image decode_png(std::string_view file, const std::filesystem::path& path,
                 const ImageLimits& limits = {});
Image decode_jpeg(std::string_view file, const std::filesystem::path& path,
                  const ImageLimits& limits = {});
Image decode_tiff(std::string_view file, const std::filesystem::path& path,
                  const ImageLimits& limits = {});
Image decode_bmp(std::string_view file, const std::filesystem::path& path,
                 const ImageLimits& limits = {});
Image decode_webp(std::string_view file, const std::filesystem::path& path,
                  const ImageLimits& limits = {});
Image decode_gif(std::string_view file, const std::filesystem::path& path,
                 const ImageLimits& limits = {});

/// Writes one frame of 8 or 16 bits, grey or RGB, without loss and atomically. Equal images give
/// equal bytes.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace fovea::io
