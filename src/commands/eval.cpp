#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <sstream>

#include "commands/failure_images.h"
#include "commands/groupings.h"
#include "commands/report_header.h"
#include "commands/stopping.h"

#include "fovea/bundle/trained.h"
#include "fovea/commands/commands.h"
#include "fovea/commands/words.h"
#include "fovea/config/yaml.h"
#include "fovea/core/log.h"
#include "fovea/nn/weights.h"
#include "fovea/report/data_notes.h"
#include "fovea/report/evaluation.h"
#include "fovea/report/page.h"
#include "fovea/report/progress.h"
#include "fovea/storage/file.h"
#include "fovea/train/device.h"
#include "fovea/train/evaluate.h"
#include "fovea/train/memory.h"
#include "fovea/train/run_folder.h"

namespace fovea::commands {
namespace {

/// Everything but the data belongs to the model as it was trained.
void check_settable(const std::vector<std::string>& set) {
  for (const std::string& assignment : set) {
    const std::string key = assignment.substr(0, assignment.find('='));
    if (key != "data" && !key.starts_with("data."))
      throw config_error(fmt::format(
          "--set {}: found the key '{}'; only data.* can be set in eval, the rest belongs to the "
          "model as it was trained: leave it out, or train a model with it",
          assignment, key));
  }
}

/// "of the classes normal, ill", "a number"
std::string shown(const TargetSpec& target) {
  return target.classes.empty() ? "a " + target.type
                                : fmt::format("of the {} {}", target.type, join(target.classes));
}

/// The classes of the data must be those of the model, in the same order: else every metric is
/// about something else.
void check_targets(const bundle::Trained& trained, const sources::Source& source) {
  for (size_t i = 0; i < trained.card.targets.size(); ++i) {
    const TargetSpec& wanted = trained.card.targets[i];
    if (i >= source.targets.size() || source.targets[i].classes != wanted.classes ||
        source.targets[i].type != wanted.type)
      throw data_error(
          fmt::format("the data's target '{}' is {}, the model's is {}; say so in data.targets.{}",
                      wanted.name, i < source.targets.size() ? shown(source.targets[i]) : "absent",
                      shown(wanted), wanted.name));
  }
}

/// What was assumed of the cases, those that were read included, and what was cut.
report::DataNotes notes_of(const sources::Source& source, const std::string& split) {
  report::DataNotes notes;
  for (const std::string& note : source.remarks()) notes.notes.push_back(in_our_words(note));
  for (const std::string& note : source.reading_notes()) notes.notes.push_back(noted(note));
  for (const auto& [name, input] : source.inputs) {
    int64_t cut = 0;
    for (size_t i = 0; i < source.splits.size(); ++i)
      cut += (split == "all" || source.splits[i] == split) && input->cut(static_cast<int64_t>(i));
    if (cut > 0) notes.cut_texts.emplace_back(name, cut);
  }
  return notes;
}

/// The settings whose section `data` is evaluated: the model's own or those of another config.
config::RunConfig data_of(const EvalRequest& request, const bundle::Trained& trained) {
  if (!request.data.empty()) return config::read_config(request.data, request.set);
  const std::filesystem::path own = trained.folder / "config.yaml";
  if (!trained.portable) return config::read_config(own, request.set);
  config::RunConfig settings = trained.config;  // a bundle names no data
  Node node = Fields::write(settings);
  for (const std::string& assignment : request.set) config::set_value(node, assignment);
  Fields::read(node, settings);
  const sources::DataOptions& data = settings.data;
  if (data.table.empty() && data.folder.empty() && data.path.empty())
    throw config_error(storage::shown(trained.folder) + ": a bundle names no data to evaluate on",
                       "give a config with them (--data FILE.yaml), or --set data.table=FILE "
                       "(data.folder, data.path)");
  return settings;
}

/// Makes the folder of the results, before anything is computed for them.
void refuse_unwritable(const std::filesystem::path& out) {
  storage::make_folder(out);
  if (access(out.c_str(), W_OK | X_OK) != 0)
    throw io_error(fmt::format("cannot write into {}: {}", storage::shown(out),
                               std::generic_category().message(errno)),
                   "name another folder with --out");
}

/// Intervals take a while, so there is a count of samples. False where a signal stopped it.
bool fill(std::vector<report::Section>& sections, const tasks::Evaluation& evaluation,
          report::Asked asked) {
  report::Progress progress("intervals", 0, report::Terminal::standard_error(), "samples");
  asked.bootstrap.advance = [&] {
    if (train::stop_requested()) throw Stopped{};
    progress.advance(1);
  };
  try {
    sections = evaluation.sections(asked);
  } catch (const Stopped&) {
    return false;
  }
  progress.finish();
  return true;
}

/// "subgroup sex=f n=12 auc=0.9100", with the main metric.
std::string subgroup_lines(const report::Section& section) {
  std::string text;
  for (const metrics::SubgroupEstimates& column : section.subgroups)
    for (const metrics::GroupEstimates& group : column.groups) {
      text += fmt::format("subgroup {}={} ", column.name, group.value);
      if (group.withheld) {
        text += "withheld: of so few cases nothing is told\n";
        continue;
      }
      const metrics::Estimate& main = group.estimates.at(0);
      text +=
          fmt::format("n={} {}={}", group.cases, main.key.name,
                      main.value.defined() ? fmt::format("{:.4f}", main.value.value) : "undefined");
      if (const metrics::Interval& interval = main.bounds.interval; interval.defined())
        text += fmt::format(" low={:.4f} high={:.4f}", interval.low, interval.high);
      text += "\n";
    }
  return text;
}

/// report.json, card.md, pictures of failures and the page.
void write_report(const std::filesystem::path& out, report::Report& report, const Dataset& cases,
                  const Evaluated& evaluated, bool images) {
  if (images) add_failure_images(report.sections, cases, out);
  report.card = card_of(evaluated, report);
  storage::write_file_atomically(out / "report.json", report::report_json(report));
  storage::write_file_atomically(out / "card.md", report::card_text(report));
  report::write_report_page(out, {.images = images});
}

}  // namespace

int eval(const EvalRequest& request) {
  check_settable(request.set);
  const torch::Device device = train::choose_device(request.device);
  bundle::Trained trained = bundle::open_trained(request.model);
  train::use_salt_of(trained.folder);
  train::use_threads(request.threads);
  const config::RunConfig data = data_of(request, trained);
  trained.config.data = data.data;
  if (!request.by.empty()) trained.config.data.subgroups = columns_of(request.by);
  trained.config.train.loader_threads = data.train.loader_threads;
  trained.config.train.loader_mb = data.train.loader_mb;
  const sources::Source source = sources::open_source(
      bundle::data_in_use(trained.config), static_cast<uint64_t>(data.seed), trained.card.fitted);
  for (const std::string& note : source.remarks()) log_info(note);
  check_targets(trained, source);

  const DatasetPtr cases = request.split == "all" ? source.data : source.part(request.split);
  const tasks::TaskPtr task = bundle::make_task(trained.config, trained.card);
  const auto model = bundle::make_model(trained, *task);
  const Loader loader = bundle::evaluation_loader(trained.config, cases, device);
  const std::filesystem::path out =
      request.out.empty() ? trained.folder / ("eval-" + request.split) : request.out;
  const train::StopSignals signals;
  refuse_unwritable(out);
  report::Asked asked{
      .split = request.split,
      .groupings = groupings(source, request.split,
                             request.by.empty() ? trained.config.data.subgroups : request.by),
      .tell_all = request.small_groups,
      .prevalence = request.prevalence};
  asked.bootstrap.replicates = request.replicates;
  report::Progress progress("eval " + request.split, loader.examples(),
                            report::Terminal::standard_error());
  int64_t seen = 0;
  train::EvaluateOptions options;
  options.device = device;
  options.stop = train::stop_requested;
  options.progress = [&](const Batch& batch) {
    seen += batch.size();
    progress.advance(batch.size());
  };
  const auto use = [&]() -> train::MemoryUse {
    return {.device = device,
            .batch_size = trained.config.train.batch_size,
            .parameters = train::parameter_count(*model),
            .remedy = "evaluate with --device cpu, or on a device of more memory"};
  };
  const auto evaluation = train::within_memory(use, [&] {
    model->to(device);
    return train::evaluate(*model, *task, loader, options);
  });
  progress.finish();
  std::vector<report::Section> sections;
  if (!evaluation || !fill(sections, *evaluation, asked)) {
    complain(
        fmt::format("stopped by {} after {} of {} cases: metrics of a part would be of "
                    "something else, so nothing is written",
                    train::stop_reason(), seen, loader.examples()));
    std::error_code not_empty;
    std::filesystem::remove(out, not_empty);
    return kStoppedCode;
  }

  const std::string line = evaluation->write(out, request.split);
  std::istringstream lines(line);  // one for each target
  for (report::Section& section : sections) std::getline(lines, section.line);
  const report::DataNotes notes = notes_of(source, request.split);
  for (const report::Section& section : sections) {
    const std::filesystem::path metrics = out / section.folder / "metrics.json";
    report::add_subgroups(metrics, section.subgroups);
    report::add_data_notes(metrics, notes);
  }
  const Evaluated evaluated{trained, *model, source, request.split, device, !request.data.empty()};
  report::Report report = report_header(evaluated);
  report.bootstrap = asked.bootstrap;
  report.notes = notes.notes;
  for (const auto& [input, count] : notes.cut_texts)
    report.notes.push_back(fmt::format("{} texts of the input '{}' are cut", count, input));
  report.sections = sections;
  write_report(out, report, *cases, evaluated, request.images);
  for (const report::Section& section : sections)
    std::cout << report::terminal_table(section) << subgroup_lines(section);
  std::cout << "the report is " << (out / "report.html").string()
            << "; metrics, predictions and plots are beside it\n"
            << line << std::endl;
  const std::vector<std::string> failed = evaluation->failed();
  if (failed.empty()) return 0;
  complain(fmt::format(
      "the outputs of {} of {} cases are not finite, and no metric counts them: {}; look at their "
      "inputs for numbers that are missing, infinite or out of all bounds",
      failed.size(), loader.examples(), join(failed, ", ", 8)));
  return static_cast<int>(Fault::data);
}

}  // namespace fovea::commands
