#include "fovea/train/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>
#include <set>

#include "fovea/core/log.h"
#include "fovea/storage/hash.h"
#include "fovea/train/callbacks.h"
#include "fovea/train/device.h"
#include "fovea/train/schedules/plateau.h"
#include "fovea/train/signals.h"
#include "support/test_files.h"
#include "train/checkpoint_files.h"
#include "train/small_run.h"

namespace fovea::train {
namespace {

namespace fs = std::filesystem;
using Opening = RunOptions::Opening;
using testing::HasSubstr;

Node map(std::initializer_list<std::pair<const char*, const char*>> entries) {
  Node node;
  node.kind = Node::Kind::map;
  for (const auto& [key, value] : entries) node.at(key) = Node::scalar(value);
  return node;
}

RunIdentity identity(const char* lr = "0.1") {
  RunIdentity identity;
  identity.config_yaml = std::string("train: {lr: ") + lr + "}\n";
  identity.config = map({{"log", "quiet"}});
  identity.config.entries[0].cosmetic = true;
  identity.config.at("train") = map({{"lr", lr}});
  return identity;
}

/// Asks for a stop after a given step.
struct StopAt : Callback {
  explicit StopAt(int64_t step) : step_(step) {}
  void on_step(const StepReport& step) override {
    if (step.step == step_) request_stop(SIGTERM);
  }
  int64_t step_;
};

struct Outcome {
  std::string weights, metrics, best;
  bool operator==(const Outcome&) const = default;
};

Result train_in(const fs::path& folder, Opening opening, SmallRun& run, int64_t stop_at = -1) {
  request_stop(0);
  RunFolder kept(folder, identity(),
                 {.opening = opening, .version = "9.8.7", .commit = "4f2a91c03b7d-dirty"});
  RunJournal journal(kept);
  StopAt stop(stop_at);
  const Result result = run.fit({&journal, &stop}, &kept);
  request_stop(0);
  return result;
}

Outcome outcome(const fs::path& folder) {
  const auto hash = [&](const char* which) {
    return storage::sha256_file(folder / which / "model.safetensors");
  };
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(folder / "checkpoints"))
    newest = std::max(newest, entry.path());
  return {storage::sha256_file(newest / "model.safetensors") +
              storage::sha256_file(newest / "optimizer.safetensors"),
          test::read_text(folder / "metrics.csv"), hash("best")};
}

void use_everything(SmallRun& run) {
  run.options.epochs = 4;
  run.options.ema = 0.9;
  run.options.schedule.set("plateau", PlateauOptions{.factor = 0.5, .patience = 0, .warmup = 0.5});
  run.options.clip_norm = 1;
  run.options.accumulate = 2;
}

TEST(RunFolder, HoldsWhatTheLayoutPromises) {
  const test::TempFolder folder;
  SmallRun run;
  const Result result = train_in(folder / "run", Opening::create, run);
  const fs::path path = folder / "run";
  for (const char* name : {"config.yaml", "manifest.json", "log.jsonl", "metrics.csv",
                           "learning_curves.svg", "best/model.safetensors"})
    EXPECT_TRUE(fs::exists(path / name)) << name;
  EXPECT_FALSE(fs::exists(path / "lock"));
  EXPECT_TRUE(fs::is_symlink(path / "best"));
  EXPECT_FALSE(fs::read_symlink(path / "best").is_absolute());
  EXPECT_THAT(test::read_text(path / "metrics.csv"),
              testing::StartsWith("epoch,step,split,metric,value\n1,5,train,loss,"));
  size_t checkpoints = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(path / "checkpoints"))
    ++checkpoints;
  EXPECT_LE(checkpoints, 3u);  // the newest two, and the best
  EXPECT_GE(checkpoints, 2u);
  const auto manifest = nlohmann::json::parse(test::read_text(path / "manifest.json"));
  EXPECT_EQ(manifest["exit_code"], 0);
  EXPECT_EQ(manifest["fovea"], "9.8.7");
  EXPECT_EQ(manifest["commit"], "4f2a91c03b7d-dirty");
  EXPECT_EQ(manifest["settings"]["train.lr"], "0.1");
  EXPECT_FALSE(manifest["settings"].contains("log"));
  EXPECT_EQ(trained_weights(path), path / "best/model.safetensors");
  EXPECT_GT(result.best_step, 0);
}

