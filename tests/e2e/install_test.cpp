// What `cmake --install` leaves: a folder that runs for every user and can be moved, and that programs of others have in
// them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "e2e/demo.h"

namespace fovea::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// A folder that everybody may enter, with an installed fovea, the run of the demo and its images.
struct Place {
  TempFolder folder;
  fs::path prefix = folder / "moved here";
  fs::path run = folder / "run", images = folder / "images", image;
  Outcome installed;

  Place() {
    fs::permissions(folder.path(), fs::perms(0755));
    const fs::path first = folder / "first";
    // As somebody installs whose files are nobody else's business.
    installed = run_shell("umask 077; cmake --install " + quoted(FOVEA_BINARY_DIR) + " --prefix " +
                          quoted(first.string()));
    if (installed.code != 0) throw std::runtime_error("cmake --install failed: " + installed.err);
    fs::rename(first, prefix);
    fs::copy(demo().run, run, fs::copy_options::recursive);
    fs::copy(demo().images(), images, fs::copy_options::recursive);
    run_shell("chmod -R a+rX " + quoted(run.string()) + " " + quoted(images.string()));
    image = *fs::recursive_directory_iterator(images);
    for (const auto& entry : fs::recursive_directory_iterator(images))
      if (entry.is_regular_file()) image = entry.path();
  }

  fs::path program() const { return prefix / "bin/fovea"; }
  std::string text(const fs::path& path) const { return quoted(path.string()); }
};

const Place& place() {
  static const Place instance;
  return instance;
}

/// The command as a user without a name, a home or anything in the environment.
Outcome as_nobody(const std::string& command) {
  return run_shell(
      "cd / && setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH=/usr/bin:/bin "
      "HOME=/nonexistent sh -c " +
      quoted(command));
}

#define FOVEA_NEEDS_ROOT()                                        \
  if (geteuid() != 0 || run_shell("setpriv --version").code != 0) \
  GTEST_SKIP() << "only root (with setpriv) can become another user"

std::vector<fs::path> installed_binaries() {
  std::vector<fs::path> all{place().program()};
  for (const auto& entry : fs::directory_iterator(place().prefix / "lib"))
    if (entry.path().extension() == ".so") all.push_back(entry.path());
  return all;
}

TEST(Install, TheProgramOfAMovedFolderTrainsAndAnswersForEveryUser) {
  FOVEA_NEEDS_ROOT();
  const std::string fovea = place().text(place().program());
  for (const char* command : {" --version", " doctor", " list encoders"}) {
    const Outcome outcome = as_nobody(fovea + command);
    EXPECT_EQ(outcome.code, 0) << command << ": " << outcome.err;
  }
  const fs::path theirs = place().folder / "theirs";
  fs::create_directory(theirs);
  fs::permissions(theirs, fs::perms(0777));
  const fs::path config = theirs / "tiny.yaml";
  std::ofstream(config) << kTinyConfig;
  const std::string out = place().text(theirs / "run");
  const Outcome trained = as_nobody(
      fovea + " phantom " + place().text(theirs / "demo") +
      " --set patients=12 --set images_per_patient=1 --set size=48 --set volumes=1 && " + fovea +
      " train " + place().text(config) + " --set train.epochs=1 --device cpu --out " + out +
      " && " + fovea + " infer " + out + "/bundle " + place().text(place().image));
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("p_clear,p_lesion"));
}

TEST(Install, EveryLibraryIsFoundInTheFolderOrInThoseOfTheSystem) {
  for (const fs::path& binary : installed_binaries()) {
    if (binary.filename() == "libfovea_cuda.so") continue;  // CUDA's own may be absent
    std::istringstream lines(run_shell("ldd " + place().text(binary)).out);
    for (std::string line; std::getline(lines, line);) {
      const size_t arrow = line.find("=> ");
      if (arrow == std::string::npos) continue;
      const std::string path = line.substr(arrow + 3);
      EXPECT_TRUE(path.starts_with(place().prefix.string()) || path.starts_with("/lib") ||
                  path.starts_with("/usr/lib"))
          << binary << line;
    }
  }
}

