// The report of an evaluation, a comparison of two, and other data, by the program alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "e2e/demo.h"
#include "support/output.h"

namespace fovea::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

/// A case of a table whose patients have two each.
struct Row {
  std::string id, patient, sex, y, split;
  int a, age;
};

std::vector<Row> rows() {
  std::vector<Row> all;
  for (int i = 0; i < 240; ++i) {
    const int a = (i * 37) % 41 - 20, noise = (i * 53) % 23 - 11;
    all.push_back({"case" + std::to_string(i), "p" + std::to_string(i / 2), (i / 2) % 3 ? "f" : "m",
                   a + noise > 2 ? "ill" : "well",
                   i < 100   ? "train"
                   : i < 140 ? "val"
                             : "test",
                   a, 20 + (i * 7) % 60});
  }
  all[150].id = "<script>alert(1)</script>";
  all[151].id = "=HYPERLINK(1)";
  for (size_t i : {160, 161, 162}) all[i].sex = "x";  // three cases
  return all;
}

std::string table_of(const std::vector<Row>& rows) {
  std::string text = "id,patient,sex,age,a,y,split\n";
  for (const Row& row : rows)
    text += row.id + "," + row.patient + "," + row.sex + "," + std::to_string(row.age) + "," +
            std::to_string(row.a) + "," + row.y + "," + row.split + "\n";
  return text;
}

struct Study {
  TempFolder folder;
  fs::path run, out;
  Outcome trained, evaluated;
  Json report;

  Study() {
    folder.write("data/t.csv", table_of(rows()));
    const fs::path config = folder.write("c.yaml", R"(seed: 1
data:
  root: data
  table: t.csv
  id: id
  inputs: {labs: {table: {columns: [a]}}}
  targets: {y: {column: y, classes: [well, ill]}}
  group: patient
  split: split
  subgroups: [sex]
model: {encoders: {labs: {mlp: {hidden: [8]}}}}
task: {classification: {operating_point: {sensitivity: 0.9}}}
train: {epochs: 20, batch_size: 16, precision: fp32, threads: 1, loader_threads: 0, optimizer: {adamw: {lr: 0.03}}}
card: {intended_use: "for tests <only>"}
)");
    run = folder / "run";
    out = run / "eval-test";
    trained = fovea({"train", config.string(), "--out", run.string(), "--device", "cpu"});
    if (trained.code != 0) throw std::runtime_error("fovea train failed: " + trained.err);
    evaluated = fovea({"eval", run.string(), "--device", "cpu"});
    if (evaluated.code != 0) throw std::runtime_error("fovea eval failed: " + evaluated.err);
    report = Json::parse(read_text(out / "report.json"));
  }
};

const Study& study() {
  static const Study instance;
  return instance;
}

const Json& figure(const Json& figures, const std::string& name) {
  for (const Json& one : figures)
    if (one.at("name") == name) return one;
  throw std::runtime_error("no figure " + name);
}

TEST(Report, HasTheFiguresOfMetricsJsonWithIntervals) {
  const Json metrics = Json::parse(read_text(study().out / "metrics.json"));
  const Json& target = study().report.at("targets").at(0);
  EXPECT_EQ(target.at("n"), 100);
  EXPECT_EQ(target.at("patients"), 50);
  EXPECT_EQ(target.at("clustered"), true);
  for (const auto& [name, value] : metrics.at("figures").items()) {
    const Json& one = figure(target.at("figures"), name);
    EXPECT_EQ(one.at("value"), value) << name;
    if (one.at("interval").at("low").is_null()) {
      EXPECT_EQ(name, "ece");  // whose samples lie above it
      EXPECT_THAT(one.at("interval").at("undefined").get<std::string>(), HasSubstr("biased"));
      continue;
    }
    EXPECT_LE(one.at("interval").at("low"), value) << name;
    EXPECT_GE(one.at("interval").at("high"), value) << name;
    // Nothing is shown that takes the cases for independent.
    EXPECT_THAT(one.at("interval").at("method").get<std::string>(),
                testing::AnyOf("Obuchowski", "Wilson over patients",
                               testing::StartsWith("bootstrap by patients")));
  }
  EXPECT_EQ(study().evaluated.last_line(), target.at("line"));
}

