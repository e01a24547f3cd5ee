#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/sources/source.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::AllOf;
using testing::HasSubstr;

DataOptions folder_options(const std::filesystem::path& folder) {
  DataOptions options;
  options.folder = folder;
  return options;
}

TEST(Folder, ATreeWithSplitsGivesClassesAndSplitsInSortedOrder) {
  const test::TempFolder root;
  write_picture(root / "train/ill/2.png", 2);
  write_picture(root / "train/ill/1.png", 1);
  write_picture(root / "train/healthy/deep/3.png", 3);
  write_picture(root / "valid/ill/4.png", 4);
  write_picture(root / "test/healthy/5.png", 5);
  write_picture(root / "train/ill/.hidden.png", 9);
  write_picture(root / ".trash/ill/9.png", 9);
  root.write("train/ill/Notes.txt", "not a picture");
  const Source source = open_source(folder_options(root.path()), 1);
  ASSERT_EQ(source.data->size(), 5);
  EXPECT_EQ(source.targets[0].name, "label");
  EXPECT_EQ(source.targets[0].classes, (std::vector<std::string>{"healthy", "ill"}));
  EXPECT_EQ(source.targets[0].counts, (std::vector<int64_t>{1, 2}));
  std::vector<std::string> ids;
  for (const int64_t i : source.cases("train")) ids.push_back(source.data->get(i).id);
  EXPECT_EQ(ids, (std::vector<std::string>{"train/healthy/deep/3.png", "train/ill/1.png",
                                           "train/ill/2.png"}));
  EXPECT_EQ(mark_of(source.part("val")->get(0)), 4);
  EXPECT_EQ(mark_of(source.part("test")->get(0)), 5);
  ASSERT_EQ(source.notes.size(), 1u);
  EXPECT_THAT(source.notes[0], AllOf(HasSubstr("1 files left out"), HasSubstr("Notes.txt")));
}

TEST(Folder, OneTreeNeedsShares) {
  const test::TempFolder root;
  for (uint8_t i = 0; i < 20; ++i)
    write_picture(root / ((i % 2 ? "ill/" : "healthy/") + std::to_string(i) + ".png"), i);
  DataOptions options = folder_options(root.path());
  EXPECT_THAT(refusal([&] { open_source(options, 1); }).what(), HasSubstr("data.split"));
  options.split.fractions = {{"train", 0.6}, {"val", 0.2}, {"test", 0.2}};
  const Source source = open_source(options, 1);
  EXPECT_EQ(source.cases("train").size(), 12u);
  EXPECT_EQ(source.targets[0].counts, (std::vector<int64_t>{6, 6}));
  EXPECT_EQ(source.cases("test").size(), 4u);
}

TEST(Folder, DicomObjectsWithoutPixelsAreLeftOutAndCounted) {
  const auto report = test::test_data() / "dicom_encodings/malformed/test-SR.dcm";
  FOVEA_NEEDS_DATA("dicom_encodings/malformed/test-SR.dcm");
  const test::TempFolder root;
  write_picture(root / "train/a/1.png", 1);
  write_picture(root / "train/b/2.png", 2);
  std::filesystem::copy_file(report, root / "train/b/report.dcm");
  const Source source = open_source(folder_options(root.path()), 1);
  EXPECT_EQ(source.data->size(), 2);
  ASSERT_EQ(source.notes.size(), 1u);
  EXPECT_THAT(source.notes[0], HasSubstr("DICOM without pixels"));
}

TEST(Folder, AnEmptyOrAbsentTreeIsRefusedWithItsPath) {
  const test::TempFolder root;
  const Error empty = refusal([&] { open_source(folder_options(root.path()), 1); });
  EXPECT_EQ(empty.fault(), Fault::data);
  EXPECT_THAT(empty.what(), HasSubstr(root.path().string()));
  EXPECT_EQ(refusal([&] { open_source(folder_options(root / "absent"), 1); }).fault(), Fault::io);
}

TEST(Folder, AColumnIsRefusedWhereThereIsNoTable) {
  const test::TempFolder root;
  DataOptions options = folder_options(root.path());
  options.split.column = "split";
  EXPECT_EQ(refusal([&] { open_source(options, 1); }).fault(), Fault::config);
}

TEST(ReadCase, ReadsOneFileAsItsFirstInput) {
  const test::TempFolder root;
  write_picture(root / "film.png", 42);
  DataOptions options;
  EXPECT_EQ(mark_of(case_reader(options).read(root / "film.png")), 42);
  options.inputs.entries = {{"picture", {"image", ImageOptions{.column = "x"}}}};
  const Example example = case_reader(options).read(root / "film.png");
  EXPECT_EQ(example.id, "film");
  EXPECT_TRUE(example.inputs.contains("picture"));
  EXPECT_TRUE(example.targets.empty());
}

TEST(ListInputs, TakesFilesFoldersAndTables) {
  const test::TempFolder root;
  write_picture(root / "d/2.png", 2);
  write_picture(root / "d/sub/1.png", 1);
  write_picture(root / "d/.hidden/3.png", 3);
  root.write("d/readme.txt", "text");
  root.write("d/empty.dcm", "");
  const auto table = root.write("list.csv", "path\nd/2.png\nd/absent.png\n");
  const auto files = list_inputs({root / "d", root / "d/readme.txt", table});
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.lexically_relative(root.path()).string());
  EXPECT_EQ(names, (std::vector<std::string>{"d/2.png", "d/empty.dcm", "d/sub/1.png",
                                             "d/readme.txt", "d/2.png", "d/absent.png"}));
  // A path that is not there stays in the list: whoever reads the files says so, among the others.
  EXPECT_EQ(list_inputs({root / "absent"}), std::vector<std::filesystem::path>{root / "absent"});
  EXPECT_THAT(refusal([&] { list_inputs({root.write("odd.csv", "a,b\n1,2\n")}); }).what(),
              AllOf(HasSubstr("odd.csv"), HasSubstr("a, b")));
}

}  // namespace
}  // namespace fovea::sources
