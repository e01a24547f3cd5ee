// The table of bad inputs: each row runs the program, whose exit code and message are held against what the table wants.
//   test_bad_input --gtest_filter='*D01'          one row
//   FOVEA_SHOW=1 test_bad_input …                 with all that the program prints
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <set>

#include "bad_input/trial.h"

namespace fovea::test {
namespace {

Rows all_rows() {
  Rows all;
  for (const auto& rows :
       {dicom_rows(), dicom_value_rows(), image_rows(), archive_rows(), table_rows(), split_rows(),
        config_rows(), run_rows(), checkpoint_rows(), weight_rows()})
    all.insert(all.end(), rows.begin(), rows.end());
  for (const char* id : {"N01", "N02", "N03", "N04", "N05", "N06", "N07", "N08", "N09", "N10"})
    all.push_back({id, "a DICOM node", nullptr});
  return all;
}

TEST(BadInputTable, HasEveryRowOnce) {
  std::set<std::string> ids;
  for (const Row& row : all_rows()) EXPECT_TRUE(ids.insert(row.id).second) << row.id;
  for (const auto& [area, rows] : std::map<char, int>{
           {'D', 39}, {'A', 13}, {'T', 15}, {'S', 7}, {'C', 11}, {'R', 19}, {'N', 10}})
    for (int i = 1; i <= rows; ++i) {
      const std::string id = area + std::string(i < 10 ? "0" : "") + std::to_string(i);
      EXPECT_TRUE(ids.contains(id)) << id;
    }
  EXPECT_EQ(ids.size(), 114u);
}

struct Count {
  int passed = 0, total = 0;
} count;

class BadInput : public testing::TestWithParam<Row> {};

TEST_P(BadInput, EndsAsTheTableSays) {
  const Row& row = GetParam();
  if (!row.check) {
    std::cout << "later: " << row.id << " " << row.input << "\n";
    return;
  }
  Trial trial;
  try {
    row.check(trial);
  } catch (const NeedsData& absent) {
    if (trial.failures.empty())
      GTEST_SKIP() << row.id << " needs the data set " << absent.path << " (set FOVEA_TEST_DATA)";
  } catch (const std::exception& error) {
    trial.failures += "  the test itself failed: " + std::string(error.what());
  }
  const bool passed = trial.failures.empty();
  ++count.total;
  count.passed += passed;
  if (row.open && !passed) {
    std::cout << "open: " << row.id << " " << row.input << ": " << row.open << "\n"
              << trial.failures;
    return;
  }
  EXPECT_FALSE(row.open && passed) << row.id << " passes: it is open no more";
  EXPECT_TRUE(passed) << row.id << ", " << row.input << ":\n" << trial.failures;
}

INSTANTIATE_TEST_SUITE_P(Table, BadInput, testing::ValuesIn(all_rows()),
                         [](const auto& info) { return std::string(info.param.id); });

}  // namespace
}  // namespace fovea::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  std::cout << "bad_input: " << fovea::test::count.passed << "/" << fovea::test::count.total
            << "\n";
  return result;
}
