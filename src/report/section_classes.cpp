// The section of classes and labels.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fovea/metrics/calibration.h"
#include "fovea/metrics/catalogue.h"
#include "fovea/metrics/decision.h"
#include "fovea/metrics/recalibration.h"
#include "report/section_parts.h"

namespace fovea::report {
namespace {

using metrics::MetricValue;
using metrics::Mode;
using metrics::Predictions;
using metrics::Question;
using metrics::Scored;

constexpr int64_t kFewOfAClass = 100;
constexpr double kHighArea = 0.9;

std::vector<ClassCount> counts_of(const Predictions& predictions, const Scored& scored) {
  std::vector<ClassCount> counts;
  if (scored.mode == Mode::binary) {
    const metrics::Counts& positive = scored.questions[0].counts;
    for (size_t k = 0; k < 2; ++k)
      counts.push_back({predictions.classes[k],
                        k == predictions.positive ? positive.positives() : positive.negatives(),
                        positive.cases()});
    return counts;
  }
  for (const Question& question : scored.questions)
    counts.push_back({question.name, question.counts.positives(), question.counts.cases()});
  return counts;
}

void put_decision(Section& section, const Predictions& predictions) {
  if (predictions.mode == Mode::multiclass) {
    section.rule = "The class with the largest probability is decided for.";
    return;
  }
  section.rule = "A case is called positive where its probability reaches the threshold.";
  if (predictions.mode == Mode::binary) {
    section.points.emplace_back(predictions.classes[predictions.positive], predictions.point());
  } else {
    for (size_t k = 0; k < predictions.width(); ++k)
      section.points.emplace_back(predictions.classes[k], predictions.point(k));
  }
  if (std::ranges::all_of(section.points, [](const auto& of_class) {
        return of_class.second.chosen == metrics::OperatingPoint().chosen;
      }))
    section.warnings.emplace_back(
        "The operating point is a probability of 0.5, which nobody chose on validation cases: what "
        "depends on decisions could be better at another.");
}

/// Few cases of a class, and areas near 1, make intervals that hold the truth less often than they say.
void warn_of_extremes(Section& section, const Scored& scored) {
  for (const Question& question : scored.questions) {
    const int64_t positives = question.counts.positives(), negatives = question.counts.negatives();
    const bool alone = scored.mode == Mode::binary;
    const std::string about = alone ? "" : question.name + ": ";
    if (positives == 0 || negatives == 0) {
      section.warnings.push_back(
          fmt::format("{}{} is no {} case, so what compares the two is undefined.", about,
                      alone ? "There" : "there", positives == 0 ? "positive" : "negative"));
    } else if (std::min(positives, negatives) < kFewOfAClass) {
      section.warnings.push_back(fmt::format(
          "{}{} {} {} cases: 95 % intervals from so few hold the truth less often than they say "
          "(see docs/evaluation.md).",
          about, alone ? "Only" : "only", std::min(positives, negatives),
          positives < negatives ? "positive" : "negative"));
    } else if (const MetricValue area = metrics::roc_auc(question.ranking);
               area.defined() && area.value > kHighArea && scored.mode == Mode::binary) {
      section.warnings.push_back(
          fmt::format("An area of {:.3f} is near 1: intervals there hold the truth less often than "
                      "they say (see "
                      "docs/evaluation.md).",
                      area.value));
    }
  }
}

Thresholds thresholds_of(const Question& question) {
  Thresholds all{question.name, question.counts.positives(), question.counts.negatives(), {}};
  const auto& steps = question.ranking.steps();
  const size_t wanted = std::min(steps.size(), kThresholdSteps);
  for (size_t k = 0; k < wanted; ++k) {
    // Evenly spaced, the first and the last among them.
    const size_t at = wanted < 2 ? 0 : k * (steps.size() - 1) / (wanted - 1);
    all.steps.push_back({steps[at].score, static_cast<double>(steps[at].true_positives),
                         static_cast<double>(steps[at].false_positives)});
  }
  return all;
}

/// "0.93" and "0.30 to 1.56", or that there is none.
void put_with_interval(std::vector<std::variant<std::string, double>>& row,
                       const MetricValue& value, const metrics::Interval& interval) {
  row.emplace_back(value.value);
  row.emplace_back(interval.defined() ? fmt::format("{:.3g} to {:.3g}", interval.low, interval.high)
                                      : "none: " + interval.why_undefined);
}

/// Whether a probability means what it says, of one yes-or-no question each.
std::vector<Table> calibration_of(const Scored& scored, const metrics::Clusters& clusters) {
  Table line{.title = "Calibration",
             .note =
                 "Slope 1 and intercept 0 are best. Below a slope of 1 the probabilities are too "
                 "extreme; an intercept below 0 says that they are too high on the whole.",
             .columns = {"class", "slope", "95 % interval of the slope", "intercept",
                         "95 % interval of the intercept"},
             .rows = {}};
  Table errors{.title = "Errors of calibration",
               .note =
                   "Expected calibration error (ECE) in 15 bins of equal width and of equal "
                   "numbers of cases, and the largest error of a bin. Brier score = reliability - "
                   "resolution + uncertainty + what the bins hide.",
               .columns = {"class", "ECE, equal width", "ECE, equal numbers", "largest error",
                           "reliability", "resolution", "uncertainty"},
               .rows = {}};
  for (const Question& question : scored.questions) {
    const auto bins = metrics::reliability(question.probabilities, question.labels);
    const auto by_mass = metrics::reliability_by_mass(question.probabilities, question.labels);
    std::vector<uint32_t> patients;
    for (const uint32_t row : question.rows)
      if (!clusters.single()) patients.push_back(clusters.of_case[row]);
    const metrics::Recalibration fitted =
        metrics::recalibrate(question.probabilities, question.labels, patients);
    const metrics::BrierParts parts =
        metrics::brier_parts(question.probabilities, question.labels, by_mass);
    auto& row = line.rows.emplace_back();
    row.emplace_back(question.name);
    put_with_interval(row, fitted.slope, fitted.slope_interval);
    put_with_interval(row, fitted.intercept, fitted.intercept_interval);
    auto& below = errors.rows.emplace_back();
    below.emplace_back(question.name);
    for (const MetricValue& value : {metrics::ece(bins), metrics::ece(by_mass), metrics::mce(bins),
                                     parts.reliability, parts.resolution, parts.uncertainty})
      below.emplace_back(value.value);
  }
  return {line, errors};
}

/// What a decision changes, and what it is worth elsewhere.
Table decisions_of(const Scored& scored, const Asked& asked) {
  Table table{.title = "What a decision says",
              .note =
                  "Likelihood ratios: by how much a decision raises or lowers the odds of the "
                  "class. They do not depend on how frequent the class is; predictive values do.",
              .columns = {"class", "prevalence here", "positive likelihood ratio",
                          "negative likelihood ratio"},
              .rows = {}};
  if (asked.prevalence) {
    table.columns.push_back(fmt::format("PPV at a prevalence of {:g}", *asked.prevalence));
    table.columns.push_back(fmt::format("NPV at a prevalence of {:g}", *asked.prevalence));
  }
  for (const Question& question : scored.questions) {
    const metrics::Counts& counts = question.counts;
    auto& row = table.rows.emplace_back();
    row.emplace_back(question.name);
    row.emplace_back(metrics::ratio(static_cast<double>(counts.positives()),
                                    static_cast<double>(counts.cases()), "no case")
                         .value);
    row.emplace_back(metrics::positive_likelihood_ratio(counts).value);
    row.emplace_back(metrics::negative_likelihood_ratio(counts).value);
    if (!asked.prevalence) continue;
    const MetricValue sensitivity = metrics::sensitivity(counts);
    const MetricValue specificity = metrics::specificity(counts);
    const bool both = sensitivity.defined() && specificity.defined();
    const auto at = [&](auto of) {
      return both ? of(sensitivity.value, specificity.value, *asked.prevalence).value
                  : std::nan("");
    };
    row.emplace_back(at(metrics::ppv_at));
    row.emplace_back(at(metrics::npv_at));
  }
  return table;
}

std::string probability_text(double p, const std::string& of_class) {
  return fmt::format("{:.3f} {}", p, of_class);
}

std::vector<Failure> failures_of(const Predictions& predictions, const Scored& scored,
                                 const metrics::Coverage& coverage) {
  std::vector<Failure> all;
  if (scored.mode == Mode::multiclass) {
    for (size_t i = 0; i < predictions.cases(); ++i) {
      const auto truth = static_cast<size_t>(scored.labels[i]);
      const auto decided = static_cast<size_t>(scored.decisions[i]);
      if (truth == decided) continue;
      const double p = predictions.probability(i, decided);
      all.push_back({row_of(coverage, i), predictions.ids[i], "wrong class",
                     predictions.classes[decided], predictions.classes[truth],
                     probability_text(p, predictions.classes[decided]),
                     p - predictions.probability(i, truth)});
    }
  } else {
    for (size_t q = 0; q < scored.questions.size(); ++q) {
      const Question& question = scored.questions[q];
      const double threshold = predictions.point(scored.mode == Mode::binary ? 0 : q).threshold;
      for (size_t k = 0; k < question.rows.size(); ++k) {
        if (question.labels[k] == question.called[k]) continue;
        const size_t i = question.rows[k];
        const double p = question.probabilities[k];
        const std::string truth =
            scored.mode == Mode::binary
                ? predictions.classes[static_cast<size_t>(predictions.labels[i])]
                : (question.labels[k] ? "" : "no ") + question.name;
        all.push_back({row_of(coverage, i), predictions.ids[i],
                       question.called[k] ? "false positive" : "false negative", question.name,
                       truth, probability_text(p, question.name), std::abs(p - threshold)});
      }
    }
  }
  keep_worst(all);
  return all;
}

std::vector<PlotFile> plots_of(Mode mode) {
  std::vector<PlotFile> plots{
      {"roc.svg", "ROC curve", "Sensitivity against 1 - specificity for every threshold."},
      {"precision_recall.svg", "Precision and recall",
       "Positive predictive value against sensitivity for every threshold."},
      {"reliability.svg", "Reliability",
       "How often what got a probability came true, against that probability, with the cases of "
       "each bin below."}};
  if (mode == Mode::binary)
    plots.push_back(
        {"net_benefit.svg", "Net benefit",
         "Net benefit of acting on the model against treating all and treating none, for "
         "every threshold probability."});
  return plots;
}

}  // namespace

Table at_other_points(
    const Predictions& predictions,
    const std::vector<std::pair<std::string, std::vector<metrics::OperatingPoint>>>& points) {
  Table table{
      .title = "At other operating points",
      .note =
          "Thresholds that reached what the rule asks for on the validation cases, and what "
          "they reach here.",
      .columns = {"chosen by", "class", "threshold", "sensitivity", "specificity", "PPV", "NPV"},
      .rows = {}};
  const Scored scored = metrics::score(predictions);
  for (const auto& [rule, of_classes] : points)
    for (size_t k = 0; k < scored.questions.size(); ++k) {
      const Question& question = scored.questions[k];
      const double threshold = of_classes.at(of_classes.size() == 1 ? 0 : k).threshold;
      const metrics::Counts counts =
          metrics::count(question.probabilities, question.labels, threshold);
      table.rows.push_back({rule, question.name, threshold, metrics::sensitivity(counts).value,
                            metrics::specificity(counts).value, metrics::ppv(counts).value,
                            metrics::npv(counts).value});
    }
  return table;
}

Section section_of(const Predictions& predictions, const metrics::Coverage& coverage,
                   const Asked& asked) {
  const metrics::EvaluatedPtr evaluated = metrics::evaluated(predictions);
  Section section = begin_section(*evaluated, predictions.groups, coverage, asked);
  const Scored scored = metrics::score(predictions);
  section.type = name_of(predictions.mode);
  section.classes = counts_of(predictions, scored);
  if (predictions.mode == Mode::binary)
    section.positive_class = predictions.classes[predictions.positive];
  put_decision(section, predictions);
  if (section.n > 0) warn_of_extremes(section, scored);
  section.tables =
      calibration_of(scored, metrics::clusters_of(predictions.groups, predictions.cases()));
  section.tables.insert(section.tables.begin(), decisions_of(scored, asked));
  section.plots = plots_of(predictions.mode);
  if (predictions.mode != Mode::multilabel) section.confusion = scored.confusion;
  if (predictions.mode == Mode::binary) section.thresholds = thresholds_of(scored.questions[0]);
  section.failures = failures_of(predictions, scored, coverage);
  return section;
}

}  // namespace fovea::report
