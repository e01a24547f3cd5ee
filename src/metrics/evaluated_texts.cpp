// Texts with entities as evaluated cases.
#include "fovea/metrics/evaluated.h"
#include "metrics/check.h"

namespace fovea::metrics {
namespace {

/// What a text adds to the counts of all.
struct TextCounts {
  std::vector<EntityCounts> of_type;
  int64_t tokens = 0, right_tokens = 0;
};

using OfEntities = MetricValue (*)(const EntityCounts&);
constexpr std::pair<const char*, OfEntities> kOfEntities[] = {
    {"f1", entity_f1}, {"precision", entity_precision}, {"recall", entity_recall}};

class EvaluatedTexts final : public Evaluated {
 public:
  EvaluatedTexts(std::vector<TextCounts> texts, std::vector<std::string> types)
      : texts_(std::move(texts)), types_(std::move(types)) {
    for (const auto& [name, compute] : kOfEntities) keys_.push_back({name, "", kHigher});
    keys_.push_back({"token_accuracy", "", kHigher});
    for (const std::string& type : types_)
      for (const auto& [name, compute] : kOfEntities) keys_.push_back({name, type, kHigher});
  }

  size_t cases() const override { return texts_.size(); }

  void weigh(std::span<const int32_t> weights) override {
    check_weights(weights, cases());
    weights_.assign(weights.begin(), weights.end());
  }

  std::vector<MetricValue> values(size_t count) const override {
    const TextCounts sum = total(weights_);
    std::vector<MetricValue> all;
    for (const auto& [name, compute] : kOfEntities) all.push_back(compute(over_types(sum)));
    all.push_back(ratio(static_cast<double>(sum.right_tokens), static_cast<double>(sum.tokens),
                        "no token was evaluated"));
    for (const EntityCounts& of_type : sum.of_type)
      for (const auto& [name, compute] : kOfEntities) all.push_back(compute(of_type));
    if (count < all.size()) all.resize(count);
    return all;
  }

  std::vector<int64_t> counts() const override {
    const TextCounts sum = total({});
    std::vector<int64_t> all;
    const auto add = [&](const EntityCounts& counts) {
      all.insert(all.end(), {counts.truth + counts.found, counts.found, counts.truth});
    };
    add(over_types(sum));
    all.push_back(sum.tokens);
    for (const EntityCounts& of_type : sum.of_type) add(of_type);
    return all;
  }

  EvaluatedPtr part(std::span<const uint32_t> rows) const override {
    std::vector<TextCounts> some;
    for (const uint32_t row : rows) some.push_back(texts_.at(row));
    return std::make_unique<EvaluatedTexts>(std::move(some), types_);
  }

 private:
  TextCounts total(std::span<const int32_t> weights) const {
    TextCounts sum{std::vector<EntityCounts>(types_.size())};
    for (size_t i = 0; i < texts_.size(); ++i) {
      const int32_t weight = weight_of(weights, i);
      sum.tokens += weight * texts_[i].tokens;
      sum.right_tokens += weight * texts_[i].right_tokens;
      for (size_t k = 0; k < types_.size(); ++k) {
        sum.of_type[k].truth += weight * texts_[i].of_type[k].truth;
        sum.of_type[k].found += weight * texts_[i].of_type[k].found;
        sum.of_type[k].right += weight * texts_[i].of_type[k].right;
      }
    }
    return sum;
  }

  static EntityCounts over_types(const TextCounts& sum) {
    EntityCounts all;
    for (const EntityCounts& one : sum.of_type) {
      all.truth += one.truth;
      all.found += one.found;
      all.right += one.right;
    }
    return all;
  }

  std::vector<TextCounts> texts_;
  std::vector<std::string> types_;
  std::vector<int32_t> weights_;
};

}  // namespace

EvaluatedPtr evaluated(std::span<const TaggedText> texts, const std::vector<std::string>& types) {
  std::vector<TextCounts> counted;
  for (const TaggedText& text : texts) {
    TextCounts& counts = counted.emplace_back();
    counts.tokens = text.tokens;
    counts.right_tokens = text.right_tokens;
    for (size_t k = 0; k < types.size(); ++k)
      counts.of_type.push_back(count_entities({&text, 1}, k));
  }
  return std::make_unique<EvaluatedTexts>(std::move(counted), types);
}

}  // namespace fovea::metrics
