// Files for tests: a folder that cleans up after itself, and the public data sets where they are
// present.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace fovea::test {

namespace fs = std::filesystem;

/// A new empty folder, removed with everything in it when the object dies.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (fs::temp_directory_path() / "fovea-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const fs::path& path() const { return path_; }
  fs::path operator/(std::string_view name) const { return path_ / name; }

  /// Writes `content` to a file in the folder and returns its path.
  fs::path write(std::string_view name, std::string_view content) const {
    fs::path path = path_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

 private:
  fs::path path_;
};

inline std::string read_text(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// The public data sets: $FOVEA_TEST_DATA, or ../shared/data beside the repository.
inline fs::path test_data() {
  if (const char* root = std::getenv("FOVEA_TEST_DATA")) return root;
  return fs::path(FOVEA_SOURCE_DIR).parent_path() / "shared" / "data";
}

/// Numbers made by other software, with the script that made them: tests/reference/.
inline fs::path reference(std::string_view name) {
  return fs::path(FOVEA_SOURCE_DIR) / "tests" / "reference" / name;
}

}  // namespace fovea::test

/// Skips the test, visibly and with the reason, where a public data set is not on this machine.
#define FOVEA_NEEDS_DATA(relative)                                                          \
  if (!std::filesystem::exists(fovea::test::test_data() / (relative)))                      \
  GTEST_SKIP() << "needs the data set " << (fovea::test::test_data() / (relative)).string() \
               << " (set FOVEA_TEST_DATA)"
