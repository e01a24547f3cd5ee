// Tables: T01 to T15.
#include "bad_input/made.h"

namespace fovea::test {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// `check` of t.csv with exactly this content.
void table(Trial& t, int code, const std::string& content, const Texts& texts,
           const std::string& more = "") {
  const std::string config = lab_config(t, lab_rows(60), more);
  t.write("t.csv", content);
  t.expect(code, {"check", config}, texts);
}

const std::string kTable = kLabHeader + lab_rows(60);

void t03(Trial& t) {
  const std::string note = "\"of \"\"p61\"\", a\nsecond line\"";
  const std::string rows = kTable + "p60,50,30,no,train\n\"p61, second\",70,31,yes,train\n" + note +
                           ",71,32,yes,train\n";
  table(t, 0, rows, {"63 cases"});
  table(t, 3, kTable + "p60,50,30,no,train\n\"p61,70,31,yes,train\np62,70,31,yes,train\n",
        {"t.csv", "quote not closed", "line 63", "data.quote"});
}

void t10(Trial& t) {
  const auto labels = [](const std::string& wrong) {
    std::string rows = kTable;
    for (int i = 60; i < 67; ++i) rows += "p" + std::to_string(i) + ",40,30," + wrong + ",train\n";
    return rows;
  };
  for (const std::string wrong : {"maybe", "7", "0.5", "NA"})
    table(t, 3, labels(wrong), {"t.csv", "'ill'", "7 ", "62", "66", "'" + wrong + "'", "no, yes"});
  table(t, 3, labels(""), {"t.csv", "'ill'", "7 ", "62", "66", "missing"});
  // Where the blank is said to mean that nothing is known, the rows are left out.
  const std::string config = lab_config(t);
  t.write("t.csv", labels(""));
  t.expect(0, {"check", config, "--set", "data.targets.ill.missing=[\"\"]"},
           {"7 of 67 rows left out"});
  const std::string two =
      replaced(kLabData, "classes: [\"no\", \"yes\"]", "classes: [clear, lesion]");
  t.write("c.yaml", two + kLabModel);
  t.write("t.csv",
          replaced(replaced(kTable, ",no,", ",0,"), ",yes,", ",1,") + "p60,40,30,7,train\n");
  t.expect(3, {"check", "c.yaml"}, {"t.csv", "'ill'", "62", "'7'", "clear, lesion"});
}

std::string utf16(const std::string& text) {
  std::string wide = "\xFF\xFE";
  for (const char c : text) wide += std::string(1, c) + '\0';
  return wide;
}

void t11(Trial& t) {
  const std::string start = kTable + "p60,50,30,no,train\n";
  const std::string at = "byte " + std::to_string(start.size() + 1);
  table(t, 3, start + "p" + '\0' + "61,50,30,no,train\n", {"t.csv", "NUL", at});
  table(t, 3, utf16(kTable), {"t.csv", "UTF-16", "bytes 0 and 1", "UTF-8"});
  table(t, 3, start + "p\xFC,50,30,no,train\n", {"t.csv", at, "UTF-8", "Latin-1"});
}

void t12(Trial& t) {
  Texts names = good_images(t, 9);
  t.write("elsewhere/secret.dcm", ramp().file());
  fs::create_directory(t.path("root"));
  for (const std::string& name : names) fs::rename(t.path(name), t.path("root/" + name));
  fs::create_symlink("../elsewhere/secret.dcm", t.path("root/link.dcm"));
  const std::string secret = t.path("elsewhere/secret.dcm").string();
  for (const std::string& bad :
       {std::string("../elsewhere/secret.dcm"), secret, std::string("link.dcm")}) {
    Texts all = names;
    all.insert(all.begin() + 3, bad);
    image_config(t, all);
    t.write("c.yaml", replaced(t.read("c.yaml"), "root: .", "root: root"));
    fs::rename(t.path("labels.csv"), t.path("root/labels.csv"));
    t.expect(3, {"check", "c.yaml"},
             {"labels.csv", "line 5", "secret.dcm", "outside", "root", "data.allow_outside_root"});
    t.expect(0, {"check", "c.yaml", "--set", "data.allow_outside_root=true"}, {"10 cases"});
  }
}

void t13(Trial& t) {
  Texts names = good_images(t, 9);
  for (int i = 0; i < 30; ++i) names.push_back("absent-" + std::to_string(i) + ".dcm");
  const Answer answer = t.refused(
      {"train", image_config(t, names), "--out", "run", "--device", "cpu"},
      {"30 ", "absent-0.dcm", "labels.csv", "line 11: ", "absent-19.dcm", "missing-files.txt"});
  t.lacks(answer, {"absent-20.dcm"});
  t.contains({.out = t.read("missing-files.txt")}, {"absent-0.dcm", "absent-29.dcm"});
  t.check(!fs::exists(t.path("run")), "a run was begun");
}

/// A tenth of the rows, with the same bound for each: 100 bytes, and 64 MiB for all.
void t14(Trial& t) {
  constexpr int64_t kRows = 1'000'000;
  lab_config(t);
  const Texts command{"check", "c.yaml"};
  const int64_t floor = t.run(command).peak_mib;
  t.write("t.csv", kLabHeader + lab_rows(kRows));
  const Answer answer = t.expect(0, command, {"1000000 cases"}, {.seconds = 120});
  const int64_t took = answer.peak_mib - floor, bound = kRows * 100 / (1 << 20) + 64;
  t.check(took <= bound, "took " + std::to_string(took) + " MiB for " + std::to_string(kRows) +
                             " rows, wanted at most " + std::to_string(bound));
}

void t15(Trial& t) {
  std::string rows = "id,marker,noise,ill,split\n";
  const std::string starts = "=+-@";
  for (int i = 0; i < 60; ++i)
    rows += starts.substr(static_cast<size_t>(i % 4), 1) + "p" + std::to_string(i) + "," +
            std::to_string(i * 37 % 101) + "," + std::to_string(i * 61 % 83) +
            (i * 37 % 101 > 50 ? ",=SUM(A1)," : ",<b>no</b>,") +
            (i % 5 == 0   ? "test"
             : i % 5 == 1 ? "val"
                          : "train") +
            "\n";
  t.write("t.csv", rows);
  t.write("c.yaml", replaced(kLabData, "classes: [\"no\", \"yes\"]",
                             "classes: [\"<b>no</b>\", \"=SUM(A1)\"]") +
                        kLabModel);
  t.accepted({"train", "c.yaml", "--out", "run", "--device", "cpu"});
  t.accepted({"eval", "run"});
  const std::string csv = t.read("run/eval-test/predictions.csv");
  for (const char* quoted :
       {"\n\"'=p0\",", "\n\"'+p5\",", "\n\"'-p10\",", "\n\"'@p15\",", "\"'=SUM(A1)\""})
    t.check(csv.find(quoted) != std::string::npos, std::string(quoted) + " is not in " + csv);
  for (const auto& entry : fs::recursive_directory_iterator(t.path("run/eval-test")))
    if (entry.path().extension() == ".svg" || entry.path().extension() == ".html")
      t.lacks({.out = read_text(entry.path())}, {"<b>no"});
}

}  // namespace

