// What is common to the two halves of reading TIFF: the directories, checked by fovea before
// anything is allocated (tiff.cpp), and the samples, decoded by libtiff (tiff_samples.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "fovea/image/image.h"

namespace fovea::io {

enum TiffColour { kWhiteIsZero = 0, kBlackIsZero = 1, kTiffRgb = 2, kTiffPalette = 3, kYcbcr = 6 };

/// One page, as its directory describes it.
struct TiffPage {
  size_t at = 0;  ///< of its directory in the file
  Image image;    ///< without pixels
  int64_t bits = 8;
  int64_t colour = kBlackIsZero;
};

/// The samples of an open TIFF file, decoded by libtiff from memory. Keeps a view of `file`.
class TiffSamples {
 public:
  TiffSamples(std::string_view file, const std::filesystem::path& path);
  TiffSamples(const TiffSamples&) = delete;
  TiffSamples& operator=(const TiffSamples&) = delete;
  ~TiffSamples();

  /// Decodes one page into `to`, a frame of `page.image`; bits become 0 and 255. White-is-zero is
  /// left as stored. A data Error where libtiff finds the page damaged.
  void decode(const TiffPage& page, std::byte* to);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  const std::filesystem::path& path_;
};

}  // namespace fovea::io
