// What is on disk after training: a bundle that travels without its past and vouches for its files,
// and data that moved to another place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "e2e/demo.h"

namespace fovea::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Two hospitals with tables of the same name: in B the sign of `a` means the opposite.
struct Hospitals {
  TempFolder folder;
  fs::path run, bundle;

  Hospitals() {
    for (const bool moved : {false, true}) {
      std::string table = "a,y,split\n";
      for (int i = 0; i < 60; ++i) {
        const int a = (i * 37) % 19 - 9;
        const bool high = moved ? a < 0 : a > 0;
        table += std::to_string(a) + (high ? ",1," : ",0,") +
                 (i < 30   ? "train\n"
                  : i < 40 ? "val\n"
                           : "test\n");
      }
      folder.write(moved ? "B/t.csv" : "A/t.csv", table);
    }
    folder.write("c.yaml", R"(seed: 1
data:
  root: A
  table: t.csv
  cache_folder: cache
  inputs: {labs: {table: {columns: [a]}}}
  targets: {y: {column: y}}
  split: split
model: {encoders: {labs: {mlp: {hidden: [8]}}}}
train: {epochs: 30, batch_size: 8, precision: fp32, threads: 1, loader_threads: 0, optimizer: {adamw: {lr: 0.05}}}
)");
    run = folder / "run";
    bundle = run / "bundle";
    const Outcome trained =
        fovea({"train", (folder / "c.yaml").string(), "--out", run.string(), "--device", "cpu"});
    if (trained.code != 0) throw std::runtime_error("fovea train failed: " + trained.err);
  }
};

const Hospitals& hospitals() {
  static const Hospitals instance;
  return instance;
}

double auc_of(const Outcome& outcome) {
  const std::string line = outcome.last_line();
  const size_t at = line.find(" auc=");
  return at == std::string::npos ? -1 : std::stod(line.substr(at + 5));
}

Outcome evaluated(const fs::path& model, const std::vector<std::string>& more) {
  const TempFolder out;
  std::vector<std::string> arguments{"eval",     model.string(), "--out", (out / "e").string(),
                                     "--device", "cpu"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return fovea(arguments);
}

TEST(MovedData, TheRootThatIsSetIsTheOneThatIsEvaluated) {
  const Hospitals& h = hospitals();
  const double here = auc_of(evaluated(h.run, {}));
  EXPECT_GT(here, 0.9);
  const Outcome there = evaluated(h.run, {"--set", "data.root=" + (h.folder / "B").string()});
  EXPECT_EQ(there.code, 0) << there.err;
  EXPECT_LT(auc_of(there), 0.1);
  const Outcome table =
      evaluated(h.run, {"--set", "data.table=" + (h.folder / "B/t.csv").string()});
  EXPECT_LT(auc_of(table), 0.1) << table.err;
}

TEST(MovedData, ARootThatDoesNotExistIsRefused) {
  const Outcome gone = evaluated(hospitals().run, {"--set", "data.root=/no/such/place"});
  EXPECT_NE(gone.code, 0);
  EXPECT_THAT(gone.err, HasSubstr("/no/such/place"));
}

TEST(MovedData, ATableThatDoesNotLieUnderTheOldRootIsRefusedByName) {
  const Hospitals& h = hospitals();
  const fs::path config = h.folder.write(
      "apart.yaml", "data: {root: B, table: " + (h.folder / "A/t.csv").string() +
                        ", inputs: {labs: {table: {columns: [a]}}}, targets: {y: {column: y}}, "
                        "split: split}\nmodel: {encoders: {labs: {mlp: {hidden: [8]}}}}\n");
  const Outcome refused =
      fovea({"check", config.string(), "--set", "data.root=" + (h.folder / "A").string()});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("data.table"), HasSubstr("set data.table too")));
}

TEST(Bundle, NamesNoPlaceOfTheMachineItWasTrainedOn) {
  const Hospitals& h = hospitals();
  for (const auto& file : fs::directory_iterator(h.bundle))
    EXPECT_THAT(read_text(file.path()), Not(HasSubstr(h.folder.path().string()))) << file.path();
  EXPECT_THAT(read_text(h.run / "config.yaml"), HasSubstr(h.folder.path().string()));
}

