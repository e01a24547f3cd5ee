// Rules about the sources as text.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/program.h"

namespace fovea::test {
namespace {

const std::string& source() {
  static const std::string folder = FOVEA_SOURCE_DIR;
  return folder;
}

/// What git knows of the tree; nothing where it is not a repository or there is no git.
std::vector<fs::path> files_in_git() {
  const Outcome listed = run_shell("git -c safe.directory=" + quoted(source()) + " -C " +
                                   quoted(source()) + " ls-files -z");
  std::vector<fs::path> files;
  std::istringstream names(listed.out);
  for (std::string name; std::getline(names, name, '\0');)
    if (fs::exists(fs::path(source()) / name)) files.emplace_back(name);
  return files;
}

std::vector<fs::path> with_ending(const std::set<std::string>& endings) {
  std::vector<fs::path> files = files_in_git();
  std::erase_if(files, [&](const fs::path& file) { return !endings.contains(file.extension()); });
  return files;
}

/// The program of exactly this version: others break lines elsewhere.
std::string clang_format_14() {
  for (const char* name : {"clang-format-14", "clang-format"})
    if (run_shell(std::string(name) + " --version").out.find("version 14.") != std::string::npos)
      return name;
  return "";
}

#define FOVEA_NEEDS_GIT() \
  if (files_in_git().empty()) GTEST_SKIP() << "needs git and the repository in " << source()

TEST(Style, EveryFileIsAsClangFormatWritesIt) {
  FOVEA_NEEDS_GIT();
  const std::string clang_format = clang_format_14();
  if (clang_format.empty()) GTEST_SKIP() << "needs clang-format 14 (Debian: clang-format-14)";
  std::string files;
  for (const fs::path& file : with_ending({".h", ".cpp", ".cu", ".cuh"}))
    files += " " + quoted(file.string());
  const Outcome checked =
      run_shell("cd " + quoted(source()) + " && " + clang_format + " --dry-run -Werror" + files);
  EXPECT_EQ(checked.code, 0) << checked.err << "write them anew with: " << clang_format
                             << " -i FILE";
}

TEST(Style, NoFileNamesAPathOfADevelopersMachine) {
  FOVEA_NEEDS_GIT();
  const std::string folders = "/(home|Users)/[A-Za-z]|/root/|/work/(main|shared)|[A-Z]:\\\\Users";
  const Outcome found =
      run_shell("git -c safe.directory=" + quoted(source()) + " -C " + quoted(source()) +
                " grep -nIE " + quoted(folders) + " -- . ':!tests/style/style_test.cpp'");
  EXPECT_EQ(found.out, "");
}

// They read and write numbers as the locale says, which belongs to the host: "0,5" in half of Europe.
// number() of core/text.h, fmt and std::from_chars do not.
TEST(Style, NothingReadsOrWritesNumbersByTheLocale) {
  FOVEA_NEEDS_GIT();
  const std::string words =
      "\\b(strto(d|f|ld|l|ll|ul|ull)|ato(f|i|l|ll)|sto(d|f|ld|i|l|ll|ul|ull)|v?s?n?f?printf|v?f?s?"
      "scanf|"
      "setprecision|setlocale|localeconv)\\b *\\(";
  // libtiff's own messages, which hold no number of an image.
  const Outcome found = run_shell("git -c safe.directory=" + quoted(source()) + " -C " +
                                  quoted(source()) + " grep -nIE " + quoted(words) +
                                  " -- src include apps kernels ':!src/io/tiff_samples.cpp'");
  EXPECT_EQ(found.out, "");
}

/// Lines of src, include and apps that match; `but` leaves files out.
std::string lines_with(const std::string& words, const std::string& but = "") {
  return run_shell("git -c safe.directory=" + quoted(source()) + " -C " + quoted(source()) +
                   " grep -nIE " + quoted(words) + " -- src include apps " + but)
      .out;
}

// core/threads.h knows the container's quota and a system that starts no more; openmp_guard tries.
TEST(Style, ThreadsAreStartedInOnePlace) {
  FOVEA_NEEDS_GIT();
  EXPECT_EQ(lines_with("std::j?thread\\b|hardware_concurrency|pthread_create",
                       "':!src/core/threads.cpp' ':!include/fovea/core/threads.h' "
                       "':!src/bundle/openmp_guard.cpp'"),
            "");
}

// What a target means stands in its TargetSpec; names of tensors are those of inputs, targets, heads.
TEST(Style, NoCodeAsksForATargetTypeAndNoTensorHasANameWithADot) {
  FOVEA_NEEDS_GIT();
  EXPECT_EQ(lines_with("TargetKind"), "");
  EXPECT_EQ(lines_with("(inputs|outputs|lengths|targets)(\\.find|\\.at|\\.contains|\\[).*\"[.]"),
            "");
}

// `as<Options>()`: each input and each target knows its own settings, and nobody else's.
TEST(Style, SettingsOfAnInputOrATargetAreReadInItsOwnFile) {
  FOVEA_NEEDS_GIT();
  std::istringstream lines(lines_with("as<[a-z:]*[A-Za-z]+Options>\\("));
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(line.starts_with("src/inputs/") || line.starts_with("src/targets/") ||
                line.starts_with("tests/"))
        << line;
}

TEST(Style, NoSourceIsLongerThan400Lines) {
  FOVEA_NEEDS_GIT();
  for (const fs::path& file : with_ending({".h", ".cpp", ".cu", ".cuh"})) {
    if (!std::set<fs::path>{"src", "apps", "kernels"}.contains(*file.begin())) continue;
    const std::string text = read_text(fs::path(source()) / file);
    EXPECT_LE(std::ranges::count(text, '\n'), 400) << file << ": split it along a natural seam";
  }
}

// LibTorch's own are wrong where a kernel reaches beyond a small map; nn::convolve is right.
TEST(Style, OnePlaceConvolves) {
  FOVEA_NEEDS_GIT();
  const std::string calls =
      "(at|torch|F|functional|_ops)::_?(slow_|thnn_|mkldnn_|cudnn_|miopen_)?conv(olution|_|[123]d)|"
      "nn::Conv(Transpose)?[123]d|Conv(Transpose)?[123]dOptions|conv_transpose";
  const Outcome found =
      run_shell("git -c safe.directory=" + quoted(source()) + " -C " + quoted(source()) +
                " grep -nE " + quoted(calls) + " -- src include apps kernels bench examples " +
                "':!*.py' ':!src/nn/convolution.cpp' ':!bench/convolution.cpp'");
  EXPECT_EQ(found.out, "") << "use nn::convolve or nn::Conv";
}

/// A header and all of fovea's that it includes, itself or through others.
std::set<std::string> included_by(const std::string& header) {
  std::set<std::string> all{header};
  std::vector<std::string> open{header};
  while (!open.empty()) {
    std::istringstream lines(read_text(fs::path(source()) / "include" / open.back()));
    open.pop_back();
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("#include \"fovea/")) {
        const std::string one = line.substr(10, line.rfind('"') - 10);
        if (all.insert(one).second) open.push_back(one);
      }
  }
  return all;
}

TEST(Style, EveryPublicHeaderRefusesAnotherStandardLibrary) {
  FOVEA_NEEDS_GIT();
  for (const fs::path& file : with_ending({".h"})) {
    const std::string header = file.string();
    if (!header.starts_with("include/")) continue;
    const std::string text = read_text(fs::path(source()) / file);
    if (text.find("#include") == std::string::npos) continue;  // passes nothing of it
    EXPECT_TRUE(included_by(header.substr(8)).contains("fovea/core/standard_library.h"))
        << header << ": include fovea/core/standard_library.h";
  }
}

TEST(Style, NoCudaSourceIncludesLibTorch) {
  FOVEA_NEEDS_GIT();
  for (const fs::path& file : with_ending({".cu", ".cuh"})) {
    std::istringstream lines(read_text(fs::path(source()) / file));
    for (std::string line; std::getline(lines, line);)
      EXPECT_FALSE(line.starts_with("#include") &&
                   (line.find("<torch/") != std::string::npos ||
                    line.find("<ATen/") != std::string::npos ||
                    line.find("<c10/") != std::string::npos ||
                    line.find("\"attention/operators") != std::string::npos))
          << file << ": " << line << " makes nvcc take half a minute; use kernels/cuda/sdpa.h";
  }
}

}  // namespace
}  // namespace fovea::test
