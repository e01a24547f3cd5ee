// Tables, reports and several inputs at once, by the program alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/output.h"
#include "support/program.h"

namespace fovea::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Ill where the second indicator is high; the first says nothing.
std::string patients(int64_t count, bool labelled) {
  std::string rows = labelled ? "id,noise,marker,smoker,ill,split\n" : "id,noise,marker,smoker\n";
  for (int64_t i = 0; i < count; ++i) {
    const int64_t marker = i * 37 % 100;
    rows += "p" + std::to_string(i) + "," + std::to_string(i * 61 % 83) + "," +
            (i % 10 == 3 ? "" : std::to_string(marker)) + "," + (i % 3 ? "no" : "yes");
    if (labelled)
      rows += std::string(marker > 50 ? ",yes," : ",no,") + (i % 5 == 0   ? "test"
                                                             : i % 5 == 1 ? "val"
                                                                          : "train");
    rows += "\n";
  }
  return rows;
}

TEST(Inputs, ATableIsTrainedEvaluatedAppliedAndExplained) {
  const TempFolder folder;
  folder.write("patients.csv", patients(300, true));
  const fs::path config = folder.write("table.yaml", R"(
data:
  table: patients.csv
  inputs: {labs: {table: {columns: [noise, marker, smoker]}}}
  targets: {ill: {column: ill, classes: ["no", "yes"]}}
  id: id
  split: split
model: {encoders: {labs: {ft_transformer: {width: 16, depth: 1}}}}
train: {epochs: 20, batch_size: 16, precision: fp32, threads: 1, optimizer: {adamw: {lr: 0.005}}}
)");
  const std::string run = (folder / "run").string();
  const Outcome checked = fovea({"check", config.string()});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("labs: 4 columns"));  // and whether the marker is missing
  const Outcome trained = fovea({"train", config.string(), "--out", run, "--device", "cpu"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const Outcome evaluated = fovea({"eval", run});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_GT(metric(evaluated.last_line(), "auc"), 0.9) << evaluated.out;

  const fs::path fresh = folder.write("fresh.csv", patients(40, false));
  const Outcome applied =
      fovea({"infer", run, fresh.string(), "--out", (folder / "p.jsonl").string(), "--explain",
             (folder / "why").string()});
  ASSERT_EQ(applied.code, 0) << applied.err;
  EXPECT_EQ(json_lines(read_text(folder / "p.jsonl")).size(), 40u);
  EXPECT_THAT(read_text(folder / "why/mean-labs.svg"), HasSubstr("marker"));
  const auto lines = json_lines(read_text(folder / "why/explanations.jsonl"));
  ASSERT_EQ(lines.size(), 40u);
  std::map<std::string, double> counted;
  for (const auto& line : lines)
    for (const auto& weight : line.at("weights").at("labs"))
      counted[weight[0]] += weight[1].get<double>() / 40;
  EXPECT_GT(counted.at("marker"), counted.at("noise"));
}

TEST(Inputs, OfTwoTargetsTheTableHasAColumnForEachNumberThatTheLinesName) {
  const TempFolder folder;
  folder.write("patients.csv", patients(100, true));
  const fs::path config = folder.write("two.yaml", R"(
data:
  table: patients.csv
  inputs: {labs: {table: {columns: [marker]}}}
  targets: {ill: {column: ill, classes: ["no", "yes"]}, burden: {number: {column: noise}}}
  id: id
  split: split
task: {multi_task: {tasks: {ill: classification, burden: regression}}}
model: {encoders: {labs: {mlp: {hidden: [4]}}}}
train: {epochs: 1, batch_size: 16, precision: fp32, threads: 1}
)");
  const std::string run = (folder / "run").string();
  ASSERT_EQ(fovea({"train", config.string(), "--out", run, "--device", "cpu"}).code, 0);
  const fs::path fresh = folder.write("fresh.csv", patients(3, false));
  const Outcome table = fovea({"infer", run, fresh.string(), "--out", (folder / "p.csv").string()});
  ASSERT_EQ(table.code, 0) << table.err;
  ASSERT_EQ(fovea({"infer", run, fresh.string(), "--out", (folder / "p.jsonl").string()}).code, 0);
  std::string wanted = "id,path,ill.p_no,ill.p_yes,ill.decision,burden.predicted\n";
  for (const auto& line : json_lines(read_text(folder / "p.jsonl"))) {
    const auto& ill = line.at("ill");
    wanted += line.at("id").get<std::string>() + "," + line.at("path").get<std::string>() + "," +
              ill.at("probabilities").at("no").dump() + "," +
              ill.at("probabilities").at("yes").dump() + "," +
              ill.at("decision").get<std::string>() + "," +
              line.at("burden").at("predicted").dump() + "\n";
  }
  EXPECT_EQ(read_text(folder / "p.csv"), wanted);
}

TEST(Inputs, ATextFileIsReadAndItsWordsAreDrawnWhereTheModelLooked) {
  const TempFolder folder;
  std::string rows = "report,kind,split\n";
  for (int i = 0; i < 200; ++i) {
    const bool ill = i % 3 == 0;
    const std::string place = i % 2 ? "left" : "right";
    rows += std::string(ill ? "\"A mass in the " : "\"No change in the ") + place +
            " lung, radiograph " + std::to_string(i % 7) + ".\"" + (ill ? ",ill," : ",well,") +
            (i % 5 == 0   ? "test"
             : i % 5 == 1 ? "val"
                          : "train") +
            "\n";
  }
  folder.write("reports.csv", rows);
  const fs::path config = folder.write("text.yaml", R"(
data:
  table: reports.csv
  inputs: {report: {text: {column: report}}}
  targets: {kind: {column: kind}}
  split: split
model: {encoders: {report: {dan: {embedding: 16, word_dropout: 0, input_dropout: 0}}}}
train: {epochs: 20, batch_size: 16, precision: fp32, threads: 1, best: loss, optimizer: {adamw: {lr: 0.01}}}
)");
  const std::string run = (folder / "run").string();
  const Outcome trained = fovea({"train", config.string(), "--out", run, "--device", "cpu"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_GT(metric(fovea({"eval", run}).last_line(), "accuracy"), 0.95);

  const std::string text =
      "\xEF\xBB\xBF"
      "Älterer Befund: a mass\r\nin the right lung.";
  folder.write("new/befund.txt", text);
  folder.write("new/other.txt", "No change.");
  folder.write("new/notes.md", "not a report");
  const Outcome applied =
      fovea({"infer", run, (folder / "new").string(), "--out", (folder / "p.jsonl").string(),
             "--explain", (folder / "why").string()});
  ASSERT_EQ(applied.code, 0) << applied.err;
  const auto answers = json_lines(read_text(folder / "p.jsonl"));
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].at("id"), "befund");
  EXPECT_EQ(answers[0].at("decision"), "ill");
  EXPECT_EQ(answers[1].at("decision"), "well");
  const auto words =
      json_lines(read_text(folder / "why/explanations.jsonl"))[0]["weights"]["report"];
  // Offsets in code points of the file after its byte-order mark; weights that sum to 1.
  double sum = 0;
  std::map<std::string, nlohmann::json> by_word;
  for (const auto& word : words) {
    sum += word[1].get<double>();
    by_word[word[0]] = word;
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_EQ(by_word.at("mass")[2], 18);
  EXPECT_EQ(by_word.at("mass")[3], 22);
  EXPECT_EQ(by_word.at("Älterer")[3], 7);
  EXPECT_GT(by_word.at("mass")[1].get<double>(), by_word.at("the")[1].get<double>());
  EXPECT_THAT(read_text(folder / "why/case-00001-report.svg"), HasSubstr(">mass<"));

  folder.write("new/utf16.txt", std::string("\xFF\xFE"
                                            "A\0 \0",
                                            6));
  folder.write("new/empty.txt", "");
  const Outcome bad = fovea({"infer", run, (folder / "new").string()});
  EXPECT_EQ(bad.code, 3);
  EXPECT_THAT(bad.err, testing::AllOf(HasSubstr("utf16.txt"), HasSubstr("UTF-8"),
                                      HasSubstr("empty.txt"), HasSubstr("2 of 4 cases")));
}

TEST(Inputs, ACategoryThatTrainingNeverSawIsReadAsUnknown) {
  const TempFolder folder;
  folder.write("patients.csv", patients(100, true));
  const fs::path config = folder.write("table.yaml", R"(
data:
  table: patients.csv
  inputs: {labs: {table: {columns: [marker, smoker]}}}
  targets: {ill: {column: ill}}
  split: split
model: {encoders: {labs: mlp}}
train: {epochs: 1, precision: fp32, threads: 1}
)");
  const std::string run = (folder / "run").string();
  ASSERT_EQ(fovea({"train", config.string(), "--out", run, "--device", "cpu"}).code, 0);
  const fs::path fresh = folder.write("fresh.csv", "marker,smoker\n12,sometimes\n13,\n");
  const Outcome applied = fovea({"infer", run, fresh.string(), "--out", "-"});
  EXPECT_EQ(applied.code, 0) << applied.err;
  const fs::path broken = folder.write("broken.csv", "marker,smoker\n12,no\nhigh,no\n");
  const Outcome refused = fovea({"infer", run, broken.string()});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, testing::AllOf(HasSubstr("line 3"), HasSubstr("'marker'")));
}

constexpr const char* kFused = R"(
data:
  root: demo
  table: labels.csv
  inputs:
    image: {column: path, optional: true}
    report: {text: {column: report, optional: true}}
    labs: {table: {columns: [crp, ldh, leukocytes, smoker], optional: true}}
  targets: {label: {column: class, classes: [clear, lesion]}}
  id: mask
  group: patient
  split: split
transforms:
  train: [{resize: 32}, {scale: zscore}]
  eval: [{resize: 32}, {scale: zscore}]
model:
  encoders:
    image: {cnn: {channels: [4, 8]}}
    report: {rnn: {width: 8, embedding: 8, pooling: attention}}
    labs: {mlp: {hidden: [8]}}
  fusion: {gated: {width: 8}}
  input_dropout: 0.2
train: {epochs: 1, batch_size: 16, precision: fp32, threads: 1, loader_threads: 1}
)";

