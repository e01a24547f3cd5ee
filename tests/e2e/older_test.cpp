// What a fovea before this one left on disk still loads and goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/program.h"

namespace fovea::test {
namespace {

using testing::HasSubstr;

struct Older {
  TempFolder folder;
  Older() {
    fs::copy(reference("before_manifests"), folder.path(),
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
  std::string at(std::string_view name) const { return (folder / name).string(); }
};

/// The numbers of a CSV table, in their order.
std::vector<double> numbers_of(const std::string& csv) {
  std::vector<double> numbers;
  std::istringstream rows(csv);
  for (std::string row; std::getline(rows, row);) {
    std::istringstream cells(row);
    for (std::string cell; std::getline(cells, cell, ',');) {
      char* end = nullptr;
      const double number = std::strtod(cell.c_str(), &end);
      if (!cell.empty() && *end == '\0') numbers.push_back(number);
    }
  }
  return numbers;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < found.size(); ++i)  // fp32 on a processor with another instruction set
    EXPECT_NEAR(found[i], wanted[i], 1e-5 * std::max(1.0, std::abs(wanted[i]))) << i;
}

TEST(Older, ARunAndABundleAnswerAsTheyDid) {
  const Older older;
  const std::vector<double> answers = numbers_of(read_text(older.folder / "answers.csv"));
  ASSERT_EQ(answers.size(), 2u * 12);
  for (const char* model : {"run", "bundle"}) {
    const Outcome asked =
        fovea({"infer", older.at(model), older.at("test.csv"), "--device", "cpu"});
    EXPECT_EQ(asked.code, 0) << asked.err;
    expect_near(numbers_of(asked.out), answers);
    if (std::string(model) == "bundle")
      EXPECT_THAT(asked.err, HasSubstr("nothing vouches for its files"));
  }
}

TEST(Older, ARunIsEvaluatedOnDataThatMoved) {
  const Older older;
  const Outcome evaluated =
      fovea({"eval", older.at("run"), "--set", "data.table=" + older.at("t.csv"), "--device", "cpu",
             "--out", older.at("figures")});
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_THAT(evaluated.last_line(), HasSubstr("n=12"));
}

TEST(Older, ARunThatWasStoppedGoesOnToTheSameNumbers) {
  const Older older;
  // Its config names the table where it was then.
  const std::string table = "data.table=" + older.at("t.csv");
  const Outcome moved = fovea({"train", older.at("c.yaml"), "--set", "train.epochs=3", "--out",
                               older.at("run"), "--device", "cpu", "--resume", "--set", table});
  EXPECT_EQ(moved.code, 2);
  EXPECT_THAT(moved.err, HasSubstr("data.table: /srv/clinic/t.csv -> "));
  const Outcome resumed =
      fovea({"train", older.at("c.yaml"), "--set", "train.epochs=3", "--out", older.at("run"),
             "--device", "cpu", "--resume", "--set", table, "--allow-changed"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  expect_near(numbers_of(read_text(older.folder / "run/metrics.csv")),
              numbers_of(read_text(older.folder / "finished_metrics.csv")));
}

}  // namespace
}  // namespace fovea::test