TEST(Resume, EndsWithTheSameBitsWhereverItWasStopped) {
  const test::TempFolder folder;
  SmallRun whole;
  use_everything(whole);
  train_in(folder / "whole", Opening::create, whole);
  const Outcome expected = outcome(folder / "whole");
  // 5 batches, two in a step: 3 steps in an epoch. In an epoch, at its end, and after it.
  for (const int64_t stop : {1, 3, 4, 11}) {
    SCOPED_TRACE(stop);
    const fs::path path = folder / ("stopped " + std::to_string(stop));
    SmallRun first, second;
    use_everything(first);
    use_everything(second);
    second.options.loader_threads = 3;
    EXPECT_EQ(train_in(path, Opening::create, first, stop).end, Result::End::stopped);
    EXPECT_EQ(train_in(path, Opening::resume, second).end, Result::End::completed);
    EXPECT_TRUE(outcome(path) == expected);
    EXPECT_EQ(test::read_text(path / "metrics.csv"), expected.metrics);
  }
}

TEST(Resume, ForgetsWhatWasDoneAfterTheLastCheckpoint) {
  // Copies the folder in the middle of an epoch after the second checkpoint: what a kill -9 leaves.
  struct Killed : Callback {
    fs::path from, to;
    RunFolder* run = nullptr;
    void on_step(const StepReport& step) override {
      if (step.step != 12) return;
      run->append_metrics("3,12,val,auc,0.5\n");
      fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
      fs::remove(to / "lock");
      fs::create_directory(to / "checkpoints" / ".tmp-step-00000012");
      fs::remove(to / "best");
    }
  };
  const test::TempFolder folder;
  Killed killed;
  killed.from = folder / "whole";
  killed.to = folder / "killed";
  SmallRun whole, resumed;
  {
    RunFolder kept(killed.from, identity());
    killed.run = &kept;
    RunJournal journal(kept);
    whole.fit({&journal, &killed}, &kept);
  }
  const std::string metrics = test::read_text(killed.from / "metrics.csv");
  EXPECT_THAT(metrics, HasSubstr("3,12,val,auc,0.5\n"));  // the line that the resumed run forgets
  set_log_level(Level::warning);
  train_in(killed.to, Opening::resume, resumed);
  EXPECT_EQ(resumed.weights() == whole.weights(), true);
  const std::string line = "3,12,val,auc,0.5\n";
  std::string without = metrics;
  without.erase(without.find(line), line.size());
  EXPECT_EQ(test::read_text(killed.to / "metrics.csv"), without);
  EXPECT_FALSE(fs::exists(killed.to / "checkpoints" / ".tmp-step-00000012"));
  EXPECT_TRUE(fs::exists(killed.to / "best" / "MANIFEST.json"));
}

TEST(Resume, AFinishedRunStaysAsItIs) {
  const test::TempFolder folder;
  SmallRun run, again;
  train_in(folder / "run", Opening::create, run);
  const Outcome before = outcome(folder / "run");
  train_in(folder / "run", Opening::resume, again);
  EXPECT_TRUE(outcome(folder / "run") == before);
}

std::string refusal(const fs::path& path, RunIdentity who, RunOptions options, Fault fault) {
  try {
    RunFolder run(path, std::move(who), std::move(options));
    run.resume();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), fault) << error.what();
    return error.what();
  }
  return "(accepted)";
}

