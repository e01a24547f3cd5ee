// Nothing that was computed or written before is lost or spoilt: streams that are closed, readers that
// go away, signals, full disks, folders of others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "e2e/rows.h"
#include "support/output.h"

namespace fovea::test {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

int64_t count_lines(const std::string& text) { return std::ranges::count(text, '\n'); }

Outcome train_into(const fs::path& out, const std::string& more) {
  return run_shell(fovea_command() + "train " + quoted(rows().config.string()) +
                   " --device cpu --out " + quoted(out.string()) + " " + more);
}

TEST(Streams, WhatIsMeantForAClosedTerminalGoesIntoNoFile) {
  const TempFolder folder;
  for (const char* closed : {">&-", "2>&-", "<&-", "<&- >&- 2>&-"}) {
    const fs::path run = folder / "run";
    fs::remove_all(run);
    EXPECT_EQ(train_into(run, closed).code, 0) << closed;
    EXPECT_EQ(read_text(run / "metrics.csv"), read_text(rows().run / "metrics.csv")) << closed;
    std::istringstream lines(read_text(run / "log.jsonl"));
    int64_t n = 0;
    for (std::string line; std::getline(lines, line); ++n)
      EXPECT_TRUE(nlohmann::json::accept(line)) << closed << ": " << line;
    EXPECT_GT(n, 3);
    EXPECT_EQ(
        fovea({"infer", (run / "bundle").string(), (rows().folder / "patients.csv").string()}).out,
        fovea({"infer", rows().run.string(), (rows().folder / "patients.csv").string()}).out);
  }
}

TEST(Streams, AnswersForAClosedOutputAreRefused) {
  const std::string typed = fovea_command() + "infer " + rows().model() + " " +
                            quoted((rows().folder / "patients.csv").string());
  const Outcome refused = run_shell(typed + " >&-");
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("standard output is closed"), HasSubstr("--out")));
  const TempFolder folder;
  const fs::path out = folder / "a.csv";
  EXPECT_EQ(run_shell(typed + " --out " + quoted(out.string()) + " >&- 2>&-").code, 0);
  EXPECT_EQ(count_lines(read_text(out)), 401);
}

TEST(Streams, AReaderThatHasSeenEnoughEndsTheProgramQuietly) {
  for (const char* typed : {"list configuration", "list encoders -v", "--help"}) {
    const Outcome head =
        run_shell("(" + fovea_command() + typed + "; echo $? >&2) | head -1 > /dev/null");
    EXPECT_THAT(head.err, AnyOf("0\n", "")) << typed;
  }
  // And stops its work: a part of 60,000 rows is answered.
  const TempFolder folder;
  const Outcome head =
      run_shell("(" + fovea_command() + "infer " + rows().model() + " " +
                quoted(rows().many().string()) + " --log-level warning; echo $? >&2) | head -3");
  EXPECT_EQ(count_lines(head.out), 3);
  EXPECT_EQ(head.err, "0\n");
}

TEST(Streams, AFullDiskBehindStandardOutputIsSaid) {
  const Outcome full =
      run_shell(fovea_command() + "infer " + rows().model() + " " +
                quoted((rows().folder / "patients.csv").string()) + " > /dev/full");
  EXPECT_EQ(full.code, 4);
  EXPECT_THAT(full.err, AllOf(HasSubstr("standard output"), HasSubstr("No space left")));
}

TEST(Infer, AnOutputThatCannotBeWrittenIsRefusedBeforeAnythingIsRead) {
  const TempFolder folder;
  // No model is there: whoever reads it first would complain of it.
  for (const std::string& out : {(folder / "no/such/x.csv").string(), std::string("/proc/x.csv")}) {
    const Outcome outcome = fovea({"infer", "no-model", "x.png", "--out", out});
    EXPECT_EQ(outcome.code, 4);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(out), Not(HasSubstr("no-model"))));
  }
  fs::create_directory(folder / "folder.csv");
  EXPECT_THAT(fovea({"infer", "no-model", "x.png", "--out", (folder / "folder.csv").string()}).err,
              HasSubstr("it is a folder"));
  folder.write("file", "x");
  EXPECT_THAT(fovea({"infer", "no-model", "x.png", "--explain", (folder / "file").string()}).err,
              AllOf(HasSubstr("--explain"), HasSubstr("file")));
  // Nor does what was there go where nothing comes in its place.
  folder.write("old.csv", "answers of yesterday");
  EXPECT_NE(fovea({"infer", "no-model", "x.png", "--out", (folder / "old.csv").string()}).code, 0);
  EXPECT_EQ(read_text(folder / "old.csv"), "answers of yesterday");
  EXPECT_FALSE(fs::exists(folder / "old.csv.partial"));
}