TEST(Report, IsATableOnTheTerminalBeforeTheLineOfKeysAndValues) {
  const std::string& out = study().evaluated.out;
  EXPECT_THAT(out, HasSubstr("y: 100 cases of 50 patients ("));
  EXPECT_THAT(out, testing::ContainsRegex("  auc +0\\.[0-9]+ +0\\.[0-9]+ to [01]\\.[0-9]+ +100\n"));
  EXPECT_THAT(out, HasSubstr("ill is called at a probability of"));
  EXPECT_THAT(out, HasSubstr("report.html"));
  EXPECT_THAT(study().evaluated.last_line(), testing::StartsWith("split=test n=100 auc="));
}

TEST(Report, IsOnePageInWhichNoIdIsMarkup) {
  const std::string page = read_text(study().out / "report.html");
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, HasSubstr("for tests &lt;only&gt;"));
  for (const char* fetched : {"src=\"http", "href=\"http", "url(http", "@import"})
    EXPECT_THAT(page, Not(HasSubstr(fetched)));
  EXPECT_LT(page.size(), 5'000'000u);
  EXPECT_THAT(read_text(study().out / "card.md"), HasSubstr("* **Limits:** not stated"));
}

TEST(Report, FollowsItsPublishedSchema) {
  const std::string script = std::string(FOVEA_SOURCE_DIR) + "/tests/report/check_schema.py";
  const Outcome checked =
      run_shell("python3 " + quoted(script) + " " + quoted((study().out / "report.json").string()));
  if (checked.code == 77) GTEST_SKIP() << checked.out;
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
}

TEST(OperatingPoint, IsChosenOnValidationKeptInTheBundleAndDecidesEverywhere) {
  const Study& s = study();
  const Json card = Json::parse(read_text(s.run / "bundle/model.json"));
  const Json& point = card.at("targets").at("y").at("operating_points").at(0);
  EXPECT_EQ(point.at("chosen"), "sensitivity 0.9 on val");
  const double threshold = point.at("threshold");
  EXPECT_EQ(s.report.at("targets")[0].at("decision").at("points")[0].at("threshold"), threshold);
  // On the validation cases it reaches what was asked for, and the next higher one would not.
  const fs::path out = s.folder / "on-val";
  ASSERT_EQ(fovea({"eval", s.run.string(), "--split", "val", "--out", out.string()}).code, 0);
  const Json val = Json::parse(read_text(out / "metrics.json"));
  EXPECT_GE(val.at("figures").at("sensitivity"), 0.9);
  EXPECT_EQ(val.at("decision").at("threshold"), threshold);
  std::istringstream lines(read_text(out / "predictions.csv"));
  std::string line;
  std::getline(lines, line);
  ASSERT_EQ(line, "id,group,label,p_well,p_ill,decision");
  int positives = 0, above = 0;
  bool is_a_case = false;
  while (std::getline(lines, line)) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    const double p = std::stod(cells[4]);
    EXPECT_EQ(cells[5], p >= threshold ? "ill" : "well");
    positives += cells[2] == "ill";
    above += cells[2] == "ill" && p > threshold;
    is_a_case |= p == threshold;
  }
  EXPECT_TRUE(is_a_case);
  EXPECT_LT(above, 0.9 * positives);
  // infer decides by it, from the bundle too.
  const fs::path asked = s.folder.write("asked.csv", "id,a\nq,3\nr,-1\ns,0\nt,8\n");
  for (const fs::path& model : {s.run, s.run / "bundle"}) {
    const Outcome answered = fovea(
        {"infer", model.string(), asked.string(), "--out", (s.folder / "answers.jsonl").string()});
    ASSERT_EQ(answered.code, 0) << answered.err;
    for (const Json& answer : json_lines(read_text(s.folder / "answers.jsonl")))
      EXPECT_EQ(answer.at("decision"),
                answer.at("probabilities").at("ill") >= threshold ? "ill" : "well")
          << answer;
  }
}