TEST(RunFolder, AFolderThatIsNotEmptyIsRefusedAndLeftAlone) {
  const test::TempFolder folder;
  folder.write("run/thesis.txt", "years of work");
  EXPECT_THAT(refusal(folder / "run", identity(), {}, Fault::config),
              testing::AllOf(HasSubstr("not empty"), HasSubstr("name another folder")));
  for (const Opening opening : {Opening::resume, Opening::replace})
    EXPECT_THAT(refusal(folder / "run", identity(), {.opening = opening}, Fault::config),
                HasSubstr("it is not a run"));
  EXPECT_EQ(test::read_text(folder / "run/thesis.txt"), "years of work");
  { RunFolder run(folder / "other", identity()); }
  EXPECT_THAT(refusal(folder / "other", identity(), {}, Fault::config),
              testing::AllOf(HasSubstr("not empty"), HasSubstr("Opening::resume"),
                             HasSubstr("Opening::replace")));
}

TEST(RunFolder, ASettingThatAnOlderFoveaDidNotKnowIsAChangeOnlyWhereItIsNoDefault) {
  const test::TempFolder folder;
  { RunFolder run(folder / "run", identity()); }
  const auto with_decimal = [](const char* decimal) {
    RunIdentity newer = identity();
    newer.config.at("decimal") = Node::scalar(decimal);
    newer.config_before = identity().config;
    newer.config_before.at("decimal") = Node::scalar(".");
    return newer;
  };
  EXPECT_EQ(refusal(folder / "run", with_decimal("."), {.opening = Opening::resume}, Fault::config),
            "(accepted)");
  EXPECT_THAT(
      refusal(folder / "run", with_decimal(","), {.opening = Opening::resume}, Fault::config),
      HasSubstr("decimal: . -> \",\""));
}

// manifest.json of such a run has the former name in its keys, and so has config.yaml.
TEST(RunFolder, ANameThatChangedSinceIsNoChangeOfARunThatGoesOn) {
  const test::TempFolder folder;
  const auto with_task = [](const char* name, const char* weight) {
    RunIdentity who = identity();
    who.config.at("task").at(name) = map({{"weight", weight}});
    return who;
  };
  const RunIdentity old = with_task("several", "0.5");
  { RunFolder run(folder / "run", old); }
  RunIdentity today = with_task("multi_task", "0.5");
  const RunOptions resume{.opening = Opening::resume};
  EXPECT_THAT(refusal(folder / "run", today, resume, Fault::config),
              HasSubstr("task.several.weight: 0.5 -> (absent)"));
  today.config_before = today.config;
  today.config_written = old.config;
  EXPECT_EQ(refusal(folder / "run", today, resume, Fault::config), "(accepted)");
  today.config = with_task("multi_task", "0.7").config;
  const std::string refused = refusal(folder / "run", today, resume, Fault::config);
  EXPECT_THAT(refused, HasSubstr("task.multi_task.weight: 0.5 -> 0.7"));
  EXPECT_THAT(refused, testing::Not(HasSubstr("several")));
}

/// Every file below a folder, by its path within.
std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (!entry.is_directory()) names.insert(entry.path().lexically_relative(folder).string());
  return names;
}

TEST(RunFolder, NothingOfAnotherProgramIsDeletedWhateverItsFilesAreCalled) {
  const test::TempFolder folder;
  for (const char* name : {"manifest.json", "config.yaml", "metrics.csv", "log.jsonl",
                           "checkpoints/model.bin", "best/model.bin", "bundle/app.js"})
    folder.write(std::string("site/") + name, R"({"name": "a web page", "icons": []})");
  const std::set<std::string> before = files_in(folder / "site");
  for (const Opening opening : {Opening::create, Opening::resume, Opening::replace})
    refusal(folder / "site", identity(), {.opening = opening}, Fault::config);
  EXPECT_EQ(files_in(folder / "site"), before);
  for (const std::string& name : before)
    EXPECT_THAT(test::read_text(folder / "site" / name), HasSubstr("a web page"));
}

