#include "fovea/metrics/drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/core/random.h"
#include "support/test_files.h"

namespace fovea::metrics {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<double> rising(int n) {
  std::vector<double> values;
  for (int i = 1; i <= n; ++i) values.push_back(i);
  return values;
}

std::vector<std::string> names(std::vector<std::pair<std::string, int>> counts) {
  std::vector<std::string> values;
  for (const auto& [name, count] : counts) values.insert(values.end(), count, name);
  return values;
}

TEST(NumberProfile, QuantilesEdgesAndIndexAreThoseOfNumpy) {
  const Json all = Json::parse(test::read_text(test::reference("drift.json")))["numbers"];
  ASSERT_EQ(all.size(), 3u);
  for (const Json& one : all) {
    const auto training = one["training"].get<std::vector<double>>();
    const NumberProfile profile = profile_numbers(training);
    EXPECT_EQ(profile.edges, one["edges"].get<std::vector<double>>());
    const auto quantiles = one["quantiles"].get<std::vector<double>>();
    ASSERT_EQ(profile.quantiles.size(), quantiles.size());
    for (size_t i = 0; i < quantiles.size(); ++i)
      EXPECT_NEAR(profile.quantiles[i], quantiles[i], 1e-12 * std::abs(quantiles[i]));
    const Drift found = drift(profile, one["evaluated"].get<std::vector<double>>());
    if (one.contains("psi")) {
      EXPECT_NEAR(found.psi.value, one["psi"], 1e-12);
    }
    if (one.contains("p")) {
      EXPECT_NEAR(found.values.p.value / double(one["p"]), 1, 1e-11);
    }
  }
}

TEST(NumberProfile, OfAThousandCasesHas101QuantilesAndDeciles) {
  std::vector<double> values = rising(1001);
  values.push_back(NAN);
  const NumberProfile profile = profile_numbers(values);
  ASSERT_EQ(profile.quantiles.size(), 101u);
  for (size_t i = 0; i < 101; ++i) EXPECT_EQ(profile.quantiles[i], 1 + 10.0 * i);
  EXPECT_THAT(profile.edges, ElementsAre(101, 201, 301, 401, 501, 601, 701, 801, 901));
  EXPECT_THAT(profile.missing.counts, ElementsAre(1001, 1));
}

// Between two quantiles there are five patients at least, in a bin twenty.
TEST(NumberProfile, OfFewPatientsKeepsLess) {
  EXPECT_EQ(profile_numbers(rising(50)).quantiles.size(), 11u);
  EXPECT_EQ(profile_numbers(rising(7)).quantiles, (std::vector<double>{1, 7}));
  EXPECT_EQ(profile_numbers(rising(199)).edges.size(), 8u);
  EXPECT_EQ(profile_numbers(rising(40)).edges, (std::vector<double>{20}));
  EXPECT_TRUE(profile_numbers(rising(39)).edges.empty());
  EXPECT_TRUE(profile_numbers({}).quantiles.empty());
  std::vector<uint32_t> patients;
  for (uint32_t i = 0; i < 400; ++i) patients.push_back(i / 10);
  EXPECT_EQ(profile_numbers(rising(400), patients).edges, (std::vector<double>{200}));
  EXPECT_EQ(profile_numbers(rising(400), patients).quantiles.size(), 9u);
}

// All deciles are 512; bins of them alone would hold everything in one.
TEST(NumberProfile, AValueThatManyShareHasABinOfItsOwn) {
  std::vector<double> values(950, 512.0);
  values.insert(values.end(), 50, 256.0);
  const NumberProfile profile = profile_numbers(values);
  EXPECT_THAT(profile.edges, ElementsAre(std::nextafter(512.0, 0.0), 512));
  EXPECT_THAT(profile.bins.counts, ElementsAre(50, 950, 0));
  const std::vector<double> larger(40, 1024.0);
  const Drift found = drift(profile, larger);
  EXPECT_EQ(found.outside, 40);
  EXPECT_GT(found.psi.value, kPsiLarge);
  EXPECT_LT(found.values.p.value, 1e-6);
}

TEST(NumberProfile, OfOneNumberStillSeesAnother) {
  const NumberProfile profile = profile_numbers(std::vector<double>(30, 0.0));
  EXPECT_THAT(profile.bins.counts, ElementsAre(0, 30, 0));
  EXPECT_EQ(profile.edges[1], 0);
  EXPECT_LT(profile.edges[0], 0);
  EXPECT_TRUE(std::isnormal(profile.edges[0]));  // all readers of numbers know it
  EXPECT_EQ(drift(profile, std::vector<double>(20, 0.0)).psi.value, 0);
  EXPECT_EQ(drift(profile, std::vector<double>(20, 0.0)).values.p.why_undefined,
            "all cases are in one cell");
  EXPECT_LT(drift(profile, std::vector<double>(20, -1e-9)).values.p.value, 1e-9);
}

TEST(CategoryProfile, NamesWhatSeveralPatientsHaveMostFrequentFirst) {
  const auto values = names({{"PA", 30}, {"AP", 70}, {"lateral", 4}, {"", 6}, {"oblique", 30}});
  const CategoryProfile profile = profile_categories(values);
  EXPECT_THAT(profile.names, ElementsAre("AP", "PA", "oblique"));
  EXPECT_THAT(profile.cells.counts, ElementsAre(70, 30, 30, 4));
  EXPECT_THAT(profile.missing.counts, ElementsAre(134, 6));
  // Thirty cases of one patient could name him.
  std::vector<uint32_t> patients;
  for (uint32_t i = 0; i < values.size(); ++i) patients.push_back(i < 30 ? 0 : i);
  EXPECT_THAT(profile_categories(values, patients).names, ElementsAre("AP", "oblique"));
}

TEST(CategoryProfile, KeepsFiftyNames) {
  std::vector<std::string> values;
  for (int i = 0; i < 60; ++i) values.insert(values.end(), 100 - i, "n" + std::to_string(i));
  const CategoryProfile profile = profile_categories(values);
  EXPECT_EQ(profile.names.size(), 50u);
  EXPECT_EQ(profile.names.back(), "n49");
  EXPECT_EQ(profile.apart, 0u);
  const Drift found = drift(profile, values);
  EXPECT_NEAR(found.psi.value, 0, 1e-15);
  EXPECT_EQ(found.values.p.why_undefined, "no category is much more frequent than the next");
  EXPECT_EQ(profile.cells.counts.back(), 455);  // 50 + … + 41
}

// 400 and 30 are 18 standard errors apart, 30 and 25 less than one, 25 and 4 nearly four.
TEST(CategoryProfile, TestsTheNamesThatChanceDidNotChoose) {
  EXPECT_EQ(profile_categories(names({{"a", 400}, {"b", 30}, {"c", 25}, {"d", 4}})).apart, 3u);
  EXPECT_EQ(profile_categories(names({{"a", 400}, {"b", 30}, {"c", 25}, {"d", 20}})).apart, 4u);
  const CategoryProfile profile =
      profile_categories(names({{"a", 400}, {"b", 30}, {"c", 12}, {"d", 8}, {"e", 4}}));
  EXPECT_EQ(profile.names.size(), 4u);
  EXPECT_EQ(profile.apart, 1u);
  const Drift found = drift(profile, names({{"a", 80}, {"d", 15}, {"new", 5}}));
  EXPECT_EQ(found.values.degrees, 1);
  const Cells training{.counts = {400, 54}, .patients = 454, .pairs = {}};
  const Cells evaluated{.counts = {80, 20}, .patients = 100, .pairs = {}};
  EXPECT_EQ(found.values.p.value, test_homogeneity(training, evaluated, Pooling::smallest).p.value);
}

TEST(Psi, IsTheSumByHand) {
  const double wanted = 0.2 * std::log(0.7 / 0.5) + (0.2 - 0.3) * std::log(0.2 / 0.3) +
                        (0.1 - 0.2) * std::log(0.1 / 0.2);
  EXPECT_NEAR(psi(std::vector<int64_t>{50, 30, 20}, std::vector<int64_t>{70, 20, 10}).value, wanted,
              1e-15);
  EXPECT_EQ(psi(std::vector<int64_t>{5, 3}, std::vector<int64_t>{500, 300}).value, 0);
}

TEST(Psi, CountsHalfACaseInAnEmptyBinUnlessFewerWereExpected) {
  // Evaluated 0 of 40 where 0.2 were expected: 0.5 / 40. Training 0 of 100 where 5 of 40 are: 0.5 / 100.
  const double wanted = (0.0125 - 0.2) * std::log(0.0125 / 0.2) +
                        (0.125 - 0.005) * std::log(0.125 / 0.005) +
                        (0.875 - 0.8) * std::log(0.875 / 0.8);
  EXPECT_NEAR(psi(std::vector<int64_t>{80, 20, 0, 0}, std::vector<int64_t>{35, 0, 5, 0}).value,
              wanted, 1e-15);
  // 0.01 of 40 cases were expected, none is there.
  EXPECT_NEAR(psi(std::vector<int64_t>{9990, 10}, std::vector<int64_t>{40, 0}).value, 0.001 * 0.001,
              1e-8);
}

TEST(Psi, IsUndefinedWithoutCases) {
  EXPECT_FALSE(psi(std::vector<int64_t>{0, 0}, std::vector<int64_t>{1, 1}).defined());
  EXPECT_FALSE(psi(std::vector<int64_t>{1, 1}, std::vector<int64_t>{0, 0}).defined());
  EXPECT_FALSE(psi(std::vector<int64_t>{7}, std::vector<int64_t>{9}).defined());
  EXPECT_THROW(psi(std::vector<int64_t>{7}, std::vector<int64_t>{9, 1}), Error);
}

TEST(Drift, OfACategoryThatTrainingDidNotHaveIsOutside) {
  const CategoryProfile profile = profile_categories(names({{"PA", 600}, {"AP", 400}}));
  const Drift found =
      drift(profile, names({{"AP", 30}, {"PA", 50}, {"lateral", 15}, {"oblique", 5}, {"", 9}}));
  EXPECT_EQ(found.cases, 100);
  EXPECT_EQ(found.missing, 9);
  EXPECT_EQ(found.outside, 20);
  EXPECT_NEAR(found.psi.value,
              -0.1 * std::log(0.5 / 0.6) - 0.1 * std::log(0.3 / 0.4) +
                  (0.2 - 0.0005) * std::log(0.2 / 0.0005),
              1e-14);
  EXPECT_NEAR(found.psi_by_chance.value, 2 * (1 / 1000.0 + 1 / 100.0), 1e-15);
  EXPECT_LT(found.values.p.value, 1e-9);
  EXPECT_EQ(found.missing_rates.method, "Fisher, exact");
  EXPECT_NEAR(found.missing_rates.p.value, fisher_exact(1000, 0, 100, 9), 1e-20);
}

TEST(Drift, IsUndefinedForAReasonAndNeverANumber) {
  const NumberProfile few = profile_numbers(rising(39)), many = profile_numbers(rising(400));
  const NumberProfile none = profile_numbers(std::vector<double>(60, NAN));
  const std::vector<double> some = rising(30), gone(30, NAN);
  EXPECT_EQ(drift(few, some).psi.why_undefined,
            "the training data have too few patients for two bins");
  EXPECT_EQ(drift(few, some).values.p.why_undefined,
            "the training data have too few patients for two bins");
  EXPECT_EQ(drift(none, some).psi.why_undefined, "no training case has a value");
  EXPECT_EQ(drift(many, gone).psi_by_chance.why_undefined, "no evaluated case has a value");
  EXPECT_EQ(drift(many, {}).missing_rates.p.why_undefined, "no evaluated case");
  EXPECT_EQ(drift(profile_numbers({}), some).missing_rates.p.why_undefined, "no training case");
  EXPECT_EQ(drift(many, some).missing_rates.p.why_undefined, "no case lacks a value");
  EXPECT_EQ(drift(none, gone).missing_rates.p.why_undefined, "every case lacks a value");
  EXPECT_LT(drift(many, gone).missing_rates.p.value, 1e-30);
}

TEST(Drift, RefusesInfinitiesAndProfilesThatNoDataMake) {
  NumberProfile profile = profile_numbers(rising(400));
  try {
    drift(profile, std::vector<double>{1, NAN, -INFINITY});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_THAT(error.what(), HasSubstr("case 2 is infinite"));
  }
  EXPECT_THROW(profile_numbers(std::vector<double>{INFINITY}), Error);
  EXPECT_THROW(profile_numbers(std::vector<double>{1, 2}, std::vector<uint32_t>{0}), Error);
  const std::vector<double> some = rising(3);
  const auto refused = [&](auto spoil) {
    NumberProfile spoilt = profile;
    spoil(spoilt);
    EXPECT_THROW(drift(spoilt, some), Error);
  };
  refused([](NumberProfile& p) { std::swap(p.edges[0], p.edges[1]); });
  refused([](NumberProfile& p) { p.edges[0] = NAN; });
  refused([](NumberProfile& p) { p.edges.pop_back(); });
  refused([](NumberProfile& p) { p.quantiles[3] = 1e9; });
  refused([](NumberProfile& p) { p.bins.counts[0] = -1; });
  refused([](NumberProfile& p) { ++p.missing.counts[0], ++p.missing.patients; });
  refused([](NumberProfile& p) { p.missing.counts.clear(); });
  CategoryProfile categories = profile_categories(names({{"a", 9}, {"b", 9}}));
  categories.apart = 3;
  EXPECT_THROW(drift(categories, names({{"a", 3}})), Error);
  categories.apart = 0;
  categories.names.pop_back();
  EXPECT_THROW(drift(categories, names({{"a", 3}})), Error);
}

TEST(Drift, DoesNotDependOnTheOrderOfCases) {
  Random random(5, Purpose::sample);
  std::vector<std::pair<double, uint32_t>> training, evaluated;
  for (uint32_t i = 0; i < 900; ++i) {
    training.emplace_back(std::round(4 * random.normal()), i / 2);
    if (i < 300) evaluated.emplace_back(std::round(4 * random.normal() + 1), i / 3);
  }
  const auto found = [&] {
    std::vector<double> a, b;
    std::vector<uint32_t> of_a, of_b;
    for (const auto& [value, patient] : training) a.push_back(value), of_a.push_back(patient);
    for (const auto& [value, patient] : evaluated) b.push_back(value), of_b.push_back(patient);
    return drift(profile_numbers(a, of_a), b, of_b);
  };
  const Drift before = found();
  random.shuffle(training);
  random.shuffle(evaluated);
  EXPECT_EQ(found().psi.value, before.psi.value);
  EXPECT_EQ(found().values.p.value, before.values.p.value);
}

/// How cases come about: patients with one to `most` cases, whose numbers share `alike` of their variance.
struct Design {
  const char* name;
  int training, evaluated;  ///< patients
  int most;
  double alike;
  std::function<double(double)> seen;  ///< the value of a normal number
};

/// The share of drawn studies without drift whose p is at most 0.05 and 0.5, and the mean of the index over
/// what chance makes of it.
struct Outcome {
  double at_5 = 0, at_50 = 0, naive_at_5 = 0, index = 0;
};

constexpr int kNaive = 5;  // of so many studies one is also tested as if cases were independent

Outcome simulate(const Design& design, int studies) {
  Outcome result;
  for (int study = 0; study < studies; ++study) {
    Random random(77, Purpose::sample, static_cast<uint64_t>(design.training * design.most),
                  static_cast<uint64_t>(study));
    const auto sample = [&](int patients, std::vector<uint32_t>& clusters) {
      std::vector<double> values;
      for (int patient = 0; patient < patients; ++patient) {
        const double own = std::sqrt(design.alike) * random.normal();
        for (int64_t left = 1 + random.below(design.most); left > 0; --left) {
          values.push_back(design.seen(own + std::sqrt(1 - design.alike) * random.normal()));
          clusters.push_back(static_cast<uint32_t>(patient));
        }
      }
      return values;
    };
    std::vector<uint32_t> of_training, of_evaluated;
    const auto training = sample(design.training, of_training);
    const auto evaluated = sample(design.evaluated, of_evaluated);
    const Drift found = drift(profile_numbers(training, of_training), evaluated, of_evaluated);
    result.at_5 += found.values.p.value <= 0.05;
    result.at_50 += found.values.p.value <= 0.5;
    result.index += found.psi.value / found.psi_by_chance.value;
    if (study % kNaive == 0)
      result.naive_at_5 +=
          kNaive * (drift(profile_numbers(training), evaluated).values.p.value <= 0.05);
  }
  for (double* sum : {&result.at_5, &result.at_50, &result.naive_at_5, &result.index})
    *sum /= studies;
  return result;
}

// Within four binomial standard errors of 0.05 and of 0.5; for patients with several cases, whose test is an
// approximation, within as many and a fifth.
TEST(Drift, ProbabilitiesAreEvenlySpreadWhereNothingHasDrifted) {
  constexpr int kStudies = 1000;
  const auto as_it_is = [](double z) { return z; };
  const auto size = [](double z) {
    return z < 0 ? 512.0 : z < 1 ? 1024.0 : z < 1.5 ? 800.0 : 2048.0;
  };
  const auto rounded = [](double z) { return std::round(3 * z); };
  const Design designs[] = {{"independent", 400, 200, 1, 0, as_it_is},
                            {"independent, sizes of images", 400, 200, 1, 0, size},
                            {"independent, whole numbers", 300, 120, 1, 0, rounded},
                            {"patients, half alike", 400, 150, 5, 0.5, as_it_is},
                            {"patients, all alike", 400, 150, 5, 1, as_it_is},
                            {"patients, sizes of images", 300, 100, 6, 0.9, size}};
  for (const Design& design : designs) {
    SCOPED_TRACE(design.name);
    const Outcome found = simulate(design, kStudies);
    const bool clustered = design.most > 1;
    const double more = clustered ? 1.2 : 1, less = clustered ? 0.6 : 1;
    EXPECT_LE(found.at_5, 0.05 * more + 4 * std::sqrt(0.05 * 0.95 / kStudies));
    EXPECT_GE(found.at_5, 0.05 * less - 4 * std::sqrt(0.05 * 0.95 / kStudies));
    EXPECT_NEAR(found.at_50, 0.5, (clustered ? 0.05 : 0) + 4 * std::sqrt(0.25 / kStudies));
    EXPECT_NEAR(found.index, 1, 0.1);
    if (clustered) {
      EXPECT_GT(found.naive_at_5, 0.09) << "the correction is needed";
    }
    std::printf("%s: %.4f at 0.05, %.4f at 0.5, naive %.4f, index %.3f\n", design.name, found.at_5,
                found.at_50, found.naive_at_5, found.index);
  }
}

// 300 categories whose frequencies fall as 1 / rank, as words' do: of the 50 most frequent in the training
// data each is less frequent elsewhere.
TEST(Drift, OfManyRareCategoriesIsNotFoundWhereThereIsNone) {
  constexpr int kStudies = 400;
  int at_5 = 0;
  for (int study = 0; study < kStudies; ++study) {
    Random random(78, Purpose::sample, 0, static_cast<uint64_t>(study));
    const auto sample = [&] {
      std::vector<std::string> values;
      for (int i = 0; i < 1000; ++i)
        values.push_back(std::to_string(static_cast<int>(std::pow(300, random.uniform()))));
      return values;
    };
    const CategoryProfile profile = profile_categories(sample());
    at_5 += drift(profile, sample()).values.p.value <= 0.05;
  }
  EXPECT_LE(at_5, kStudies * 0.05 + 4 * std::sqrt(kStudies * 0.05 * 0.95));
  EXPECT_GE(at_5, 3);
}

TEST(Drift, IsFoundWherePatientsChange) {
  Random random(6, Purpose::sample);
  std::vector<double> training, evaluated;
  std::vector<uint32_t> of_training, of_evaluated;
  for (uint32_t patient = 0; patient < 500; ++patient) {
    const double own = random.normal();
    for (int i = 0; i < 3; ++i) {
      training.push_back(own + random.normal());
      of_training.push_back(patient);
      if (patient >= 150) continue;
      evaluated.push_back(own + random.normal() + 1.2);
      of_evaluated.push_back(patient);
    }
  }
  const Drift found = drift(profile_numbers(training, of_training), evaluated, of_evaluated);
  EXPECT_GT(found.psi.value, kPsiLarge);
  EXPECT_LT(found.values.p.value, 1e-6);
  EXPECT_GT(found.values.design_effect, 1.05);
}

}  // namespace
}  // namespace fovea::metrics
