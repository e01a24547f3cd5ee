// Splits: S01 to S07.
#include "bad_input/made.h"

namespace fovea::test {
namespace {

/// Rows of patients with their split and class: "patient,marker,noise,ill,split".
struct Case {
  std::string patient, ill, split;
};

std::string rows_of(const std::vector<Case>& cases) {
  std::string rows = "id,patient,marker,noise,ill,split\n";
  for (size_t i = 0; i < cases.size(); ++i)
    rows += "c" + std::to_string(i) + "," + cases[i].patient + "," + std::to_string(i * 37 % 101) +
            "," + std::to_string(i * 61 % 83) + "," + cases[i].ill + "," + cases[i].split + "\n";
  return rows;
}

/// Sixty cases of thirty patients in three splits.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (int i = 0; i < 60; ++i) {
    const int patient = i / 2;
    all.push_back({"P" + std::to_string(patient), i % 3 == 0 ? "yes" : "no",
                   patient % 5 == 0   ? "test"
                   : patient % 5 == 1 ? "val"
                                      : "train"});
  }
  return all;
}

std::string config(const Trial& t, const std::vector<Case>& all, const std::string& split = "split",
                   const std::string& group = "patient") {
  t.write("t.csv", rows_of(all));
  return t.write("c.yaml", R"(data:
  root: .
  table: t.csv
  inputs: {labs: {table: {columns: [marker, noise]}}}
  targets: {ill: {column: ill, classes: ["no", "yes"]}}
  id: id
)" + (group.empty() ? "" : "  group: " + group + "\n") +
                               "  split: " + split + "\n" + kLabModel);
}

void s01(Trial& t) {
  auto all = cases();
  for (const size_t patient : {2u, 3u, 4u, 7u, 8u, 9u, 12u}) all[2 * patient].split = "test";
  const Answer answer =
      t.refused({"check", config(t, all)}, {"7 patients", "train", "test", "split"});
  t.lacks(answer, {"P12", "'P2'"});
  const Answer train =
      t.refused({"train", "c.yaml", "--out", "run", "--device", "cpu"}, {"7 patients"});
  // Five hashes of eight digits.
  size_t hashes = 0;
  for (size_t i = 0; i + 8 <= train.err.size(); ++i) {
    const bool word =
        (i == 0 || !std::isalnum(static_cast<unsigned char>(train.err[i - 1]))) &&
        (i + 8 == train.err.size() || !std::isalnum(static_cast<unsigned char>(train.err[i + 8])));
    hashes +=
        word && train.err.substr(i, 8).find_first_not_of("0123456789abcdef") == std::string::npos;
  }
  t.check(hashes == 5, std::to_string(hashes) + " hashes, wanted 5: " + train.err);
}

void s02(Trial& t) {
  Texts names = good_images(t);
  t.write("g8.dcm", t.read("g2.dcm"));
  const std::string yaml = image_config(t, names);
  t.refused({"check", yaml}, {"g2.dcm", "g8.dcm", "train", "test", "1 "});
}

void s03(Trial& t) {
  auto all = cases();
  for (const size_t i : {3u, 4u, 5u, 20u, 30u, 31u, 40u}) all[i].patient = "";
  t.refused({"check", config(t, all, "{train: 0.6, val: 0.2, test: 0.2}")},
            {"t.csv", "'patient'", "7 ", "5", "6", "7", "22", "32"});
}

void s04(Trial& t) {
  auto all = cases();
  for (Case& one : all)
    if (one.split == "train") one.ill = "no";
  t.refused({"check", config(t, all)}, {"'yes'", "train", "no 36", "yes 0"});
  t.refused({"train", "c.yaml", "--out", "run", "--device", "cpu"}, {"'yes'", "train"});
  all = cases();
  for (Case& one : all)
    if (one.split == "test") one.ill = "no";
  t.accepted({"train", config(t, all), "--out", "run", "--device", "cpu"});
  t.accepted({"eval", "run"}, {"auc=undefined"});
  t.contains({.out = t.read("run/eval-test/metrics.json")}, {"\"auc\": \"no positive case\""});
}

void s05(Trial& t) {
  auto all = cases();
  for (Case& one : all)
    if (one.split == "val") one.ill = "no";
  const std::string yaml = config(t, all);
  // Asked for, it selects nothing.
  const Answer asked =
      t.expect(0, {"train", yaml, "--out", "asked", "--device", "cpu", "--set", "train.best=auc"},
               {"auc is undefined (no positive case)", "cannot be the best"});
  t.lacks(asked, {"best_epoch"});
  t.accepted({"train", yaml, "--out", "run", "--device", "cpu", "--set", "train.best=loss"});
  t.accepted({"eval", "run", "--split", "val"}, {"auc", "undefined"});
  t.contains({.out = t.read("run/eval-val/metrics.json")},
             {"\"auc\": \"no positive case\"", "\"n\": 12"});
  t.lacks({.out = t.read("run/metrics.csv")}, {"val,auc,0", "val,auc,1"});
}

void s06(Trial& t) {
  t.expect(2, {"check", config(t, cases(), "{train: 0.7, val: 0.2, test: 0.2}")},
           {"c.yaml:", "data.split", "1.1", "wanted", "1"});
  std::vector<Case> few = cases();
  few.resize(2);
  const std::string yaml = config(t, few, "{train: 0.9, val: 0.05, test: 0.05}", "");
  t.expect(2,
           {"check", yaml, "--set", "data.targets={n: {number: {column: marker}}}", "--set",
            "data.inputs.labs.table.columns=[noise]", "--set", "task=regression"},
           {"c.yaml", "data.split", "val", "train 1, val 1, test 0"});
}

void s07(Trial& t) {
  std::vector<Case> all;
  for (int i = 0; i < 40; ++i)
    all.push_back({"P" + std::to_string(i / 2), i < 4 ? "yes" : "no", ""});
  t.refused({"check", config(t, all, "{train: 0.6, val: 0.2, test: 0.2}")},
            {"'yes'", "2 groups (patients)", "3 splits"});
}

}  // namespace

Rows split_rows() {
  return {
      {"S01", "patients in train and in test", s01},
      {"S02", "the same pixels in two splits", s02},
      {"S03", "a split by group with blank groups", s03},
      {"S04", "a class without a case in a split", s04},
      {"S05", "a validation split of one class", s05},
      {"S06", "shares that are not 1, and a split of nothing", s06},
      {"S07", "a class with fewer patients than splits", s07},
  };
}

}  // namespace fovea::test