TEST(RunFolder, ReplacingForgetsAllThatCouldAnswerForTheOldRunAndNothingElse) {
  const test::TempFolder folder;
  SmallRun run;
  train_in(folder / "run", Opening::create, run);
  for (const char* name :
       {"model.json", "bundle/model.safetensors", "bundle/model.json", "bundle/config.yaml",
        "eval-test/metrics.json", "eval-test/predictions.csv", "eval-test/label/roc.svg",
        "rejected.csv", "events.out.tfevents.1.2.3", ".tmp-77-0", ".forgotten/3"})
    folder.write(std::string("run/") + name, "of the old run");
  folder.write("run/thesis.txt", "years of work");
  folder.write("run/eval-val/metrics.json", "of the old run");
  folder.write("run/eval-val/my notes.txt", "years of work");
  folder.write("run/evaluation/metrics.json", "years of work");
  { RunFolder replaced(folder / "run", identity("0.2"), {.opening = Opening::replace}); }
  EXPECT_EQ(
      files_in(folder / "run"),
      (std::set<std::string>{"config.yaml", "manifest.json", "metrics.csv", "log.jsonl", "salt",
                             "thesis.txt", "eval-val/my notes.txt", "evaluation/metrics.json"}));
  EXPECT_THAT(test::read_text(folder / "run/config.yaml"), HasSubstr("0.2"));
}

TEST(RunFolder, AReplacementThatWasCutOffCanBeDoneAgain) {
  const test::TempFolder folder;
  { RunFolder run(folder / "run", identity()); }
  fs::create_directory(folder / "run/.forgotten");
  fs::rename(folder / "run/config.yaml", folder / "run/.forgotten/0");  // cut off on the way,
  { RunFolder again(folder / "run", identity(), {.opening = Opening::replace}); }
  EXPECT_FALSE(fs::exists(folder / "run/.forgotten"));
  folder.write("gone/.forgotten/0", "old");  // and cut off when only the deletion was left
  EXPECT_EQ(refusal(folder / "gone", identity(), {}, Fault::config), "(accepted)");
}

TEST(RunFolder, ARunThatGoesOnWithChangesIsRebuiltFromTheChangedSettings) {
  const test::TempFolder folder;
  { RunFolder run(folder / "run", identity("0.1")); }
  set_log_level(Level::warning);
  {
    RunFolder run(folder / "run", identity("0.2"),
                  {.opening = Opening::resume, .allow_changed = true});
  }
  EXPECT_THAT(test::read_text(folder / "run/config.yaml"), HasSubstr("0.2"));
  fs::remove(folder / "run/config.yaml");
  { RunFolder run(folder / "run", identity("0.2"), {.opening = Opening::resume}); }
  EXPECT_THAT(test::read_text(folder / "run/config.yaml"), HasSubstr("0.2"));
}

TEST(RunFolder, HashesOfPatientsAreThoseOfTheRunAndOfNoOther) {
  const test::TempFolder folder;
  storage::set_salt("");  // as in a new process
  { RunFolder run(folder / "run", identity()); }
  const std::string hash = storage::pseudonym("PATIENT-7");
  EXPECT_NE(hash, storage::sha256("PATIENT-7").substr(0, 8));
  EXPECT_EQ(fs::status(folder / "run/salt").permissions() & fs::perms::all,
            fs::perms::owner_read | fs::perms::owner_write);
  storage::set_salt("");
  { RunFolder run(folder / "other", identity()); }
  EXPECT_NE(storage::pseudonym("PATIENT-7"), hash);
  storage::set_salt("");
  use_salt_of(folder / "run");
  EXPECT_EQ(storage::pseudonym("PATIENT-7"), hash);
  storage::set_salt("");
  { RunFolder run(folder / "run", identity(), {.opening = Opening::resume}); }
  EXPECT_EQ(storage::pseudonym("PATIENT-7"), hash);
}

