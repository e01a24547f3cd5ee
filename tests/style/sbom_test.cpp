// The software bill of materials of this build: what it lists is what is linked, in the versions that are linked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "support/program.h"

namespace fovea::test {
namespace {

using nlohmann::json;

const TempFolder& folder() {
  static const TempFolder instance;
  return instance;
}

/// Written anew by the script of the build.
const std::string& text() {
  static const std::string written = [] {
    const fs::path script = fs::path(FOVEA_BINARY_DIR) / "generated/write_sbom.cmake";
    const Outcome outcome =
        run_shell(quoted(FOVEA_CMAKE) + " -D output=" + quoted((folder() / "bom.json").string()) +
                  " -P " + quoted(script.string()));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return read_text(folder() / "bom.json");
  }();
  return written;
}

const json& bom() {
  static const json document = json::parse(text());
  return document;
}

/// "" where it is not listed.
std::string version_of(const std::string& name) {
  for (const json& one : bom().at("components"))
    if (one.at("name") == name) return one.at("version");
  return "";
}

/// Whose each library is; a new one is to be added here, in cmake/sbom.cmake and nowhere else.
const std::map<std::string, std::string> kOwners{
    {"libspdlog", "spdlog"},
    {"libfmt", "fmt"},
    {"libcrypto", "openssl"},
    {"libicuuc", "icu"},
    {"libsentencepiece", "sentencepiece"},
    {"libopencv_core", "opencv"},
    {"libopencv_imgproc", "opencv"},
    {"libzip", "libzip"},
    {"libdeflate", "libdeflate"},
    {"libjpeg", "libjpeg-turbo"},
    {"libtiff", "libtiff"},
    {"libwebpdemux", "libwebp"},
    {"libwebp", "libwebp"},
    {"libgif", "giflib"},
    {"libdcmjpeg", "dcmtk"},
    {"libijg8", "dcmtk"},
    {"libijg12", "dcmtk"},
    {"libijg16", "dcmtk"},
    {"libdcmjpls", "dcmtk"},
    {"libdcmtkcharls", "dcmtk"},
    {"libdcmdata", "dcmtk"},
    {"liboflog", "dcmtk"},
    {"libofstd", "dcmtk"},
    {"libopenjp2", "openjpeg"},
    {"libz", "zlib"},
    {"libtorch_cpu", "torch"},
    {"libtorch_cuda", "torch"},
    {"libc10", "torch"},
    {"libc10_cuda", "torch"},
    {"libgomp", "torch"},  // of its wheel
    {"libcudart", "nvidia-cuda-runtime"},
    {"libyaml-cpp", "yaml-cpp"},
};

/// Of the compiler and the system, which are not a part of what is handed on.
const std::set<std::string> kOfTheSystem{"libstdc++", "libm",     "libgcc_s",       "libc",
                                         "libdl",     "libfovea", "ld-linux-x86-64"};

std::set<std::string> linked_by(const fs::path& binary) {
  std::set<std::string> names;
  std::istringstream lines(run_shell("readelf -d " + quoted(binary.string())).out);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("(NEEDED)") == std::string::npos) continue;
    const size_t begin = line.find('[') + 1;
    names.insert(line.substr(begin, line.find(".so", begin) - begin));
  }
  return names;
}

TEST(Sbom, NamesFoveaItsVersionItsCommitAndItsLicence) {
  EXPECT_EQ(bom().at("bomFormat"), "CycloneDX");
  EXPECT_EQ(bom().at("specVersion"), "1.5");
  EXPECT_THAT(bom().at("serialNumber").get<std::string>(),
              testing::MatchesRegex("urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"));
  const json& fovea_itself = bom().at("metadata").at("component");
  EXPECT_EQ(fovea_itself.at("name"), "fovea");
  EXPECT_EQ(fovea_itself.at("licenses")[0].at("license").at("id"), "Apache-2.0");
  const Outcome said = fovea({"--version"});
  if (said.code != 0) GTEST_SKIP() << "the program is not built";
  EXPECT_EQ(fovea_itself.at("version").get<std::string>() + " (commit " +
                fovea_itself.at("properties")[0].at("value").get<std::string>() + ")\n",
            said.out);
}

TEST(Sbom, ListsTheOwnerOfEveryLibraryThatIsLinked) {
  int binaries = 0;
  for (const char* name : {"fovea", "libfovea.so", "libfovea_cuda.so"}) {
    const fs::path binary = fs::path(FOVEA_BINARY_DIR) / name;
    if (!fs::exists(binary)) continue;
    ++binaries;
    for (const std::string& library : linked_by(binary)) {
      if (kOfTheSystem.contains(library)) continue;
      ASSERT_TRUE(kOwners.contains(library))
          << library << " is linked, and nobody says whose it is";
      EXPECT_NE(version_of(kOwners.at(library)), "") << library;
    }
  }
  if (binaries == 0) GTEST_SKIP() << "nothing is built";
}

