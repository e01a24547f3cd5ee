// Which fovea this is.
#pragma once

#include <string>

#include "fovea/core/standard_library.h"

namespace fovea::config {

std::string version();  ///< "0.1.0"

/// Of the source it was built from: the first twelve digits, then "-dirty" where files had been
/// changed; "unknown" where the source was not in git.
std::string commit();

std::string version_text();  ///< "0.1.0 (commit 4f2a91c03b7d)"

}  // namespace fovea::config