TEST(Resume, MetricsThatWereRemovedCutLengthenedOrEditedComeBackFromTheCheckpoint) {
  const test::TempFolder folder;
  SmallRun whole;
  train_in(folder / "whole", Opening::create, whole);
  const std::string expected = test::read_text(folder / "whole/metrics.csv");
  std::vector<std::string> warnings;
  set_log_sink([&](Level level, const std::string& text) {
    if (level == Level::warning) warnings.push_back(text);
  });
  set_log_level(Level::warning);
  const std::string header = "epoch,step,split,metric,value\n";
  for (const std::string& damage :
       {std::string("removed"), std::string(), header.substr(0, 7), header, std::string("cut"),
        std::string("1,1,train,note,mine\n"), std::string("edited")}) {
    SCOPED_TRACE(damage);
    const fs::path path = folder / "stopped";
    fs::remove_all(path);
    SmallRun first, second;
    train_in(path, Opening::create, first, 12);  // of 15 steps, 5 in an epoch
    const fs::path metrics = path / "metrics.csv";
    std::string text = test::read_text(metrics);
    const bool lengthened = damage.ends_with("mine\n"), edited = damage == "edited";
    if (damage == "cut")
      text.resize(text.size() / 2);
    else if (lengthened)
      text += damage;
    else if (edited)
      text[text.size() - 3] ^= 1;
    else
      text = damage;
    std::ofstream(metrics, std::ios::binary) << text;
    if (damage == "removed") fs::remove(metrics);
    warnings.clear();
    EXPECT_EQ(train_in(path, Opening::resume, second).end, Result::End::completed);
    EXPECT_EQ(test::read_text(metrics), expected);
    EXPECT_TRUE(fs::exists(path / "learning_curves.svg"));
    // What follows the checkpoint is what a run that was cut off leaves, and no damage.
    EXPECT_EQ(warnings.size(), lengthened ? 0u : 1u);
    EXPECT_EQ(fs::exists(path / "metrics.found.csv"), edited);
    if (edited) {
      EXPECT_EQ(test::read_text(path / "metrics.found.csv"), text);
    }
  }
  set_log_sink({});
}

TEST(Resume, MetricsThatAnOlderCheckpointDoesNotHoldBeginAnewAndItIsSaid) {
  const test::TempFolder folder;
  RunFolder run(folder / "run", identity());
  (void)run.resume();
  run.append_metrics("1,5,train,loss,0.5\n");
  Checkpoint checkpoint{.step = 5, .model = {{"w", torch::ones({3})}}, .state = {}};
  write_checkpoint(folder / "run/checkpoints", checkpoint,
                   {{"metrics_bytes", "49"}, {"best", ""}, {"libtorch", "2.11.0"}});
  EXPECT_EQ(run.resume()->step, 5);  // 30 bytes of header and 19 of a row are there
  EXPECT_EQ(test::read_text(folder / "run/metrics.csv"),
            "epoch,step,split,metric,value\n1,5,train,loss,0.5\n");
  std::ofstream(folder / "run/metrics.csv") << "epoch,step,split,metric,value\n";
  std::string warning;
  set_log_sink([&](Level, const std::string& text) { warning = text; });
  EXPECT_EQ(run.resume()->step, 5);
  set_log_sink({});
  EXPECT_THAT(warning, HasSubstr("they begin anew"));
  EXPECT_EQ(test::read_text(folder / "run/metrics.csv"), "epoch,step,split,metric,value\n");
}

TEST(Journal, MetricsThatAreRemovedDuringTrainingAreThereAtItsEnd) {
  struct Remove : Callback {
    fs::path file;
    void on_step(const StepReport& step) override {
      if (step.step == 12) fs::remove(file);
    }
  };
  const test::TempFolder folder;
  SmallRun whole, run;
  train_in(folder / "whole", Opening::create, whole);
  Remove remove;
  remove.file = folder / "run/metrics.csv";
  {
    RunFolder kept(folder / "run", identity());
    RunJournal journal(kept);
    run.fit({&journal, &remove}, &kept);
  }
  EXPECT_EQ(test::read_text(folder / "run/metrics.csv"),
            test::read_text(folder / "whole/metrics.csv"));
}

