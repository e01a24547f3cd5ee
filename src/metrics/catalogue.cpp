#include "fovea/metrics/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/metrics/calibration.h"
#include "metrics/check.h"

namespace fovea::metrics {
namespace {

using Q = const Question&;
using S = const Scored&;

MetricValue prevalence_weighted_auc(S scored) {
  double sum = 0, weight = 0;
  for (Q question : scored.questions) {
    const MetricValue auc = roc_auc(question.ranking);
    if (!auc.defined()) continue;
    const double cases = static_cast<double>(question.ranking.positives());
    sum += auc.value * cases;
    weight += cases;
  }
  return ratio(sum, weight, "only one class occurs");
}

/// How often the class decided for is the right one, against the probability it was given.
MetricValue top_label_ece(S scored) {
  const size_t n = scored.labels.size(), k = scored.questions.size();
  std::vector<double> confidences(n);
  std::vector<uint8_t> right(n);
  for (size_t i = 0; i < n; ++i) {
    const double* row = &scored.probabilities[i * k];
    const double* top = std::max_element(row, row + k);
    confidences[i] = *top;
    right[i] = top - row == scored.labels[i];
  }
  return ece(reliability(confidences, right, kReliabilityBins, scored.weights));
}

// name, help, goal, one yes-or-no question, jointly over k classes, jointly over k labels
const std::array kCatalogue{
    Metric{"auc",
           "area under the ROC curve, ties count half; macro average over classes, one against the "
           "rest",
           kHigher, [](Q q) { return roc_auc(q.ranking); }},
    Metric{"auc_weighted", "the same, each class weighted by its prevalence (multi-class)", kHigher,
           nullptr, prevalence_weighted_auc},
    Metric{"auc_micro", "the same over all known labels pooled (multi-label)", kHigher, nullptr,
           nullptr, [](S s) { return roc_auc(s.pooled); }},
    Metric{"accuracy", "share of the decisions that are correct", kHigher,
           [](Q q) { return accuracy(q.counts); }, [](S s) { return accuracy(s.confusion); }},
    Metric{"balanced_accuracy", "mean sensitivity of the classes that occur", kHigher,
           [](Q q) { return balanced_accuracy(q.counts); },
           [](S s) { return balanced_accuracy(s.confusion); }},
    Metric{"sensitivity", "share of the positive cases that were called positive (recall)", kHigher,
           [](Q q) { return sensitivity(q.counts); }},
    Metric{"specificity", "share of the negative cases that were called negative", kHigher,
           [](Q q) { return specificity(q.counts); }},
    Metric{"ppv",
           "share of the cases called positive that are positive (precision), at the prevalence of "
           "the evaluated cases",
           kHigher, [](Q q) { return ppv(q.counts); }},
    Metric{"npv",
           "share of the cases called negative that are negative, at the prevalence of the "
           "evaluated cases",
           kHigher, [](Q q) { return npv(q.counts); }},
    Metric{"f1", "harmonic mean of sensitivity and ppv", kHigher, [](Q q) { return f1(q.counts); }},
    Metric{"mcc", "Matthews correlation between decision and truth (R_K for k classes)", kHigher,
           [](Q q) { return mcc(q.counts); }, [](S s) { return mcc(s.confusion); }},
    Metric{"kappa", "Cohen's kappa: agreement between decision and truth beyond chance", kHigher,
           [](Q q) { return kappa(q.counts); }, [](S s) { return kappa(s.confusion); }},
    Metric{"average_precision", "step-wise area under the precision-recall curve", kHigher,
           [](Q q) { return average_precision(q.ranking); }},
    Metric{"log_loss", "mean -log of the probability given to the truth", kLower,
           [](Q q) { return log_loss(q.probabilities, q.labels, q.weights); },
           [](S s) { return log_loss(s.probabilities, s.labels, s.questions.size(), s.weights); }},
    Metric{"brier",
           "mean squared error of the probability; multi-class: summed over the classes, 0 to 2",
           kLower, [](Q q) { return brier(q.probabilities, q.labels, q.weights); },
           [](S s) { return brier(s.probabilities, s.labels, s.questions.size(), s.weights); }},
    Metric{"ece", "expected calibration error, 15 equal bins; multi-class: of the predicted class",
           kLower,
           [](Q q) {
             return ece(reliability(q.probabilities, q.labels, kReliabilityBins, q.weights));
           },
           top_label_ece},
};

Question ask(const Predictions& predictions, size_t of_class) {
  Question question;
  question.name = predictions.classes[of_class];
  question.probabilities.reserve(predictions.cases());
  question.labels.reserve(predictions.cases());
  const bool per_label = predictions.mode == Mode::multilabel;
  for (size_t i = 0; i < predictions.cases(); ++i) {
    const int label = predictions.labels[per_label ? i * predictions.width() + of_class : i];
    if (per_label && label == kUnknown) continue;
    question.rows.push_back(static_cast<uint32_t>(i));
    question.probabilities.push_back(predictions.probability(i, of_class));
    question.labels.push_back(per_label ? label == 1 : static_cast<size_t>(label) == of_class);
  }
  question.ranking = Ranking(question.probabilities, question.labels);
  return question;
}

/// Every known cell of a multi-label table as one yes-or-no question.
Ranking pool(const std::vector<Question>& questions) {
  std::vector<double> probabilities;
  std::vector<uint8_t> labels;
  for (Q question : questions) {
    probabilities.insert(probabilities.end(), question.probabilities.begin(),
                         question.probabilities.end());
    labels.insert(labels.end(), question.labels.begin(), question.labels.end());
  }
  return {probabilities, labels};
}

Counts count_called(Q question) {
  int64_t cells[4] = {};  // by truth and decision, without a branch that nobody can foresee
  for (size_t i = 0; i < question.labels.size(); ++i)
    cells[2 * question.labels[i] + question.called[i]] += weight_of(question.weights, i);
  return {.true_positives = cells[3],
          .false_positives = cells[1],
          .true_negatives = cells[0],
          .false_negatives = cells[2]};
}

/// Counts and confusion, which the weights change.
void count_decisions(Scored& scored) {
  for (Question& question : scored.questions) question.counts = count_called(question);
  if (scored.mode == Mode::multilabel) return;
  scored.confusion = ConfusionMatrix(scored.confusion.classes());
  for (size_t i = 0; i < scored.decisions.size(); ++i)
    scored.confusion.at(static_cast<size_t>(scored.labels[i]),
                        static_cast<size_t>(scored.decisions[i])) += weight_of(scored.weights, i);
}

}  // namespace

Scored score(const Predictions& predictions) {
  predictions.check();
  Scored scored;
  scored.mode = predictions.mode;
  scored.probabilities = predictions.probabilities;
  scored.labels = predictions.labels;
  const bool per_label = predictions.mode == Mode::multilabel;
  if (!per_label) {
    scored.confusion = ConfusionMatrix(predictions.width());
    for (size_t i = 0; i < predictions.cases(); ++i)
      scored.decisions.push_back(static_cast<int>(decide(predictions, i)));
  }
  for (size_t k = 0; k < predictions.width(); ++k) {
    if (predictions.mode == Mode::binary && k != predictions.positive) continue;
    Question question = ask(predictions, k);
    for (size_t i = 0; i < question.rows.size(); ++i)
      question.called.push_back(per_label
                                    ? question.probabilities[i] >= predictions.point(k).threshold
                                    : static_cast<size_t>(scored.decisions[i]) == k);
    scored.questions.push_back(std::move(question));
  }
  if (per_label) scored.pooled = pool(scored.questions);
  count_decisions(scored);
  return scored;
}

void weigh(Scored& scored, std::span<const int32_t> weights) {
  scored.weights.assign(weights.begin(), weights.end());
  std::vector<int32_t> of_cells;
  for (Question& question : scored.questions) {
    question.weights.resize(question.rows.size());
    for (size_t i = 0; i < question.rows.size(); ++i)
      question.weights[i] = weights[question.rows[i]];
    question.ranking.weigh(question.weights);
    if (scored.mode == Mode::multilabel)
      of_cells.insert(of_cells.end(), question.weights.begin(), question.weights.end());
  }
  if (scored.mode == Mode::multilabel) scored.pooled.weigh(of_cells);
  count_decisions(scored);
}

bool Metric::applies(Mode mode) const {
  return of_question || (mode == Mode::multiclass && multiclass) ||
         (mode == Mode::multilabel && multilabel);
}

bool Metric::has_classes(Mode mode) const {
  return of_question && !(mode == Mode::multiclass && multiclass);
}

MetricValue Metric::operator()(const Scored& scored) const {
  if (!applies(scored.mode)) {
    return MetricValue::undefined(
        fmt::format("not defined for {} predictions", name_of(scored.mode)));
  }
  if (scored.mode == Mode::multiclass && multiclass) return multiclass(scored);
  if (scored.mode == Mode::multilabel && multilabel) return multilabel(scored);
  if (scored.mode == Mode::binary) return of_question(scored.questions.front());
  std::vector<MetricValue> of_classes;
  for (Q question : scored.questions) of_classes.push_back(of_question(question));
  return macro_average(of_classes, scored.questions);
}

MetricValue macro_average(std::span<const MetricValue> of_classes,
                          const std::vector<Question>& questions) {
  double sum = 0;
  size_t defined = 0;
  std::string left_out, why;
  for (size_t k = 0; k < of_classes.size(); ++k) {
    if (of_classes[k].defined()) {
      sum += of_classes[k].value;
      ++defined;
      continue;
    }
    why = of_classes[k].why_undefined;
    left_out += fmt::format("{}{} ({})", left_out.empty() ? "" : ", ", questions[k].name, why);
  }
  if (defined == 0) return MetricValue::undefined(why);
  MetricValue mean = sum / static_cast<double>(defined);
  if (!left_out.empty()) {
    mean.note = fmt::format("mean over {} of {} classes; left out: {}", defined, questions.size(),
                            left_out);
  }
  return mean;
}

std::span<const Metric> catalogue() { return kCatalogue; }

const Metric& metric(std::string_view name) {
  std::vector<std::string> known;
  for (const Metric& entry : kCatalogue) {
    if (entry.name == name) return entry;
    known.emplace_back(entry.name);
  }
  const std::string near = nearest(name, known);
  throw config_error(fmt::format("unknown metric '{}'{}; known here: {}", name,
                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near),
                                 join(known)));
}

MetricValue compute(std::string_view name, const Predictions& predictions) {
  return metric(name)(score(predictions));
}

}  // namespace fovea::metrics