TEST(Sbom, ListsEveryThirdPartyOfTheBuildOnceWithItsVersionAndLicence) {
  // What cmake/dependencies.cmake calls them, and what the bill does; dl is the system's.
  const std::map<std::string, std::string> names{
      {"json", "nlohmann-json"}, {"crypto", "openssl"}, {"zip", "libzip"},
      {"deflate", "libdeflate"}, {"tiff", "libtiff"},   {"jpeg", "libjpeg-turbo"},
      {"webp", "libwebp"},       {"gif", "giflib"},     {"yaml", "yaml-cpp"}};
  std::istringstream lines(read_text(fs::path(FOVEA_SOURCE_DIR) / "cmake/dependencies.cmake"));
  int dependencies = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string begin = "fovea_dependency(";
    if (!line.starts_with(begin)) continue;
    const std::string name =
        line.substr(begin.size(), line.find_first_of(" )", begin.size()) - begin.size());
    if (name == "dl") continue;
    EXPECT_NE(version_of(names.contains(name) ? names.at(name) : name), "") << name;
    ++dependencies;
  }
  EXPECT_GE(dependencies, 17);
  EXPECT_EQ(version_of("torch"), "2.11.0");

  std::set<std::string> known, depended;
  for (const json& one : bom().at("components")) {
    EXPECT_TRUE(known.insert(one.at("bom-ref")).second) << one;
    EXPECT_THAT(one.at("version").get<std::string>(), testing::ContainsRegex("^[0-9]+\\.[0-9]"))
        << one;
    EXPECT_FALSE(one.at("licenses").empty()) << one;
    EXPECT_THAT(one.at("purl").get<std::string>(),
                testing::ContainsRegex("^pkg:(deb/[a-z]+|pypi|generic)/[^@]+@[^@]+$"))
        << one;
  }
  for (const json& one : bom().at("dependencies")[0].at("dependsOn")) depended.insert(one);
  EXPECT_EQ(depended, known);
}

TEST(Sbom, TheVersionsAreThoseThatTheLinkedLibrariesSay) {
  const Outcome said = fovea({"doctor"});
  if (said.code != 0) GTEST_SKIP() << "the program is not built";
  for (const auto& [printed, name] : std::map<std::string, std::string>{{"LibTorch", "torch"},
                                                                        {"DCMTK", "dcmtk"},
                                                                        {"OpenJPEG", "openjpeg"},
                                                                        {"OpenCV", "opencv"},
                                                                        {"libwebp", "libwebp"},
                                                                        {"giflib", "giflib"}})
    EXPECT_THAT(said.out, testing::ContainsRegex(printed + " +" + version_of(name))) << name;
}

TEST(Sbom, LibTorchHasTheHashOfTheWheelThatSetupPins) {
  const std::string pins = read_text(fs::path(FOVEA_SOURCE_DIR) / "scripts/requirements-torch.txt");
  int wheels = 0;
  for (const json& one : bom().at("components")) {
    if (!one.contains("hashes")) continue;
    const json& hash = one.at("hashes")[0];
    EXPECT_EQ(hash.at("alg"), "SHA-256");
    EXPECT_THAT(
        pins, testing::HasSubstr("\n" + one.at("name").get<std::string>() +
                                 "==" + one.at("version").get<std::string>() +
                                 " --hash=sha256:" + hash.at("content").get<std::string>() + "\n"));
    ++wheels;
  }
  if (wheels == 0) GTEST_SKIP() << "built with a LibTorch that scripts/setup did not fetch";
  EXPECT_EQ(wheels, std::ranges::count(pins, '=') / 3);
}

TEST(Sbom, WrittenAgainItIsTheSame) {
  const std::string first = text();
  const fs::path script = fs::path(FOVEA_BINARY_DIR) / "generated/write_sbom.cmake";
  const auto write = [&](const std::string& name) {
    run_shell("SOURCE_DATE_EPOCH=0 " + quoted(FOVEA_CMAKE) + " -D output=" +
              quoted((folder() / name).string()) + " -P " + quoted(script.string()));
    return read_text(folder() / name);
  };
  EXPECT_EQ(write("bom.json"), first);  // which is there
  EXPECT_EQ(write("a.json"), write("b.json"));
  EXPECT_THAT(write("a.json"), testing::HasSubstr("1970-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace fovea::test
