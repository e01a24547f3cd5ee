#include "fovea/metrics/entities.h"

#include <algorithm>

namespace fovea::metrics {
namespace {

template <class Counts>
EntityCounts counted(std::span<const TaggedText> texts, const Counts& counts) {
  EntityCounts sum;
  for (const TaggedText& text : texts) {
    sum.truth += std::ranges::count_if(text.truth, counts);
    for (const Entity& one : text.found) {
      if (!counts(one)) continue;
      ++sum.found;
      sum.right += std::ranges::find(text.truth, one) != text.truth.end();
    }
  }
  return sum;
}

}  // namespace

std::vector<Entity> entities_of(std::span<const int64_t> tags) {
  std::vector<Entity> entities;
  bool open = false;
  for (size_t i = 0; i < tags.size() && tags[i] >= 0; ++i) {
    const auto here = static_cast<int64_t>(i);
    if (tags[i] == 0) {
      open = false;
      continue;
    }
    const auto type = static_cast<size_t>((tags[i] - 1) / 2);
    const bool inside = tags[i] % 2 == 0;
    if (inside && open && entities.back().type == type)
      entities.back().end = here + 1;
    else
      entities.push_back({here, here + 1, type});
    open = true;
  }
  return entities;
}

EntityCounts count_entities(std::span<const TaggedText> texts) {
  return counted(texts, [](const Entity&) { return true; });
}

EntityCounts count_entities(std::span<const TaggedText> texts, size_t type) {
  return counted(texts, [type](const Entity& one) { return one.type == type; });
}

MetricValue entity_f1(const EntityCounts& counts) {
  return ratio(2.0 * static_cast<double>(counts.right),
               static_cast<double>(counts.truth + counts.found),
               "no entity, neither true nor found");
}

MetricValue entity_precision(const EntityCounts& counts) {
  return ratio(static_cast<double>(counts.right), static_cast<double>(counts.found),
               "no entity was found");
}

MetricValue entity_recall(const EntityCounts& counts) {
  return ratio(static_cast<double>(counts.right), static_cast<double>(counts.truth),
               "there is no entity");
}

std::vector<NamedMetric> entity_metrics(std::span<const TaggedText> texts) {
  const EntityCounts counts = count_entities(texts);
  int64_t tokens = 0, right = 0;
  for (const TaggedText& text : texts) {
    tokens += text.tokens;
    right += text.right_tokens;
  }
  return {{"f1", entity_f1(counts)},
          {"precision", entity_precision(counts)},
          {"recall", entity_recall(counts)},
          {"token_accuracy", ratio(static_cast<double>(right), static_cast<double>(tokens),
                                   "no token was evaluated")}};
}

}  // namespace fovea::metrics
