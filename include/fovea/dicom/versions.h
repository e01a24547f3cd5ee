// The libraries behind the decoders and what is known to be wrong with them: for `fovea doctor`.
#pragma once

#include <string>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::dicom {

struct Defect {
  std::string what;
  std::string guard;  ///< what fovea does about it
};

struct LibraryVersion {
  std::string name;
  std::string version;          ///< of the library that is loaded, where it can say
  std::vector<Defect> defects;  ///< of just this version; empty where none is known
};

std::vector<LibraryVersion> library_versions();

}  // namespace fovea::dicom
