// The configs of the repository.
#include <gtest/gtest.h>

#include <cstdlib>

#include "fovea/config/run_config.h"
#include "support/test_files.h"

namespace fovea::config {
namespace {

TEST(Configs, EachIsReadWithoutAComplaint) {
  for (const char* variable : {"FOVEA_DATA", "FOVEA_DEMO", "FOVEA_IMAGES"})
    setenv(variable, "/some/folder", 1);
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FOVEA_SOURCE_DIR "/configs")) {
    EXPECT_NO_THROW(read_config(entry.path())) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 14);
}

}  // namespace
}  // namespace fovea::config
