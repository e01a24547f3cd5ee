#include "fovea/phantom/phantom.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "fovea/io/image_file.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/hash.h"
#include "support/test_files.h"

namespace fovea::phantom {
namespace {

using test::TempFolder;
namespace fs = std::filesystem;

PhantomOptions small() {
  PhantomOptions options;
  options.patients = 12;
  options.images_per_patient = 2;
  options.size = 64;
  options.volumes = 2;
  options.slices = 6;
  return options;
}

/// Path below `folder` -> hash of the content, of every file.
std::map<std::string, std::string> fingerprints(const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      all[fs::relative(entry.path(), folder)] = storage::sha256_file(entry.path());
  return all;
}

/// The cells of one column.
std::vector<std::string> column(const storage::Table& table, std::string_view name) {
  std::vector<std::string> cells;
  for (int64_t row = 0; row < table.rows(); ++row)
    cells.emplace_back(table.cell(row, table.column(name)));
  return cells;
}

TEST(Phantom, TheSameSeedGivesTheSameBytesForAnyNumberOfThreads) {
  const TempFolder folder;
  PhantomOptions options = small();
  options.threads = 1;
  write_phantoms(folder / "one", options);
  options.threads = 3;
  write_phantoms(folder / "three", options);
  EXPECT_EQ(fingerprints(folder / "one"), fingerprints(folder / "three"));
}

TEST(Phantom, AnotherSeedGivesOtherImagesAndOtherUids) {
  const TempFolder folder;
  PhantomOptions options = small();
  write_phantoms(folder / "a", options);
  options.seed = 2;
  write_phantoms(folder / "b", options);
  const auto a = fingerprints(folder / "a");
  const auto b = fingerprints(folder / "b");
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [path, hash] : a)
    if (path.ends_with(".dcm")) {
      EXPECT_NE(hash, b.at(path)) << path;
    }
}

TEST(Phantom, EveryRadiographOfTheTableExistsAndIsADicomFileWithAMaskOfItsSize) {
  const TempFolder folder;
  const Summary sum = write_phantoms(folder / "set", small());
  EXPECT_EQ(sum.patients, 14);
  EXPECT_EQ(sum.images, 24);
  EXPECT_EQ(sum.volumes, 2);
  const storage::Table table = storage::read_csv(folder / "set/labels.csv");
  ASSERT_EQ(table.rows(), 24);
  for (int64_t row = 0; row < table.rows(); ++row) {
    const fs::path radiograph = folder.path() / "set" / table.cell(row, table.column("path"));
    EXPECT_EQ(test::read_text(radiograph).substr(128, 4), "DICM") << radiograph;
    const fs::path mask = folder.path() / "set" / table.cell(row, table.column("mask"));
    const Image image = io::read_png(mask);
    EXPECT_EQ(image.height, 64);
    EXPECT_EQ(image.width, 64);
  }
}

TEST(Phantom, HalfOfThePatientsHaveLesionsAndEachLiesInOneSplit) {
  const TempFolder folder;
  PhantomOptions options = small();
  options.patients = 40;
  options.volumes = 0;
  write_phantoms(folder / "set", options);
  const storage::Table table = storage::read_csv(folder / "set/labels.csv");
  const auto patients = column(table, "patient");
  const auto labels = column(table, "label");
  const auto splits = column(table, "split");
  std::map<std::string, std::set<std::string>> seen;
  std::map<std::string, int> radiographs;  // split + label
  for (size_t i = 0; i < patients.size(); ++i) {
    seen[patients[i]].insert(splits[i] + labels[i]);
    ++radiographs[splits[i] + labels[i]];
  }
  ASSERT_EQ(seen.size(), 40u);
  for (const auto& [patient, where] : seen) EXPECT_EQ(where.size(), 1u) << patient;
  // 20 patients of either label, two radiographs each: 14 train, 2 val, 4 test.
  const std::map<std::string, int> wanted = {{"train0", 28}, {"train1", 28}, {"val0", 4},
                                             {"val1", 4},    {"test0", 8},   {"test1", 8}};
  EXPECT_EQ(radiographs, wanted);
}

TEST(Phantom, LesionsLieInTheirBoxesAndOnlyPatientsWithLesionsHaveThem) {
  const TempFolder folder;
  write_phantoms(folder / "set", small());
  const storage::Table table = storage::read_csv(folder / "set/labels.csv");
  const storage::Table boxes = storage::read_csv(folder / "set/boxes.csv");
  const auto number = [&](int64_t row, std::string_view name) {
    return std::stoll(std::string(boxes.cell(row, boxes.column(name))));
  };
  int64_t counted = 0;
  for (int64_t row = 0; row < table.rows(); ++row) {
    const std::string path(table.cell(row, table.column("path")));
    const Image mask = io::read_png(folder.path() / "set" / table.cell(row, table.column("mask")));
    std::vector<bool> covered(64 * 64);
    const auto lesions = std::stoll(std::string(table.cell(row, table.column("lesions"))));
    for (int64_t box = 0; box < boxes.rows(); ++box) {
      if (boxes.cell(box, boxes.column("path")) != path) continue;
      ++counted;
      for (int64_t y = number(box, "y"); y < number(box, "y") + number(box, "height"); ++y)
        for (int64_t x = number(box, "x"); x < number(box, "x") + number(box, "width"); ++x)
          covered.at(y * 64 + x) = true;
    }
    int64_t inside = 0;
    for (int64_t p = 0; p < 64 * 64; ++p) {
      if (mask.data<uint8_t>()[p] == 0) continue;
      ++inside;
      EXPECT_TRUE(covered[p]) << path << " pixel " << p;
    }
    EXPECT_EQ(lesions > 0, table.cell(row, table.column("label")) == "1");
    EXPECT_EQ(lesions > 0, inside > 0);
  }
  EXPECT_EQ(counted, boxes.rows());
}

TEST(Phantom, AFolderThatHoldsSomethingIsLeftAlone) {
  const TempFolder folder;
  folder.write("set/mine.txt", "precious");
  try {
    write_phantoms(folder / "set", small());
    FAIL() << "it wrote";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::config);
    EXPECT_THAT(error.what(), testing::HasSubstr((folder / "set").string()));
  }
  EXPECT_EQ(fingerprints(folder / "set").size(), 1u);
}

