// Metrics of entities found in texts: one is right where its type and both ends are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fovea/metrics/metric_value.h"
#include "fovea/metrics/summary.h"

namespace fovea::metrics {

/// From `begin` on, before `end`: tokens or characters, as the place says.
struct Entity {
  int64_t begin, end;
  size_t type;
  bool operator==(const Entity&) const = default;
};

/// The entities that tags say: 0 outside, 1 + 2 k the first token of one of type k, 2 + 2 k the
/// others. Of broken sequences what the script conlleval makes: an inside tag that follows none of
/// its type begins an entity. Negative tags end the text.
std::vector<Entity> entities_of(std::span<const int64_t> tags);

/// One text. `truth` is all that was written, also what no tag could have said.
struct TaggedText {
  std::vector<Entity> truth;
  std::vector<Entity> found;
  int64_t tokens = 0;        ///< that stand for text and have a tag
  int64_t right_tokens = 0;  ///< with the right tag
  int64_t cut = 0;           ///< of `truth`: beyond the tokens that the model was given
  int64_t unalignable = 0;   ///< of `truth`: overlapping, or inside a token
};

struct EntityCounts {
  int64_t truth = 0, found = 0, right = 0;
};
EntityCounts count_entities(std::span<const TaggedText> texts);
EntityCounts count_entities(std::span<const TaggedText> texts, size_t type);

MetricValue entity_f1(const EntityCounts& counts);         ///< 2 right / (truth + found)
MetricValue entity_precision(const EntityCounts& counts);  ///< right / found
MetricValue entity_recall(const EntityCounts& counts);     ///< right / truth

/// f1, precision, recall (over all types: micro), token_accuracy.
std::vector<NamedMetric> entity_metrics(std::span<const TaggedText> texts);

}  // namespace fovea::metrics