TEST(Bundle, KnowsEverySettingThatIsAPath) {
  // kPlaces of src/bundle/trained.cpp is what a bundle leaves out. A new setting of this type belongs
  // there, and here.
  std::set<std::string> paths;
  std::istringstream lines(fovea({"list", "configuration"}).out);
  for (std::string line; std::getline(lines, line);) {
    const size_t end = line.find("` | path");
    if (end == std::string::npos || !line.starts_with("| `")) continue;
    const std::string key = line.substr(3, end - 3);
    paths.insert(key.substr(key.rfind('.') + 1));
  }
  EXPECT_THAT(paths, testing::UnorderedElementsAre("root", "table", "folder", "path", "file",
                                                   "cache_folder", "weights"));
}

TEST(Bundle, AnswersAsTheRunDoesAndNamesWhatIsMissingToEvaluateIt) {
  const Hospitals& h = hospitals();
  const fs::path rows = h.folder.write("rows.csv", "a\n-3\n0\n5\n");
  EXPECT_EQ(fovea({"infer", h.bundle.string(), rows.string()}).out,
            fovea({"infer", h.run.string(), rows.string()}).out);
  const Outcome alone = evaluated(h.bundle, {});
  EXPECT_EQ(alone.code, 2);
  EXPECT_THAT(alone.err, AllOf(HasSubstr("names no data"), HasSubstr("--data"),
                               HasSubstr("--set data.table=")));
  const Outcome given =
      evaluated(h.bundle, {"--set", "data.table=" + (h.folder / "B/t.csv").string()});
  EXPECT_LT(auc_of(given), 0.1) << given.err;
}

TEST(Bundle, AChangedCutOrMissingFileIsRefusedByName) {
  const Hospitals& h = hospitals();
  const fs::path rows = h.folder.write("rows.csv", "a\n-3\n0\n5\n");
  const TempFolder copy;
  const auto refusal = [&] {
    const Outcome outcome = fovea({"infer", (copy / "bundle").string(), rows.string()});
    EXPECT_EQ(outcome.code, 3) << outcome.err;
    EXPECT_EQ(outcome.out.find("0."), std::string::npos) << "answered";
    return outcome.err;
  };
  for (const std::string name :
       {"config.yaml", "model.json", "model.safetensors", "MANIFEST.json"}) {
    const auto fresh = [&] {
      fs::remove_all(copy / "bundle");
      fs::copy(h.bundle, copy / "bundle", fs::copy_options::recursive);
    };
    const std::string right = read_text(h.bundle / name);
    fresh();
    std::string wrong = right;
    wrong[right.size() / 2] = static_cast<char>(wrong[right.size() / 2] ^ 1);
    copy.write("bundle/" + name, wrong);
    EXPECT_THAT(refusal(), HasSubstr(name));
    fresh();
    copy.write("bundle/" + name, right.substr(0, right.size() - 1));
    EXPECT_THAT(refusal(), HasSubstr(name));
    fresh();
    fs::remove(copy / "bundle" / name);
    EXPECT_THAT(refusal(),
                testing::AnyOf(HasSubstr(name), HasSubstr("wanted a run folder or a bundle"),
                               HasSubstr("holds no checkpoint")));
  }
}

TEST(Bundle, AskingAModelWritesNothingIntoTheCacheOfItsTraining) {
  const fs::path image = demo().some_image();
  const fs::path cache = demo().folder / "kept";
  const fs::path run = demo().folder / "cached";
  ASSERT_EQ(fovea({"train", demo().config.string(), "--out", run.string(), "--device", "cpu",
                   "--set", "train.epochs=1", "--set", "data.cache_folder=" + cache.string()})
                .code,
            0);
  ASSERT_TRUE(fs::exists(cache));
  fs::remove_all(cache);
  ASSERT_EQ(fovea({"infer", (run / "bundle").string(), image.string()}).code, 0);
  ASSERT_EQ(fovea({"infer", run.string(), image.string()}).code, 0);
  EXPECT_FALSE(fs::exists(cache));
}

}  // namespace
}  // namespace fovea::test