TEST(Phantom, ProgressCountsEveryFileOnce) {
  const TempFolder folder;
  std::vector<int64_t> seen;
  write_phantoms(folder / "set", small(), [&](int64_t done, int64_t total) {
    EXPECT_EQ(total, 24 + 2 * 6);
    seen.push_back(done);
  });
  std::vector<int64_t> wanted(36);
  for (int64_t i = 0; i < 36; ++i) wanted[i] = i + 1;
  EXPECT_EQ(seen, wanted);
}

// dciodvfy of dicom3tools checks a file against the standard's object definitions.
TEST(Phantom, DciodvfyFindsNoError) {
  if (std::system("command -v dciodvfy > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "dciodvfy is not installed (apt-get install dicom3tools)";
  const TempFolder folder;
  write_phantoms(folder / "set", small());
  const std::string report = (folder / "report.txt").string();
  int64_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "set")) {
    if (entry.path().extension() != ".dcm") continue;
    ++files;
    [[maybe_unused]] const int status =
        std::system(("dciodvfy '" + entry.path().string() + "' > '" + report + "' 2>&1").c_str());
    const std::string found = test::read_text(report);
    EXPECT_THAT(found, testing::Not(testing::HasSubstr("Error"))) << entry.path() << "\n" << found;
    EXPECT_THAT(found, testing::HasSubstr("Image"));  // it says which object it checked
  }
  EXPECT_EQ(files, 36);
}

TEST(Phantom, ReportsSayWhatTheirEntitiesSay) {
  const TempFolder folder;
  PhantomOptions options = small();
  options.report = true;
  write_phantoms(folder / "set", options);
  const storage::Table table = storage::read_csv(folder / "set/labels.csv");
  const auto reports = column(table, "report"), entities = column(table, "entities");
  std::set<std::string> labels;
  for (size_t i = 0; i < reports.size(); ++i)
    for (const auto& one : nlohmann::json::parse(entities[i])) {
      const auto begin = one[0].get<size_t>(), end = one[1].get<size_t>();
      const std::string text = reports[i].substr(begin, end - begin);
      const std::string label = one[2];
      labels.insert(label);
      if (label == "SIZE") EXPECT_THAT(text, testing::EndsWith(" mm"));
      if (label == "SITE") EXPECT_THAT(text, testing::EndsWith(" zone"));
      if (label == "FINDING")
        EXPECT_THAT(text,
                    testing::AnyOf(testing::EndsWith("nodule"), testing::EndsWith("mass"),
                                   testing::EndsWith("opacity"), testing::EndsWith("lesion")));
    }
  EXPECT_THAT(labels, testing::ElementsAre("FINDING", "SITE", "SIZE"));
}