TEST(RunFolder, AChangedSettingIsNamedWithBothValues) {
  const test::TempFolder folder;
  { RunFolder run(folder / "run", identity("0.1")); }
  EXPECT_THAT(refusal(folder / "run", identity("0.2"), {.opening = Opening::resume}, Fault::config),
              HasSubstr("train.lr: 0.1 -> 0.2"));
  RunIdentity chatty = identity("0.1");
  chatty.config.entries[0].value.text = "loud";  // cosmetic
  EXPECT_EQ(refusal(folder / "run", chatty, {.opening = Opening::resume}, Fault::config),
            "(accepted)");
  set_log_level(Level::warning);
  EXPECT_EQ(refusal(folder / "run", identity("0.2"),
                    {.opening = Opening::resume, .allow_changed = true}, Fault::config),
            "(accepted)");
  EXPECT_THAT(test::read_text(folder / "run/manifest.json"), HasSubstr("0.1 -> 0.2"));
}

TEST(RunFolder, TwoProcessesCannotShareARun) {
  const test::TempFolder folder;
  const RunFolder run(folder / "run", identity());
  EXPECT_THAT(refusal(folder / "run", identity(), {.opening = Opening::resume}, Fault::io),
              HasSubstr("held by another process (pid " + std::to_string(getpid())));
}

TEST(RunFolder, TheLockOfAnotherHostNeedsBreaking) {
  const test::TempFolder folder;
  { RunFolder run(folder / "run", identity()); }
  folder.write("run/lock", "pid 7\nhost elsewhere\nstart 2020-01-01T00:00:00Z\n");
  EXPECT_THAT(refusal(folder / "run", identity(), {.opening = Opening::resume}, Fault::io),
              HasSubstr("RunOptions::break_lock"));
  EXPECT_EQ(refusal(folder / "run", identity(), {.opening = Opening::resume, .break_lock = true},
                    Fault::io),
            "(accepted)");
}

/// A run with two checkpoints, made once.
struct TwoCheckpoints {
  test::TempFolder folder;
  fs::path path = folder / "run";
  fs::path newest, before;
  TwoCheckpoints() {
    SmallRun run;
    train_in(path, Opening::create, run);
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(path / "checkpoints"))
      all.push_back(entry.path());
    std::ranges::sort(all);
    newest = all.back();
    before = all[all.size() - 2];
  }
};

TEST(Checkpoints, AFlippedBitOrACutFileIsNeverLoaded) {
  for (const char* name :
       {"model.safetensors", "optimizer.safetensors", "state.json", "MANIFEST.json"}) {
    SCOPED_TRACE(name);
    const TwoCheckpoints run;
    std::string content = test::read_text(run.newest / name);
    content[content.size() / 2] ^= 1;
    std::ofstream(run.newest / name, std::ios::binary) << content;
    EXPECT_THAT(refusal(run.path, identity(), {.opening = Opening::resume}, Fault::data),
                HasSubstr("is damaged"));
    set_log_level(Level::warning);
    RunFolder auto_resumed(run.path, identity(), {.opening = Opening::resume, .fall_back = true});
    EXPECT_EQ(auto_resumed.resume()->step, std::stoll(run.before.filename().string().substr(5)));
  }
}

TEST(Checkpoints, WeightsAreCheckedWithoutReadingWhatTrainingAloneNeeds) {
  const auto flip = [](const fs::path& file) {
    std::string content = test::read_text(file);
    content[content.size() / 2] ^= 1;
    std::ofstream(file, std::ios::binary) << content;
  };
  const TwoCheckpoints run;
  const fs::path weights = run.newest / "model.safetensors";
  flip(run.newest / "optimizer.safetensors");
  EXPECT_NO_THROW(verify_weights(weights));
  flip(weights);
  try {
    verify_weights(weights);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_THAT(error.what(), HasSubstr("is damaged"));
  }
  flip(weights);
  EXPECT_NO_THROW(verify_weights(weights));
  std::ofstream(run.newest / "MANIFEST.json") << "{";
  EXPECT_THROW(verify_weights(weights), Error);
}

