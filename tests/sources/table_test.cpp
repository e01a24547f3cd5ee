#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "fovea/inputs/image.h"
#include "fovea/sources/source.h"
#include "fovea/targets/classes.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const char* kRows =
    "file,patient,finding,sex,part\n"
    "a.png,anna,healthy,f,train\n"
    "b.png,anna,ill,f,train\n"
    "c.png,bert,ill,m,val\n"
    "d.png,carl,healthy,m,test\n";

class Table : public testing::Test {
 protected:
  Table() {
    for (uint8_t i = 0; i < 6; ++i)
      write_image(folder_ / ("images/" + std::string(1, char('a' + i)) + ".png"), i);
    options_.root = folder_.path();
    options_.table = folder_.write("t.csv", kRows);
    options_.inputs.entries = {
        {"image", {"image", inputs::ImageOptions{.column = "file", .folder = "images"}}}};
    options_.targets.entries = {{"label", targets::ClassesOptions{.column = {"finding"}}}};
    options_.group = "patient";
    options_.split.column = "part";
    options_.subgroups = {"sex"};
  }

  void table(const std::string& text) { folder_.write("t.csv", text); }
  Source open(uint64_t seed = 1) { return open_source(options_, seed); }
  std::string message() {
    return refusal([&] { open(); }).what();
  }

  test::TempFolder folder_;
  DataOptions options_;
};

