#include "fovea/metrics/homogeneity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/core/random.h"
#include "fovea/metrics/distribution.h"
#include "support/test_files.h"

namespace fovea::metrics {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

Json reference(const char* part) {
  return Json::parse(test::read_text(test::reference("drift.json")))[part];
}

/// Independent cases.
Cells of(std::vector<int64_t> counts) {
  Cells cells{.counts = std::move(counts), .patients = 0, .pairs = {}};
  cells.patients = cells.cases();
  return cells;
}

TEST(Cells, CountPairsOfCasesOfAPatient) {
  // Patient 0: cells 0, 0, 1; patient 1: cell 1; patient 2: cells 1, 2; a case without a cell.
  const Cells cells = count_cells(std::vector<int32_t>{0, 1, 0, 1, 2, 1, -1}, 3,
                                  std::vector<uint32_t>{0, 1, 0, 0, 2, 2, 2});
  EXPECT_THAT(cells.counts, ElementsAre(2, 3, 1));
  EXPECT_EQ(cells.patients, 3);
  // (0,0): 2 * 2; (1,0): 2 * 1; (1,1): 1 + 1 + 1; (2,0): 0; (2,1): 1; (2,2): 1
  EXPECT_THAT(cells.pairs, ElementsAre(4, 2, 3, 0, 1, 1));
}

TEST(Cells, OfPatientsWithOneCaseEachHoldNoPairs) {
  const Cells cells =
      count_cells(std::vector<int32_t>{0, 1, -1}, 2, std::vector<uint32_t>{2, 0, 0});
  EXPECT_TRUE(cells.single());
  EXPECT_EQ(cells.patients, 2);
}

TEST(Cells, ThatNoCasesCouldHaveAreRefused) {
  EXPECT_THROW(of({3, -1}).check(), Error);
  Cells cells = of({3, 4});
  cells.patients = 5;  // and no pairs
  EXPECT_THROW(cells.check(), Error);
  cells.pairs = {9, 1};
  EXPECT_THROW(cells.check(), Error);
  cells.pairs = {9, 1, 3};  // 4 cases make at least 4 pairs with themselves
  EXPECT_THROW(cells.check(), Error);
  cells.pairs = {9, 1, 4};
  EXPECT_NO_THROW(cells.check());
  cells.patients = 8;
  EXPECT_THROW(cells.check(), Error);
  EXPECT_THROW(count_cells(std::vector<int32_t>{2}, 2), Error);
  EXPECT_THROW(count_cells(std::vector<int32_t>{0, 0}, 1, std::vector<uint32_t>{0, 7}), Error);
  EXPECT_THROW(test_homogeneity(of({1, 2}), of({1, 2, 3}), Pooling::smallest), Error);
}

TEST(Fisher, IsSciPys) {
  const Json all = reference("fisher");
  ASSERT_GT(all.size(), 60u);
  for (const Json& one : all) {
    const auto t = one["table"].get<std::vector<int64_t>>();
    EXPECT_NEAR(fisher_exact(t[0], t[1], t[2], t[3]), one["p"], 1e-12 * double(one["p"]))
        << one["table"];
  }
}

// Fisher's tea: 3 of 4 right. Tables with 0 … 4 right weigh 1, 16, 36, 16, 1 of 70.
TEST(Fisher, OfTheTeaIs34Of70) {
  EXPECT_NEAR(fisher_exact(3, 1, 1, 3), 34 / 70.0, 1e-15);
  EXPECT_NEAR(fisher_exact(4, 0, 0, 4), 2 / 70.0, 1e-15);
  EXPECT_EQ(fisher_exact(0, 0, 3, 5), 1);
}

TEST(Homogeneity, OfIndependentCasesIsSciPys) {
  const Json all = reference("independent");
  ASSERT_GE(all.size(), 8u);
  for (const Json& one : all)
    for (const Pooling pooling : {Pooling::neighbours, Pooling::smallest}) {
      const Homogeneity found = test_homogeneity(of(one["a"]), of(one["b"]), pooling);
      EXPECT_NEAR(found.statistic.value / double(one["statistic"]), 1, 1e-12);
      EXPECT_NEAR(found.p.value / double(one["p"]), 1, 1e-11);
      EXPECT_EQ(found.degrees + 1, one["a"].size());
      EXPECT_EQ(found.design_effect, 1);
      EXPECT_EQ(found.method, "chi-squared");
    }
}

// Patients as rows of a matrix, eigenvalues, statsmodels' errors for clusters: make_drift.py.
TEST(Homogeneity, OfPatientsWithSeveralCasesIsThatOfTheEigenvalues) {
  const Json all = reference("clustered");
  ASSERT_EQ(all.size(), 6u);
  for (const Json& one : all) {
    const auto cells = [&](const char* sample) {
      return count_cells(one[sample][0].get<std::vector<int32_t>>(), one["cells"],
                         one[sample][1].get<std::vector<uint32_t>>());
    };
    const Cells a = cells("training"), b = cells("evaluated");
    const Homogeneity found = test_homogeneity(a, b, Pooling::smallest);
    ASSERT_TRUE(found.p.defined()) << found.p.why_undefined;
    EXPECT_NEAR(found.statistic.value / double(one["statistic"]), 1, 1e-11);
    EXPECT_NEAR(found.design_effect / double(one["design_effect"]), 1, 1e-11);
    EXPECT_NEAR(found.p.value / double(one["p"]), 1, 1e-10);
    EXPECT_NEAR(distance_by_chance(a, b).value / double(one["by_chance"]), 1, 1e-11);
    EXPECT_NEAR(test_homogeneity(b, a, Pooling::smallest).p.value / found.p.value, 1, 1e-11);
  }
}

// Each case three times, in one patient: the statistic is three times that of the single ones, and so is the
// design effect, but for the n - 1 in the variances.
TEST(Homogeneity, RepeatedCasesOfAPatientAddNothing) {
  const auto sample = [](std::vector<int> counts, int times) {
    std::vector<int32_t> cells;
    std::vector<uint32_t> patients;
    uint32_t patient = 0;
    for (size_t i = 0; i < counts.size(); ++i)
      for (int k = 0; k < counts[i]; ++k, ++patient)
        for (int t = 0; t < times; ++t) {
          cells.push_back(static_cast<int32_t>(i));
          patients.push_back(patient);
        }
    return count_cells(cells, counts.size(), patients);
  };
  const std::vector<int> a{300, 200, 500}, b{330, 230, 400};
  const double alone = test_homogeneity(sample(a, 1), sample(b, 1), Pooling::smallest).p.value;
  const Homogeneity thrice = test_homogeneity(sample(a, 3), sample(b, 3), Pooling::smallest);
  EXPECT_NEAR(thrice.design_effect, 3, 0.02);
  EXPECT_NEAR(thrice.p.value, alone, 0.02 * alone);
  EXPECT_LT(test_homogeneity(of({900, 600, 1500}), of({990, 690, 1200}), Pooling::smallest).p.value,
            0.01 * alone);
}

TEST(Homogeneity, PoolsCellsWithFewCasesWithTheirNeighboursOrTheSmallest) {
  // Expected among 100 of 1,100: 40.9, 0.6, 50, 8.5. Beside the second cell the first is the smaller.
  const Cells a = of({400, 5, 510, 85}), b = of({50, 2, 40, 8});
  const auto statistic = [](const Cells& x, const Cells& y) {
    return test_homogeneity(x, y, Pooling::smallest).statistic.value;
  };
  // The second cell alone is rare; its own test is below.
  const Homogeneity bins = test_homogeneity(a, b, Pooling::neighbours);
  EXPECT_EQ(bins.degrees, 2);
  EXPECT_NEAR(bins.statistic.value, statistic(of({405, 510, 85}), of({52, 40, 8})), 1e-12);
  const Homogeneity names = test_homogeneity(a, b, Pooling::smallest);
  EXPECT_EQ(names.degrees, 2);
  EXPECT_NEAR(names.statistic.value, statistic(of({400, 90, 510}), of({50, 10, 40})), 1e-12);
}

TEST(Homogeneity, OfTwoCellsWithFewCasesIsFishers) {
  const Homogeneity found = test_homogeneity(of({990, 10}), of({18, 2}), Pooling::smallest);
  EXPECT_EQ(found.p.value, fisher_exact(990, 10, 18, 2));
  EXPECT_EQ(found.method, "Fisher, exact");
  EXPECT_FALSE(found.statistic.defined());
  // Cells without a case in either sample are none.
  EXPECT_EQ(test_homogeneity(of({0, 990, 0, 10}), of({0, 18, 0, 2}), Pooling::smallest).p.value,
            found.p.value);
}

TEST(Homogeneity, ARareCellThatOneSampleHasAloneIsNotHiddenByPooling) {
  const Cells a = of({600, 400, 0}), b = of({60, 32, 8});
  const Homogeneity found = test_homogeneity(a, b, Pooling::smallest);
  EXPECT_TRUE(found.rare_cells);
  EXPECT_EQ(found.degrees, 1);
  double all_eight = 1;  // that 8 of 1,100 cases drawn without replacement are all among 100
  for (int i = 0; i < 8; ++i) all_eight *= (100.0 - i) / (1100 - i);
  EXPECT_NEAR(found.p.value / (4 * all_eight), 1, 1e-12);
  EXPECT_EQ(test_homogeneity(b, a, Pooling::smallest).p.value, found.p.value);
}

// 8 cases of 2 patients say as much as 2 of 50 patients, and the 500 training cases as much as 500 / 2 patients.
TEST(Homogeneity, ARareCellCountsThePatientsThatHaveIt) {
  std::vector<int32_t> cells;
  std::vector<uint32_t> patients;
  for (uint32_t i = 0; i < 100; ++i) {
    cells.push_back(i < 8 ? 2 : i % 4 != 0);
    patients.push_back(i < 8 ? i / 4 : i < 52 ? 2 + (i - 8) : 46 + (i - 52) / 12);
  }
  const Cells b = count_cells(cells, 3, patients);
  ASSERT_EQ(b.patients, 50);
  const Homogeneity found = test_homogeneity(of({125, 375, 0}), b, Pooling::smallest);
  ASSERT_TRUE(found.rare_cells);
  EXPECT_NEAR(found.p.value, 2 * 2 * (50.0 / 300) * (49.0 / 299), 1e-12);
}

TEST(Homogeneity, IsUndefinedWhereThereIsNothingToCompare) {
  const auto why = [](const Cells& a, const Cells& b) {
    const Homogeneity found = test_homogeneity(a, b, Pooling::neighbours);
    EXPECT_FALSE(found.statistic.defined());
    EXPECT_TRUE(found.method.empty());
    return found.p.why_undefined;
  };
  EXPECT_EQ(why(of({0, 0}), of({1, 2})), "the first sample has no case");
  EXPECT_EQ(why(of({1, 2}), of({0, 0})), "the second sample has no case");
  EXPECT_EQ(why(of({0, 9}), of({0, 7})), "all cases are in one cell");
  // Nine patients cannot make five in each of two cells.
  std::vector<int32_t> cells;
  std::vector<uint32_t> patients;
  for (uint32_t i = 0; i < 90; ++i) {
    cells.push_back(i % 2);
    patients.push_back(i / 10);
  }
  EXPECT_THAT(why(of({500, 500}), count_cells(cells, 2, patients)), HasSubstr("fewer than 5"));
  EXPECT_FALSE(distance_by_chance(of({50, 50}),
                                  count_cells(cells, 2, std::vector<uint32_t>(cells.size(), 0u)))
                   .defined());
}

TEST(Homogeneity, DoesNotDependOnTheOrderOfCasesNorOnTheNumbersOfPatients) {
  Random random(4, Purpose::sample);
  std::vector<std::pair<int32_t, uint32_t>> cases;
  for (uint32_t i = 0; i < 400; ++i)
    cases.emplace_back(static_cast<int32_t>(random.below(4)), i / 3);
  const auto p = [&] {
    std::vector<int32_t> cells;
    std::vector<uint32_t> patients;
    for (const auto& [cell, patient] : cases) {
      cells.push_back(cell);
      patients.push_back(133 - patient);
    }
    return test_homogeneity(of({200, 250, 260, 240}), count_cells(cells, 4, patients),
                            Pooling::smallest)
        .p.value;
  };
  const double before = p();
  random.shuffle(cases);
  EXPECT_EQ(p(), before);
  for (auto& [cell, patient] : cases) patient = 133 - patient;
  EXPECT_EQ(p(), before);
}

}  // namespace
}  // namespace fovea::metrics
