#include "commands/report_header.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "fovea/config/version.h"
#include "fovea/core/text.h"
#include "fovea/report/progress.h"
#include "fovea/sources/digests.h"
#include "fovea/sources/quantities.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "fovea/train/device.h"
#include "fovea/train/memory.h"

namespace fovea::commands {
namespace {

namespace fs = std::filesystem;

std::string now() {
  const auto seconds =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", seconds);
}

/// The name of the run; of the bundle in a run that of both.
std::string title_of(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const fs::path path = whole.has_filename() ? whole : whole.parent_path();
  const std::string name = path.filename().string();
  return name == "bundle" && path.has_parent_path()
             ? path.parent_path().filename().string() + "/" + name
             : name;
}

std::string data_name(const sources::DataOptions& data) {
  if (!data.folder.empty()) return data.folder.filename().string();
  if (!data.path.empty()) return data.path.filename().string();
  std::vector<std::string> names;
  for (const auto& [split, file] : data.table.files) names.push_back(file.filename().string());
  return join(names);
}

/// SHA-256 over the sorted ids, targets and files of the cases.
std::string fingerprint(const sources::Source& source, const std::vector<int64_t>& cases,
                        const storage::CaseDigests& known) {
  report::Progress progress("files", static_cast<int64_t>(cases.size()),
                            report::Terminal::standard_error());
  const storage::CaseDigests digests = sources::digests(
      source, known, [&] { progress.advance(1); }, cases);
  progress.finish();
  std::vector<std::string> lines;
  for (size_t k = 0; k < cases.size(); ++k) {
    std::string line = source.data->id(cases[k]);
    for (const auto& [target, value] : source.data->targets(cases[k])) {
      line += "\t" + target;
      const torch::Tensor numbers = value.to(torch::kFloat64).contiguous().view(-1);
      for (int64_t i = 0; i < numbers.numel(); ++i)
        line += fmt::format(" {}", numbers.const_data_ptr<double>()[i]);
    }
    lines.push_back(fmt::format("{}\t{:016x}\n", line, digests[k].content));
  }
  std::ranges::sort(lines);
  storage::Sha256 hash;
  for (const std::string& line : lines) hash.add(line);
  return hash.hex();
}

/// Settings as they would be written, on a line.
template <class Settings>
std::string written(const Settings& settings) {
  return inline_text(write_value(settings));
}

report::Facts facts_of(const Evaluated& e) {
  report::Facts facts;
  for (const auto& [name, shape] : e.trained.card.inputs) {
    std::vector<std::string> sides;
    for (const int64_t side : shape.sizes) sides.push_back(side < 0 ? "any" : std::to_string(side));
    facts.emplace_back("input " + name, join(sides, " x "));
  }
  for (const auto& [name, encoder] : e.trained.config.model.encoders)
    facts.emplace_back("encoder " + name, written(encoder));
  facts.emplace_back("task", written(e.trained.config.task));
  facts.emplace_back("parameters", std::to_string(train::parameter_count(e.model)));
  return facts;
}

}  // namespace

report::Report report_header(const Evaluated& e) {
  const std::vector<int64_t> cases = sources::cases_of(e.source, e.split);
  report::Report report;
  report.version = config::version_text();
  report.created = now();
  report.title = title_of(e.trained.folder);
  report.split = e.split;
  report.model = report.title;
  report.weights_sha256 = storage::sha256_file(e.trained.weights);
  report.model_facts = facts_of(e);
  report.data = data_name(e.trained.config.data);
  report.external = e.external;
  report.data_fingerprint = fingerprint(
      e.source, cases, storage::read_case_digests(e.trained.folder / storage::kCasesName));
  report.cases = static_cast<int64_t>(cases.size());
  std::set<std::string> patients;
  for (const int64_t i : cases)
    if (std::string group = e.source.data->group(i); !group.empty())
      patients.insert(std::move(group));
  if (!patients.empty()) report.patients = static_cast<int64_t>(patients.size());
  return report;
}

// After CLAIM (Tejani 2024, Radiology: Artificial Intelligence) and TRIPOD+AI (Collins 2024, BMJ).
std::vector<report::CardItem> card_of(const Evaluated& e, const report::Report& report) {
  const config::RunConfig& config = e.trained.config;
  std::vector<report::CardItem> items;
  std::string section;
  const auto known = [&](const char* item, std::string text) {
    items.push_back({section, item, std::move(text)});
  };
  const auto stated = [&](const char* item, const std::string& text) {
    items.push_back({section, item, text.empty() ? std::nullopt : std::optional(text)});
  };
  section = "Purpose";
  stated("Intended use", config.card.intended_use);
  stated("Limits", config.card.limits);
  stated("Contact", config.card.contact);
  section = "Data";
  known("Evaluated", fmt::format("{}, split {}: {} cases{}", report.data, e.split, report.cases,
                                 report.patients ? fmt::format(" of {} patients", *report.patients)
                                                 : std::string()));
  stated("Source", config.card.source);
  stated("Inclusion and exclusion", config.card.inclusion);
  stated("Reference standard", config.card.reference_standard);
  stated("Ethics", config.card.ethics);
  known("Level of the splits",
        report.patients ? "patient: none is in two splits" : "case: the data name no patients");
  known("Preprocessing", written(config.transforms.eval));
  section = "Model";
  for (const auto& [name, value] : report.model_facts) items.push_back({section, name, value});
  known("Weights (SHA-256)", report.weights_sha256);
  section = "Training";
  for (const TargetSpec& target : e.trained.card.targets) {
    std::vector<std::string> counts;
    for (size_t k = 0; k < target.counts.size() && k < target.classes.size(); ++k)
      counts.push_back(fmt::format("{} {}", target.counts[k], target.classes[k]));
    items.push_back({section, "Training cases of " + target.name,
                     counts.empty() ? std::nullopt : std::optional(join(counts))});
  }
  known("Augmentation", written(config.transforms.train));
  known("Settings", written(config.train));
  known("Seed", std::to_string(config.seed));
  section = "Evaluation";
  known("Uncertainty", fmt::format("95 % intervals; bootstrap by patients with {} samples, seed {}",
                                   report.bootstrap.replicates, report.bootstrap.seed));
  known("Fitted to these cases", "nothing: operating points come from validation cases");
  for (const report::Section& target : report.sections)
    items.push_back({section, "Result for " + target.target, target.line});
  section = "System";
  known("fovea", report.version);
  known("Evaluated on", e.device.str());
  return items;
}

}  // namespace fovea::commands
