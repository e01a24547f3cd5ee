#include "fovea/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "report/page_report.h"
#include "support/test_files.h"

namespace fovea::report {
namespace {

using testing::HasSubstr;

Error refusal(const std::string& text) {
  try {
    report_page(text, "runs/a");
  } catch (const Error& error) {
    return error;
  }
  return Error(Fault::internal, "no error");
}

TEST(Page, HasTheTitleTheMainMetricWithItsIntervalAndThePrevalence) {
  const std::string page = page_of(report());
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>\n<html lang=\"en\">"));
  EXPECT_EQ(count_of(page, "<h1>"), 1u);
  EXPECT_TRUE(has(page, "<h1><bdi>run-7</bdi></h1>"));
  EXPECT_TRUE(has(page, "1 March 2026, 09:05 UTC"));
  EXPECT_TRUE(has(page, "<p class=\"large\">0.912</p>"));
  EXPECT_TRUE(has(page, "95 % interval: <strong>0.851 to 0.950</strong>"));
  EXPECT_TRUE(has(page, "<bdi>yes</bdi>: 10 of 20 (50.0 %)"));
  EXPECT_TRUE(has(page, "There are few cases."));
  EXPECT_TRUE(has(page, "1 other interval"));
  EXPECT_TRUE(has(page, "percentile bootstrap: 0.84 to 0.96"));
}

TEST(Page, FetchesNothingAndLetsNoScriptRunButItsOwn) {
  const std::string page = page_of(report());
  EXPECT_TRUE(has(page, "default-src 'none'"));
  EXPECT_TRUE(has(page, "script-src 'sha256-"));
  EXPECT_EQ(count_of(page, "<script"), 1u);
  for (const char* part : {"<link", "@import", "src=\"http", "url(", "<iframe", "@font-face"})
    EXPECT_FALSE(has(page, part));
}

TEST(Page, EscapesWhateverATextHolds) {
  const std::string hostile = "</title><script>alert(1)</script>\"' onload=x =cmd|'/c'!A1 &amp;";
  const std::string shown =
      "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39; onload=x "
      "=cmd|&#39;/c&#39;!A1 &amp;amp;";
  Json json = report();
  Json& target = json["targets"][0];
  json["title"] = json["split"] = json["data"]["name"] = json["fovea"] = json["created"] = hostile;
  json["data"]["fingerprint"] = json["model"]["name"] = json["card"][0]["text"] = hostile;
  json["data"]["notes"][0] = json["card"][0]["section"] = json["card"][1]["item"] = hostile;
  target["name"] = target["positive_class"] = target["classes"][1]["name"] = hostile;
  target["thresholds"]["class"] = target["warnings"][0] = target["line"] = hostile;
  target["decision"] = {
      {"rule", hostile},
      {"points", {{{"class", hostile}, {"threshold", 0.5}, {"chosen", hostile}}}}};
  target["confusion_matrix"]["classes"] = {"no", hostile};
  target["figures"][0]["name"] = target["figures"][0]["note"] = hostile;
  target["figures"][0]["interval"]["method"] = target["figures"][0]["help"] = hostile;
  target["failures"] = {failure(hostile)};
  target["plots"] = {{{"file", hostile}, {"title", hostile}, {"alt", hostile}}};
  target["tables"] = {{{"title", hostile}, {"columns", {hostile}}, {"rows", {{hostile}}}}};
  target["subgroups"] = {{{"column", hostile},
                          {"groups",
                           {{{"value", hostile},
                             {"n", 30},
                             {"patients", 30},
                             {"small", false},
                             {"figures", target["figures"]}}}},
                          {"gaps", Json::array()}}};
  json["drift"] = {{{"input", hostile},
                    {"quantity", hostile},
                    {"training", hostile},
                    {"here", hostile},
                    {"psi", nullptr},
                    {"p", nullptr},
                    {"undefined", hostile}}};
  const std::string page = page_of(json);
  EXPECT_FALSE(has(page, "alert(1)</script>"));
  EXPECT_EQ(count_of(page, "<script"), 1u);
  EXPECT_FALSE(has(page, "\" onload"));
  EXPECT_GE(count_of(page, shown), 30u);
  // A link is nothing but a path.
  EXPECT_TRUE(has(page, "href=\"images/%3C/title%3E%3Cscript%3Ealert%281%29"));
}

TEST(Page, ShowsBytesThatAreNoTextAsSuch) {
  std::string text = report().dump();
  text.replace(text.find("run-7"), 5,
               "run\xFF\x80"
               "7");
  const std::string page = report_page(text, "/nowhere");
  EXPECT_TRUE(has(page,
                  "<bdi>run\xEF\xBF\xBD\xEF\xBF\xBD"
                  "7</bdi>"));
  Json json = report();
  json["title"] = std::string("a\0b\x1B\x7F", 5);
  EXPECT_TRUE(has(page_of(json),
                  "<bdi>a\xEF\xBF\xBD"
                  "b\xEF\xBF\xBD\xEF\xBF\xBD</bdi>"));
}