TEST(Infer, AnswersNeverReplaceTheirOwnInput) {
  const TempFolder folder;
  const fs::path table = folder.write("new.csv", patient_rows(5));
  const Outcome outcome =
      fovea({"infer", rows().run.string(), table.string(), "--out", table.string()});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("is one of the inputs"));
  EXPECT_EQ(read_text(table), patient_rows(5));
}

/// The command in the background, sent `signal` as soon as `condition` of the shell is true.
Outcome interrupted(const std::string& command, const std::string& condition,
                    const std::string& signal) {
  return run_shell(command + " & p=$!; while ! { " + condition +
                   "; }; do sleep 0.01; kill -0 $p 2>/dev/null || break; done; kill -" + signal +
                   " $p; wait $p");
}

TEST(Infer, WhenStoppedItLeavesWhatItHasAnswered) {
  const TempFolder folder;
  const fs::path out = folder.write("a.csv", "answers of yesterday");
  const fs::path part = folder / "a.csv.partial";
  for (const char* signal : {"TERM", "KILL", "HUP"}) {
    fs::remove(part);
    const Outcome outcome =
        interrupted(fovea_command() + "infer " + rows().model() + " " +
                        quoted(rows().many().string()) + " --out " + quoted(out.string()),
                    "grep -q p9 " + quoted(part.string()) + " 2>/dev/null", signal);
    const bool killed = std::string(signal) == "KILL";
    EXPECT_EQ(outcome.code, killed ? 137 : 75) << outcome.err;
    EXPECT_EQ(read_text(out), "answers of yesterday");
    const std::string answers = read_text(part);
    EXPECT_GE(count_lines(answers), 10);
    EXPECT_LT(count_lines(answers), 60'001);
    EXPECT_THAT(answers, testing::StartsWith("id,path,p_no,p_yes,decision\np0,"));
    EXPECT_TRUE(answers.ends_with("\n"));
    if (!killed)
      EXPECT_THAT(outcome.err,
                  AllOf(HasSubstr("stopped by SIG" + std::string(signal)),
                        HasSubstr(std::to_string(count_lines(answers) - 1) + " of 60000 cases"),
                        HasSubstr(part.string())));
  }
}

TEST(Infer, UnderNohupItGoesOnWhenTheTerminalIsClosed) {
  const TempFolder folder;
  const fs::path out = folder / "a.csv", part = folder / "a.csv.partial";
  const Outcome outcome =
      interrupted("(trap '' HUP; exec " + fovea_command() + "infer " + rows().model() + " " +
                      quoted(rows().many().string()) + " --out " + quoted(out.string()) + ")",
                  "grep -q p9 " + quoted(part.string()) + " 2>/dev/null", "HUP");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(count_lines(read_text(out)), 60'001);
}

TEST(Infer, AFullDiskLeavesWholeLinesAndSaysWhereTheyAre) {
  const TempFolder folder;
  // 64 blocks of 512 bytes.
  const Outcome outcome =
      run_shell("ulimit -f 64; " + fovea_command() + "infer " + rows().model() + " " +
                quoted(rows().many().string()) + " --out " + quoted((folder / "a.csv").string()));
  EXPECT_EQ(outcome.code, 4);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot write"), HasSubstr("cases were answered before"),
                                 HasSubstr("a.csv.partial")));
  const std::string answers = read_text(folder / "a.csv.partial");
  EXPECT_GT(answers.size(), 30'000u);
  EXPECT_TRUE(answers.ends_with("\n"));
  EXPECT_FALSE(fs::exists(folder / "a.csv"));
}

TEST(Eval, WhenStoppedItWritesNothingAboutAPart) {
  const TempFolder folder;
  const fs::path out = folder / "eval";
  const Outcome outcome =
      interrupted(fovea_command() + "eval " + rows().model() + " --split all --out " +
                      quoted(out.string()) + " --set data.table=" + quoted(rows().many().string()),
                  "test -e " + quoted(out.string()), "INT");
  EXPECT_EQ(outcome.code, 75) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("stopped by SIGINT"), HasSubstr("of 60000 cases")));
  EXPECT_FALSE(fs::exists(out));
}

