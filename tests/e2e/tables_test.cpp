// Tables as they come from the field, through the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/program.h"

namespace fovea::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Pain of four types, a value that is missing in every third row, and a date.
std::string studies(bool floats, bool labelled) {
  std::string rows = labelled ? "cp,crp,seen,y,split\n" : "cp,crp,seen\n";
  for (int i = 0; i < 60; ++i) {
    rows += std::to_string(1 + i * 7 % 4) + (floats ? ".0," : ",") +
            (i % 3 == 0 ? "NA" : std::to_string(i % 11) + ".5") + ",2024-03-" +
            std::to_string(10 + i % 17);
    if (labelled)
      rows += std::string(i * 7 % 4 > 1 ? ",1" : ",0") + (i < 40   ? ",train"
                                                          : i < 50 ? ",val"
                                                                   : ",test");
    rows += "\n";
  }
  return rows;
}

class Studies : public testing::Test {
 protected:
  Studies() {
    folder_.write("t.csv", studies(false, true));
    config_ = folder_
                  .write("c.yaml", R"(seed: 1
data:
  table: t.csv
  inputs: {labs: {table: {columns: [cp, crp, seen], categories: [cp], missing: ["", NA]}}}
  targets: {y: {column: y}}
  split: split
model: {encoders: {labs: {mlp: {hidden: [8]}}}}
train: {epochs: 3, batch_size: 8, precision: fp32, threads: 1, loader_threads: 0, optimizer: {adamw: {lr: 0.01}}}
)")
                  .string();
  }
  Outcome check(const std::string& set) { return fovea({"check", config_, "--set", set}); }

  TempFolder folder_;
  std::string config_;
};

TEST_F(Studies, CheckSaysHowEachColumnIsReadAndWhatWasAssumed) {
  const Outcome outcome = check("seed=2");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("labs.cp    category of 4: 1 15, 2 15, 3 15, 4 15\n"),
                    HasSubstr("labs.crp   number, 0.5 to 10.5, 20 of 60 missing\n"),
                    HasSubstr("labs.seen  date, 2024-03-10 to 2024-03-26\n"),
                    HasSubstr("y          classes 0 30, 1 30\n"),
                    HasSubstr("note: labs.crp: 20 of 60 cells ('NA') are read as missing\n"),
                    HasSubstr("no problems found")));
}

TEST_F(Studies, ProblemsAreWordedWithTheKeysOfTheConfig) {
  EXPECT_THAT(check("data.inputs.labs.table.missing=[]").err,
              HasSubstr("name it in data.inputs.labs.table.missing"));
  const Outcome told = check("data.inputs.labs.table.columns=[cp, y]");
  EXPECT_EQ(told.code, 3);
  EXPECT_THAT(told.out, AllOf(HasSubstr("problem: labs.y is the column of the target 'y'"),
                              Not(HasSubstr("no problems found"))));
  EXPECT_THAT(check("data.delimiter=;").err, HasSubstr("set data.delimiter to ','"));
}

TEST_F(Studies, CategoriesAreFoundAgainAndWhatIsAssumedIsSaid) {
  const std::string run = (folder_ / "run").string();
  ASSERT_EQ(fovea({"train", config_, "--out", run, "--device", "cpu"}).code, 0);
  EXPECT_THAT(read_text(folder_ / "run/manifest.json"), HasSubstr("are read as missing"));
  const auto answers = [&](const std::string& name, const std::string& text) {
    return fovea({"infer", run, folder_.write(name, text).string()});
  };
  const auto probabilities = [](const std::string& out) {
    std::string result;  // without the names of files
    for (size_t at = out.find(": line"); at != std::string::npos; at = out.find(": line", at + 1))
      result += out.substr(at, out.find('\n', at) - at) + "\n";
    return result;
  };
  const Outcome ints = answers("i.csv", studies(false, false));
  const Outcome floats = answers("f.csv", studies(true, false));
  ASSERT_EQ(ints.code, 0) << ints.err;
  EXPECT_NE(probabilities(ints.out), "");
  EXPECT_EQ(probabilities(ints.out), probabilities(floats.out));
  EXPECT_THAT(floats.err, HasSubstr("labs.cp: 60 of 60 cells are read without the zeros"));
  const Outcome odd =
      answers("o.csv", "cp,crp,seen\n1,5.5,2024-03-10\n9,5.5,2024-03-10\n2,\"5,5\",2024-03-10\n");
  EXPECT_EQ(odd.code, 3);  // one case alone cannot be read
  EXPECT_THAT(odd.err, AllOf(HasSubstr("labs.cp: 1 of 3 cells ('9') are of no category"),
                             HasSubstr("line 4: column 'crp': found '5,5'"),
                             HasSubstr("1 of 3 cases could not be read")));
}

}  // namespace
}  // namespace fovea::test
