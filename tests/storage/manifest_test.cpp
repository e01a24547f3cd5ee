#include "fovea/storage/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/core/error.h"
#include "support/test_files.h"

namespace fovea::storage {
namespace {

using test::read_text;
using testing::HasSubstr;

struct Folder {
  test::TempFolder folder;
  std::vector<std::string> names{"a.bin", "b.txt"};
  Folder() {
    folder.write("a.bin", std::string("\0\1\2\3", 4));
    folder.write("b.txt", "text\n");
    write_manifest(folder.path(), "checkpoint", names, 1250);
  }
  /// "" where everything is as it was written.
  std::string refusal() const {
    try {
      verify(read_manifest(folder.path(), "checkpoint"), folder.path(), names);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::data);
      return error.what();
    }
  }
};

TEST(Manifest, WhatWasWrittenIsRight) {
  const Folder made;
  EXPECT_EQ(made.refusal(), "");
  const Manifest manifest = read_manifest(made.folder.path(), "checkpoint");
  EXPECT_EQ(manifest.step, 1250);
  EXPECT_EQ(manifest.files.at("a.bin").bytes, 4);
  // From: printf '\0\1\2\3' | sha256sum
  EXPECT_EQ(manifest.files.at("a.bin").sha256,
            "054edec1d0211f624fed0cbca9d4f9400b0e491c43742af2c5b0abebf0c990d8");
}

TEST(Manifest, AnyChangedByteOfAnyFileIsNoticed) {
  const Folder made;
  for (const char* name : {"a.bin", "b.txt", "MANIFEST.json"}) {
    const std::string right = read_text(made.folder / name);
    for (size_t i = 0; i < right.size(); ++i)
      for (const int bit : {0, 3, 6}) {
        std::string wrong = right;
        wrong[i] = static_cast<char>(wrong[i] ^ (1 << bit));
        made.folder.write(name, wrong);
        EXPECT_NE(made.refusal(), "") << name << " byte " << i << " bit " << bit;
      }
    made.folder.write(name, right);
  }
  EXPECT_EQ(made.refusal(), "");
}

TEST(Manifest, AFileThatWasCutOrGrewIsNoticed) {
  const Folder made;
  for (const char* name : {"a.bin", "b.txt", "MANIFEST.json"}) {
    const std::string right = read_text(made.folder / name);
    for (size_t length = 0; length < right.size(); ++length) {
      made.folder.write(name, right.substr(0, length));
      EXPECT_NE(made.refusal(), "") << name << " cut to " << length;
    }
    made.folder.write(name, right + "\n");
    EXPECT_NE(made.refusal(), "") << name;
    made.folder.write(name, right);
  }
}

TEST(Manifest, AMissingFileAndAnEditedStepAreNamed) {
  const Folder made;
  const std::string manifest = read_text(made.folder / "MANIFEST.json");
  std::string edited = manifest;
  edited.replace(edited.find("1250"), 4, "1251");
  made.folder.write("MANIFEST.json", edited);
  EXPECT_THAT(made.refusal(), HasSubstr("MANIFEST.json is not as it was written"));
  made.folder.write("MANIFEST.json", manifest);
  std::filesystem::remove(made.folder / "b.txt");
  EXPECT_THAT(made.refusal(), HasSubstr("b.txt is missing"));
}

TEST(Manifest, OneOfAnotherTypeOrOfALaterFormatIsRefused) {
  const Folder made;
  try {
    read_manifest(made.folder.path(), "bundle");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("found a checkpoint, wanted a bundle"));
  }
  made.folder.write("MANIFEST.json", R"({"format": 3, "files": {}})");
  EXPECT_THAT(made.refusal(), HasSubstr("found format 3"));
}

// It is written anew for its digest, which recurs.
TEST(Manifest, OneThatIsNestedDeepIsRefused) {
  const Folder made;
  const std::string deep(200'000, '[');
  made.folder.write("MANIFEST.json",
                    R"({"format": 2, "a": )" + deep + std::string(200'000, ']') + "}");
  EXPECT_THAT(made.refusal(), HasSubstr("nested deep"));
}

TEST(Manifest, FormatOneOfACheckpointIsStillRead) {
  const Folder made;
  made.folder.write("MANIFEST.json", R"({
 "files": {
  "b.txt": {
   "bytes": 5,
   "sha256": "b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733"
  }
 },
 "format": 1,
 "step": 7
}
)");
  const Manifest old = read_manifest(made.folder.path(), "checkpoint");
  EXPECT_FALSE(old.has_digest);
  EXPECT_EQ(old.step, 7);
  EXPECT_NO_THROW(verify(old, made.folder.path(), {"b.txt"}));
}

}  // namespace
}  // namespace fovea::storage
