#include "fovea/sources/digests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/inputs/table.h"
#include "fovea/targets/classes.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

namespace fs = std::filesystem;

storage::CaseDigests digests_of(const DataOptions& options,
                                const storage::CaseDigests& known = {}) {
  return digests(open_source(options, 1), known, [] {});
}

TEST(Digests, OfAFolderChangeWithPixelsLabelsAndFiles) {
  const test::TempFolder root;
  for (const char* name : {"train/a/1.png", "train/a/2.png", "train/b/3.png", "test/a/4.png"})
    write_image(root / name, 7);
  DataOptions options;
  options.folder = root.path();
  const storage::CaseDigests before = digests_of(options);
  ASSERT_EQ(before.size(), 4u);
  EXPECT_EQ(storage::difference(before, digests_of(options)), "");

  write_image(root / "train/a/2.png", 8);
  fs::rename(root / "train/a/1.png", root / "train/b/1.png");
  fs::remove(root / "test/a/4.png");
  write_image(root / "test/a/5.png", 7);
  write_image(root / "test/b/6.png", 7);
  EXPECT_EQ(storage::difference(before, digests_of(options, before)),
            "2 cases were added, 1 removed, 2 changed");
}

TEST(Digests, AFileOfTheSameSizeAndTimeIsNotReadAgain) {
  const test::TempFolder root;
  for (const char* name : {"train/a/1.png", "train/b/2.png"}) write_image(root / name, 7);
  DataOptions options;
  options.folder = root.path();
  storage::CaseDigests known = digests_of(options);
  for (storage::CaseDigest& one : known) one.content = 42;  // as nobody would compute it
  for (const storage::CaseDigest& one : digests_of(options, known)) EXPECT_EQ(one.content, 42u);
  fs::last_write_time(root / "train/a/1.png",
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  const storage::CaseDigests after = digests_of(options, known);
  EXPECT_NE(after[0].content, 42u);
  EXPECT_EQ(after[1].content, 42u);
}

TEST(Digests, FilesOfOneNameSizeAndTimeInSeveralFoldersAreNotTakenForEachOther) {
  const test::TempFolder root;
  const auto time = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& [name, mark] : {std::pair("train/a/1.png", 7), {"train/b/1.png", 8}}) {
    write_image(root / name, static_cast<uint8_t>(mark));
    fs::last_write_time(root / name, time);
  }
  ASSERT_EQ(fs::file_size(root / "train/a/1.png"), fs::file_size(root / "train/b/1.png"));
  DataOptions options;
  options.folder = root.path();
  const storage::CaseDigests before = digests_of(options);
  ASSERT_NE(before[0].content, before[1].content);
  EXPECT_EQ(storage::difference(before, digests_of(options, before)), "");
}

TEST(Digests, OfRowsWithoutFilesFollowTheirIdsNotTheirLines) {
  const test::TempFolder root;
  DataOptions options;
  options.table = root / "t.csv";
  options.id = "id";
  options.inputs.entries = {{"labs", {"table", inputs::TableOptions{.columns = {"x"}}}}};
  options.targets.entries = {{"label", targets::ClassesOptions{.column = {"label"}}}};
  options.split.column = "part";
  const auto of_rows = [&](const std::string& rows) {
    root.write("t.csv", "id,x,label,part\n" + rows);
    return digests_of(options);
  };
  const std::string last = "c,3,yes,train\nd,5,no,test\n";
  const storage::CaseDigests before = of_rows("a,1,no,train\nb,2,yes,train\n" + last);
  EXPECT_EQ(storage::difference(before, of_rows("b,2,yes,train\na,1,no,train\n" + last)), "");
  EXPECT_EQ(storage::difference(before, of_rows("b,2,no,train\n" + last)),
            "0 cases were added, 1 removed, 1 changed");
}

}  // namespace
}  // namespace fovea::sources