TEST(Page, OfALinkOnlyAPathOrAnAddressOfTheWebOrAFileIsLeft) {
  Json json = report();
  Json& failures = json["targets"][0]["failures"];
  for (const char* link : {"javascript:alert(1)", "//elsewhere/x", "data:text/html,x",
                           "file:///data/a.dcm", "a folder/b#1?.dcm"}) {
    failures.push_back(failure("case"));
    failures.back()["link"] = link;
  }
  const std::string page = page_of(json);
  for (const char* href : {"javascript%3Aalert%281%29", ".//elsewhere/x", "data%3Atext/html%2Cx",
                           "file:///data/a.dcm", "a%20folder/b%231%3F.dcm"})
    EXPECT_TRUE(has(page, std::string("<a href=\"") + href + "\">"));
}

TEST(Page, SaysUndefinedWithTheReason) {
  Json json = report();
  Json& figure = json["targets"][0]["figures"][0];
  figure["value"] = nullptr;
  figure["undefined"] = "only one class occurs";
  figure["interval"] = {{"method", "none"}, {"low", nullptr}, {"high", nullptr}};
  const std::string page = page_of(json);
  EXPECT_TRUE(has(page, "<p class=\"large none\">undefined</p><p>only one class occurs</p>"));
  EXPECT_TRUE(has(page,
                  "<span class=\"none\">undefined</span></td><td "
                  "colspan=\"3\">only one class occurs</td>"));
  figure["value"] = 0.7;
  figure["interval"]["undefined"] = "one patient";
  EXPECT_TRUE(has(page_of(json), "none: one patient"));
}

TEST(Page, SaysWhereTheThresholdComesFromAndThatNothingWasFitted) {
  Json json = report();
  const std::string page = page_of(json);
  EXPECT_TRUE(has(page,
                  "Called <strong><bdi>yes</bdi></strong> at <strong>p ≥ "
                  "0.43</strong> <span class=\"small\">(chosen: youden on val)"));
  EXPECT_TRUE(has(page, "nothing on this page was fitted to the evaluated cases.</p>"));
  json["split"] = "val";
  EXPECT_TRUE(has(page_of(json), "these cases (split val) had a part in making the model"));
  json["data"]["external"] = true;
  EXPECT_FALSE(has(page_of(json), "had a part in making the model"));
}

TEST(Page, HasThresholdsWithoutAScriptAndASliderWithOne) {
  const std::string page = page_of(report());
  // The frozen one, 0.43, is none of the steps: its counts are those of the matrix.
  EXPECT_TRUE(has(page,
                  "data-steps=\"[[0.9,5,0],[0.6,8,1],[0.44,9,2],[0.43,9,2],[0.2,10,6],"
                  "[0.1,10,10]]\" data-positives=\"10\" data-negatives=\"10\" "
                  "data-start=\"2\" data-intervals=\"yes\""));
  EXPECT_TRUE(has(page, "<div class=\"slider\" hidden"));  // until a script shows it
  EXPECT_TRUE(has(page, "0.430 <span class=\"tag\">frozen</span>"));
  EXPECT_TRUE(has(page, "11 of 20"));
  // Wilson of 9 of 10, from statsmodels: 0.5958 to 0.9821.
  EXPECT_TRUE(has(page, "0.90<span class=\"under\">0.60 to 0.98</span>"));
  EXPECT_TRUE(has(page, "is chosen on the evaluated cases, so what it reaches here is no result"));
}

TEST(Page, OfPatientsWithSeveralCasesHasNoIntervalsOfIndependentCases) {
  Json json = report();
  json["targets"][0]["clustered"] = true;
  json["targets"][0]["patients"] = 7;
  const std::string page = page_of(json);
  EXPECT_TRUE(has(page, "data-intervals=\"no\""));
  EXPECT_FALSE(has(page, "(Wilson)"));
  EXPECT_TRUE(has(page, "<td class=\"number\">0.900</td>"));
  EXPECT_TRUE(has(page, "all intervals are by patient"));
}

TEST(Page, ShadesTheConfusionMatrixByRow) {
  const std::string page = page_of(report());
  EXPECT_TRUE(has(page, "<td class=\"shaded right\" style=\"--l:"));
  EXPECT_TRUE(has(page, "9<span class=\"under\">90.0 %</span>"));
  EXPECT_TRUE(has(page, "2<span class=\"under\">20.0 %</span>"));
  Json json = report();
  Json& matrix = json["targets"][0]["confusion_matrix"];
  json["targets"][0].erase("thresholds");
  matrix["classes"] = std::vector<std::string>(60, "class");
  matrix["counts"] = std::vector<std::vector<int>>(60, std::vector<int>(60, 1));
  EXPECT_TRUE(has(page_of(json), "60 classes are more than a table on this page can show"));
}

