// The configs of the repository.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "fovea/config/run_config.h"
#include "support/test_files.h"

namespace fovea::config {
namespace {

constexpr const char* kVariables[] = {"FOVEA_DATA", "FOVEA_DEMO", "FOVEA_IMAGES"};

std::vector<std::filesystem::path> configs() {
  std::vector<std::filesystem::path> all;
  for (const auto& entry : std::filesystem::directory_iterator(FOVEA_SOURCE_DIR "/configs"))
    all.push_back(entry.path());
  EXPECT_GE(all.size(), 14u);
  return all;
}

/// The key that says where the data lie.
std::string place_of_data(const std::filesystem::path& config) {
  return config.stem() == "image_folder" ? "data.folder" : "data.root";
}

TEST(Configs, EachIsReadWithoutAComplaint) {
  for (const char* variable : kVariables) setenv(variable, "/some/folder", 1);
  for (const auto& config : configs()) EXPECT_NO_THROW(read_config(config)) << config;
}

TEST(Configs, EachSaysWhereItsDataAreToBeNamedAndTakesThem) {
  for (const char* variable : kVariables) unsetenv(variable);
  for (const auto& config : configs()) {
    const std::string key = place_of_data(config);
    const std::string at = config.string() + ":[0-9]+: " + key + ": ";
    try {
      read_config(config);
      ADD_FAILURE() << config << " is read although nothing says where its data are";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(),
                  testing::ContainsRegex(at +
                                         "the environment variable FOVEA_[A-Z]+ is not set; "
                                         "give the value with --set " +
                                         key + "="));
    }
    EXPECT_NO_THROW(read_config(config, {key + "=/some/folder"})) << config;
    EXPECT_THAT(test::read_text(config), testing::HasSubstr(" --set " + key + "="));
  }
}

TEST(Configs, AnEmptyVariableIsNotAPlace) {
  setenv("FOVEA_DATA", "", 1);
  EXPECT_THROW(read_config(FOVEA_SOURCE_DIR "/configs/wdbc.yaml"), Error);
  unsetenv("FOVEA_DATA");
}

TEST(Configs, OfBeforeNamesWereChangedAreReadAndWrittenWithThoseOfToday) {
  const test::TempFolder folder;
  const auto before = folder.write("before.yaml", R"(
data:
  table: reports.csv
  inputs: {report: {text: {column: report}}}
  targets:
    label: {column: class}
    found: {tags: {column: spans, input: report}}
    left: {remaining: {clip: 125}}
task:
  several:
    tasks:
      label: classification
      found: {tagging: {report: {diagnosis: Disease}}}
      left: regression
)");
  const std::string resolved = resolved_text(read_config(before));
  EXPECT_THAT(resolved, testing::HasSubstr("task:\n  multi_task:\n    tasks:\n"));
  EXPECT_THAT(resolved, testing::HasSubstr("      found:\n        token_classification:\n"));
  EXPECT_THAT(resolved, testing::HasSubstr("    left:\n      remaining_useful_life:\n"));
  for (const char* former : {"several:", "tagging:", "remaining:"})
    EXPECT_THAT(resolved, testing::Not(testing::HasSubstr(former)));
  EXPECT_EQ(resolved_text(read_config(folder.write("today.yaml", resolved))), resolved);
}

}  // namespace
}  // namespace fovea::config
