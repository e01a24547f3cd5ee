// Config files: C01 to C11.
#include "bad_input/made.h"

namespace fovea::test {
namespace {

/// `check` of a config with this train section.
void train_section(Trial& t, const std::string& section, const Texts& texts) {
  lab_config(t);
  t.write("c.yaml", kLabData + "model: {encoders: {labs: {mlp: {hidden: [4]}}}}\n" + section);
  t.expect(2, {"check", "c.yaml"}, texts);
}

void yaml(Trial& t, const std::string& text, const Texts& texts) {
  t.write("c.yaml", text);
  t.bounded(2, {"check", "c.yaml"}, texts, {"check", "absent.yaml"});
}

void c01(Trial& t) {
  yaml(t, "data:\n\troot: .\n", {"c.yaml:2", "column", "tab", "blanks"});
  yaml(t, "data:\n  inputs: {image: {column: path}\n",
       {"c.yaml:3", "column 1", "end of map flow not found"});
  yaml(t, "data:\n  root .\n  table: t.csv\n", {"c.yaml:3", "column"});
}

void c03(Trial& t) {
  lab_config(t);
  const auto resnet = [&](const std::string& depth) {
    t.write("c.yaml",
            kLabData + "model: {encoders: {labs: {mlp: {hidden: [4]}}}}\ntrain: {epochs: " + depth +
                "}\n");
    t.expect(2, {"check", "c.yaml"},
             {"c.yaml:9", "train.epochs", "'" + depth + "'", "whole number"});
  };
  resnet("deep");
  resnet("010");
  resnet("yes");
  train_section(t, "train: {balanced: yes}\n",
                {"c.yaml:9", "train.balanced", "'yes'", "true or false"});
}

void c07(Trial& t) {
  train_section(t, "train: {optimizer: {adamw: {lr: -1}}}\n", {"c.yaml:9", "lr", "-1", "above 0"});
  train_section(t, "train:\n  batch_size: 0\n", {"c.yaml:10", "train.batch_size", "0", "above 0"});
  lab_config(t);
  t.write("c.yaml", kLabData + "model: {dropout: 1.5, encoders: {labs: {mlp: {hidden: [4]}}}}\n");
  t.expect(2, {"check", "c.yaml"}, {"c.yaml:8", "model.dropout", "1.5", "below 1"});
  train_section(t, "train:\n  epochs: 1e12\n",
                {"c.yaml:10", "train.epochs", "1e12", "whole number"});
}

void c08(Trial& t) {
  // There is no `resume:` and no `init_from:`: the two that exclude each other are options, and keys for two kinds of data.
  const std::string config = lab_config(t);
  t.expect(2, {"train", config, "--out", "run", "--resume", "--force"}, {"--resume", "--force"});
  t.write("c.yaml", "data:\n  table: t.csv\n  folder: images\n" + kLabModel);
  t.expect(2, {"check", "c.yaml"},
           {"c.yaml:2", "c.yaml:3", "data.table", "data.folder", "drop the others"});
}

void c09(Trial& t) {
  fs::create_directories(t.path("elsewhere"));
  const std::string yaml = lab_config(t);
  fs::create_directory(t.path("sub"));
  fs::copy_file(yaml, t.path("sub/c.yaml"));
  fs::rename(t.path("t.csv"), t.path("sub/t.csv"));
  // (a) relative to the config, whatever the working folder is; the resolved config has the whole path.
  t.accepted({"check", "sub/c.yaml"}, {"60 cases"});
  t.accepted({"train", "sub/c.yaml", "--out", "a", "--device", "cpu"});
  t.contains({.out = t.read("a/config.yaml")}, {t.path("sub/t.csv").string()});
  std::string variable = t.read("sub/c.yaml");
  variable.replace(variable.find("root: ."), 7, "root: ${FOVEA_BAD_INPUT}");
  t.write("v.yaml", variable);
  const Start set{.environment = {{"FOVEA_BAD_INPUT", t.path("sub").string()}}};
  t.expect(0, {"check", "v.yaml"},
           {"60 cases", "data.root: ${FOVEA_BAD_INPUT} is " + t.path("sub").string()}, set);
  t.expect(0, {"train", "v.yaml", "--out", "run", "--device", "cpu"}, {t.path("sub").string()},
           set);
  t.contains({.out = t.read("run/config.yaml")}, {t.path("sub").string()});
  t.expect(2, {"check", "v.yaml"}, {"v.yaml:2", "data.root", "FOVEA_BAD_INPUT", "not set"});
}

void c10(Trial& t) {
  const std::string config = lab_config(t);
  fs::remove(t.path("t.csv"));  // which would be missed, if it were looked at
  fs::create_directory(t.path("locked"));
  fs::permissions(t.path("locked"), fs::perms::owner_read | fs::perms::owner_exec |
                                        fs::perms::others_read | fs::perms::others_exec);
  t.expect(4, {"train", config, "--out", "locked/run"},
           {"locked/run", "Permission denied", "name another folder"}, {.obedient = true});
  copy_of_lab_run(t);
  const std::string before = t.read("run/metrics.csv");
  const Answer answer = t.expect(2, {"train", config, "--out", "run"},
                                 {"run", "not empty", "--resume", "--force", "another folder"});
  t.lacks(answer, {"t.csv"});
  t.check(t.read("run/metrics.csv") == before, "the run was changed");
}

void c11(Trial& t) {
  const std::string config = lab_config(t);
  // A machine with a GPU shows none.
  const Start none{.environment = {{"CUDA_VISIBLE_DEVICES", ""}}};
  for (const char* device : {"cuda", "cuda:1"})
    t.expect(5, {"train", config, "--out", "run", "--device", device},
             {"device", "'" + std::string(device) + "'", "found", "cpu"}, none);
  t.check(!fs::exists(t.path("run")), "a run was begun");
  t.expect(0, {"train", config, "--out", "run", "--device", "auto", "--log-level", "debug"},
           {"device: cpu"}, none);
}

}  // namespace

Rows config_rows() {
  return {
      {"C01", "a tab, a bracket that is not closed, a colon that is missing", c01},
      {"C02", "unknown keys",
       [](Trial& t) {
         train_section(t, "trian: {epochs: 2}\n",
                       {"c.yaml:9", "'trian'", "did you mean 'train'?", "transforms"});
         lab_config(t);
         t.write("c.yaml", kLabData + "model:\n  encoders:\n    labs:\n      mlp: {hiden: [4]}\n");
         t.expect(2, {"check", "c.yaml"},
                  {"c.yaml:11", "'hiden'", "did you mean 'hidden'?", "dropout"});
       }},
      {"C03", "values of the wrong type", c03},
      {"C04", "one key twice",
       [](Trial& t) {
         yaml(t, "seed: 1\ntrain:\n  epochs: 2\n  batch_size: 3\n  epochs: 4\n",
              {"c.yaml:5", "'epochs'", "3"});
       }},
      {"C05", "100,000 nested brackets",
       [](Trial& t) {
         yaml(t, "seed: " + std::string(100'000, '['), {"c.yaml:1"});
         yaml(t, "seed: " + std::string(100'000, '[') + std::string(100'000, ']') + "\n",
              {"c.yaml:1", "64"});
       }},
      {"C06", "an alias bomb",
       [](Trial& t) {
         std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
         for (int i = 1; i < 10; ++i) {
           const std::string from = "*a" + std::to_string(i - 1), to = "a" + std::to_string(i);
           bomb += to + ": &" + to + " [" + from;
           for (int k = 1; k < 10; ++k) bomb += ", " + from;
           bomb += "]\n";
         }
         yaml(t, bomb, {"c.yaml:1", "anchor", "&a0", "write the value out"});
       }},
      {"C07", "values out of range", c07},
      {"C08", "options that exclude each other", c08},
      {"C09", "relative paths and variables", c09},
      {"C10", "an output folder that cannot be written, or holds a run", c10},
      {"C11", "a GPU that is absent", c11},
  };
}

}  // namespace fovea::test