TEST_F(Table, GivesCasesTargetsSplitsAndSubgroups) {
  const Source source = open();
  ASSERT_EQ(source.data->size(), 4);
  const Example c = source.data->get(2);
  EXPECT_EQ(c.id, "c.png");
  EXPECT_EQ(c.group, "bert");
  EXPECT_EQ(mark_of(c), 2);
  EXPECT_EQ(c.inputs.at("image").sizes(), (std::vector<int64_t>{1, 4, 5}));
  EXPECT_EQ(c.targets.at("label").item<int64_t>(), 1);
  ASSERT_EQ(source.targets.size(), 1u);
  EXPECT_EQ(source.targets[0].classes, (std::vector<std::string>{"healthy", "ill"}));
  EXPECT_EQ(source.targets[0].counts, (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(source.split_names(), (std::vector<std::string>{"train", "val", "test"}));
  EXPECT_EQ(source.cases("train"), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(source.part("test")->get(0).id, "d.png");
  EXPECT_EQ(source.subgroups[0].second, (std::vector<std::string>{"f", "f", "m", "m"}));
  EXPECT_THAT(refusal([&] { source.part("holdout"); }).what(), HasSubstr("train, val, test"));
}

TEST_F(Table, TheOrderOfListedClassesDecidesTheIndices) {
  options_.targets.entries[0].second =
      targets::ClassesOptions{.column = {"finding"}, .classes = {"ill", "healthy"}};
  EXPECT_EQ(open().data->targets(1).at("label").item<int64_t>(), 0);
}

TEST_F(Table, IndicesAreUnderstoodWhereClassesAreNamed) {
  table("file,patient,finding,sex,part\na.png,p,0,f,train\nb.png,q,1,f,train\n");
  options_.targets.entries[0].second =
      targets::ClassesOptions{.column = {"finding"}, .classes = {"healthy", "ill"}};
  EXPECT_EQ(open().data->targets(1).at("label").item<int64_t>(), 1);
}

TEST_F(Table, NumbersAsClassesAreSortedByValue) {
  table(
      "file,patient,finding,sex,part\na.png,p,10,f,train\nb.png,q,9,f,train\nc.png,r,2,f,train\n");
  EXPECT_EQ(open().targets[0].classes, (std::vector<std::string>{"2", "9", "10"}));
}

TEST_F(Table, SeveralColumnsAreSeveralLabels) {
  table(
      "file,patient,finding,sex,part,mass,fluid\n"
      "a.png,p,x,f,train,1,0\nb.png,q,x,f,train,1,1\nc.png,r,x,f,train,0,NA\n");
  options_.targets.entries[0].second =
      targets::ClassesOptions{.column = {"mass", "fluid"}, .missing = {"NA"}};
  const Source source = open();
  EXPECT_TRUE(source.targets[0].multi_label());
  EXPECT_EQ(source.targets[0].counts, (std::vector<int64_t>{2, 1}));
  EXPECT_TRUE(torch::equal(source.data->targets(1).at("label"), torch::tensor({1.f, 1.f})));
  EXPECT_TRUE(source.data->targets(2).at("label")[1].isnan().item<bool>());
}

TEST_F(Table, OneColumnMayHoldSeveralLabels) {
  table(
      "file,patient,finding,sex,part\na.png,p,mass|fluid,f,train\nb.png,q,clear,f,train\n"
      "c.png,r,fluid,f,train\n");
  options_.targets.entries[0].second =
      targets::ClassesOptions{.column = {"finding"}, .separator = "|", .none = "clear"};
  const Source source = open();
  EXPECT_EQ(source.targets[0].classes, (std::vector<std::string>{"fluid", "mass"}));
  EXPECT_TRUE(torch::equal(source.data->targets(0).at("label"), torch::tensor({1.f, 1.f})));
  EXPECT_TRUE(torch::equal(source.data->targets(1).at("label"), torch::tensor({0.f, 0.f})));
}

TEST_F(Table, LabelsOutsideTheClassesAreCountedWithLinesAndValues) {
  table(
      "file,patient,finding,sex,part\na.png,p,0,f,train\nb.png,q,7,f,train\nc.png,r,0.5,f,train\n"
      "d.png,s,,f,train\ne.png,t,NA,f,train\n");
  options_.targets.entries[0].second =
      targets::ClassesOptions{.column = {"finding"}, .classes = {"healthy", "ill"}};
  const std::string text = message();
  EXPECT_THAT(text, AllOf(HasSubstr("t.csv"), HasSubstr("'finding'"), HasSubstr("4 labels"),
                          HasSubstr("line 3, line 4, line 5, line 6")));
  EXPECT_THAT(text, AllOf(HasSubstr("'7'"), HasSubstr("'0.5'"), HasSubstr("''"), HasSubstr("'NA'"),
                          HasSubstr("healthy, ill"), HasSubstr("missing")));
}

TEST_F(Table, CasesOfAnUnknownClassAreLeftOutAndCountedWhereThatIsAllowed) {
  table(
      "file,patient,finding,sex,part\na.png,p,ill,f,train\nb.png,q,,f,train\nc.png,r,well,m,"
      "train\n");
  options_.targets.entries[0].second =
      targets::ClassesOptions{.column = {"finding"}, .missing = {""}};
  const Source source = open();
  EXPECT_EQ(source.data->size(), 2);
  EXPECT_EQ(source.data->get(1).id, "c.png");
  EXPECT_EQ(source.subgroups[0].second[1], "m");
  ASSERT_EQ(source.notes.size(), 1u);
  EXPECT_THAT(source.notes[0], HasSubstr("1 of 3 rows"));
}

TEST_F(Table, AMissingColumnNamesTheNearest) {
  options_.targets.entries[0].second = targets::ClassesOptions{.column = {"findings"}};
  EXPECT_THAT(message(), AllOf(HasSubstr("t.csv"), HasSubstr("findings"), HasSubstr("finding")));
}

TEST_F(Table, ADuplicateCaseNamesBothLinesAndNoId) {
  table(std::string(kRows) + "b.png,dora,ill,f,train\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("line 3 and line 6"), Not(HasSubstr("b.png"))));
}

TEST_F(Table, FilesOutsideTheRootAreRefusedUnlessAllowed) {
  const test::TempFolder other;
  write_image(other / "secret.png", 9);
  std::filesystem::create_symlink(other / "secret.png", folder_ / "images/link.png");
  const std::string header = "file,patient,finding,sex,part\na.png,p,ill,f,train\n";
  for (const std::string& cell : {(other / "secret.png").string(), std::string("../../secret.png"),
                                  std::string("link.png")}) {
    table(header + cell + ",q,healthy,f,train\n");
    EXPECT_THAT(message(), AllOf(HasSubstr("line 3"), HasSubstr("outside the root"),
                                 HasSubstr("DataOptions::allow_outside_root")));
  }
  options_.allow_outside_root = true;
  EXPECT_EQ(mark_of(open().data->get(1)), 9);
}

TEST_F(Table, APatientInTwoSplitsIsRefusedWithoutTheName) {
  table(std::string(kRows) + "e.png,anna,ill,f,test\nf.png,bert,ill,f,train\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("2 patients"), HasSubstr("'train' and in 'test'"),
                               HasSubstr("line 2, line 6"), Not(HasSubstr("anna"))));
}

TEST_F(Table, ABlankPatientIsRefusedWithItsLine) {
  table(std::string(kRows) + "e.png,,ill,f,test\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("'patient'"), HasSubstr("1 rows"), HasSubstr("line 6")));
}

TEST_F(Table, AClassThatIsNotInTheTrainingSplitIsRefused) {
  table("file,patient,finding,sex,part\na.png,p,ill,f,train\nb.png,q,healthy,f,test\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("'healthy'"), HasSubstr("'train'"), HasSubstr("ill 1")));
}

TEST_F(Table, SharesDrawSplitsByPatient) {
  std::string rows = "file,patient,finding,sex,part\n";
  for (int i = 0; i < 120; ++i) {
    const std::string name = "n" + std::to_string(i) + ".png";
    std::filesystem::copy_file(folder_ / "images/a.png", folder_ / ("images/" + name));
    rows += name + ",p" + std::to_string(i / 2) + (i % 3 ? ",ill" : ",well") + ",f,\n";
  }
  table(rows);
  options_.split = {.column = "",
                    .fractions = {{"train", 0.5}, {"validation", 0.25}, {"test", 0.25}}};
  const Source source = open();
  std::map<std::string, int> sizes;
  for (const std::string& split : source.splits) ++sizes[split];
  EXPECT_NEAR(sizes["train"], 60, 3);
  EXPECT_NEAR(sizes["val"], 30, 3);
  for (int i = 0; i < 120; i += 2)
    EXPECT_EQ(source.splits[size_t(i)], source.splits[size_t(i + 1)]);
  EXPECT_EQ(open(1).splits, source.splits);
  EXPECT_NE(open(2).splits, source.splits);
}

TEST_F(Table, WithoutASplitTheMessageSaysWhatToWrite) {
  options_.split = {};
  EXPECT_THAT(message(), AllOf(HasSubstr("DataOptions::split"), HasSubstr("{train: 0.7")));
}

TEST_F(Table, AFileThatChangesAfterwardsIsAnIoErrorWithBothSizes) {
  const Source source = open();
  write_image(folder_ / "images/c.png", 2, 40, 50);
  const Error error = refusal([&] { source.data->get(2); });
  EXPECT_EQ(error.fault(), Fault::io);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("c.png"), HasSubstr("changed")));
  std::filesystem::remove(folder_ / "images/c.png");
  EXPECT_THAT(refusal([&] { source.data->get(2); }).what(), HasSubstr("c.png"));
}

TEST_F(Table, ADamagedFileIsADataErrorWithItsPath) {
  std::ofstream(folder_ / "images/b.png") << "\x89PNG\r\n\x1a\nrest";
  EXPECT_THAT(refusal([&] { open().data->get(1); }).what(), HasSubstr("b.png"));
}

TEST_F(Table, TheCacheOnDiskIsUsedUntilTheFileChanges) {
  options_.cache_folder = folder_ / "cache";
  EXPECT_EQ(mark_of(open().data->get(1)), 1);
  std::filesystem::path kept;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options_.cache_folder))
    if (entry.path().extension() == ".npy") kept = entry.path();
  ASSERT_FALSE(kept.empty());
  std::string bytes = test::read_text(kept);
  bytes[bytes.size() - 20] = 77;  // the first of 20 pixels: now the cache can be told from the file
  std::ofstream(kept, std::ios::binary) << bytes;
  EXPECT_EQ(mark_of(open().data->get(1)), 77);
  std::ofstream(kept, std::ios::binary) << "damaged";
  EXPECT_EQ(mark_of(open().data->get(1)), 1);
  write_image(folder_ / "images/b.png", 33, 6, 6);
  EXPECT_EQ(mark_of(open().data->get(1)), 33);
}

TEST_F(Table, TheCacheInMemoryGivesTheSameImages) {
  options_.cache_mb = 1;
  const Source source = open();
  EXPECT_EQ(mark_of(source.data->get(3)), 3);
  std::filesystem::remove(folder_ / "images/d.png");
  EXPECT_EQ(mark_of(source.data->get(3)), 3);
}

TEST_F(Table, SettingsExcludeEachOther) {
  options_.folder = folder_.path();
  const Error error = refusal([&] { open(); });
  EXPECT_EQ(error.fault(), Fault::config);
  EXPECT_THAT(error.what(), HasSubstr("table, folder"));
  options_.table = {};
  options_.folder.clear();
  EXPECT_EQ(refusal([&] { open(); }).fault(), Fault::config);
}

/// Works in another folder while it lives.
class WorkingFolder {
 public:
  explicit WorkingFolder(const std::filesystem::path& folder)
      : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder);
  }
  ~WorkingFolder() { std::filesystem::current_path(before_); }

 private:
  std::filesystem::path before_;
};

