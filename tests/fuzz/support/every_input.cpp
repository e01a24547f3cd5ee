// The fuzz targets without libFuzzer: test_fuzz TARGET FILE|FOLDER… hands every file to the target
// once. What goes wrong ends the process behind the name of the file.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "fuzz/support/fuzz.h"

#define FOVEA_TARGET(name) extern "C" int fuzz_##name(const uint8_t* data, size_t size);
#include "fuzz_targets.inc"
#undef FOVEA_TARGET

namespace {

namespace fs = std::filesystem;

struct Target {
  std::string_view name;
  int (*run)(const uint8_t* data, size_t size);
};

constexpr Target kTargets[] = {
#define FOVEA_TARGET(name) {#name, fuzz_##name},
#include "fuzz_targets.inc"
#undef FOVEA_TARGET
};

std::vector<fs::path> files_of(int count, char** places) {
  std::vector<fs::path> files;
  for (int i = 0; i < count; ++i) {
    if (!fs::is_directory(places[i])) {
      files.emplace_back(places[i]);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(places[i])) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view name = count > 1 ? arguments[1] : "";
  const auto target = std::ranges::find(kTargets, name, &Target::name);
  const std::vector<fs::path> files = files_of(std::max(count - 2, 0), arguments + 2);
  if (target == std::end(kTargets) || files.empty()) {
    std::fputs("wanted: test_fuzz TARGET FILE|FOLDER…\n", stderr);
    return 2;
  }
  for (const fs::path& file : files) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    std::ifstream stream(file, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(stream), {});
    target->run(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
  std::printf("fuzz: %s: %zu inputs\n", arguments[1], files.size());
}
