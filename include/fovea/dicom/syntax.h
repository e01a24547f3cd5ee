// Transfer syntaxes: how the elements of a DICOM file are written and how its pixels are coded
// (PS3.5 section 10).
#pragma once

#include <string_view>

#include "fovea/core/standard_library.h"

namespace fovea::dicom {

/// Who turns the coded pixels into samples.
enum class Coding {
  native,    ///< samples lie in the file as they are
  rle,       ///< PS3.5 annex G
  jpeg,      ///< baseline, extended, lossless
  jpeg_ls,   ///< lossless and near-lossless
  jpeg2000,  ///< JPEG 2000 and high-throughput JPEG 2000
  refused,   ///< known by name; `why_not` says what is missing
};

struct TransferSyntax {
  std::string_view uid;
  std::string_view name;
  Coding coding = Coding::refused;
  bool implicit_vr = false;
  bool big_endian = false;
  bool deflated = false;
  std::string_view why_not = {};  ///< empty where fovea decodes it

  /// Pixels come as fragments rather than as one plain value.
  bool encapsulated() const { return coding != Coding::native; }
};

/// The table's entry, or nullptr for a UID that is in no table. A trailing pad byte must be cut off
/// before.
const TransferSyntax* find_syntax(std::string_view uid);

extern const TransferSyntax& kImplicitLittle;
extern const TransferSyntax& kExplicitLittle;
extern const TransferSyntax& kExplicitBig;

}  // namespace fovea::dicom
