// scripts/quickstart itself, with one epoch and a folder of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/program.h"

namespace fovea::test {
namespace {

/// The files that the closing text tells the reader to look at.
std::vector<fs::path> named_in(const std::string& closing) {
  std::vector<fs::path> files;
  const size_t begin = closing.find("Look at:\n"), end = closing.find("Next:\n");
  if (begin == std::string::npos || end == std::string::npos) return files;
  std::istringstream text(closing.substr(begin, end - begin));
  std::string line;
  std::getline(text, line);
  while (std::getline(text, line)) {
    line.erase(0, line.find_first_not_of(' '));
    files.emplace_back(line.substr(0, line.find("  ")));
  }
  return files;
}

TEST(Quickstart, GoesFromNothingToPlotsAndReusesWhatIsThere) {
  const std::string source = FOVEA_SOURCE_DIR;
  if (fs::path(FOVEA_BINARY_DIR) != fs::path(source) / "build")
    GTEST_SKIP() << "the script builds in " << source << "/build, these tests are those of "
                 << FOVEA_BINARY_DIR;
  const Outcome setup = run_shell(quoted(source + "/scripts/setup"));
  if (setup.code != 0) GTEST_SKIP() << "scripts/setup cannot work on this machine: " << setup.err;

  const TempFolder folder;
  const fs::path runs = folder / "my runs";
  const std::string command = "cd " + quoted(folder.path().string()) + " && FOVEA_RUNS='my runs' " +
                              quoted(source + "/scripts/quickstart") +
                              " --set train.epochs=1 --set train.schedule.cosine.warmup=0";
  const Outcome first = run_shell(command);
  ASSERT_EQ(first.code, 0) << first.out << first.err;
  const std::vector<fs::path> files = named_in(first.out);
  EXPECT_GE(files.size(), 3u) << first.out;
  for (const fs::path& file : files) EXPECT_TRUE(fs::exists(file)) << file;
  EXPECT_THAT(first.out, testing::HasSubstr("epochs=1 "));
  EXPECT_THAT(first.out, testing::HasSubstr("p_clear,p_lesion"));

  const auto times = [&] {
    return std::pair(fs::last_write_time(runs / "demo-data/labels.csv"),
                     fs::last_write_time(runs / "quickstart/best/model.safetensors"));
  };
  const auto before = times();
  const std::string metrics = read_text(runs / "quickstart/metrics.csv");
  const Outcome second = run_shell(command);
  ASSERT_EQ(second.code, 0) << second.out << second.err;
  EXPECT_TRUE(times() == before) << "the second call made anew what was there";
  EXPECT_EQ(read_text(runs / "quickstart/metrics.csv"), metrics);

  // The README's other step, on what that script has built.
  const std::string prefix = quoted((folder / "installed").string());
  const Outcome installed =
      run_shell("cmake --install " + quoted(source + "/build") + " --prefix " + prefix);
  ASSERT_EQ(installed.code, 0) << installed.err;
  EXPECT_EQ(run_shell(prefix + "/bin/fovea --version").code, 0);
}

}  // namespace
}  // namespace fovea::test
