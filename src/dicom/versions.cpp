#include "fovea/dicom/versions.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <openjpeg.h>
#include <zlib.h>

namespace fovea::dicom {
namespace {

std::vector<Defect> dcmtk_367() {
  return {
      {"no limit on nested sequences: a small file overflows the stack",
       "own scanner, which goes 64 levels deep"},
      {"huge Rows and Columns end in an uncaught bad_alloc, or in invented pixels",
       "sizes are checked before decoding; all exceptions are caught"},
      {"the RLE decoder reads out of bounds", "own RLE decoder"},
      {"NumberOfFrames 0, negative or not a number is read as one frame", "refused by the scanner"},
      {"RescaleSlope 0 is accepted", "refused by the scanner"},
      {"lossless JPEG, predictor 6, 16 bits decodes to garbage without a word",
       "decoded both ways; refused where they differ"},
      {"32-bit pixels in big endian come out swapped", "own reader of native pixels"},
      {"an endless loop on a JPEG TEM marker", "own marker reader refuses the stream before"},
      {"JPEG-LS of less than 8 bits, 1-bit RLE, segmented palettes, JPEG 2000 and HTJ2K are not "
       "decoded",
       "JPEG 2000 and HTJ2K through OpenJPEG; the rest is refused by name"},
  };
}

}  // namespace

std::vector<LibraryVersion> library_versions() {
  LibraryVersion dcmtk{"DCMTK", OFFIS_DCMTK_VERSION_STRING, {}};
#if OFFIS_DCMTK_VERSION_NUMBER == 367
  dcmtk.defects = dcmtk_367();
#endif
  return {dcmtk, {"OpenJPEG", opj_version(), {}}, {"zlib", zlibVersion(), {}}};
}

}  // namespace fovea::dicom