TEST(Eval, AnOutputThatCannotBeWrittenIsRefusedBeforeItIsComputed) {
  const TempFolder folder;
  const fs::path file = folder.write("file", "x");
  for (const fs::path& out : {file, file / "below", fs::path("/proc/eval")}) {
    const Outcome outcome = fovea({"eval", rows().run.string(), "--out", out.string()});
    EXPECT_EQ(outcome.code, 4);
    EXPECT_THAT(outcome.err, HasSubstr(out.string()));
  }
  EXPECT_EQ(read_text(file), "x");
}

TEST(Eval, APathThatIsTypedStandsOnTheWorkingFolder) {
  const TempFolder folder;
  folder.write("here/other.csv", patient_rows(50));
  const std::string eval = fovea_command() + "eval " + rows().model() + " --split all --out " +
                           quoted((folder / "eval").string()) + " --set data.table=";
  const std::string here = "cd " + quoted((folder / "here").string()) + " && ";
  const Outcome typed = run_shell(here + eval + "other.csv");
  ASSERT_EQ(typed.code, 0) << typed.err;
  EXPECT_EQ(metric(typed.last_line(), "n"), 50);
  // What lies only beside the data is found there, and of two neither is taken silently.
  const Outcome beside = run_shell(here + eval + "patients.csv");
  EXPECT_EQ(metric(beside.last_line(), "n"), 400) << beside.err;
  folder.write("here/patients.csv", patient_rows(70));
  const Outcome two = run_shell(here + eval + "patients.csv");
  EXPECT_EQ(two.code, 2);
  EXPECT_THAT(two.err, AllOf(HasSubstr("found two"), HasSubstr("whole path")));
  EXPECT_THAT(run_shell(here + eval + "absent.csv").err, HasSubstr("here/absent.csv"));
}

TEST(Eval, SubgroupsHaveTheMetricsOfTheirRows) {
  const TempFolder folder;
  const fs::path out = folder / "eval";
  const Outcome outcome = fovea({"eval", rows().run.string(), "--out", out.string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  // Counted anew from the predictions and the table: accuracy of each sex.
  std::map<std::string, std::string> sex_of;
  std::istringstream table(patient_rows(400));
  for (std::string line; std::getline(table, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    sex_of[cells[0]] = cells[3];
  }
  std::map<std::string, std::pair<int, int>> counts;  // right, all
  std::istringstream predictions(read_text(out / "predictions.csv"));
  std::string line;
  std::getline(predictions, line);
  ASSERT_EQ(line, "id,label,p_no,p_yes,decision");
  while (std::getline(predictions, line)) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    auto& [right, all] = counts[sex_of.at(cells[0])];
    right += cells[1] == cells[4];
    ++all;
  }
  const auto json = nlohmann::json::parse(read_text(out / "metrics.json"));
  const auto& groups = json.at("subgroups").at("sex");
  ASSERT_EQ(groups.size(), 2u);
  for (const auto& group : groups) {
    const auto& [right, all] = counts.at(group.at("value"));
    EXPECT_EQ(group.at("n"), all);
    EXPECT_NEAR(group.at("figures").at("accuracy").get<double>(), double(right) / all, 1e-12);
    EXPECT_FALSE(group.contains("small"));
    EXPECT_FALSE(group.at("figures").contains("loss"));
  }
  // 80 test rows, ages 20 to 75 in steps of five: bands of about 20 rows that cover them all.
  const auto& ages = json.at("subgroups").at("age");
  ASSERT_EQ(ages.size(), 4u);
  int64_t cases = 0;
  for (const auto& band : ages) cases += band.at("n").get<int64_t>();
  EXPECT_EQ(cases, 80);
  EXPECT_TRUE(ages[0].at("value").get<std::string>().starts_with("20 to "));
  EXPECT_TRUE(ages[3].at("value").get<std::string>().ends_with(" to 75"));
  EXPECT_THAT(outcome.out, HasSubstr("subgroup sex=f n="));
  EXPECT_THAT(outcome.last_line(), testing::StartsWith("split=test"));
}

TEST(Train, ForceDeletesNothingThatIsNotARunOfFovea) {
  const TempFolder folder;
  for (const char* name : {"config.yaml", "checkpoints/model.bin", "best/model.bin", "log.jsonl"})
    folder.write("mine/" + std::string(name), "years of work");
  const Outcome outcome = train_into(folder / "mine", "--force");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("it is not a run"), HasSubstr("nothing in it is deleted")));
  for (const char* name : {"config.yaml", "checkpoints/model.bin", "best/model.bin", "log.jsonl"})
    EXPECT_EQ(read_text(folder / ("mine/" + std::string(name))), "years of work");
}

