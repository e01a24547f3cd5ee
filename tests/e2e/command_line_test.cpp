// What the program says to a command line that is not as it should be, and what it says of itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "e2e/rows.h"

namespace fovea::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::vector<std::string> kCommands = {"train", "eval",    "infer",  "inspect", "check",
                                            "list",  "phantom", "bundle", "doctor",  "completion"};

TEST(CommandLine, AloneItPrintsTheHelp) {
  const Outcome outcome = fovea({});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, fovea({"--help"}).out);
  EXPECT_EQ(outcome.err, "");
  for (const std::string& command : kCommands) EXPECT_THAT(outcome.out, HasSubstr("  " + command));
}

TEST(CommandLine, AMistypedCommandOrWordIsNamedWithTheNearest) {
  for (const auto& [typed, meant] : std::vector<std::pair<std::string, std::string>>{
           {"trian x.yaml --out y", "train"},
           {"infre", "infer"},
           {"list encoder", "encoders"},
           {"list metric -v", "metrics"},
           {"train x.yaml --resme", "--resume"},
           {"train x.yaml --thread 2", "--threads"},
           {"eval x --log-level wraning", "warning"},
           {"completion bsh", "bash"},
       }) {
    const Outcome outcome = run_shell(fovea_command() + typed);
    EXPECT_EQ(outcome.code, 2) << typed;
    EXPECT_THAT(outcome.err,
                AllOf(StartsWith("fovea: "), HasSubstr("did you mean '" + meant + "'?")))
        << typed;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(CommandLine, AnOptionOfAnotherCommandOrAKeyOfTheConfigIsNamedAsSuch) {
  EXPECT_THAT(fovea({"eval", "run", "--resume"}).err, HasSubstr("one of fovea train"));
  EXPECT_THAT(fovea({"--device", "cpu", "infer"}).err, HasSubstr("before a command"));
  EXPECT_THAT(fovea({"train", "x.yaml", "--epochs", "3"}).err,
              HasSubstr("is set with --set train.epochs="));
  EXPECT_THAT(fovea({"train", "x.yaml", "--batch-size=3"}).err,
              HasSubstr("is set with --set train.batch_size="));
  EXPECT_THAT(fovea({"eval", "run", "another"}).err, HasSubstr("found 'another' too"));
}

TEST(CommandLine, WhatIsMissingIsExplainedWithTheProgramsNameAndAnExample) {
  const Outcome outcome = fovea({"infer", "run"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(StartsWith("fovea: infer: "), HasSubstr("INPUTS: files, folders"),
                                 HasSubstr("\n  fovea infer runs/chest study/"),
                                 HasSubstr("fovea infer --help")));
  EXPECT_THAT(outcome.err, Not(HasSubstr("MODEL:")));  // which is given
  for (const std::string& command : kCommands) {
    if (command == "doctor") continue;
    EXPECT_THAT(fovea({command}).err,
                AllOf(HasSubstr("fovea: " + command), HasSubstr("\n  fovea " + command + " ")));
  }
  EXPECT_THAT(fovea({"train", "x.yaml", "--out"}).err, HasSubstr("--out: wanted a value"));
}

TEST(CommandLine, NoThreadsAreAllOfThemAndAWrongNumberIsRefusedInASentence) {
  const std::string config = rows().config.string();
  EXPECT_EQ(fovea({"check", config, "--threads", "0"}).code, 0);
  for (const char* wrong : {"-1", "all", "1e3", "99999999999999999999", "2.5"}) {
    const Outcome outcome = fovea({"check", config, "--threads", wrong});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("--threads: found '" + std::string(wrong) +
                                       "', wanted a whole number from 0 (all cores) to"));
    EXPECT_LT(outcome.err.size(), 400u);
  }
}

TEST(CommandLine, ANameThatIsTooLongOrALoopOfLinksIsAnErrorOfInputAndOutput) {
  const TempFolder folder;
  fs::create_symlink("loop", folder / "loop");
  const std::string config = rows().config.string(), run = rows().run.string();
  for (const std::string& bad : {(folder / std::string(300, 'n')).string(),
                                 (folder / "loop").string(), (folder / "loop/x").string()}) {
    for (const std::vector<std::string>& typed : std::vector<std::vector<std::string>>{
             {"train", bad},
             {"train", config, "--out", bad},
             {"train", config, "--out", bad, "--resume"},
             {"train", config, "--out", bad, "--force"},
             {"check", config, "--set", "data.table=" + bad},
             {"check", config, "--set", "data.root=" + bad},
             {"check", config, "--set", "data.table=null", "--set", "data.folder=" + bad},
             {"eval", bad},
             {"eval", run, "--out", bad},
             {"eval", run, "--data", bad},
             {"infer", bad, "x.csv"},
             {"infer", run, bad},
             {"infer", run, "patients.csv", "--out", bad + ".csv"},
             {"infer", run, "patients.csv", "--explain", bad},
             {"inspect", bad},
             {"phantom", bad}}) {
      const Outcome outcome = fovea(typed);
      EXPECT_THAT(outcome.code, testing::AnyOf(2, 3, 4)) << typed[0] << ": " << outcome.err;
      EXPECT_THAT(outcome.err, AllOf(HasSubstr("fovea: "), Not(HasSubstr("internal")),
                                     Not(HasSubstr("filesystem error"))));
    }
    EXPECT_EQ(fovea({"train", bad}).code, 4);
    EXPECT_THAT(fovea({"eval", bad}).err,
                testing::AnyOf(HasSubstr("File name too long"), HasSubstr("symbolic links")));
  }
}

TEST(CommandLine, TheLogLevelIsOfEveryCommandAndLeavesOutWhatIsLess) {
  const std::string run = rows().run.string(), table = (rows().folder / "patients.csv").string();
  for (const std::string& command : kCommands)
    EXPECT_THAT(fovea({command, "--help"}).out, HasSubstr("--log-level LEVEL"));
  EXPECT_THAT(fovea({"infer", run, table, "--log-level", "debug"}).err, HasSubstr("device: "));
  EXPECT_EQ(fovea({"infer", run, table, "--log-level", "warning"}).err, "");
}

std::set<std::string> offered(const std::string& typed) {
  const TempFolder folder;
  const fs::path script = folder.write("ask.sh", R"(
source <("$1" completion bash)
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
complete -p fovea > /dev/null || exit 9
_fovea
printf '%s\n' "${COMPREPLY[@]}"
)");
  const Outcome outcome =
      run_shell("cd " + quoted(folder.path().string()) + " && touch some_file.csv && bash " +
                quoted(script.string()) + " " + fovea_command() + typed);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  std::set<std::string> words;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) words.insert(line);
  return words;
}

TEST(Completion, BashOffersCommandsOptionsWordsAndFiles) {
  EXPECT_EQ(offered("fovea i"), (std::set<std::string>{"infer", "inspect"}));
  EXPECT_THAT(offered("fovea ''"), testing::IsSupersetOf(kCommands));
  EXPECT_EQ(offered("fovea train --re"), (std::set<std::string>{"--resume"}));
  EXPECT_EQ(offered("fovea list enc"), (std::set<std::string>{"encoders"}));
  EXPECT_EQ(offered("fovea eval run --split t"), (std::set<std::string>{"train", "test"}));
  EXPECT_EQ(offered("fovea doctor --log-level w"), (std::set<std::string>{"warning"}));
  EXPECT_EQ(offered("fovea bundle ''"), (std::set<std::string>{"sign", "verify"}));
  EXPECT_EQ(offered("fovea bundle v"), (std::set<std::string>{"verify"}));
  EXPECT_EQ(offered("fovea bundle sign some"), (std::set<std::string>{"some_file.csv"}));
  EXPECT_EQ(offered("fovea bundle sign run --key some"), (std::set<std::string>{"some_file.csv"}));
  EXPECT_EQ(offered("fovea infer run some"), (std::set<std::string>{"some_file.csv"}));
  EXPECT_EQ(offered("fovea infer run --out some"), (std::set<std::string>{"some_file.csv"}));
}

TEST(Completion, NoCommandAndNoOptionOfTheHelpIsLeftOut) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = fovea({"completion", shell}).out;
    for (const std::string& command : kCommands) {
      EXPECT_THAT(script, HasSubstr(command));
      const std::string help = fovea({command, "--help"}).out;
      const std::regex option("\n  (?:-[a-z],)?--([a-z-]+)");
      int found = 0;
      for (std::sregex_iterator it(help.begin(), help.end(), option), end; it != end; ++it, ++found)
        EXPECT_THAT(script,
                    HasSubstr((std::string(shell) == "fish" ? "-l " : "--") + (*it)[1].str()))
            << shell << " " << command;
      EXPECT_GE(found, 2) << help;  // --help and --log-level
    }
  }
}

TEST(Completion, TheScriptsAreReadByTheirShells) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    if (run_shell("command -v " + shell).code != 0) {
      std::cout << "[  SKIPPED ] " << shell << " is not installed\n";
      continue;
    }
    const TempFolder folder;
    const fs::path script = folder.write("script", fovea({"completion", shell}).out);
    const Outcome outcome = run_shell(shell + " -n " + quoted(script.string()));
    EXPECT_EQ(outcome.code, 0) << shell << ": " << outcome.err;
  }
}

}  // namespace
}  // namespace fovea::test
