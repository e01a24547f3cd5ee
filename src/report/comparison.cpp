#include "fovea/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/metrics/significance.h"
#include "report/metrics_json.h"
#include "report/page/numbers.h"

namespace fovea::report {
namespace {

using metrics::Difference;
using Json = nlohmann::ordered_json;
using Places = std::unordered_map<std::string_view, uint32_t>;

Places places_of(const StoredTarget& target, const std::string& title) {
  Places places;
  for (uint32_t i = 0; i < target.ids.size(); ++i)
    if (!places.emplace(target.ids[i], i).second)
      throw data_error(fmt::format("{}: the id '{}' occurs twice, so cases cannot be matched",
                                   title, target.ids[i]));
  return places;
}

const StoredTarget& target_named(const StoredEvaluation& evaluation, const StoredTarget& wanted) {
  for (const StoredTarget& target : evaluation.targets)
    if (target.name == wanted.name && target.type == wanted.type) return target;
  throw data_error(fmt::format("{} has no target '{}' of the type {}", evaluation.title,
                               wanted.name, wanted.type),
                   "compare models of the same targets");
}

/// The rows of `other` in the order of `first`, after it is sure that they are the same cases.
std::vector<uint32_t> matched(const StoredTarget& first, const std::string& first_title,
                              const StoredTarget& other, const std::string& title) {
  const Places there = places_of(other, title);
  std::vector<uint32_t> rows;
  size_t missing = 0, different = 0;
  for (size_t i = 0; i < first.ids.size(); ++i) {
    const auto place = there.find(first.ids[i]);
    if (place == there.end()) {
      ++missing;
      continue;
    }
    rows.push_back(place->second);
    different += other.truths[place->second] != first.truths[i];
  }
  const size_t more = other.ids.size() - rows.size();
  if (missing + more > 0)
    throw data_error(
        fmt::format("{} and {} were not evaluated on the same cases: {} of {} are only "
                    "in the first, {} of {} only in the second",
                    first_title, title, missing, first.ids.size(), more, other.ids.size()),
        "evaluate both on the same split of the same data; names that are hidden "
        "differ from run to run");
  if (different > 0)
    throw data_error(fmt::format("{} of {} cases have another truth for '{}' in {} than in {}",
                                 different, rows.size(), first.name, title, first_title),
                     "evaluate both on the same data");
  return rows;
}

std::vector<std::string> in_order(const std::vector<std::string>& texts,
                                  const std::vector<uint32_t>& rows) {
  std::vector<std::string> ordered;
  for (const uint32_t row : rows)
    if (!texts.empty()) ordered.push_back(texts[row]);
  return ordered;
}

Json json_of(const Difference& one, double holm) {
  const metrics::Interval& interval = one.bounds.interval;
  Json json{{"metric", one.key.name},
            {"goal", words(one.key.goal)},
            {"first", finite(one.b.value)},
            {"other", finite(one.a.value)},
            {"difference", finite(one.difference.value)},
            {"low", finite(interval.low)},
            {"high", finite(interval.high)},
            {"method", one.bounds.method},
            {"p", finite(one.p.value)},
            {"p_holm", finite(holm)},
            {"test", one.test}};
  if (!one.difference.defined()) json["undefined"] = one.difference.why_undefined;
  return json;
}

}  // namespace

Comparison compare_evaluations(const std::vector<StoredEvaluation>& evaluations,
                               const metrics::BootstrapOptions& options) {
  Comparison all;
  const StoredEvaluation& first = evaluations.at(0);
  all.split = first.split;
  all.bootstrap = options;
  for (const StoredEvaluation& evaluation : evaluations) all.titles.push_back(evaluation.title);
  for (const StoredTarget& target : first.targets) {
    places_of(target, first.title);
    const metrics::Clusters clusters = metrics::clusters_of(target.groups, target.ids.size());
    ComparedTarget& compared = all.targets.emplace_back();
    compared.name = target.name;
    compared.cases = target.ids.size();
    compared.patients = target.groups.empty() ? 0 : clusters.count;
    compared.clustered = !clusters.single();
    for (size_t k = 1; k < evaluations.size(); ++k) {
      const StoredTarget& other = target_named(evaluations[k], target);
      const std::vector<uint32_t> rows = matched(target, first.title, other, evaluations[k].title);
      // Names of patients are pseudonyms that differ from run to run; who shares one does not.
      const metrics::Clusters theirs =
          metrics::clusters_of(in_order(other.groups, rows), rows.size());
      if (theirs.of_case != clusters.of_case)
        throw data_error(fmt::format("{} and {} say otherwise which cases are of one patient",
                                     first.title, evaluations[k].title),
                         "evaluate both on the same data, with the same column of patients");
      compared.differences.push_back(
          metrics::compare(*other.cases->part(rows), *target.cases, clusters, options));
    }
    for (const auto& one : compared.differences)
      compared.holm.emplace_back(one.size(), std::nan(""));
    for (size_t metric = 0; metric < compared.differences.at(0).size(); ++metric) {
      std::vector<double> p;
      for (const auto& one : compared.differences) p.push_back(one[metric].p.value);
      const std::vector<double> raised = metrics::holm(p);
      for (size_t k = 0; k < p.size(); ++k) compared.holm[k][metric] = raised[k];
    }
  }
  return all;
}

std::string comparison_json(const Comparison& comparison) {
  Json json{{"schema_version", 1},
            {"evaluations", comparison.titles},
            {"split", comparison.split},
            {"level", metrics::kLevel},
            {"replicates", comparison.bootstrap.replicates},
            {"seed", comparison.bootstrap.seed},
            {"targets", Json::array()}};
  for (const ComparedTarget& target : comparison.targets) {
    Json one{{"name", target.name},
             {"cases", target.cases},
             {"patients", target.patients > 0 ? Json(target.patients) : Json(nullptr)},
             {"clustered", target.clustered},
             {"comparisons", Json::array()}};
    for (size_t k = 0; k < target.differences.size(); ++k) {
      Json metrics = Json::array();
      for (size_t i = 0; i < target.differences[k].size(); ++i)
        metrics.push_back(json_of(target.differences[k][i], target.holm[k][i]));
      one["comparisons"].push_back({{"first", comparison.titles[0]},
                                    {"other", comparison.titles[k + 1]},
                                    {"metrics", std::move(metrics)}});
    }
    json["targets"].push_back(std::move(one));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string comparison_text(const Comparison& comparison) {
  std::string text, lines;
  for (const ComparedTarget& target : comparison.targets)
    for (size_t k = 0; k < target.differences.size(); ++k) {
      const std::string& other = comparison.titles[k + 1];
      text += fmt::format("{}: {} less {}, {} cases", target.name, other, comparison.titles[0],
                          target.cases);
      if (target.patients > 0) text += fmt::format(" of {} patients", target.patients);
      text += fmt::format("\n  {:<18}  {:>9}  {:>9}  {:>10}  {:<20}  p\n", "metric", "first",
                          "other", "difference", "95 % interval");
      for (const Difference& one : target.differences[k]) {
        if (!one.difference.defined()) {
          text +=
              fmt::format("  {:<18}  undefined: {}\n", one.key.name, one.difference.why_undefined);
          continue;
        }
        const metrics::Interval& interval = one.bounds.interval;
        text += fmt::format("  {:<18}  {:>9.4f}  {:>9.4f}  {:>+10.4f}  {:<20}  {}\n", one.key.name,
                            one.b.value, one.a.value, one.difference.value,
                            interval.defined()
                                ? fmt::format("{:+.4f} to {:+.4f}", interval.low, interval.high)
                                : "none",
                            one.p.defined() ? page::p_value(one.p.value) : "undefined");
      }
      const Difference& main = target.differences[k].at(0);
      lines += fmt::format("target={} first={} other={} n={} {}", target.name, comparison.titles[0],
                           other, target.cases, main.key.name);
      lines +=
          main.difference.defined() ? fmt::format("={:.4f}", main.difference.value) : "=undefined";
      if (main.bounds.interval.defined())
        lines += fmt::format(" low={:.4f} high={:.4f}", main.bounds.interval.low,
                             main.bounds.interval.high);
      if (main.p.defined())
        lines += fmt::format(" p={:.4g} p_holm={:.4g}", main.p.value, target.holm[k][0]);
      lines += "\n";
    }
  return text + lines;
}

}  // namespace fovea::report