TEST(Train, AfterForceNothingOfTheOldRunAnswers) {
  const TempFolder folder;
  const fs::path run = folder / "run";
  fs::copy(rows().run, run, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  ASSERT_EQ(fovea({"eval", run.string()}).code, 0);
  const Outcome stopped = interrupted(
      fovea_command() + "train " + quoted(rows().config.string()) + " --device cpu --out " +
          quoted(run.string()) + " --force --set train.epochs=100000",
      "grep -q '^1,' " + quoted((run / "metrics.csv").string()) +
          " 2>/dev/null && grep -q 100000 " + quoted((run / "config.yaml").string()),
      "TERM");
  EXPECT_EQ(stopped.code, 75) << stopped.err;
  EXPECT_FALSE(fs::exists(run / "bundle"));
  EXPECT_FALSE(fs::exists(run / "eval-test"));
  EXPECT_EQ(
      fovea({"infer", (run / "bundle").string(), (rows().folder / "patients.csv").string()}).code,
      3);
}

TEST(Train, MetricsThatWereRemovedStopNoResumedRun) {
  const TempFolder folder;
  const fs::path run = folder / "run";
  fs::copy(rows().run, run, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  fs::remove(run / "metrics.csv");
  fs::remove_all(run / "bundle");
  const Outcome resumed = train_into(run, "--resume");
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("metrics.csv is not as it was"));
  EXPECT_EQ(read_text(run / "metrics.csv"), read_text(rows().run / "metrics.csv"));
  EXPECT_TRUE(fs::exists(run / "bundle/model.safetensors"));
}

TEST(Check, WhenStoppedItReportsOnWhatItHasSeen) {
  const TempFolder folder;
  folder.write("patients.csv", patient_rows(400'000));
  const fs::path config = folder.write("c.yaml", kRowsConfig);
  const Outcome outcome = interrupted(
      fovea_command() + "check " + quoted(config.string()) + " --threads 1", "sleep 0.3", "TERM");
  EXPECT_THAT(outcome.code, AnyOf(75, 143));  // 143: it was still reading the table
  if (outcome.code == 75)
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("stopped by SIGTERM"), HasSubstr("of 400000 cases")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("no problems found")));
}

TEST(Check, ThePatientsThatItNamesCannotBeFoundByTryingNames) {
  const TempFolder folder;
  std::string table = "id,marker,noise,sex,age,ill,split,patient\n";
  for (int i = 0; i < 40; ++i)
    table += "p" + std::to_string(i) + "," + std::to_string(i) + ",1,f,30," +
             (i % 2 ? "yes," : "no,") + (i % 4 < 2 ? "train" : "test") + ",Meier\n";
  folder.write("patients.csv", table);
  const fs::path config = folder.write("c.yaml", kRowsConfig);
  const auto said = [&] {
    return fovea({"check", config.string(), "--set", "data.group=patient"}).err;
  };
  const std::string first = said();
  EXPECT_THAT(first,
              AllOf(HasSubstr("patients are in more than one split"), Not(HasSubstr("Meier"))));
  EXPECT_NE(first, said());  // a salt per process
}

}  // namespace
}  // namespace fovea::test
