// Classes and labels as evaluated cases.
#include <algorithm>
#include <unordered_set>

#include "fovea/metrics/catalogue.h"
#include "fovea/metrics/delong.h"
#include "fovea/metrics/evaluated.h"
#include "fovea/metrics/significance.h"

namespace fovea::metrics {
namespace {

/// A metric that is a share of cases: of how many, and how many there were.
struct Share {
  std::string_view metric;
  int64_t (*hits)(const Counts&);
  int64_t (*cases)(const Counts&);
  bool (*counts)(bool truth, bool called);  ///< whether a case is one of them
};
constexpr Share kShares[] = {
    {"accuracy", [](const Counts& c) { return c.true_positives + c.true_negatives; },
     [](const Counts& c) { return c.cases(); }, [](bool, bool) { return true; }},
    {"sensitivity", [](const Counts& c) { return c.true_positives; },
     [](const Counts& c) { return c.positives(); }, [](bool truth, bool) { return truth; }},
    {"specificity", [](const Counts& c) { return c.true_negatives; },
     [](const Counts& c) { return c.negatives(); }, [](bool truth, bool) { return !truth; }},
    {"ppv", [](const Counts& c) { return c.true_positives; },
     [](const Counts& c) { return c.true_positives + c.false_positives; },
     [](bool, bool called) { return called; }},
    {"npv", [](const Counts& c) { return c.true_negatives; },
     [](const Counts& c) { return c.true_negatives + c.false_negatives; },
     [](bool, bool called) { return !called; }},
};

const Share* share_of(std::string_view metric) {
  const auto* found = std::ranges::find(kShares, metric, &Share::metric);
  return found == std::end(kShares) ? nullptr : found;
}

/// Where patients have several cases Wilson's interval is too narrow, and the bootstrap has none where all
/// cases agree: as if each patient had one case is then wide enough.
std::optional<Bounds> bounds_of_share(int64_t hits, int64_t cases, bool single, size_t patients) {
  if (single)
    return Bounds{wilson(static_cast<double>(hits), static_cast<double>(cases)), "Wilson"};
  if (hits != 0 && hits != cases) return {};
  const auto n = static_cast<double>(patients);
  return Bounds{wilson(hits == 0 ? 0 : n, n), "Wilson over patients"};
}

std::vector<uint32_t> of_rows(const Clusters& clusters, std::span<const uint32_t> rows) {
  std::vector<uint32_t> some;
  for (const uint32_t row : rows) some.push_back(clusters.of_case[row]);
  return some;
}

class EvaluatedClasses final : public Evaluated {
 public:
  explicit EvaluatedClasses(const Predictions& predictions)
      : predictions_(predictions), scored_(score(predictions)) {
    for (const Metric& metric : catalogue()) {
      if (!metric.applies(scored_.mode)) continue;
      metrics_.push_back(&metric);
      keys_.push_back({std::string(metric.name), "", metric.goal});
    }
    if (scored_.mode == Mode::binary) return;
    for (const Metric* metric : metrics_)
      if (metric->has_classes(scored_.mode)) of_class_.push_back(metric);
    for (const Question& question : scored_.questions)
      for (const Metric* metric : of_class_)
        keys_.push_back({std::string(metric->name), question.name, metric->goal});
  }

  size_t cases() const override { return predictions_.cases(); }

  void weigh(std::span<const int32_t> weights) override { metrics::weigh(scored_, weights); }

  std::vector<MetricValue> values(size_t count) const override {
    std::vector<MetricValue> all;
    if (scored_.mode == Mode::binary) {
      for (const Metric* metric : metrics_)
        if (all.size() < count) all.push_back((*metric)(scored_));
      return all;
    }
    // Of each class once: most metrics over all are means of these.
    std::vector<std::vector<MetricValue>> of_classes;
    for (const Metric* metric : of_class_) {
      auto& values = of_classes.emplace_back();
      for (const Question& question : scored_.questions)
        values.push_back(metric->of_question(question));
    }
    for (const Metric* metric : metrics_) {
      if (all.size() == count) return all;
      const auto known = std::ranges::find(of_class_, metric);
      const bool joint = known == of_class_.end() ||
                         (scored_.mode == Mode::multiclass ? metric->multiclass != nullptr
                                                           : metric->multilabel != nullptr);
      all.push_back(joint
                        ? (*metric)(scored_)
                        : macro_average(of_classes[static_cast<size_t>(known - of_class_.begin())],
                                        scored_.questions));
    }
    for (size_t k = 0; k < scored_.questions.size(); ++k)
      for (const auto& values : of_classes)
        if (all.size() < count) all.push_back(values[k]);
    return all;
  }

