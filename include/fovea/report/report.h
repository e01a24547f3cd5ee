// The report of an evaluation as a document: report.json, whose layout is docs/report.schema.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fovea/report/section.h"

namespace fovea::report {

using Facts = std::vector<std::pair<std::string, std::string>>;

/// An item of a checklist. Without a text it is "not stated": nothing is invented.
struct CardItem {
  std::string section, item;
  std::optional<std::string> text = {};
};

/// How one quantity of an input differs from the training cases.
struct Drift {
  std::string input, quantity;
  std::string training, here;  ///< in words
  metrics::MetricValue stability_index, p;
  std::string test;
};

struct Report {
  std::string version;  ///< of fovea
  std::string created;  ///< UTC, ISO 8601
  std::string title;
  std::string split;
  metrics::BootstrapOptions bootstrap;
  std::string model;
  std::string weights_sha256;  ///< empty: not known
  Facts model_facts = {};
  std::string data;       ///< its name, without folders
  bool external = false;  ///< other data than the model's own
  std::string data_fingerprint;
  int64_t cases = 0;
  std::optional<int64_t> patients = {};
  std::vector<std::string> notes = {};
  std::vector<Section> sections = {};
  std::vector<Drift> drift = {};
  std::vector<CardItem> card = {};
};

/// The content of report.json. Texts that are no UTF-8 have the replacement character in place of what is
/// none.
std::string report_json(const Report& report);

/// The card as Markdown.
std::string card_text(const Report& report);

}  // namespace fovea::report
