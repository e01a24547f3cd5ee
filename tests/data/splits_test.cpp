#include "fovea/data/splits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/random.h"

namespace fovea {
namespace {

using testing::HasSubstr;

const Fractions kUsual{{"train", 0.7}, {"val", 0.1}, {"test", 0.2}};

Error refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return Error(Fault::internal, "no error");
}

std::map<std::string, int> counts(const std::vector<std::string>& splits,
                                  const std::vector<int64_t>& classes, int64_t wanted) {
  std::map<std::string, int> result;
  for (size_t i = 0; i < splits.size(); ++i) result[splits[i]] += classes[i] == wanted;
  return result;
}

TEST(Split, KeepsTheSharesOfEveryClass) {
  std::vector<int64_t> classes(1000);
  for (size_t i = 0; i < 1000; ++i) classes[i] = i < 100 ? 1 : 0;
  const auto splits = split({}, classes, kUsual, 1);
  EXPECT_EQ(counts(splits, classes, 0),
            (std::map<std::string, int>{{"train", 630}, {"val", 90}, {"test", 180}}));
  EXPECT_EQ(counts(splits, classes, 1),
            (std::map<std::string, int>{{"train", 70}, {"val", 10}, {"test", 20}}));
}

TEST(Split, KeepsPatientsTogetherAndSharesWithinTwoPercent) {
  Random random(9, Purpose::sample);
  std::vector<std::string> groups;
  std::vector<int64_t> classes;
  for (int patient = 0; patient < 400; ++patient) {
    const int64_t images = 1 + random.below(5);
    for (int64_t i = 0; i < images; ++i) {
      groups.push_back("p" + std::to_string(patient));
      classes.push_back(random.chance(0.2) ? 1 : 0);
    }
  }
  const auto splits = split(groups, classes, kUsual, 5);
  EXPECT_TRUE(shared_groups(groups, splits).empty());
  for (const int64_t c : {0, 1}) {
    const auto found = counts(splits, classes, c);
    const double all = double(std::ranges::count(classes, c));
    for (const auto& [name, share] : kUsual)
      EXPECT_NEAR(found.at(name) / all, share, 0.02) << name << " class " << c;
  }
}

TEST(Split, IsAFunctionOfTheSeed) {
  const std::vector<int64_t> classes(50, 0);
  EXPECT_EQ(split({}, classes, kUsual, 1), split({}, classes, kUsual, 1));
  EXPECT_NE(split({}, classes, kUsual, 1), split({}, classes, kUsual, 2));
}

TEST(Split, EverySplitGetsARareClass) {
  std::vector<int64_t> classes(500, 0);
  for (const size_t i : {3, 77, 400}) classes[i] = 1;
  for (uint64_t seed = 0; seed < 20; ++seed)
    for (const auto& [name, count] : counts(split({}, classes, kUsual, seed), classes, 1))
      EXPECT_EQ(count, 1) << name;
}

TEST(Split, AClassWithFewerPatientsThanSplitsIsADataError) {
  std::vector<int64_t> classes(50, 0);
  classes[4] = classes[5] = classes[6] = 3;
  std::vector<std::string> groups;
  for (int i = 0; i < 50; ++i) groups.push_back("p" + std::to_string(i == 6 ? 5 : i));
  const Error error = refusal([&] { split(groups, classes, kUsual, 1); });
  EXPECT_EQ(error.fault(), Fault::data);
  EXPECT_THAT(error.what(), HasSubstr("class 3 is found in 2 groups"));
  EXPECT_THAT(error.what(), HasSubstr("3 splits"));
}

TEST(Split, FractionsMustSumToOne) {
  const Error error = refusal([&] {
    split({}, std::vector<int64_t>(50, 0), {{"train", 0.7}, {"val", 0.2}, {"test", 0.2}}, 1);
  });
  EXPECT_EQ(error.fault(), Fault::config);
  EXPECT_THAT(error.what(), HasSubstr("sum to 1.1"));
  EXPECT_EQ(refusal([] {
              split({}, {0, 1}, {{"train", 1.5}, {"val", -0.5}}, 1);
            }).fault(),
            Fault::config);
}

TEST(Split, AnEmptySplitIsAConfigErrorWithTheSizes) {
  const Error error = refusal([&] { split({}, {0, 0}, kUsual, 1); });
  EXPECT_EQ(error.fault(), Fault::config);
  EXPECT_THAT(error.what(), HasSubstr("train 1, val 1, test 0"));
}

TEST(Split, ABlankPatientIsADataError) {
  const Error error = refusal([&] {
    split({"a", "", "b"}, {}, {{"train", 0.5}, {"test", 0.5}}, 1);
  });
  EXPECT_EQ(error.fault(), Fault::data);
  EXPECT_THAT(error.what(), HasSubstr("case 1 has a blank group"));
}

TEST(CheckGroups, APatientInTwoSplitsIsCountedAndNotNamed) {
  const std::vector<std::string> groups{"anna", "anna", "bert", "carl", "bert", "bert", "", ""};
  const std::vector<std::string> splits{"train", "test",  "train", "val",
                                        "val",   "train", "train", "test"};
  const auto shared = shared_groups(groups, splits);
  ASSERT_EQ(shared.size(), 2u);
  EXPECT_EQ(shared[0].first, 0);
  EXPECT_EQ(shared[0].second, 1);
  EXPECT_EQ(shared[1].first, 2);
  EXPECT_EQ(shared[1].second, 4);
  const Error error = refusal([&] { check_groups(groups, splits); });
  EXPECT_EQ(error.fault(), Fault::data);
  EXPECT_THAT(error.what(), HasSubstr("2 patients"));
  EXPECT_THAT(error.what(), HasSubstr("'train' and in 'test'"));
  EXPECT_THAT(error.what(), testing::Not(HasSubstr("anna")));
  EXPECT_NO_THROW(check_groups({"a", "b"}, std::vector<std::string>{"train", "test"}));
}

}  // namespace
}  // namespace fovea
