#include "fovea/config/version.h"

#include "fovea_build.h"  // written by cmake/write_version.cmake

namespace fovea::config {

std::string version() { return FOVEA_VERSION; }
std::string commit() { return FOVEA_COMMIT; }
std::string version_text() { return version() + " (commit " + commit() + ")"; }

}  // namespace fovea::config
