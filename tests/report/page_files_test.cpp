// What the report's page takes from other files: plots and thumbnails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/report/svg.h"
#include "report/example_image.h"
#include "report/page_report.h"
#include "support/test_files.h"

namespace fovea::report {
namespace {

TEST(PageFiles, TakesInItsPlotsWithIdsOfTheirOwn) {
  test::TempFolder folder;
  Json json = report();
  json["targets"][0]["folder"] = "pneumonia";
  json["targets"][0]["plots"] = {{{"file", "a.svg"}, {"title", "First"}, {"alt", "\"rising\""}},
                                 {{"file", "b.svg"}, {"title", "Second"}, {"alt", "falling"}}};
  const std::string svg =
      "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"root\" role=\"img\" "
      "width=\"9\" height=\"9\"><title>hidden</title><defs><clipPath id=\"c\"><rect "
      "width=\"9\"/></clipPath></defs><g clip-path=\"url(#c)\"><use href=\"#c\"/></g></svg>\n";
  folder.write("pneumonia/a.svg", svg);
  Svg drawn(90, 60, "made by fovea");
  drawn.text({1, 1}, "a < b & \"c\"");
  folder.write("pneumonia/b.svg", drawn.finish());
  const std::string page = report_page(json.dump(), folder.path());
  EXPECT_TRUE(has(page,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\" "
                  "role=\"img\" focusable=\"false\" aria-label=\"&quot;rising&quot;\">"));
  EXPECT_TRUE(has(page, "<clipPath id=\"t1p1-c\">"));
  EXPECT_TRUE(has(page, "url(#t1p1-c)"));
  EXPECT_TRUE(has(page, "<use href=\"#t1p1-c\"/>"));
  EXPECT_FALSE(has(page, "hidden</title>"));
  EXPECT_TRUE(has(page, "a &lt; b &amp; &quot;c&quot;"));
  EXPECT_TRUE(has(page, "<figcaption>Second</figcaption>"));
}

TEST(PageFiles, SaysWhyAPlotIsNotShown) {
  test::TempFolder folder;
  folder.write("secret.svg", "<svg></svg>");
  folder.write("in/cut.svg", "<svg><g>");
  folder.write("in/script.svg", "<svg><script>alert(1)</script></svg>");
  folder.write("in/handler.svg", "<svg onload=\"alert(1)\"></svg>");
  folder.write("in/fetch.svg", "<svg><rect fill=\"URL(http://x/y)\"/></svg>");
  folder.write("in/html.svg", "<html></html>");
  folder.write("in/large.svg", "<svg>" + std::string(2'100'000, ' ') + "</svg>");
  Json json = report();
  const std::pair<const char*, const char*> plots[] = {
      {"gone.svg", "the file is missing"},
      {"../secret.svg", "it lies outside of the folder of the report"},
      {"cut.svg", "it is cut short"},
      {"script.svg", "it holds more than shapes and text"},
      {"handler.svg", "it holds more than shapes and text"},
      {"fetch.svg", "it holds more than shapes and text"},
      {"html.svg", "it holds more than shapes and text"},
      {"large.svg", "it is too large for this page"}};
  for (const auto& [file, why] : plots)
    json["targets"][0]["plots"].push_back({{"file", file}, {"title", "Plot"}, {"alt", "a plot"}});
  const std::string page = report_page(json.dump(), folder / "in");
  for (const auto& [file, why] : plots)
    EXPECT_TRUE(has(page, "Not shown: " + std::string(why) + " (<bdi>" + file + "</bdi>)"));
  EXPECT_FALSE(has(page, "alert"));
}

TEST(PageFiles, ShowsThumbnailsAndLinksAndSaysThatTheyArePatientData) {
  test::TempFolder folder;
  folder.write("failures/1.png", test::chest_png(1));
  Json json = report();
  json["targets"][0]["failures"] = {failure("case-1")};
  const std::string with = report_page(json.dump(), folder.path());
  EXPECT_TRUE(has(with,
                  "<img alt=\"Case case-1: truth no, answer yes\" width=\"160\" "
                  "height=\"160\" src=\"data:image/png;base64,iVBORw0KGgo"));
  EXPECT_TRUE(has(with, "<a href=\"images/case-1\">"));
  EXPECT_TRUE(has(with, "are patient data: hand it only"));
  const std::string without = report_page(json.dump(), folder.path(), {.images = false});
  EXPECT_FALSE(has(without, "<img"));
  EXPECT_FALSE(has(without, "images/case-1"));
  EXPECT_TRUE(has(without, "case-1"));
  EXPECT_TRUE(has(without, "which are patient data, were left out of this page"));
}

TEST(PageFiles, StaysBelowFiveMegabytes) {
  test::TempFolder folder;
  std::string large = test::chest_png(1);
  large.resize(300'000);  // what follows the end of a PNG is not read
  folder.write("failures/1.png", large);
  Json json = report();
  for (int i = 0; i < 45; ++i) json["targets"][0]["failures"].push_back(failure(std::to_string(i)));
  const std::string page = report_page(json.dump(), folder.path());
  EXPECT_LT(page.size(), 5'000'000u);
  EXPECT_EQ(count_of(page, "<img"), 11u);
  EXPECT_TRUE(has(page, "29 more thumbnails were left out, to keep this page small."));
  EXPECT_TRUE(has(page, "5 more cases are in report.json."));
  EXPECT_EQ(count_of(page, "thumbnail left out"), 29u);
  folder.write("failures/1.png", test::chest_png(1));
  EXPECT_EQ(count_of(report_page(json.dump(), folder.path()), "<img"), 40u);
}

}  // namespace
}  // namespace fovea::report
