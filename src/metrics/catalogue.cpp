#include "fovea/metrics/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/metrics/calibration.h"

namespace fovea::metrics {
namespace {

using Q = const Question&;
using S = const Scored&;

/// Every known cell of a multi-label table as one yes-or-no question.
MetricValue micro_auc(S scored) {
  std::vector<double> probabilities;
  std::vector<uint8_t> labels;
  for (Q question : scored.questions) {
    probabilities.insert(probabilities.end(), question.probabilities.begin(),
                         question.probabilities.end());
    labels.insert(labels.end(), question.labels.begin(), question.labels.end());
  }
  return roc_auc(probabilities, labels);
}

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
  return ece(reliability(confidences, right));
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
           nullptr, micro_auc},
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
           [](Q q) { return log_loss(q.probabilities, q.labels); },
           [](S s) { return log_loss(s.probabilities, s.labels, s.questions.size()); }},
    Metric{"brier",
           "mean squared error of the probability; multi-class: summed over the classes, 0 to 2",
           kLower, [](Q q) { return brier(q.probabilities, q.labels); },
           [](S s) { return brier(s.probabilities, s.labels, s.questions.size()); }},
    Metric{"ece", "expected calibration error, 15 equal bins; multi-class: of the predicted class",
           kLower, [](Q q) { return ece(reliability(q.probabilities, q.labels)); }, top_label_ece},
};

/// The mean over the questions for which it is defined; those left out are named in the note.
MetricValue macro(MetricValue (*of_question)(Q), const std::vector<Question>& questions) {
  double sum = 0;
  size_t defined = 0;
  std::string left_out, why;
  for (Q question : questions) {
    const MetricValue value = of_question(question);
    if (value.defined()) {
      sum += value.value;
      ++defined;
      continue;
    }
    why = value.why_undefined;
    left_out += fmt::format("{}{} ({})", left_out.empty() ? "" : ", ", question.name, why);
  }
  if (defined == 0) return MetricValue::undefined(why);
  MetricValue mean = sum / static_cast<double>(defined);
  if (!left_out.empty()) {
    mean.note = fmt::format("mean over {} of {} classes; left out: {}", defined, questions.size(),
                            left_out);
  }
  return mean;
}

Question ask(const Predictions& predictions, size_t of_class) {
  Question question{.name = predictions.classes[of_class],
                    .probabilities = {},
                    .labels = {},
                    .ranking = {},
                    .counts = {}};
  question.probabilities.reserve(predictions.cases());
  question.labels.reserve(predictions.cases());
  const bool per_label = predictions.mode == Mode::multilabel;
  for (size_t i = 0; i < predictions.cases(); ++i) {
    const int label = predictions.labels[per_label ? i * predictions.width() + of_class : i];
    if (per_label && label == kUnknown) continue;
    question.probabilities.push_back(predictions.probability(i, of_class));
    question.labels.push_back(per_label ? label == 1 : static_cast<size_t>(label) == of_class);
  }
  question.ranking = Ranking(question.probabilities, question.labels);
  return question;
}

}  // namespace

Scored score(const Predictions& predictions, const OperatingPoint& point) {
  predictions.check();
  Scored scored;
  scored.mode = predictions.mode;
  scored.probabilities = predictions.probabilities;
  scored.labels = predictions.labels;
  if (predictions.mode != Mode::multilabel) {
    scored.confusion = ConfusionMatrix(predictions.width());
    for (size_t i = 0; i < predictions.cases(); ++i) {
      scored.confusion.at(static_cast<size_t>(predictions.labels[i]),
                          decide(predictions, i, point)) += 1;
    }
  }
  for (size_t k = 0; k < predictions.width(); ++k) {
    if (predictions.mode == Mode::binary && k != predictions.positive) continue;
    Question question = ask(predictions, k);
    question.counts = predictions.mode == Mode::multilabel
                          ? count(question.probabilities, question.labels, point.threshold)
                          : scored.confusion.against_rest(k);
    scored.questions.push_back(std::move(question));
  }
  return scored;
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
  return macro(of_question, scored.questions);
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

MetricValue compute(std::string_view name, const Predictions& predictions,
                    const OperatingPoint& point) {
  return metric(name)(score(predictions, point));
}

}  // namespace fovea::metrics