  std::vector<int64_t> counts() const override {
    std::vector<int64_t> all;
    for (size_t k = 0; k < keys_.size(); ++k) {
      const Question* question = question_of(k);
      const Share* share = share_of(keys_[k].name);
      if (!question) {
        all.push_back(static_cast<int64_t>(cases()));
      } else {
        all.push_back(share ? share->cases(question->counts) : question->counts.cases());
      }
    }
    return all;
  }

  std::optional<Bounds> closed_form(size_t metric, const Clusters& clusters) const override {
    const std::string& name = keys_[metric].name;
    const Question* question = question_of(metric);
    if (!question) {
      if (name != "accuracy" || scored_.mode != Mode::multiclass) return {};
      return bounds_of_share(scored_.confusion.correct(), scored_.confusion.cases(),
                             clusters.single(), clusters.count);
    }
    const std::vector<uint32_t> patients = of_rows(clusters, question->rows);
    if (name == "auc") {
      const bool single = clusters.single();
      const AucEstimate auc =
          estimate_auc(question->probabilities, question->labels,
                       single ? std::span<const uint32_t>() : std::span(patients));
      return Bounds{auc.interval, single ? "DeLong" : "Obuchowski"};
    }
    const Share* share = share_of(name);
    if (!share) return {};
    std::unordered_set<uint32_t> counted;
    for (size_t i = 0; i < patients.size(); ++i)
      if (share->counts(question->labels[i] != 0, question->called[i] != 0))
        counted.insert(patients[i]);
    return bounds_of_share(share->hits(question->counts), share->cases(question->counts),
                           clusters.single(), counted.size());
  }

  std::optional<ClosedTest> closed_test(size_t metric, const Evaluated& other,
                                        const Clusters& clusters) const override {
    const auto* there = dynamic_cast<const EvaluatedClasses*>(&other);
    const std::string& name = keys_[metric].name;
    if (!there) return {};
    if (name == "accuracy" && clusters.single() && scored_.mode != Mode::multilabel) {
      int64_t only_here = 0, only_there = 0;
      for (size_t i = 0; i < cases(); ++i) {
        const bool right = scored_.decisions[i] == scored_.labels[i];
        const bool right_there = there->scored_.decisions[i] == there->scored_.labels[i];
        only_here += right && !right_there;
        only_there += right_there && !right;
      }
      return ClosedTest{{}, mcnemar(only_here, only_there), "McNemar, exact"};
    }
    const Question* question = question_of(metric);
    if (name != "auc" || !question) return {};
    const std::vector<uint32_t> patients = of_rows(clusters, question->rows);
    const bool single = clusters.single();
    const AucDifference found =
        compare_auc(question->probabilities, there->question_of(metric)->probabilities,
                    question->labels, single ? std::span<const uint32_t>() : std::span(patients));
    const char* method = single ? "DeLong" : "Obuchowski";
    return ClosedTest{{found.interval, method}, found.p, method};
  }

  EvaluatedPtr part(std::span<const uint32_t> rows) const override {
    return std::make_unique<EvaluatedClasses>(predictions_.part(rows));
  }

 private:
  /// The one yes-or-no question that a metric is about; null where it is over several.
  const Question* question_of(size_t metric) const {
    if (scored_.mode == Mode::binary) return &scored_.questions.front();
    if (metric < metrics_.size()) return nullptr;
    return &scored_.questions[(metric - metrics_.size()) / of_class_.size()];
  }

  Predictions predictions_;
  Scored scored_;
  std::vector<const Metric*> metrics_, of_class_;
};

}  // namespace

EvaluatedPtr evaluated(const Predictions& predictions) {
  return std::make_unique<EvaluatedClasses>(predictions);
}

}  // namespace fovea::metrics
