// A report of one binary target, as small as it can be, and what the tests of its page ask for.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "fovea/report/page.h"

namespace fovea::report {

using Json = nlohmann::ordered_json;

inline size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// With no more of a page in a message than what it lacks.
inline testing::AssertionResult has(const std::string& page, const std::string& part) {
  const bool found = page.find(part) != std::string::npos;
  return (found ? testing::AssertionSuccess() : testing::AssertionFailure())
         << (found ? "the page has " : "the page lacks ") << part;
}

inline Json bounds(double low, double high) {
  return {{"method", "Wilson"}, {"low", low}, {"high", high}};
}

/// The smallest report with all of a binary target.
inline Json report() {
  Json json = Json::parse(R"json({
    "schema_version": 1, "fovea": "0.1.0", "created": "2026-03-01T09:05:00Z", "title": "run-7",
    "split": "test", "level": 0.95, "replicates": 2000, "seed": 3,
    "model": {"name": "resnet", "weights_sha256": null, "facts": [["Parameters", "11,171,266"]]},
    "data": {"name": "table.csv", "external": false, "fingerprint": "0123abcd", "cases": 20,
      "patients": null, "notes": ["two images were grey"]},
    "targets": [{
      "name": "pneumonia", "type": "binary", "folder": "", "line": "split=test n=20 auc=0.9000",
      "cases": 20, "n": 20, "unknown": 0, "failed": 0, "patients": null, "clustered": false,
      "classes": [{"name": "no", "n": 10, "known": 20}, {"name": "yes", "n": 10, "known": 20}],
      "positive_class": "yes",
      "decision": {"rule": "Yes from the threshold on.",
        "points": [{"class": "yes", "threshold": 0.43, "chosen": "youden on val"}]},
      "figures": [{"name": "auc", "goal": "higher", "value": 0.9123456, "n": 20,
        "interval": {"method": "DeLong", "low": 0.8512345, "high": 0.9501234},
        "also": [{"method": "percentile bootstrap", "low": 0.84, "high": 0.96}]}],
      "plots": [], "warnings": ["There are few cases."],
      "confusion_matrix": {"classes": ["no", "yes"], "counts": [[8, 2], [1, 9]]},
      "thresholds": {"class": "yes", "positives": 10, "negatives": 10,
        "steps": [[0.9, 5, 0], [0.6, 8, 1], [0.44, 9, 2], [0.2, 10, 6], [0.1, 10, 10]]}
    }],
    "card": [{"section": "Data", "item": "Source", "text": "one hospital"},
             {"section": "Data", "item": "Inclusion", "text": null}]
  })json");
  return json;
}

inline std::string page_of(const Json& json, const PageOptions& options = {}) {
  return report_page(json.dump(), "/nowhere", options);
}

inline Json failure(const std::string& id) {
  return {{"id", id},       {"type", "false positive"},  {"truth", "no"},         {"answer", "yes"},
          {"margin", 0.31}, {"image", "failures/1.png"}, {"link", "images/" + id}};
}

}  // namespace fovea::report