TEST(Page, WithholdsASmallGroupAltogether) {
  Json json = report();
  const Json figures = json["targets"][0]["figures"];
  Json secret = figures;
  secret[0]["value"] = 0.1357;
  json["targets"][0]["subgroups"] = {
      {{"column", "sex"},
       {"groups",
        {{{"value", "female"},
          {"n", 120},
          {"patients", 90},
          {"small", false},
          {"figures", figures}},
         {{"value", "male"}, {"n", 12}, {"patients", 11}, {"small", true}, {"figures", figures}},
         {{"value", "other"},
          {"n", nullptr},
          {"patients", 3},
          {"small", true},
          {"figures", secret}}}},
       {"gaps",
        {{{"metric", "auc"},
          {"low_group", "male"},
          {"high_group", "female"},
          {"difference", 0.021},
          {"interval", bounds(-0.034, 0.081)}}}}}};
  const std::string page = page_of(json);
  EXPECT_TRUE(has(page, "<bdi>male</bdi> <span class=\"tag\">small group</span>"));
  EXPECT_TRUE(has(page, "<bdi>other</bdi></th><td colspan=\"3\"><span class=\"none\">withheld"));
  EXPECT_FALSE(has(page, "0.13"));
  EXPECT_TRUE(has(page, "<table class=\"sortable\">"));
  EXPECT_TRUE(has(page, "0.02</td><td class=\"number range\">−0.03 to 0.08</td>"));
}

TEST(Page, MarksDriftAndSaysPValuesBelowAThousandthSo) {
  Json json = report();
  json["drift"] = {{{"input", "image"},
                    {"quantity", "size"},
                    {"training", "224"},
                    {"here", "512"},
                    {"psi", 0.31},
                    {"p", 1e-9},
                    {"test", "Kolmogorov-Smirnov"}},
                   {{"input", "view"},
                    {"quantity", "category"},
                    {"training", "PA"},
                    {"here", "PA"},
                    {"psi", nullptr},
                    {"p", nullptr},
                    {"undefined", "one category only"}}};
  const std::string page = page_of(json);
  EXPECT_TRUE(has(page, "0.310 <span class=\"tag strong\">much</span>"));
  EXPECT_TRUE(has(page, "&lt; 0.001<span class=\"under\">Kolmogorov-Smirnov</span>"));
  EXPECT_TRUE(has(page, "one category only"));
}

TEST(Page, SaysWhatTheCardDoesNotStateAndHowTheNumbersWereMade) {
  const std::string page = page_of(report());
  EXPECT_TRUE(has(page, "<dt>Inclusion</dt><dd><span class=\"none\">not stated</span>"));
  EXPECT_TRUE(has(page, "2000 replicates, seed 3"));
  EXPECT_TRUE(has(page, "fovea 0.1.0"));
  EXPECT_TRUE(has(page, "split=test n=20 auc=0.9000"));
}

TEST(Page, RefusesADamagedDocumentAndSaysWhere) {
  const std::string whole = report().dump();
  const Error cut = refusal(whole.substr(0, whole.size() / 2));
  EXPECT_EQ(cut.fault(), Fault::data);
  EXPECT_THAT(cut.what(), testing::StartsWith("runs/a/report.json: "));
  EXPECT_THAT(cut.what(), HasSubstr("only the beginning of one; evaluate again"));
  Json json = report();
  json["targets"][0]["figures"][0]["value"] = "0.9";
  EXPECT_STREQ(refusal(json.dump()).what(),
               "runs/a/report.json: /targets/0/figures/0/value: found a text, wanted a number; "
               "evaluate again to write it anew");
  json = report();
  json["data"].erase("notes");
  EXPECT_NO_THROW(page_of(json));  // an empty list
  json["data"].erase("cases");
  EXPECT_THAT(refusal(json.dump()).what(), HasSubstr("/data: 'cases' is missing"));
  json = report();
  json["targets"][0]["thresholds"]["steps"][1] = {0.95, 8, 1};
  EXPECT_THAT(refusal(json.dump()).what(), HasSubstr("wanted a lower threshold than before it"));
  json = report();
  json["targets"][0]["confusion_matrix"]["counts"][1] = {1};
  EXPECT_EQ(refusal(json.dump()).fault(), Fault::data);
  for (const char* text : {"", "[]", "null", "7", "{}", "{\"schema_version\": 1}",
                           "{\"schema_version\": \"1\"}", "{\"schema_version\": 0}"})
    EXPECT_EQ(refusal(text).fault(), Fault::data) << text;
  EXPECT_EQ(refusal(std::string(100'000, '[')).fault(), Fault::data);
}

TEST(Page, RefusesADocumentOfALaterVersion) {
  Json json = report();
  json["schema_version"] = kReportSchema + 1;
  const Error error = refusal(json.dump());
  EXPECT_EQ(error.fault(), Fault::data);
  EXPECT_STREQ(
      error.what(),
      "runs/a/report.json: schema_version is 2, and this version of fovea reads 1; draw the "
      "page with the version that wrote it, or evaluate again");
}

TEST(Page, IsWrittenBesideTheDocument) {
  test::TempFolder folder;
  folder.write("report.json", report().dump());
  EXPECT_EQ(write_report_page(folder.path()), folder / "report.html");
  EXPECT_THAT(test::read_text(folder / "report.html"), testing::EndsWith("</html>\n"));
  try {
    write_report_page(folder / "nowhere");
    FAIL() << "there is no report";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::io);
    EXPECT_THAT(error.what(), HasSubstr("nowhere/report.json"));
  }
}

}  // namespace
}  // namespace fovea::report