TEST(Install, NoPathInItLeadsToWhereItWasBuilt) {
  for (const fs::path& binary : installed_binaries()) {
    std::istringstream lines(run_shell("readelf -d " + place().text(binary)).out);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("RPATH") == std::string::npos && line.find("RUNPATH") == std::string::npos)
        continue;
      const size_t begin = line.find('[') + 1;
      std::istringstream folders(line.substr(begin, line.find(']') - begin));
      for (std::string one; std::getline(folders, one, ':');)
        EXPECT_TRUE(one.starts_with("$ORIGIN")) << binary << ": " << line;
    }
  }
  const std::string package = place().text(place().prefix / "lib/cmake/fovea");
  const Outcome found =
      run_shell("grep -rnE '(^|[\" ;])/[A-Za-z]' " + package + " | grep -v '^[^:]*:[0-9]*:#'");
  EXPECT_EQ(found.out, "");
}

TEST(Install, TheBillOfMaterialsLiesBesideItForEveryUser) {
  const fs::path bill = place().prefix / "share/fovea/fovea.cdx.json";
  EXPECT_THAT(read_text(bill), HasSubstr("\"bomFormat\": \"CycloneDX\""));
  for (const fs::path& path : {bill, bill.parent_path()})
    EXPECT_NE(fs::status(path).permissions() & fs::perms::others_read, fs::perms::none) << path;
}

TEST(Install, WhatWasNotBuiltIsLeftOut) {
  // The script of this build, for one in which the plug-in of the GPU was not built.
  const fs::path plug_in = fs::path(FOVEA_BINARY_DIR) / "libfovea_cuda.so";
  std::string script = read_text(fs::path(FOVEA_BINARY_DIR) / "cmake_install.cmake");
  if (script.find(plug_in.string()) == std::string::npos)
    GTEST_SKIP() << "this build has no plug-in of the GPU, and was installed without";
  for (size_t at = 0; (at = script.find(plug_in.string(), at)) != std::string::npos; at += 1)
    script.replace(at, plug_in.string().size(), plug_in.string() + ".absent");
  const fs::path changed = place().folder.write("install.cmake", script);
  const fs::path prefix = place().folder / "without";
  const Outcome outcome = run_shell("cmake -D CMAKE_INSTALL_PREFIX=" + place().text(prefix) +
                                    " -P " + place().text(changed));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(run_shell("find " + place().text(prefix) + " -name '*cuda.so'").out, "");
  EXPECT_EQ(run_shell(place().text(prefix / "bin/fovea") + " --version").code, 0);
  fs::remove_all(prefix);
}

/// Configures and builds an outside project against the installed folder.
Outcome build(const fs::path& project, const fs::path& there, const std::string& compiler,
              const std::string& standard) {
  return run_shell("cmake -G Ninja -S " + place().text(project) + " -B " + place().text(there) +
                   " -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=" + compiler +
                   " -DCMAKE_CXX_STANDARD=" + standard + " -DCMAKE_PREFIX_PATH=" +
                   place().text(place().prefix) + " && cmake --build " + place().text(there));
}

bool exists(const std::string& compiler) { return run_shell(compiler + " --version").code == 0; }

TEST(Embed, TheExampleIsBuiltByEveryCompilerAndStandardAndClassifies) {
  const fs::path example = fs::path(FOVEA_SOURCE_DIR) / "examples/embed";
  for (const std::string compiler : {"g++", "clang++"}) {
    if (!exists(compiler)) continue;
    for (const std::string standard : {"17", "20"}) {
      const fs::path there = place().folder / ("embed-" + compiler + standard);
      const Outcome built = build(example, there, compiler, standard);
      ASSERT_EQ(built.code, 0) << compiler << standard << built.out << built.err;
      EXPECT_THAT(built.out + built.err, Not(HasSubstr("warning"))) << compiler << standard;
      const Outcome classified =
          run_shell(place().text(there / "classify") + " " + place().text(place().run) + " " +
                    place().text(place().image));
      EXPECT_EQ(classified.code, 0) << classified.err;
      EXPECT_THAT(classified.out, ContainsRegex("decision (clear|lesion)\n"));
    }
  }
}

