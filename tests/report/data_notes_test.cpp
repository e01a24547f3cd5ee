#include "fovea/report/data_notes.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/test_files.h"

namespace fovea::report {
namespace {

TEST(DataNotes, StandBesideTheMetricsInMetricsJson) {
  const test::TempFolder folder;
  const auto path = folder.write("metrics.json", R"({"n": 40, "figures": {"auc": 0.5}})");
  add_data_notes(path, {});
  EXPECT_EQ(test::read_text(path), R"({"n": 40, "figures": {"auc": 0.5}})");
  add_data_notes(path, {.notes = {"3 of 40 texts are cut"}, .cut_texts = {{"report", 3}}});
  const auto json = nlohmann::json::parse(test::read_text(path));
  EXPECT_EQ(json["n"], 40);
  EXPECT_EQ(json["figures"]["auc"], 0.5);
  EXPECT_EQ(json["data"]["cut_texts"]["report"], 3);
  EXPECT_EQ(json["data"]["notes"][0], "3 of 40 texts are cut");
}

}  // namespace
}  // namespace fovea::report
