#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include "fovea/sources/source.h"

#include "fovea/inputs/image.h"
#include "sources/files.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

DataOptions folder_options(const std::filesystem::path& folder) {
  DataOptions options;
  options.folder = folder;
  return options;
}

TEST(Folder, ATreeWithSplitsGivesClassesAndSplitsInSortedOrder) {
  const test::TempFolder root;
  write_image(root / "train/ill/2.png", 2);
  write_image(root / "train/ill/1.png", 1);
  write_image(root / "train/healthy/deep/3.png", 3);
  write_image(root / "valid/ill/4.png", 4);
  write_image(root / "test/healthy/5.png", 5);
  write_image(root / "train/ill/.hidden.png", 9);
  write_image(root / ".trash/ill/9.png", 9);
  root.write("train/ill/Notes.txt", "not an image");
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
  EXPECT_THAT(source.notes,
              ElementsAre(AllOf(HasSubstr("5 images; classes are the folders healthy, ill"),
                                HasSubstr("below test, train, valid, which are the splits")),
                          AllOf(HasSubstr("1 files left out"), HasSubstr("Notes.txt")),
                          AllOf(HasSubstr("2 hidden entries"),
                                HasSubstr(".trash, train/ill/.hidden.png"))));
}

TEST(Folder, ImagesThatLieInNoFolderOfAClassAreCountedAndNamed) {
  const test::TempFolder root;
  for (const char* split : {"train", "test"})
    for (const char* label : {"a", "b"}) write_image(root / split / label / "1.png", 1);
  write_image(root / "test/flat.png", 3);
  write_image(root / "cover.png", 4);
  write_image(root / "val2/a/1.png", 5);
  write_image(root / "val2/b/2.png", 6);
  std::filesystem::create_directories(root / "train/empty");
  const Source source = open_source(folder_options(root.path()), 1);
  EXPECT_EQ(source.data->size(), 4);
  EXPECT_THAT(
      source.notes,
      AllOf(Contains(HasSubstr("2 images of the folder 'val2' left out")),
            Contains(AllOf(HasSubstr("2 images left out, they lie in no folder of a"),
                           HasSubstr("cover.png, test/flat.png"))),
            Contains(AllOf(HasSubstr("1 folders contain no image"), HasSubstr("train/empty")))));
}

TEST(Folder, ClassesThatDifferInCaseBlanksOrZerosAreRefused) {
  for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
           {"1", "01"}, {"Cat", "cat"}, {"no finding", "nofinding"}}) {
    const test::TempFolder root;
    write_image(root / one / "1.png", 1);
    write_image(root / other / "2.png", 2);
    write_image(root / "2" / "3.png", 3);
    DataOptions options = folder_options(root.path());
    options.split.fractions = {{"train", 1}};
    EXPECT_THAT(refusal([&] { open_source(options, 1); }).what(),
                AllOf(HasSubstr("'" + one + "'"), HasSubstr("'" + other + "'")));
  }
}

TEST(Folder, LinksToFoldersAreFollowedOnceAndLoopsAreLeftOut) {
  const test::TempFolder store, root;
  write_image(store / "more/2.png", 2);
  write_image(root / "a/1.png", 1);
  write_image(root / "b/3.png", 3);
  namespace fs = std::filesystem;
  fs::create_directory_symlink(store / "more", root / "b/linked");
  fs::create_directory_symlink(store / "more", root / "a/again");
  fs::create_directory_symlink(root.path(), root / "a/loop");
  fs::create_directory_symlink(store.path(),
                               store / "more/up");  // store is not a folder of the chain
  fs::create_symlink("nowhere", root / "a/broken");
  fs::create_symlink("self", root / "a/self");
  const FolderListing listing = list_folder(root.path());
  EXPECT_EQ(listing.files.size(), 3u);
  EXPECT_THAT(listing.notes,
              AllOf(Contains(HasSubstr("1 links to folders are followed")),
                    Contains(AllOf(HasSubstr("lead back"), HasSubstr("a/loop"))),
                    Contains(AllOf(HasSubstr("read already"))),
                    Contains(AllOf(HasSubstr("2 links are left out, they lead nowhere"),
                                   HasSubstr("a/broken, a/self")))));
}

// class/patient/slice: two classes of four patients with three slices each.
void write_patients(const test::TempFolder& root) {
  uint8_t mark = 0;
  for (const char* label : {"a", "b"})
    for (int patient = 0; patient < 4; ++patient)
      for (int slice = 0; slice < 3; ++slice)
        write_image(
            root / label / (label + std::to_string(patient)) / (std::to_string(slice) + ".png"),
            ++mark);
}

std::map<std::string, std::set<std::string>> splits_of_groups(const Source& source) {
  std::map<std::string, std::set<std::string>> splits;
  for (int64_t i = 0; i < source.data->size(); ++i)
    splits[source.data->group(i)].insert(source.splits[static_cast<size_t>(i)]);
  return splits;
}

TEST(Folder, FoldersBelowTheClassesAreTakenAsPatientsWhereSplitsAreDrawn) {
  const test::TempFolder root;
  write_patients(root);
  DataOptions options = folder_options(root.path());
  options.split.fractions = {{"train", 0.5}, {"test", 0.5}};
  const Source source = open_source(options, 1);
  const auto splits = splits_of_groups(source);
  EXPECT_EQ(splits.size(), 8u);
  for (const auto& [patient, in] : splits) EXPECT_EQ(in.size(), 1u) << patient;
  EXPECT_THAT(source.notes, Contains(HasSubstr("the 8 folders below the classes are taken as")));
  options.group = "0";
  EXPECT_EQ(open_source(options, 1).data->group(0), "");
}