/// The messages of the compiler about a program of one line.
Outcome compile(const std::string& compiler_and_flags) {
  const fs::path source =
      place().folder.write("one.cpp", "#include <fovea/fovea.h>\nint main() {}\n");
  return run_shell(compiler_and_flags + " -fsyntax-only -I " +
                   place().text(place().prefix / "include") + " " + place().text(source));
}

TEST(Embed, TheHeadersAreCPlusPlus17AndGiveNoWarning) {
  for (const std::string compiler : {"g++", "clang++"}) {
    if (!exists(compiler)) continue;
    for (const char* standard : {"17", "20", "23"}) {
      const Outcome outcome =
          compile(compiler + " -std=c++" + (standard == std::string("23") ? "2b" : standard) +
                  " -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Werror");
      EXPECT_EQ(outcome.code, 0) << compiler << standard << outcome.err;
    }
  }
}

TEST(Embed, AnotherStandardLibraryIsRefusedWithTheReason) {
  for (const char* flag : {"-D_GLIBCXX_DEBUG", "-D_GLIBCXX_USE_CXX11_ABI=0"}) {
    const Outcome outcome = compile(std::string("g++ -std=c++20 ") + flag);
    EXPECT_NE(outcome.code, 0) << flag;
    EXPECT_THAT(outcome.err, HasSubstr("error \"fovea was built with")) << flag;
  }
  EXPECT_EQ(compile("g++ -std=c++20 -D_GLIBCXX_ASSERTIONS").code, 0);
}

/// tests/e2e/host, built once.
class Host : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const fs::path project = fs::path(FOVEA_SOURCE_DIR) / "tests/e2e/host";
    built_ = build(project, place().folder / "host", "c++", "17");
  }
  void SetUp() override { ASSERT_EQ(built_.code, 0) << built_.out << built_.err; }

  static Outcome host(const std::string& what, const fs::path& input) {
    return run_shell(place().text(place().folder / "host/host") + " " + what + " " +
                     place().text(place().run) + " " + place().text(input));
  }
  static inline Outcome built_;
};

TEST_F(Host, ThreadsOfItsOwnGetOneAnswer) {
  const Outcome outcome = host("threads", place().image);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "different answers: 1\n");
}

TEST_F(Host, ItsChildrenAnswerAfterAForkAsItDoes) {
  const Outcome outcome = host("fork", place().image);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string first;
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const std::string answer = line.substr(line.find(": ") + 2, 12);  // probabilities to two digits
    if (count == 0) first = answer;
    EXPECT_EQ(answer, first) << line;
  }
  EXPECT_EQ(count, 6) << outcome.out;
  EXPECT_THAT(outcome.err, HasSubstr("forked"));
}

TEST_F(Host, FindsEverythingOfItsProcessAsItLeftIt) {
  const fs::path files = place().folder / "files";
  fs::copy(place().images, files, fs::copy_options::recursive);
  place().folder.write("files/broken.dcm", read_text(place().image).substr(0, 5000));
  place().folder.write("files/broken.jpg", "\xff\xd8\xff\xe0 no image");
  const Outcome outcome = host("unchanged", files);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, ContainsRegex("answers: [0-9]+, failures: 2\n"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("changed")));
}

TEST_F(Host, LivesOnWhereTheSystemStartsNoMoreThreads) {
  const Outcome outcome = host("alone", place().images);
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_EQ(outcome.out,
            "answers: 80 of 80, failures: 0\n");  // two of each of the demo's 40 patients
  EXPECT_THAT(outcome.err, HasSubstr("no more threads"));
}

TEST_F(Host, APlugInIsOpenedAndClosedThreeTimes) {
  const Outcome outcome = run_shell(place().text(place().folder / "host/opener") + " " +
                                    place().text(place().folder / "host/plug_in.so") + " " +
                                    place().text(place().run) + " " + place().text(place().image));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const std::string once = outcome.out.substr(0, outcome.out.find('\n') + 1);
  EXPECT_THAT(once, ContainsRegex("^(clear|lesion) [0-9.]+\n$"));
  EXPECT_EQ(outcome.out, once + once + once);
}

}  // namespace
}  // namespace fovea::test
