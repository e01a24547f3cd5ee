#include "fovea/bundle/drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/bundle/card.h"
#include "fovea/core/error.h"
#include "fovea/core/random.h"
#include "support/test_files.h"

namespace fovea::bundle {
namespace {

using sources::Quantity;

std::vector<Quantity> drawn(uint64_t seed, double shift) {
  Random random(seed, Purpose::sample);
  Quantity age{"labs", "age", false}, view{"labs", "view", true};
  for (int i = 0; i < 600; ++i) {
    age.numbers.push_back(random.chance(0.1) ? std::nan("") : 50 + 10 * random.normal() + shift);
    view.categories.emplace_back(random.chance(0.7 - shift / 20) ? "PA" : "AP");
  }
  return {age, view};
}

std::vector<uint32_t> pairs() {
  std::vector<uint32_t> patients;
  for (uint32_t i = 0; i < 600; ++i) patients.push_back(i / 2);
  return patients;
}

ModelCard some_card() {
  ModelCard card;
  card.inputs = {{"labs", InputShape{.sizes = {2}}}};
  card.targets = {{.name = "label", .classes = {"no", "yes"}}};
  return card;
}

ModelCard written_and_read(const ModelCard& card) {
  const test::TempFolder folder;
  write_card(folder / "model.json", card);
  return read_card(folder / "model.json");
}

TEST(TrainingProfile, TravelsInModelJsonAndFindsWhatDrifted) {
  ModelCard card = some_card();
  card.profile = profile_of(drawn(1, 0), pairs());
  const ModelCard read = written_and_read(card);
  const auto same = drift_of(read.profile, drawn(2, 0), pairs());
  ASSERT_EQ(same.size(), 3u);  // age, age missing, view
  EXPECT_EQ(same[0].quantity, "age");
  EXPECT_EQ(same[1].quantity, "age, missing");
  EXPECT_EQ(same[2].quantity, "view");
  for (const report::Drift& one : same) EXPECT_GT(one.p.value, 0.01) << one.quantity;
  const auto other = drift_of(read.profile, drawn(2, 6), pairs());
  EXPECT_LT(other[0].p.value, 1e-6);
  EXPECT_GT(other[0].stability_index.value, metrics::kPsiLarge);
  EXPECT_GT(other[1].p.value, 0.01);  // as many are missing
  EXPECT_LT(other[2].p.value, 1e-6);
  EXPECT_THAT(other[2].training, testing::StartsWith("PA "));
  EXPECT_GT(std::stod(other[0].here), std::stod(other[0].training) + 4);
}

TEST(TrainingProfile, ADamagedOneIsRefused) {
  const test::TempFolder folder;
  ModelCard card = some_card();
  card.profile = profile_of(drawn(1, 0), pairs());
  write_card(folder / "model.json", card);
  std::string text = test::read_text(folder / "model.json");
  const size_t at = text.find("\"edges\": [");
  ASSERT_NE(at, std::string::npos);
  text.insert(at + 10, "1e9,");
  folder.write("model.json", text);
  try {
    read_card(folder / "model.json");
    FAIL() << "edges that do not rise were taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("do not rise"));
  }
}

TEST(OperatingPoints, TravelInModelJson) {
  ModelCard card = some_card();
  card.targets[0].points = {{0.1234567890123456, "youden on val"}};
  card.targets[0].more_points = {{"specificity 0.9", {{0.75, "specificity 0.9 on val"}}}};
  const ModelCard read = written_and_read(card);
  EXPECT_EQ(read.targets[0].points, card.targets[0].points);
  EXPECT_EQ(read.targets[0].more_points, card.targets[0].more_points);
  card.targets[0].points.push_back({});
  EXPECT_THROW(written_and_read(card), Error);
}

}  // namespace
}  // namespace fovea::bundle