Rows table_rows() {
  return {
      {"T01", "a byte-order mark",
       [](Trial& t) { table(t, 0, "\xEF\xBB\xBF" + kTable, {"60 cases"}); }},
      {"T02", "lines that end in CR LF, or in CR",
       [](Trial& t) {
         table(t, 0, replaced(kTable, "\n", "\r\n"), {"60 cases"});
         table(t, 0, replaced(kTable, "\n", "\r"), {"60 cases"});
       }},
      {"T03", "quotes, and one that never closes", t03},
      {"T04", "another delimiter",
       [](Trial& t) {
         table(t, 3, replaced(kTable, ",", ";"),
               {"t.csv", "line 1", "one column", "semicolon", "data.delimiter"});
       }},
      {"T05", "a column that is not there",
       [](Trial& t) {
         table(t, 3, replaced(kTable, "marker", "markr"),
               {"t.csv", "'marker'", "did you mean 'markr'?", "id, markr, noise, ill, split"});
       }},
      {"T06", "two columns of one name",
       [](Trial& t) {
         table(t, 3, replaced(kTable, "noise", "marker"),
               {"t.csv", "line 1", "columns 2 and 3 are both called 'marker'"});
       }},
      {"T07", "a row with a field too few, one with a field too many",
       [](Trial& t) {
         table(t, 3, kTable + "p60,50,30,no\n", {"t.csv", "line 62", "found 4 fields, wanted 5"});
         table(t, 3, kTable + "p60,50,30,no,train,x\n",
               {"t.csv", "line 62", "found 6 fields, wanted 5"});
       }},
      {"T08", "an empty file, a header alone",
       [](Trial& t) {
         table(t, 3, "", {"t.csv", "an empty file", "wanted a header and at least 1 row"});
         table(t, 3, kLabHeader, {"t.csv", "0 rows", "wanted at least 1"});
       }},
      {"T09", "one id in two rows",
       [](Trial& t) {
         table(t, 3, kTable + "p7,50,30,no,train\n",
               {"t.csv", "'id'", "line 9 and line 62", "(hash "});
       }},
      {"T10", "labels outside the classes", t10},
      {"T11", "NUL bytes, UTF-16, Latin-1", t11},
      {"T12", "files outside the root", t12},
      {"T13", "rows whose files do not exist", t13},
      {"T14", "ten million rows, of which a tenth is tried", t14},
      {"T15", "ids and classes that a spreadsheet would run", t15},
  };
}

}  // namespace fovea::test
