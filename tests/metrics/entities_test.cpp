#include "fovea/metrics/entities.h"

#include <gtest/gtest.h>

namespace fovea::metrics {
namespace {

// Two types: 1, 2 are the first's beginning and inside, 3, 4 the second's.
std::vector<Entity> read(const std::vector<int64_t>& tags) { return entities_of(tags); }

TEST(Entities, AreReadFromTheirTags) {
  EXPECT_EQ(read({0, 1, 2, 2, 0, 3}), (std::vector<Entity>{{1, 4, 0}, {5, 6, 1}}));
  EXPECT_EQ(read({1, 1, 2}), (std::vector<Entity>{{0, 1, 0}, {1, 3, 0}}));
  EXPECT_EQ(read({0, 0}), std::vector<Entity>{});
  EXPECT_EQ(read({}), std::vector<Entity>{});
}

TEST(Entities, OfBrokenSequencesBeginWhereTheyCan) {
  EXPECT_EQ(read({2, 2}), (std::vector<Entity>{{0, 2, 0}}));                // no beginning
  EXPECT_EQ(read({1, 0, 2}), (std::vector<Entity>{{0, 1, 0}, {2, 3, 0}}));  // after a gap
  EXPECT_EQ(read({1, 4, 2}),
            (std::vector<Entity>{{0, 1, 0}, {1, 2, 1}, {2, 3, 0}}));  // another type
}

TEST(Entities, EndWithTheText) {
  EXPECT_EQ(read({0, 1, 2, -1, -1}), (std::vector<Entity>{{1, 3, 0}}));
}

TEST(Entities, MetricsOfAHandCount) {
  // Found: one right, one too short, one of another type; missed: three of the four.
  const std::vector<TaggedText> texts{
      {.truth = {{0, 2, 0}, {4, 7, 0}},
       .found = {{0, 2, 0}, {4, 6, 0}},
       .tokens = 8,
       .right_tokens = 7},
      {.truth = {{1, 2, 1}, {3, 4, 0}}, .found = {{1, 2, 0}}, .tokens = 4, .right_tokens = 2}};
  const EntityCounts counts = count_entities(texts);
  EXPECT_EQ(counts.truth, 4);
  EXPECT_EQ(counts.found, 3);
  EXPECT_EQ(counts.right, 1);
  EXPECT_DOUBLE_EQ(entity_precision(counts).value, 1.0 / 3);
  EXPECT_DOUBLE_EQ(entity_recall(counts).value, 0.25);
  EXPECT_DOUBLE_EQ(entity_f1(counts).value, 2.0 / 7);
  EXPECT_EQ(count_entities(texts, 1).found, 0);
  EXPECT_EQ(entity_precision(count_entities(texts, 1)).why_undefined, "no entity was found");
  const auto metrics = entity_metrics(texts);
  EXPECT_EQ(metrics.front().name, "f1");
  EXPECT_DOUBLE_EQ(metrics.back().value.value, 9.0 / 12);
}

TEST(Entities, WithoutAnyNothingIsDefinedAndAFalseAlarmCosts) {
  EXPECT_FALSE(entity_f1(count_entities(std::vector<TaggedText>{{}})).defined());
  const std::vector<TaggedText> alarm{{.truth = {}, .found = {{0, 1, 0}}}};
  EXPECT_DOUBLE_EQ(entity_f1(count_entities(alarm)).value, 0);
  EXPECT_FALSE(entity_recall(count_entities(alarm)).defined());
}

}  // namespace
}  // namespace fovea::metrics
