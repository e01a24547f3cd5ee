// Entities of a report as a filled form, and several targets of one study, by the program alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/output.h"
#include "support/program.h"

namespace fovea::test {
namespace {

using testing::HasSubstr;

const fs::path& studies() {
  static const TempFolder folder;
  static const Outcome made =
      fovea({"phantom", (folder / "set").string(), "--with-report", "--with-labs", "--set",
             "patients=120", "--set", "images_per_patient=2", "--set", "size=32", "--set",
             "volumes=0", "--set", "seed=3"});
  if (made.code != 0) throw std::runtime_error("fovea phantom failed: " + made.err);
  static const fs::path path = folder / "set";
  return path;
}

TEST(Reports, FindingSiteAndSizeOfAReportFillItsFormWithExactOffsets) {
  const TempFolder folder;
  const fs::path config = folder.write("form.yaml", R"(
data:
  root: )" + studies().string() + R"(
  table: labels.csv
  inputs: {report: {text: {column: report}}}
  targets: {found: {tags: {column: entities, input: report}}}
  group: patient
  split: split
model: {encoders: {report: {rnn: {width: 24, embedding: 24, word_dropout: 0.05}}}}
task: {token_classification: {report: {finding: FINDING, where: SITE, size: SIZE}}}
train: {epochs: 12, batch_size: 8, precision: fp32, threads: 1, optimizer: {adamw: {lr: 0.01}}}
)");
  const std::string run = (folder / "run").string();
  const Outcome trained = fovea({"train", config.string(), "--out", run, "--device", "cpu"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_GT(metric(fovea({"eval", run}).last_line(), "f1"), 0.9);

  // The offsets count code points, so the two letters of a byte more each move nothing.
  const std::string mass = "Für Ärzte. There is a 24 mm round mass in the left upper zone.";
  folder.write("new.jsonl", nlohmann::json{{"report", mass}}.dump() + "\n" +
                                nlohmann::json{{"report", "No opacity is seen."}}.dump() + "\n");
  const Outcome applied = fovea(
      {"infer", run, (folder / "new.jsonl").string(), "--out", (folder / "found.jsonl").string()});
  ASSERT_EQ(applied.code, 0) << applied.err;
  const auto answers = json_lines(read_text(folder / "found.jsonl"));
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].at("report"), nlohmann::json::parse(R"({
    "finding": ["round mass"], "where": ["left upper zone"], "size": ["24 mm"]})"));
  EXPECT_EQ(answers[0].at("entities")[1],
            nlohmann::json::parse(
                R"({"label": "FINDING", "text": "round mass", "begin": 28, "end": 38})"));
  EXPECT_TRUE(answers[1].at("entities").empty());
  EXPECT_TRUE(answers[1].at("report").at("finding").empty());
}

TEST(Reports, AClassAndANumberAreLearnedTogetherAndEachIsEvaluatedInAFolderOfItsOwn) {
  const TempFolder folder;
  const fs::path config = folder.write("both.yaml", R"(
data:
  root: )" + studies().string() + R"(
  table: labels.csv
  inputs: {report: {text: {column: report}}, labs: {table: {columns: [crp, ldh, leukocytes]}}}
  targets:
    label: {column: class, classes: [clear, lesion]}
    count: {number: {column: lesions}}
  group: patient
  split: split
model: {encoders: {report: {dan: {embedding: 16}}, labs: {mlp: {hidden: [16]}}}}
task: {multi_task: {tasks: {label: classification, count: {regression: huber}}, weights: {count: 0.5}}}
train: {epochs: 8, batch_size: 16, precision: fp32, threads: 1, best: label.auc, optimizer: {adamw: {lr: 0.01}}}
)");
  const std::string run = (folder / "run").string();
  const Outcome trained = fovea({"train", config.string(), "--out", run, "--device", "cpu"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const Outcome evaluated = fovea({"eval", run, "--out", (folder / "eval").string()});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_GT(metric(line_with(evaluated.out, "target=label"), "auc"), 0.6) << evaluated.out;
  // Always the mean of all lesions would leave their deviation.
  EXPECT_GT(metric(line_with(evaluated.out, "target=count"), "r2"), 0) << evaluated.out;
  EXPECT_TRUE(fs::exists(folder / "eval/label/roc.svg"));
  EXPECT_TRUE(fs::exists(folder / "eval/count/scatter.svg"));
}

}  // namespace
}  // namespace fovea::test