std::string log_of(const fs::path& run) { return test::read_text(run / "log.jsonl"); }

TEST(Checkpoints, TooLittleSpaceForThreeIsAWarningBeforeTheFirstStep) {
  const test::TempFolder folder;
  RunFolder run(folder / "run", identity());
  Checkpoint checkpoint{.step = 1, .model = {{"w", torch::ones({600})}}, .state = {}};
  checkpoint.state.tensors["moment"] = torch::ones({400});  // 1000 numbers of 4 bytes in all
  std::vector<std::string> warnings;
  set_log_sink([&](Level level, const std::string& text) {
    if (level == Level::warning) warnings.push_back(text);
  });
  run.check_space(checkpoint, 12'000);
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(log_of(folder / "run"), "");
  run.check_space(checkpoint, 11'999);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0],
              testing::AllOf(HasSubstr((folder / "run").string()), HasSubstr("found 11999 bytes"),
                             HasSubstr("wanted 12000 for 3 checkpoints of 4000"),
                             HasSubstr("write to another disk")));
  EXPECT_THAT(log_of(folder / "run"),
              testing::AllOf(HasSubstr("warning"), HasSubstr("wanted 12000")));
  // Checkpoints that are there have their place already; one more is needed at any time.
  for (const auto& [step, wanted] : {std::pair(1, 8000), {2, 4000}, {3, 4000}, {4, 4000}}) {
    checkpoint.step = step;
    run.save(checkpoint, step == 1);
    warnings.clear();
    run.check_space(checkpoint, wanted);
    EXPECT_TRUE(warnings.empty()) << step;
    run.check_space(checkpoint, wanted - 1);
    EXPECT_EQ(warnings.size(), 1u) << step;
  }
  set_log_sink({});
}

TEST(Checkpoints, TheSpaceIsComparedWithWhatACheckpointTakes) {
  const test::TempFolder folder;
  SmallRun run;
  train_in(folder / "run", Opening::create, run);
  const Checkpoint snapshot = Trainer(run.prepare(), run.options).snapshot();
  int64_t on_disk = 0;
  for (const char* name : {"model.safetensors", "optimizer.safetensors"})
    on_disk += static_cast<int64_t>(fs::file_size(folder / "run/best" / name));
  EXPECT_LE(bytes_of(snapshot), on_disk);
  EXPECT_GE(bytes_of(snapshot), on_disk - 8192);  // the two headers
}

TEST(Checkpoints, MemoryThatRunsOutLeavesTheCheckpointAndNamesIt) {
  const test::TempFolder folder;
  SmallRun run;
  Training training = run.prepare();
  int64_t batches = 0;
  training.mix = [&](Batch batch, Random&) {
    TORCH_CHECK_WITH(OutOfMemoryError, ++batches < 7, "CUDA out of memory.");
    return batch;
  };
  try {
    RunFolder kept(folder / "run", identity());
    Trainer(training, run.options).fit({}, &kept);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::resources);
    EXPECT_THAT(error.what(), HasSubstr("The checkpoint of step 5 is kept"));
  }
  RunFolder resumed(folder / "run", identity(), {.opening = Opening::resume});
  EXPECT_EQ(resumed.resume()->step, 5);
}

TEST(Checkpoints, AWeightThatIsNotFiniteIsNotSaved) {
  const test::TempFolder folder;
  RunFolder run(folder / "run", identity());
  Checkpoint checkpoint{.step = 1, .model = {{"w", torch::tensor({1.0f, NAN})}}, .state = {}};
  EXPECT_THROW(run.save(checkpoint, true), Error);
  EXPECT_TRUE(fs::is_empty(folder / "run/checkpoints"));
  EXPECT_FALSE(fs::exists(folder / "run/best"));
}