/// A table of two files for each case; those of the column `left` do not exist.
std::string rows_without_files(int64_t rows) {
  std::string text = "file,left,patient,finding,sex,part\n";
  for (int64_t i = 0; i < rows; ++i)
    text += "a.png,gone" + std::to_string(i) + ".png,p" + std::to_string(i) +
            (i % 2 ? ",ill,f,train\n" : ",healthy,f,train\n");
  return text;
}

TEST_F(Table, FilesThatDoNotExistAreAllNamedWithTheirLines) {
  const WorkingFolder here(folder_.path());
  options_.inputs.entries.emplace_back(
      "left", inputs::InputChoice("image", inputs::ImageOptions{.column = "left"}));
  table(rows_without_files(20));
  const std::string text = message();
  EXPECT_THAT(
      text, AllOf(HasSubstr("t.csv: 20 of 40 files do not exist"), HasSubstr("DataOptions::root")));
  for (int64_t i = 0; i < 20; ++i)
    EXPECT_THAT(text, HasSubstr("\n  line " + std::to_string(i + 2) + ": " +
                                (folder_ / "gone").string() + std::to_string(i) + ".png"));
  EXPECT_FALSE(std::filesystem::exists("missing-files.txt"));
}

TEST_F(Table, OfManyFilesThatDoNotExistTwentyAreNamedAndAllAreInAFile) {
  const WorkingFolder here(folder_.path());
  options_.inputs.entries[0].second = {"image", inputs::ImageOptions{.column = "left"}};
  options_.id = "left";
  table(rows_without_files(25));
  EXPECT_THAT(message(),
              AllOf(HasSubstr("25 of 25"), HasSubstr("gone19.png"), Not(HasSubstr("gone20.png")),
                    HasSubstr("and 5 more; all of them are in " +
                              (folder_ / "missing-files.txt").string())));
  std::string wanted;
  for (int64_t i = 0; i < 25; ++i)
    wanted += "line " + std::to_string(i + 2) + ": " + (folder_ / "gone").string() +
              std::to_string(i) + ".png\n";
  EXPECT_EQ(test::read_text(folder_ / "missing-files.txt"), wanted);
}

TEST(Nih, TheTableGivesTheCountsOfItsReadme) {
  FOVEA_NEEDS_DATA("nih_cxr/labels.csv");
  DataOptions options;
  options.root = test::test_data() / "nih_cxr";
  options.table = options.root / "labels.csv";
  options.inputs.entries = {
      {"image",
       {"image", inputs::ImageOptions{.column = "filename", .folder = "images", .channels = 1}}}};
  options.targets.entries = {
      {"label",
       targets::ClassesOptions{.column = {"class"}, .classes = {"no_finding", "pneumonia"}}}};
  options.group = "patient_id";
  options.split.column = "split";
  const Source source = open_source(options, 1);
  EXPECT_EQ(source.data->size(), 720);
  EXPECT_EQ(source.targets[0].counts, (std::vector<int64_t>{230, 230}));
  EXPECT_EQ(source.cases("val").size(), 100u);
  EXPECT_EQ(source.cases("test").size(), 160u);
  EXPECT_EQ(source.data->get(719).inputs.at("image").sizes(), (std::vector<int64_t>{1, 224, 224}));
}

}  // namespace
}  // namespace fovea::sources
