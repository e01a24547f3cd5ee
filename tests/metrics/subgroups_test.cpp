#include "fovea/metrics/subgroups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "fovea/core/error.h"
#include "fovea/metrics/comparison.h"
#include "fovea/metrics/delong.h"
#include "fovea/metrics/significance.h"
#include "metrics/drawn.h"

namespace fovea::metrics {
namespace {

using test::drawn;
using test::drawn_numbers;

Grouping of_three(size_t cases) {
  Grouping grouping{.name = "sex", .values = {"f", "m", "x"}, .of_case = {}, .lines = {}};
  for (size_t i = 0; i < cases; ++i)
    grouping.of_case.push_back(i % 10 == 9 ? 2 : static_cast<uint32_t>(i % 2));
  return grouping;
}

TEST(Subgroups, EachIsEvaluatedAsIfItStoodAlone) {
  const Predictions all = drawn(Mode::binary, 200, 3);
  const Clusters patients = clusters_of(all.groups, 200);
  const Grouping grouping = of_three(200);
  const SubgroupEstimates found =
      subgroups(*evaluated(all), patients, grouping, {.replicates = 100});
  ASSERT_EQ(found.groups.size(), 3u);
  for (uint32_t g = 0; g < 3; ++g) {
    std::vector<uint32_t> rows;
    for (uint32_t i = 0; i < 200; ++i)
      if (grouping.of_case[i] == g) rows.push_back(i);
    const Predictions alone = all.part(rows);
    const Clusters own = clusters_of(alone.groups, rows.size());
    const auto wanted = estimates(*evaluated(alone), own, {.replicates = 100});
    EXPECT_EQ(found.groups[g].cases, static_cast<int64_t>(rows.size()));
    EXPECT_EQ(found.groups[g].patients, static_cast<int64_t>(own.count));
    for (size_t k = 0; k < wanted.size(); ++k) {
      EXPECT_EQ(found.groups[g].estimates[k].value.value, wanted[k].value.value);
      const Interval &here = found.groups[g].estimates[k].bounds.interval,
                     &there = wanted[k].bounds.interval;
      EXPECT_EQ(here.defined(), there.defined());
      if (here.defined()) EXPECT_EQ(here.low, there.low);
    }
  }
}

TEST(Subgroups, TheGapIsBetweenTheTwoThatAreFarthestApart) {
  Numbers numbers = drawn_numbers(120);
  for (size_t i = 0; i < 120; ++i)  // the second is off by 20, and half of the third by 3
    numbers.predicted[i] = numbers.targets[i] + (i % 3 == 1 ? 20 : i % 6 == 2 ? 3 : 0);
  Grouping grouping{.name = "site", .values = {"a", "b", "c"}, .of_case = {}, .lines = {}};
  for (uint32_t i = 0; i < 120; ++i) grouping.of_case.push_back(i % 3);
  const auto found =
      subgroups(*evaluated(numbers), clusters_of({}, 120), grouping, {.replicates = 200});
  const auto gap =
      std::ranges::find(found.gaps, "mae", [](const Gap& one) { return one.key.name; });
  ASSERT_NE(gap, found.gaps.end());
  EXPECT_EQ(gap->low_group, "a");
  EXPECT_EQ(gap->high_group, "b");
  EXPECT_DOUBLE_EQ(gap->difference, 20);
  EXPECT_FALSE(gap->bounds.interval.defined());  // no sample changes it
}

// The variance of a difference of two independent groups is the sum of theirs.
TEST(Subgroups, TheIntervalOfAGapIsThatOfADifferenceOfIndependentGroups) {
  const Predictions all = drawn(Mode::binary, 600, 1);
  Grouping grouping{.name = "sex", .values = {"f", "m"}, .of_case = {}, .lines = {}};
  for (uint32_t i = 0; i < 600; ++i) grouping.of_case.push_back(i % 2);
  const auto found = subgroups(*evaluated(all), clusters_of({}, 600), grouping);
  double variance = 0;
  for (uint32_t g = 0; g < 2; ++g) {
    std::vector<double> scores;
    std::vector<uint8_t> labels;
    for (uint32_t i = g; i < 600; i += 2) {
      scores.push_back(all.probability(i, 1));
      labels.push_back(static_cast<uint8_t>(all.labels[i]));
    }
    variance += estimate_auc(scores, labels).variance.value;
  }
  ASSERT_EQ(found.gaps.front().key.name, "auc");
  EXPECT_NEAR(found.gaps.front().bounds.interval.half_width(), 1.96 * std::sqrt(variance),
              0.06 * 1.96 * std::sqrt(variance));
}

TEST(Subgroups, SmallOnesAreMarkedAndHaveNoGap) {
  Grouping grouping{
      .name = "sex", .values = {"f", "m"}, .of_case = std::vector<uint32_t>(100), .lines = {}};
  for (size_t i = 0; i < 12; ++i) grouping.of_case[i] = 1;
  const auto found =
      subgroups(*evaluated(drawn_numbers(100)), clusters_of({}, 100), grouping, {.replicates = 50});
  EXPECT_FALSE(found.groups[0].small);
  EXPECT_TRUE(found.groups[1].small);
  EXPECT_FALSE(found.groups[1].withheld);
  EXPECT_TRUE(found.gaps.empty());
}

TEST(Subgroups, OfFewerThanFiveCasesNothingIsToldUnlessAsked) {
  Grouping grouping{
      .name = "sex", .values = {"f", "m", "x"}, .of_case = std::vector<uint32_t>(100), .lines = {}};
  for (size_t i = 0; i < 30; ++i) grouping.of_case[i] = 1;
  for (size_t i = 30; i < 33; ++i) grouping.of_case[i] = 2;
  const EvaluatedPtr cases = evaluated(drawn_numbers(100));
  const auto found = subgroups(*cases, clusters_of({}, 100), grouping, {.replicates = 50});
  EXPECT_FALSE(found.groups[0].withheld);
  EXPECT_TRUE(found.groups[1].withheld);  // else the three are all less the others
  EXPECT_TRUE(found.groups[2].withheld);
  EXPECT_TRUE(found.groups[2].estimates.empty());
  const auto told =
      subgroups(*cases, clusters_of({}, 100), grouping, {.replicates = 50}, /*tell_all=*/true);
  EXPECT_FALSE(told.groups[2].withheld);
  EXPECT_EQ(told.groups[2].estimates.size(), cases->overall());
}

TEST(Withheld, NoLineGivesASmallGroupAway) {
  Random random(3, Purpose::sample);
  for (int round = 0; round < 500; ++round) {
    const auto wide = static_cast<uint32_t>(1 + random.below(4));
    const auto high = static_cast<uint32_t>(1 + random.below(4));
    std::vector<int64_t> cases(wide * high);
    for (int64_t& one : cases) one = random.chance(0.4) ? random.below(8) : random.below(60);
    std::vector<std::vector<uint32_t>> lines(wide + high);
    for (uint32_t y = 0; y < high; ++y)
      for (uint32_t x = 0; x < wide; ++x) {
        lines[y].push_back(y * wide + x);
        lines[high + x].push_back(y * wide + x);
      }
    const std::vector<uint8_t> hidden = withheld(cases, lines);
    for (size_t g = 0; g < cases.size(); ++g)
      EXPECT_TRUE(hidden[g] || cases[g] == 0 || cases[g] >= kWithheldBelow);
    for (const auto& line : lines) {
      int64_t groups = 0, sum = 0, told = 0;
      for (const uint32_t g : line) {
        groups += hidden[g];
        sum += hidden[g] * cases[g];
        told += !hidden[g] && cases[g] > 0;
      }
      // What the others leave is of two groups at least, and of five cases; or nothing else is told.
      EXPECT_TRUE(groups == 0 || told == 0 || (groups > 1 && sum >= kWithheldBelow)) << round;
    }
  }
}

TEST(Withheld, NothingWhereAllGroupsAreLarge) {
  EXPECT_EQ(withheld(std::vector<int64_t>{5, 80, 0}, {}), (std::vector<uint8_t>{0, 0, 0}));
}

TEST(Comparison, OfAModelWithItselfFindsNothing) {
  const Predictions one = drawn(Mode::binary, 120, 2);
  const EvaluatedPtr cases = evaluated(one);
  for (const Difference& found :
       compare(*cases, *cases, clusters_of(one.groups, 120), {.replicates = 100})) {
    EXPECT_EQ(found.difference.value, 0) << found.key.name;
    if (found.p.defined()) EXPECT_EQ(found.p.value, 1) << found.key.name;
    EXPECT_FALSE(found.bounds.interval.defined() && found.bounds.interval.half_width() > 0);
  }
}

TEST(Comparison, OfIndependentCasesIsDeLongsAndMcNemars) {
  const Predictions a = drawn(Mode::binary, 300, 1, 1, 1.2);
  Predictions b = a;
  Random random(9, Purpose::sample);
  for (size_t i = 0; i < 300; ++i) {  // the same model, blurred
    b.probabilities[2 * i + 1] = (a.probability(i, 1) + random.uniform()) / 2;
    b.probabilities[2 * i] = 1 - b.probabilities[2 * i + 1];
  }
  const auto all =
      compare(*evaluated(a), *evaluated(b), clusters_of({}, 300), {.replicates = 1000});
  std::vector<double> of_a, of_b;
  std::vector<uint8_t> labels;
  int64_t only_a = 0, only_b = 0;
  for (size_t i = 0; i < 300; ++i) {
    of_a.push_back(a.probability(i, 1));
    of_b.push_back(b.probability(i, 1));
    labels.push_back(static_cast<uint8_t>(a.labels[i]));
    const bool right_a = (of_a[i] >= 0.5) == labels[i], right_b = (of_b[i] >= 0.5) == labels[i];
    only_a += right_a && !right_b;
    only_b += right_b && !right_a;
  }
  const AucDifference wanted = compare_auc(of_a, of_b, labels);
  EXPECT_EQ(all[0].key.name, "auc");
  EXPECT_EQ(all[0].test, "DeLong");
  EXPECT_EQ(all[0].p.value, wanted.p.value);
  EXPECT_NEAR(all[0].difference.value, wanted.difference.value, 1e-14);
  const auto accuracy = std::ranges::find(all, "accuracy", [](auto& one) { return one.key.name; });
  EXPECT_EQ(accuracy->test, "McNemar, exact");
  EXPECT_EQ(accuracy->p.value, mcnemar(only_a, only_b).value);
  const auto brier = std::ranges::find(all, "brier", [](auto& one) { return one.key.name; });
  EXPECT_EQ(brier->test, "bootstrap");
  EXPECT_LT(brier->bounds.interval.low, brier->difference.value);
  EXPECT_GT(brier->bounds.interval.high, brier->difference.value);
}

TEST(Comparison, OfPatientsWithSeveralCasesHasNoTestOfIndependentOnes) {
  const Predictions a = drawn(Mode::binary, 150, 3, 1, 1.2),
                    b = drawn(Mode::binary, 150, 3, 1, 0.4);
  for (const Difference& one :
       compare(*evaluated(a), *evaluated(b), clusters_of(a.groups, 150), {.replicates = 200}))
    EXPECT_THAT(one.test, testing::AnyOf("Obuchowski", "bootstrap by patients")) << one.key.name;
}

TEST(Comparison, RefusesOtherCasesAndOtherTargets) {
  const EvaluatedPtr a = evaluated(drawn(Mode::binary, 20, 1));
  EXPECT_THROW(compare(*a, *evaluated(drawn(Mode::binary, 21, 1)), clusters_of({}, 20)), Error);
  EXPECT_THROW(compare(*a, *evaluated(drawn_numbers(20)), clusters_of({}, 20)), Error);
}

}  // namespace
}  // namespace fovea::metrics