/// Files may not grow beyond `bytes` while it lives: how a disk that is full looks to a writer.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  sighandler_t handler_;
};

TEST(Checkpoints, AFullDiskCostsTheNewestOnly) {
  const test::TempFolder folder;
  RunFolder run(folder / "run", identity());
  const auto checkpoint = [](int64_t step, int64_t numbers) {
    return Checkpoint{.step = step, .model = {{"w", torch::ones({numbers})}}, .state = {}};
  };
  run.save(checkpoint(1, 10), true);
  for (const int64_t limit : {0, 100, 1000, 100'000}) {
    SCOPED_TRACE(limit);
    try {
      const FileSizeLimit full(static_cast<rlim_t>(limit));
      run.save(checkpoint(2, 100'000), true);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::io);
      EXPECT_THAT(error.what(),
                  testing::AllOf(HasSubstr("bytes wanted"), HasSubstr("step-00000001 is kept")));
    }
    EXPECT_EQ(run.resume()->step, 1);
    EXPECT_FALSE(fs::exists(folder / "run/checkpoints/.tmp-step-00000002"));
    EXPECT_EQ(fs::read_symlink(folder / "run/best").filename(), "step-00000001");
  }
  run.save(checkpoint(2, 100'000), true);
  EXPECT_EQ(run.resume()->step, 2);
}

TEST(Callbacks, OutsideATerminalThereIsOneLinePerEpoch) {
  std::ostringstream out;
  double clock = 0;
  report::Terminal terminal{.out = &out,
                            .interactive = false,
                            .columns = [] { return 80; },
                            .seconds = [&] { return clock += 0.1; }};
  ProgressLine line(terminal);
  SmallRun run;
  run.fit({&line});
  const std::string text = out.str();
  EXPECT_EQ(std::ranges::count(text, '\n'), 3);
  EXPECT_THAT(text, HasSubstr("epoch 3/3  loss 0."));
  EXPECT_THAT(text, HasSubstr("auc "));
  EXPECT_THAT(text, HasSubstr("cases/s"));
}

TEST(Callbacks, TheSpeedOfAnEpochCountsItsFirstStepToo) {
  std::ostringstream out;
  double clock = 0;
  ProgressLine line({.out = &out,
                     .interactive = false,
                     .columns = [] { return 80; },
                     .seconds = [&] { return clock; }});
  line.on_start({2, 2, 0, 0, 20, torch::kCPU, Precision::fp32, false});
  for (int64_t epoch = 1; epoch <= 2; ++epoch) {
    for (int step = 0; step < 2; ++step) {
      clock += 2;
      line.on_step({epoch - 1, 0, 0, 2, 10, 0, 0, 0, 0, true});
    }
    line.on_epoch({epoch, 0, 0, 0, {}, "", false});
  }
  EXPECT_THAT(out.str(), testing::ContainsRegex("epoch 1/2 .* 5 cases/s"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("epoch 2/2 .* 5 cases/s"));
}

TEST(Callbacks, TensorBoardGetsAFile) {
  const test::TempFolder folder;
  EventLog events(folder.path(), 1);
  SmallRun run;
  run.fit({&events});
  const fs::path file = fs::directory_iterator(folder.path())->path();
  EXPECT_THAT(test::read_text(file), HasSubstr("val/auc"));
}

TEST(Device, TheCpuIsAlwaysThereAndAWrongNameIsRefused) {
  EXPECT_TRUE(choose_device("cpu").is_cpu());
  for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1000"})
    EXPECT_THROW(choose_device(name), Error) << name;
}

TEST(Device, AGpuThatIsAbsentIsNeverReplacedByTheCpu) {
  try {
    EXPECT_TRUE(choose_device("cuda:99").is_cuda());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::resources);
    EXPECT_THAT(error.what(), HasSubstr("asked for 'cuda:99', found "));
  }
}

}  // namespace
}  // namespace fovea::train