TEST(Inputs, RadiographReportAndLaboratoryAreJoinedAndEachMayBeMissing) {
  const TempFolder folder;
  ASSERT_EQ(fovea({"phantom", (folder / "demo").string(), "--with-report", "--with-labs", "--set",
                   "patients=30", "--set", "images_per_patient=2", "--set", "size=48", "--set",
                   "volumes=0"})
                .code,
            0);
  // Every fourth case loses one of its inputs.
  const fs::path table = folder / "demo/labels.csv";
  std::istringstream whole(read_text(table));
  std::string rows, line;
  std::getline(whole, line);
  rows = line + "\n";
  for (int64_t i = 0; std::getline(whole, line); ++i) {
    if (i % 4 == 1) line = line.substr(line.find(','));
    if (i % 4 == 2) {
      size_t end = line.size();
      for (int cell = 0; cell < 4; ++cell) end = line.rfind(',', end - 1);
      line = line.substr(0, end) + ",,,,";
    }
    rows += line + "\n";
  }
  folder.write("demo/labels.csv", rows);
  const fs::path config = folder.write("fused.yaml", kFused);
  for (const std::string fusion : {"concat", "gated", "cross_attention", "late"}) {
    const std::string run = (folder / fusion).string();
    const Outcome trained = fovea({"train", config.string(), "--out", run, "--device", "cpu",
                                   "--set", "model.fusion=" + fusion});
    ASSERT_EQ(trained.code, 0) << fusion << trained.err;
    const Outcome evaluated = fovea({"eval", run});
    EXPECT_EQ(evaluated.code, 0) << fusion << evaluated.err;
    EXPECT_THAT(evaluated.last_line(), StartsWith("split=test n="));
  }
  const Outcome ablated =
      run_shell("cd " + quoted(folder.path().string()) + " && FOVEA=" + quoted(program().string()) +
                " " + quoted((fs::path(FOVEA_SOURCE_DIR) / "scripts/ablation").string()) +
                " fused.yaml --device cpu");
  ASSERT_EQ(ablated.code, 0) << ablated.err;
  for (const char* row : {"| all | split=test", "| image alone |", "| report alone |",
                          "| labs alone |", "| without image |", "| without labs |"})
    EXPECT_THAT(ablated.out, HasSubstr(row));
  EXPECT_THAT(read_text(folder / "runs/fused-ablation/report-alone/bundle/model.json"),
              testing::Not(HasSubstr("\"labs\"")));
}

}  // namespace
}  // namespace fovea::test
