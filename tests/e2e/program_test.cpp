// The program as its users meet it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "e2e/demo.h"
#include "support/output.h"

namespace fovea::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

TEST(Program, HelpOfEveryCommandHasAnExample) {
  for (const char* command :
       {"train", "eval", "infer", "inspect", "check", "list", "phantom", "bundle", "doctor"}) {
    const Outcome help = fovea({command, "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, HasSubstr(std::string("Example:\n  fovea ") + command));
  }
}

TEST(Program, AWrongCommandLineExitsWithTwo) {
  EXPECT_EQ(fovea({}).code, 2);
  EXPECT_EQ(fovea({"tarin"}).code, 2);
  EXPECT_EQ(fovea({"train"}).code, 2);
  EXPECT_EQ(fovea({"train", "x.yaml", "--epochs", "3"}).code, 2);
}

TEST(Train, AMistakeThatOnlyTrainingFindsLeavesNoRunBehind) {
  const TempFolder folder;
  const std::string out = (folder / "run").string();
  const Outcome refused = fovea({"train", demo().config.string(), "--set", "train.best=acu",
                                 "--out", out, "--device", "cpu"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("did you mean 'auc'"));
  EXPECT_FALSE(fs::exists(out));
}

TEST(Train, AFullFolderIsRefusedBeforeTheConfigIsRead) {
  const Outcome refused = fovea({"train", "absent.yaml", "--out", demo().run.string()});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("is not empty"));
}

TEST(Train, AChangedRunGoesOnOnlyWhenToldTo) {
  const TempFolder folder;
  fs::copy(demo().run, folder / "run",
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  std::vector<std::string> resume{
      "train", demo().config.string(),    "--set",    "train.batch_size=7",
      "--out", (folder / "run").string(), "--resume", "--device",
      "cpu"};
  const Outcome refused = fovea(resume);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("batch_size"));
  EXPECT_THAT(refused.err, HasSubstr("--allow-changed"));
  resume.emplace_back("--allow-changed");
  EXPECT_EQ(fovea(resume).code, 0);
  EXPECT_THAT(read_text(folder / "run/manifest.json"), HasSubstr("train.batch_size"));
}

TEST(Program, OutputThatCannotBeWrittenIsAnError) {
  const Outcome full = run_shell(quoted(program().string()) + " list formats > /dev/full");
  EXPECT_EQ(full.code, 4);
  EXPECT_THAT(full.err, HasSubstr("standard output"));
}

TEST(Program, LinksNoCudaDriverAndNoCudaLibraryOfLibTorch) {
  const Outcome linked = run_shell("ldd " + quoted(program().string()));
  ASSERT_EQ(linked.code, 0);
  for (const char* name : {"libcuda.so", "libtorch_cuda", "libcudnn", "libcublas", "libc10_cuda"})
    EXPECT_THAT(linked.out, Not(HasSubstr(name)));
}

TEST(Train, LeavesACompleteRunFolder) {
  for (const char* name : {"config.yaml", "model.json", "manifest.json", "log.jsonl", "metrics.csv",
                           "learning_curves.svg", "best/model.safetensors", "best/MANIFEST.json",
                           "bundle/model.safetensors"})
    EXPECT_TRUE(fs::exists(demo().run / name)) << name;
  EXPECT_THAT(demo().trained.last_line(), HasSubstr(demo().run.string()));
  EXPECT_THAT(demo().trained.last_line(), HasSubstr("auc="));
}

TEST(Train, TheResolvedConfigReproducesTheRunBitForBit) {
  const fs::path again = demo().folder / "again";
  const Outcome outcome = fovea(
      {"train", (demo().run / "config.yaml").string(), "--out", again.string(), "--device", "cpu"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(read_text(again / "best/model.safetensors"),
            read_text(demo().run / "best/model.safetensors"));
  EXPECT_EQ(read_text(again / "metrics.csv"), read_text(demo().run / "metrics.csv"));
  EXPECT_EQ(read_text(again / "config.yaml"), read_text(demo().run / "config.yaml"));
}

TEST(Train, AStoppedRunResumedEndsLikeTheUninterruptedOne) {
  const fs::path full = demo().folder / "full";
  const fs::path cut = demo().folder / "cut";
  const std::vector<std::string> arguments{
      "train", demo().config.string(), "--set", "train.epochs=12", "--device", "cpu"};
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  ASSERT_EQ(fovea(with({"--out", full.string()})).code, 0);

  std::string command = quoted(program().string());
  for (const std::string& argument : with({"--out", cut.string()}))
    command += " " + quoted(argument);
  // As soon as the first epoch is in metrics.csv the program is asked to stop.
  const Outcome stopped = run_shell(
      command + " & p=$!; while ! grep -q '^1,' " + quoted((cut / "metrics.csv").string()) +
      " 2>/dev/null; do sleep 0.02; kill -0 $p 2>/dev/null || break; done; kill -TERM $p; wait $p");
  ASSERT_THAT(stopped.code, AnyOf(75, 0)) << stopped.err;
  const Outcome resumed = fovea(with({"--out", cut.string(), "--resume"}));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(read_text(cut / "best/model.safetensors"), read_text(full / "best/model.safetensors"));
  EXPECT_EQ(read_text(cut / "metrics.csv"), read_text(full / "metrics.csv"));
}

TEST(Train, NeverOverwritesARunUnasked) {
  const std::string before = read_text(demo().run / "metrics.csv");
  const Outcome outcome = fovea({"train", demo().config.string(), "--out", demo().run.string()});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr(demo().run.string()));
  EXPECT_THAT(outcome.err, HasSubstr("--resume"));
  EXPECT_EQ(read_text(demo().run / "metrics.csv"), before);
}

TEST(Train, RefusesAFolderThatHoldsSomethingElseAndOneThatCannotBeWritten) {
  const TempFolder other;
  other.write("thesis.txt", "five years of work");
  EXPECT_EQ(fovea({"train", demo().config.string(), "--out", other.path().string()}).code, 2);
  // --force forgets a run, and this is none.
  EXPECT_EQ(
      fovea({"train", demo().config.string(), "--out", other.path().string(), "--force"}).code, 2);
  EXPECT_EQ(read_text(other / "thesis.txt"), "five years of work");
  const Outcome unwritable = fovea({"train", demo().config.string(), "--out", "/proc/fovea-run"});
  EXPECT_EQ(unwritable.code, 4);
  EXPECT_THAT(unwritable.err, HasSubstr("/proc/fovea-run"));
}

TEST(Train, AMistakeInTheConfigIsOneLineWithFileLineKeyAndNearestName) {
  const fs::path config = demo().folder.write(
      "wrong.yaml", "data:\n  root: demo\ntrain:\n  epochs: 2\n  batchsize: 16\n");
  const Outcome outcome =
      fovea({"train", config.string(), "--out", (demo().folder / "never").string()});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(lines(outcome.err).size(), 1u);
  EXPECT_THAT(
      outcome.err,
      HasSubstr("wrong.yaml:5: train: unknown key 'batchsize'; did you mean 'batch_size'?"));
  EXPECT_FALSE(fs::exists(demo().folder / "never"));
}

TEST(Train, SetObeysTheSameChecks) {
  const auto code_and_text = [](const std::string& set) {
    const Outcome outcome = fovea({"train", demo().config.string(), "--out",
                                   (demo().folder / "never").string(), "--set", set});
    return std::to_string(outcome.code) + " " + outcome.err;
  };
  EXPECT_THAT(code_and_text("train.epochs=0"), MatchesRegex("2 .*train.epochs.*above 0.*\n"));
  EXPECT_THAT(code_and_text("train.epoch=3"), HasSubstr("did you mean 'epochs'?"));
  EXPECT_THAT(code_and_text("model.encoders.image.cnn.chanels=[8]"),
              HasSubstr("did you mean 'channels'?"));
  EXPECT_THAT(code_and_text("train.best=acu"), HasSubstr("auc"));
}

TEST(Train, AGpuThatIsAskedForAndAbsentIsNotReplacedSilently) {
  if (fs::exists("/dev/nvidia0")) GTEST_SKIP() << "this machine has a GPU";
  const Outcome outcome = fovea({"train", demo().config.string(), "--out",
                                 (demo().folder / "never").string(), "--device", "cuda"});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("cuda"));
}

TEST(Train, MissingFilesAreAllListedBeforeTheFirstStep) {
  const TempFolder folder;
  folder.write("labels.csv",
               "path,class,split\na.png,x,train\nb.png,y,train\nc.png,x,test\nd.png,y,test\n");
  const fs::path config = folder.write("c.yaml",
                                       "data: {root: ., table: labels.csv, inputs: {image: "
                                       "{column: path}}, targets: {label: {column: class}}, "
                                       "split: split}\n");
  const Outcome outcome = fovea({"train", config.string(), "--out", (folder / "run").string()});
  EXPECT_EQ(outcome.code, 3);
  for (const char* name : {"a.png", "b.png", "c.png", "d.png"})
    EXPECT_THAT(outcome.err, HasSubstr(name));
}

TEST(Train, SeveralLabelsPerCaseGoTheWholeRoad) {
  // Two labels of the demo's own columns; the age of every tenth case is not known.
  const auto rows = lines(read_text(demo().folder / "demo/labels.csv"));
  std::string table = "path,patient,split,lesion,old\n";
  for (size_t i = 1; i < rows.size(); ++i) {
    std::vector<std::string> cells;  // path,patient,label,class,split,age,…
    std::istringstream row(rows[i]);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    const std::string old = i % 10 == 0 ? "" : std::stoi(cells[5]) > 50 ? "1" : "0";
    table += cells[0] + "," + cells[1] + "," + cells[4] + "," + cells[2] + "," + old + "\n";
  }
  demo().folder.write("demo/several.csv", table);
  const fs::path run = demo().folder / "several";
  const Outcome trained = fovea(
      {"train", demo().config.string(), "--out", run.string(), "--device", "cpu", "--set",
       "data.table=several.csv", "--set", "data.subgroups=[]", "--set",
       "data.targets={findings: {column: [lesion, old], missing: [\"\"]}}", "--set",
       "task={classification: {loss: {bce: {pos_weight: balanced}}}}", "--set", "train.epochs=1"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const Outcome evaluated = fovea({"eval", run.string()});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_TRUE(key_values(evaluated.last_line()).contains("auc_micro"));
  const Outcome inferred = fovea({"infer", run.string(), demo().some_image().string()});
  ASSERT_EQ(inferred.code, 0) << inferred.err;
  EXPECT_THAT(inferred.out, HasSubstr("p_lesion,p_old"));
}

TEST(Train, WeightsOfAnotherArchitectureAreRefused) {
  const Outcome outcome =
      fovea({"train", demo().config.string(), "--out", (demo().folder / "never").string(), "--set",
             "model.encoders.image.cnn.channels=[8, 32]", "--set",
             "model.weights=" + (demo().run / "best/model.safetensors").string()});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("best/model.safetensors"));
}

TEST(Eval, TheLastLineSaysWhatMetricsJsonSays) {
  const Outcome outcome =
      fovea({"eval", demo().run.string(), "--split", "test", "--device", "cpu"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const fs::path folder = demo().run / "eval-test";
  const auto metrics = key_values(outcome.last_line());
  const auto json = nlohmann::json::parse(read_text(folder / "metrics.json"));
  EXPECT_EQ(metrics.at("split"), "test");
  EXPECT_EQ(std::stoi(metrics.at("n")), json.at("n").get<int>());
  char rounded[16];
  std::snprintf(rounded, sizeof rounded, "%.4f", json.at("figures").at("auc").get<double>());
  EXPECT_EQ(metrics.at("auc"), rounded);
  for (const char* name : {"predictions.csv", "roc.svg", "precision_recall.svg",
                           "confusion_matrix.svg", "reliability.svg"})
    EXPECT_TRUE(fs::exists(folder / name)) << name;
}

TEST(Eval, AnUnknownSplitAndAFolderThatIsNoRunAreRefused) {
  EXPECT_EQ(fovea({"eval", demo().run.string(), "--split", "tset"}).code, 2);
  EXPECT_EQ(fovea({"eval", demo().images().string()}).code, 3);
}

TEST(Eval, OnlyKeysOfTheDataCanBeSet) {
  for (const char* set : {"train.batch_size=4", "transforms.eval=[]", "seed=2", "dataset.root=x"}) {
    const Outcome outcome = fovea({"eval", demo().run.string(), "--set", set});
    const std::string key = std::string(set).substr(0, std::string(set).find('='));
    EXPECT_EQ(outcome.code, 2) << set;
    EXPECT_EQ(lines(outcome.err).size(), 1u);
    EXPECT_THAT(outcome.err, HasSubstr("'" + key + "'; only data.* can be set in eval"));
    EXPECT_THAT(outcome.err, HasSubstr("leave it out"));
  }
  const std::string out = (demo().folder / "set").string();
  EXPECT_EQ(fovea({"eval", demo().run.string(), "--out", out, "--set", "data.subgroups=[]"}).code,
            0);
}

TEST(Infer, GivesTheProbabilitiesOfEval) {
  const fs::path out = demo().folder / "infer.csv";
  ASSERT_EQ(fovea({"eval", demo().run.string(), "--split", "all", "--out",
                   (demo().folder / "all").string()})
                .code,
            0);
  const Outcome outcome =
      fovea({"infer", demo().run.string(), demo().images().string(), "--out", out.string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(lines(read_text(out)).size(), 1u + 80u);
  EXPECT_EQ(lines(read_text(out))[0], "id,path,p_clear,p_lesion,decision");

  std::map<std::string, double> evaluated;  // by id: the file's path within the data set
  for (const std::string& line : lines(read_text(demo().folder / "all/predictions.csv"))) {
    const size_t last = line.rfind(',');
    const size_t before = line.rfind(',', last - 1);
    if (line.find("images/") != std::string::npos)
      evaluated[fs::path(line.substr(0, line.find(','))).stem().string()] =
          std::stod(line.substr(before + 1, last - before - 1));
  }
  ASSERT_EQ(evaluated.size(), 80u);
  for (const std::string& line : lines(read_text(out))) {
    if (line.starts_with("id,")) continue;
    const size_t last = line.rfind(',');
    const size_t before = line.rfind(',', last - 1);
    const std::string id = line.substr(0, line.find(','));
    ASSERT_TRUE(evaluated.contains(id)) << id;
    // Batches of another size may add in another order; float32 leaves about 1e-6.
    EXPECT_NEAR(std::stod(line.substr(before + 1, last - before - 1)), evaluated[id], 1e-5);
  }
}

TEST(Infer, ABadFileIsReportedAndDoesNotStopTheRest) {
  const TempFolder folder;
  folder.write("empty.dcm", "");
  folder.write("text.png", "this is not an image");
  fs::copy_file(demo().some_image(), folder / "good.dcm");
  const Outcome outcome = fovea(
      {"infer", demo().run.string(), folder.path().string(), (folder / "absent.dcm").string()});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out, HasSubstr("good"));
  for (const char* name : {"empty.dcm", "text.png", "absent.dcm"})
    EXPECT_THAT(outcome.err, HasSubstr(name));
  EXPECT_THAT(outcome.err, HasSubstr("3 of 4"));
}

TEST(Infer, WritesJsonLinesAndReadsATableOfPaths) {
  const TempFolder folder;
  const fs::path table = folder.write("list.csv", "path\n" + demo().some_image().string() + "\n");
  const Outcome outcome =
      fovea({"infer", demo().run.string(), table.string(), "--out", (folder / "p.jsonl").string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto line = nlohmann::json::parse(read_text(folder / "p.jsonl"));
  EXPECT_EQ(line.at("path"), demo().some_image().string());
  EXPECT_NEAR(line.at("probabilities").at("clear").get<double>() +
                  line.at("probabilities").at("lesion").get<double>(),
              1, 1e-6);
}

TEST(Infer, TheBundleGivesWhatTheRunGives) {
  const std::string image = demo().some_image().string();
  const Outcome run = fovea({"infer", demo().run.string(), image});
  const Outcome bundle = fovea({"infer", (demo().run / "bundle").string(), image});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(bundle.out, run.out);
}

TEST(Inspect, SaysWhatIsInEachFileType) {
  const fs::path neutral = demo().folder / "neutral.dcm";  // the demo's names are the patients'
  fs::copy_file(demo().some_image(), neutral);
  const Outcome outcome =
      fovea({"inspect", neutral.string(), (demo().run / "best/model.safetensors").string(),
             demo().run.string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("DICOM"));
  EXPECT_THAT(outcome.out, HasSubstr("heads.label.weight"));
  EXPECT_THAT(outcome.out, HasSubstr("multiply-adds"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("PHANTOM")));  // no patient data
  EXPECT_EQ(fovea({"inspect", (demo().folder / "absent").string()}).code, 4);
}

TEST(Check, CountsWhatARunWouldRead) {
  const Outcome outcome = fovea({"check", demo().config.string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("80"));
  EXPECT_THAT(outcome.out, HasSubstr("lesion"));
}

TEST(Check, APatientInTwoSplitsIsAnError) {
  std::string table = read_text(demo().folder / "demo/labels.csv");
  // The second image of the first patient moves to another split.
  const auto rows = lines(table);
  const std::string split = rows[2].find(",train,") != std::string::npos ? ",train,"
                            : rows[2].find(",val,") != std::string::npos ? ",val,"
                                                                         : ",test,";
  std::string moved = rows[2];
  moved.replace(moved.find(split), split.size(), split == ",train," ? ",test," : ",train,");
  table.replace(table.find(rows[2]), rows[2].size(), moved);
  demo().folder.write("demo/shared.csv", table);
  const Outcome outcome =
      fovea({"check", demo().config.string(), "--set", "data.table=shared.csv"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out + outcome.err, HasSubstr("patient"));
}

TEST(Check, WhatTheFirstStepWouldRefuseIsRefused) {
  const Outcome alone = fovea({"check", demo().config.string(), "--set", "train.batch_size=1",
                               "--set", "model.encoders={image: resnet}", "--set",
                               "transforms={train: [{resize: 32}], eval: [{resize: 32}]}"});
  EXPECT_EQ(alone.code, 2);
  EXPECT_THAT(alone.err, AllOf(HasSubstr("one value per channel"),
                               HasSubstr("set train.batch_size to 2 or more")));
  const Outcome named = fovea({"check", demo().config.string(), "--set", "train.best=AUC"});
  EXPECT_EQ(named.code, 2);
  EXPECT_THAT(named.err, HasSubstr("did you mean 'auc'?"));
}

TEST(Check, PixelsOfSeveralSizesAreSaid) {
  const TempFolder folder;
  ASSERT_EQ(fovea({"phantom", (folder / "demo").string(), "--set", "patients=12", "--set",
                   "images_per_patient=1", "--set", "volumes=0", "--set", "size=64"})
                .code,
            0);
  const fs::path first = folder / "demo/images/PHANTOM-0001-01.dcm";
  std::string bytes = read_text(first);
  const size_t at = bytes.rfind("5.9375\\5.9375");  // behind ImagerPixelSpacing
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, 13, "2.9375\\2.9375");
  folder.write("demo/images/PHANTOM-0001-01.dcm", bytes);
  const fs::path config = folder.write("c.yaml", R"(
data:
  root: demo
  table: labels.csv
  inputs: {image: {image: {column: path}}}
  targets: {label: {column: class}}
  split: split
model: {encoders: {image: cnn}}
)");
  EXPECT_THAT(fovea({"check", config.string()}).out,
              HasSubstr("the pixels of 12 of 12 images are 2.9375 to 5.9375 mm wide"));
}

TEST(List, PrintsEveryFamilyWithItsSettings) {
  for (const auto& [family, member] : std::map<std::string, std::string>{{"encoders", "resnet"},
                                                                         {"transforms", "resize"},
                                                                         {"losses", "focal"},
                                                                         {"metrics", "auc"},
                                                                         {"optimizers", "adamw"},
                                                                         {"schedules", "cosine"},
                                                                         {"formats", "dicom"}}) {
    const Outcome outcome = fovea({"list", family, "--verbose"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr(member)) << family;
  }
  EXPECT_EQ(fovea({"list", "encoder"}).code, 2);
}

TEST(List, TheConfigurationPageIsNotStale) {
  const Outcome outcome = fovea({"list", "configuration"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, read_text(fs::path(FOVEA_SOURCE_DIR) / "docs/configuration.md"))
      << "refresh it: build/fovea list configuration > docs/configuration.md";
}

TEST(Doctor, NamesTheVersionsOfWhatIsLinked) {
  const Outcome outcome = fovea({"doctor"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const char* name :
       {"LibTorch +2\\.11", "DCMTK +3\\.6", "OpenJPEG +2", "OpenCV +4", "libwebp +1", "giflib +5",
        "threads +[0-9]", "known defect: oneDNN convolves wrongly .*guard: nn::convolve"})
    EXPECT_THAT(outcome.out, testing::ContainsRegex(name));
}

TEST(Program, SaysItsVersionAndCommitEverywhereAlike) {
  const Outcome version = fovea({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, MatchesRegex("[0-9.]+ \\(commit ([0-9a-f]{12,}(-dirty)?|unknown)\\)\n"));
  EXPECT_THAT(fovea({"doctor"}).out, testing::ContainsRegex("fovea +[0-9]"));
  EXPECT_THAT(fovea({"doctor"}).out, HasSubstr(version.out));
  const auto manifest = nlohmann::json::parse(read_text(demo().run / "manifest.json"));
  EXPECT_EQ(manifest.at("fovea").get<std::string>() + " (commit " +
                manifest.at("commit").get<std::string>() + ")\n",
            version.out);
}

TEST(Source, NothingEverLoadsAPickle) {
  const std::string root = quoted(FOVEA_SOURCE_DIR);
  const Outcome found = run_shell("grep -rnE 'torch::load|jit::load|pickle_load' " + root +
                                  "/src " + root + "/include " + root + "/apps");
  EXPECT_EQ(found.out, "");
}

}  // namespace
}  // namespace fovea::test