TEST(Folder, APatientIsALevelOfThePathOrWhatAnExpressionFinds) {
  const test::TempFolder root;
  for (const char* split : {"train", "test"})
    for (const char* label : {"a", "b"})
      write_image(root / split / label / (std::string(split) + "7_1.png"), 1);
  DataOptions options = folder_options(root.path());
  options.group = R"(^([a-z]+7)_)";
  EXPECT_EQ(open_source(options, 1).data->group(0), "test7");
  options.group = R"(([0-9])_)";
  EXPECT_THAT(refusal([&] { open_source(options, 1); }).what(), HasSubstr("more than one split"));
  options.group = "1";
  EXPECT_THAT(refusal([&] { open_source(options, 1); }).what(),
              AllOf(HasSubstr("4 of 4 images"), HasSubstr("DataOptions::group")));
  options.group = "(";
  EXPECT_EQ(refusal([&] { open_source(options, 1); }).fault(), Fault::config);
}

TEST(Folder, OneClassFolderNamesTheFolderThatMayBeMeant) {
  const test::TempFolder root;
  write_image(root / "images/a/1.png", 1);
  write_image(root / "images/b/2.png", 2);
  EXPECT_THAT(refusal([&] { open_source(folder_options(root.path()), 1); }).what(),
              AllOf(HasSubstr("one class folder 'images'"), HasSubstr("DataOptions::folder")));
}

Image colour(uint8_t mark) {
  Image image = grey(mark);
  image.channels = 3;
  image.pixels.assign(60, std::byte{mark});
  return image;
}

TEST(Folder, GreyAndColourTogetherAreReadAsGreyAndTheChoiceIsKept) {
  const test::TempFolder root;
  for (const char* label : {"a", "b"}) write_image(root / "train" / label / "1.png", 7);
  io::write_png(root / "train/a/2.png", colour(9));
  Image deep = grey(0);
  deep.sample = Sample::u16;
  deep.pixels.assign(40, std::byte{1});
  io::write_png(root / "train/b/2.png", deep);
  DataOptions options = folder_options(root.path());
  const Source source = open_source(options, 1);
  for (int64_t i = 0; i < 4; ++i)
    EXPECT_EQ(source.data->get(i).inputs.at("image").sizes(), (std::vector<int64_t>{1, 4, 5}));
  EXPECT_THAT(source.notes,
              AllOf(Contains(AllOf(HasSubstr("1 of 4 images are colour"),
                                   HasSubstr("ImageOptions::channels"))),
                    Contains(HasSubstr("1 images have samples of more than 8 bits, 3 have 8"))));
  EXPECT_THAT(
      source.reading_notes(),
      ElementsAre(AllOf(HasSubstr("1 of 4 images: colour became grey"), HasSubstr("2.png"))));
  keep_choices(source, options);
  EXPECT_EQ(options.inputs.find("image")->as<inputs::ImageOptions>()->channels, 1);
  EXPECT_EQ(mark_of(case_reader(options).read(root / "train/a/2.png")), 9);
}

TEST(Folder, OneTreeNeedsShares) {
  const test::TempFolder root;
  for (uint8_t i = 0; i < 20; ++i)
    write_image(root / ((i % 2 ? "ill/" : "healthy/") + std::to_string(i) + ".png"), i);
  DataOptions options = folder_options(root.path());
  EXPECT_THAT(refusal([&] { open_source(options, 1); }).what(), HasSubstr("DataOptions::split"));
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
  write_image(root / "train/a/1.png", 1);
  write_image(root / "train/b/2.png", 2);
  std::filesystem::copy_file(report, root / "train/b/report.dcm");
  const Source source = open_source(folder_options(root.path()), 1);
  EXPECT_EQ(source.data->size(), 2);
  EXPECT_THAT(source.notes, ElementsAre(HasSubstr("2 images; classes are the folders a, b"),
                                        HasSubstr("DICOM without pixels")));
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
  write_image(root / "radiograph.png", 42);
  DataOptions options;
  EXPECT_EQ(mark_of(case_reader(options).read(root / "radiograph.png")), 42);
  options.inputs.entries = {{"radiograph", {"image", inputs::ImageOptions{.column = "x"}}}};
  const Example example = case_reader(options).read(root / "radiograph.png");
  EXPECT_EQ(example.id, "radiograph");
  for (const char* uid : {"1.2.840.1.2.3", "1.2.840.1.2.4"}) {
    std::filesystem::copy_file(root / "radiograph.png", root / uid);
    EXPECT_EQ(case_reader(options).read(root / uid).id, uid);
  }
  EXPECT_TRUE(example.inputs.contains("radiograph"));
  EXPECT_TRUE(example.targets.empty());
}

TEST(ListInputs, TakesFilesFoldersAndTables) {
  const test::TempFolder root;
  write_image(root / "d/2.png", 2);
  write_image(root / "d/sub/1.png", 1);
  write_image(root / "d/.hidden/3.png", 3);
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