TEST(Phantom, ReportAndLaboratoryErrIndependentlyAndLeaveTheImagesAsTheyAre) {
  const TempFolder folder;
  PhantomOptions options = small();
  options.patients = 400;
  options.images_per_patient = 1;
  options.size = 32;
  options.volumes = 0;
  write_phantoms(folder / "plain", options);
  options.report = options.labs = true;
  write_phantoms(folder / "with", options);
  const auto images = [&](const char* set) { return fingerprints(folder / set / "images"); };
  EXPECT_EQ(images("plain"), images("with"));

  const storage::Table table = storage::read_csv(folder / "with/labels.csv");
  const auto label = column(table, "label"), entities = column(table, "entities"),
             ldh = column(table, "ldh");
  // By label: reports that name a lesion, and those among the cases with a high value.
  double cases[2] = {0, 0}, called[2] = {0, 0}, high[2] = {0, 0}, both[2] = {0, 0}, blank = 0;
  for (size_t i = 0; i < label.size(); ++i) {
    const int ill = label[i] == "1";
    const bool says = entities[i] != "[]";
    blank += ldh[i].empty();
    const bool is_high = !ldh[i].empty() && std::stod(ldh[i]) > 200;
    cases[ill] += 1;
    called[ill] += says;
    high[ill] += is_high;
    both[ill] += says && is_high;
  }
  // Three deviations of a share of 200 cases are 0.1.
  EXPECT_NEAR(called[0] / cases[0], 0.25, 0.1);
  EXPECT_NEAR(called[1] / cases[1], 0.75, 0.1);
  EXPECT_NEAR(blank / 400, 1.0 / 12, 0.05);
  for (const int ill : {0, 1})
    EXPECT_NEAR(both[ill] / cases[ill], called[ill] / cases[ill] * high[ill] / cases[ill], 0.1);
  EXPECT_GT(high[1] / cases[1], high[0] / cases[0]);
}

TEST(Phantom, BoxesOfAVolumeAreThoseOfItsMasks) {
  const TempFolder folder;
  PhantomOptions options = small();
  options.size = 128;
  options.slices = 60;  // 2.5 mm and 4 mm a voxel: small lesions are seen
  options.prevalence = 1;
  write_phantoms(folder / "p", options);
  const storage::Table table = storage::read_csv(folder / "p/volumes.csv");
  const std::vector<std::string> masks = column(table, "mask"), boxes = column(table, "boxes");
  for (size_t v = 0; v < masks.size(); ++v) {
    std::vector<std::array<double, 6>> all;  // low, high
    std::istringstream list(boxes[v]);
    for (std::string one; std::getline(list, one, ';');) {
      std::istringstream numbers(one);
      std::array<double, 6> box;
      for (double& number : box) numbers >> number;
      for (size_t axis = 0; axis < 3; ++axis) box[3 + axis] += box[axis];
      all.push_back(box);
    }
    ASSERT_FALSE(all.empty());
    std::vector<int64_t> inside(all.size());
    for (int64_t k = 0; k < options.slices; ++k) {
      const Image mask = io::read_png(folder / "p" / masks[v] / fmt::format("{:03}.png", k + 1));
      for (int64_t j = 0; j < options.size; ++j)
        for (int64_t i = 0; i < options.size; ++i) {
          if (mask.data<uint8_t>()[j * options.size + i] == 0) continue;
          bool covered = false;
          for (size_t b = 0; b < all.size(); ++b) {
            const auto in = [&](size_t axis, int64_t voxel) {
              const double centre = static_cast<double>(voxel) + 0.5;
              return all[b][axis] <= centre && centre <= all[b][3 + axis];
            };
            if (!in(0, i) || !in(1, j) || !in(2, k)) continue;
            covered = true;
            ++inside[b];
          }
          EXPECT_TRUE(covered) << i << " " << j << " " << k;
        }
    }
    for (size_t b = 0; b < all.size(); ++b) {
      double volume = 1;
      for (size_t axis = 0; axis < 3; ++axis) volume *= all[b][3 + axis] - all[b][axis];
      EXPECT_GT(static_cast<double>(inside[b]), 0.35 * volume);  // a ball fills 0.52 of its box
    }
  }
}

}  // namespace
}  // namespace fovea::phantom