TEST(OperatingPoint, ARuleThatMeansNothingIsRefusedWithItsLine) {
  const Study& s = study();
  for (const char* rule : {"best", "{sensitivity: 1.5}", "{cost: 0}", "{f1: 0.5}"}) {
    const Outcome refused =
        fovea({"train", (s.folder / "c.yaml").string(), "--out", (s.folder / "no").string(),
               "--set", std::string("task.classification.operating_point=") + rule});
    EXPECT_EQ(refused.code, 2) << rule;
    EXPECT_THAT(refused.err, HasSubstr("operating_point")) << rule;
  }
}

TEST(Subgroups, ByTwoColumnsHaveIntervalsAndGiveNoFewPatientsAway) {
  const Study& s = study();
  const fs::path out = s.folder / "by";
  const Outcome outcome =
      fovea({"eval", s.run.string(), "--out", out.string(), "--by", "sex,age,sex+age"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json target = Json::parse(read_text(out / "report.json")).at("targets").at(0);
  ASSERT_EQ(target.at("subgroups").size(), 3u);
  const Json& sexes = target.at("subgroups")[0].at("groups");
  ASSERT_EQ(sexes.size(), 3u);
  EXPECT_TRUE(sexes[0].at("n").is_number());  // f
  EXPECT_TRUE(sexes[1].at("n").is_null());    // m: with f it would give x away
  EXPECT_TRUE(sexes[2].at("n").is_null());    // x: three cases
  EXPECT_EQ(target.at("subgroups")[2].at("column"), "sex x age");
  EXPECT_EQ(target.at("subgroups")[1].at("groups").size(), 4u);
  EXPECT_FALSE(target.at("subgroups")[1].at("gaps").empty());
  EXPECT_THAT(outcome.out, HasSubstr("subgroup sex=x withheld"));
  const Json metrics = Json::parse(read_text(out / "metrics.json"));
  EXPECT_TRUE(metrics.at("subgroups").at("sex")[2].at("n").is_null());
  const Outcome told = fovea({"eval", s.run.string(), "--out", out.string(), "--small-groups"});
  EXPECT_THAT(told.out, HasSubstr("subgroup sex=x n=3 "));
  EXPECT_EQ(fovea({"eval", s.run.string(), "--by", "height"}).code, 3);
}

TEST(Report, PerturbsImagesOnlyWhereAsked) {
  const Study& s = study();
  EXPECT_THAT(read_text(s.out / "report.json"), Not(HasSubstr("Robustness")));
  const Outcome table = fovea({"eval", s.run.string(), "--perturb", "noise"});
  EXPECT_EQ(table.code, 2);
  EXPECT_THAT(table.err, HasSubstr("reads no image"));
  const fs::path out = s.folder / "perturbed";
  const Outcome images =
      fovea({"eval", demo().run.string(), "--out", out.string(), "--perturb", "noise,jpeg"});
  ASSERT_EQ(images.code, 0) << images.err;
  const Json target = Json::parse(read_text(out / "report.json")).at("targets").at(0);
  const Json& rows = target.at("tables").back().at("rows");
  ASSERT_EQ(rows.size(), 10u);  // two, at five strengths with 0
  EXPECT_EQ(rows[0][2], figure(target.at("figures"), "auc").at("value"));
  EXPECT_TRUE(fs::exists(out / "robustness_jpeg.svg"));
  EXPECT_EQ(target.at("failures").empty(), false);
  EXPECT_TRUE(fs::exists(out / "failures/0001.png"));
  const std::string page = read_text(out / "report.html");
  EXPECT_THAT(page, HasSubstr("data:image/png"));
  // Redrawn without them, it holds neither pictures nor the paths of files.
  ASSERT_EQ(fovea({"report", out.string(), "--no-images"}).code, 0);
  const std::string shared = read_text(out / "report.html");
  EXPECT_THAT(shared, Not(HasSubstr("data:image/png")));
  EXPECT_THAT(shared, Not(HasSubstr(demo().images().string())));
  EXPECT_EQ(fovea({"eval", demo().run.string(), "--perturb", "nois"}).code, 2);
}

TEST(Report, OptionsChangeWhatTheySay) {
  const Study& s = study();
  const fs::path out = s.folder / "options";
  const Outcome quick = fovea({"eval", s.run.string(), "--split", "val", "--out", out.string(),
                               "--replicates", "0", "--prevalence", "0.02", "--no-images"});
  ASSERT_EQ(quick.code, 0) << quick.err;
  const std::string text = read_text(out / "report.json");
  const Json report = Json::parse(text);
  EXPECT_EQ(report.at("replicates"), 0);
  const Json& figures = report.at("targets").at(0).at("figures");
  EXPECT_EQ(figure(figures, "f1").at("interval").at("undefined"), "not computed");
  EXPECT_TRUE(figure(figures, "auc").at("interval").at("low").is_number());  // Obuchowski's
  EXPECT_THAT(text, HasSubstr("PPV at a prevalence of 0.02"));
  EXPECT_THAT(read_text(out / "report.html"), Not(HasSubstr("href=\"file:")));
  for (const char* rule : {"{specificity: 0.9}", "{cost: 10}", "{fixed: 0.25}", "youden"}) {
    const fs::path run = s.folder / "rule";
    const Outcome trained = fovea({"train", (s.folder / "c.yaml").string(), "--out", run.string(),
                                   "--device", "cpu", "--force", "--set", "train.epochs=1", "--set",
                                   std::string("task.classification.operating_point=") + rule});
    ASSERT_EQ(trained.code, 0) << trained.err;
    const Json card = Json::parse(read_text(run / "bundle/model.json"));
    const Json& point = card.at("targets").at("y").at("operating_points").at(0);
    if (std::string(rule) == "{fixed: 0.25}")
      EXPECT_EQ(point.at("threshold"), 0.25);
    else
      EXPECT_THAT(point.at("chosen").get<std::string>(), HasSubstr(" on val"));
  }
}

TEST(Report, IsDrawnOnceMoreWithoutPredicting) {
  const Study& s = study();
  const std::string before = read_text(s.out / "report.html");
  fs::remove(s.out / "report.html");
  const Outcome drawn = fovea({"report", s.run.string()});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_EQ(drawn.last_line(), (s.out / "report.html").string());
  EXPECT_EQ(read_text(s.out / "report.html"), before);
  const Outcome none = fovea({"report", s.folder.path().string()});
  EXPECT_EQ(none.code, 3);
  EXPECT_THAT(none.err, AllOf(HasSubstr("no report.json"), HasSubstr("fovea eval")));
}

TEST(OtherData, OfATableLikeTheModelsOwnNeedsNoConfig) {
  const Study& s = study();
  std::string table = "id,patient,a,y\n";  // without sex, and without splits
  int k = 0;
  for (const Row& row : rows())
    if (++k % 3 == 0 && row.y == "ill")
      table += "o" + row.id.substr(0, 9) + std::to_string(k) + "," + row.patient + "," +
               std::to_string(row.a) + ",ill\n";
  const fs::path other = s.folder.write("hospital.csv", table);
  const Outcome outcome = fovea({"eval", (s.run / "bundle").string(), "--data", other.string(),
                                 "--out", (s.folder / "external").string()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json report = Json::parse(read_text(s.folder / "external/report.json"));
  EXPECT_EQ(report.at("data").at("external"), true);
  EXPECT_EQ(report.at("data").at("name"), "hospital.csv");
  EXPECT_THAT(report.at("data").at("notes").dump(), HasSubstr("no column 'sex'"));
  const Json& target = report.at("targets")[0];
  // All are ill: what compares the two classes is undefined, and says why.
  EXPECT_EQ(figure(target.at("figures"), "auc").at("undefined"), "no negative case");
  EXPECT_TRUE(figure(target.at("figures"), "sensitivity").at("value").is_number());
  EXPECT_THAT(outcome.out, HasSubstr("undefined: no negative case"));
  const Outcome own = fovea({"eval", s.run.string(), "--data", (s.folder / "data/t.csv").string()});
  ASSERT_EQ(own.code, 0) << own.err;
  EXPECT_THAT(own.last_line(), HasSubstr("n=240 "));  // all cases
  EXPECT_TRUE(fs::exists(s.run / "eval-t/report.html"));
  const Outcome missing = fovea({"eval", s.run.string(), "--data", "/no/such.csv"});
  EXPECT_EQ(missing.code, 4);
}

TEST(OtherData, OfOneCaseOrOnePatientHasMetricsAndSaysWhyNoIntervals) {
  const Study& s = study();
  const fs::path one = s.folder.write("one.csv", "id,patient,a,y\nq,p,3,ill\n");
  const Outcome single = fovea({"eval", s.run.string(), "--data", one.string()});
  ASSERT_EQ(single.code, 0) << single.err;
  const fs::path same =
      s.folder.write("same.csv", "id,patient,a,y\nq,p,3,ill\nr,p,-9,well\ns,p,1,ill\n");
  const Outcome patient = fovea({"eval", s.run.string(), "--data", same.string()});
  ASSERT_EQ(patient.code, 0) << patient.err;
  EXPECT_THAT(patient.out, HasSubstr("All cases are of one patient"));
  EXPECT_THAT(patient.out, HasSubstr("none: one patient"));
  const fs::path unknown = s.folder.write("unknown.csv", "id,patient,a,y\nq,p,3,\nr,p2,1,\n");
  const Outcome nobody = fovea({"eval", s.run.string(), "--data", unknown.string()});
  EXPECT_NE(nobody.code, 70) << nobody.err;
}

TEST(Compare, SetsTwoModelsSideBySide) {
  const Study& s = study();
  const fs::path weak = s.folder / "weak";
  const Outcome trained = fovea({"train", (s.folder / "c.yaml").string(), "--out", weak.string(),
                                 "--device", "cpu", "--set", "train.epochs=1", "--set", "seed=5"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  ASSERT_EQ(fovea({"eval", weak.string(), "--device", "cpu"}).code, 0);
  const fs::path out = s.folder / "versus";
  const Outcome compared = fovea({"compare", s.run.string(), weak.string(), "--out", out.string()});
  ASSERT_EQ(compared.code, 0) << compared.err;
  EXPECT_THAT(compared.last_line(),
              testing::StartsWith("target=y first=run other=weak n=100 auc="));
  const Json json = Json::parse(read_text(out / "compare.json"));
  const Json& auc = json.at("targets")[0].at("comparisons")[0].at("metrics")[0];
  EXPECT_EQ(auc.at("test"), "Obuchowski");
  EXPECT_EQ(auc.at("first"), figure(s.report.at("targets")[0].at("figures"), "auc").at("value"));
  EXPECT_THAT(read_text(out / "compare.html"),
              AllOf(HasSubstr("<bdi>weak</bdi>"), HasSubstr("Obuchowski")));
  // Of other cases nothing can be said.
  ASSERT_EQ(fovea({"eval", weak.string(), "--split", "val"}).code, 0);
  const Outcome others = fovea({"compare", s.out.string(), (weak / "eval-val").string()});
  EXPECT_EQ(others.code, 3);
  EXPECT_THAT(others.err, HasSubstr("not evaluated on the same cases"));
  EXPECT_EQ(fovea({"compare", s.run.string()}).code, 2);
}

TEST(Report, WhereItCannotBeWrittenIsSaidBeforeAnythingIsComputed) {
  const Study& s = study();
  const fs::path file = s.folder.write("file", "");
  const Outcome refused = fovea({"eval", s.run.string(), "--out", (file / "out").string()});
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, HasSubstr("file"));
}

}  // namespace
}  // namespace fovea::test
