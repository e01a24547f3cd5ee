#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <sstream>

#include "commands/eval_data.h"
#include "commands/failure_images.h"
#include "commands/groupings.h"
#include "commands/perturbed.h"
#include "commands/report_header.h"
#include "commands/stopping.h"

#include "fovea/bundle/drift.h"
#include "fovea/bundle/trained.h"
#include "fovea/commands/commands.h"
#include "fovea/commands/words.h"
#include "fovea/core/log.h"
#include "fovea/nn/model.h"
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

constexpr int64_t kSamplesOfPerturbed = 300;  // of the bootstrap: a curve needs no third digit

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

/// A note without the path of the file that it was first true of, which is patient data: the log has it.
std::string without_example(const std::string& note) {
  const size_t at = note.rfind(" (/");
  return at != std::string::npos && note.ends_with(')') ? note.substr(0, at) : note;
}

/// What is known of the cases, against what is noted of the training cases.
std::vector<report::Drift> drift_against_training(const bundle::ModelCard& card,
                                                  const sources::Source& source,
                                                  const sources::Measured& cases,
                                                  const std::string& split) {
  const std::vector<int64_t> all = sources::cases_of(source, split);
  std::vector<sources::Quantity> quantities = sources::known_quantities(source, all);
  std::ranges::move(cases.quantities(), std::back_inserter(quantities));
  return bundle::drift_of(card.profile, quantities, sources::patients_of(*source.data, all));
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
  const torch::Device device = train::choose_device(request.device);
  bundle::Trained trained = bundle::open_trained(request.model);
  train::use_salt_of(trained.folder);
  train::use_threads(request.threads);
  const EvalData data = eval_data(request, trained);
  trained.config.data = data.settings.data;
  trained.config.train.loader_threads = data.settings.train.loader_threads;
  trained.config.train.loader_mb = data.settings.train.loader_mb;
  const sources::Source source =
      sources::open_source(bundle::data_in_use(trained.config),
                           static_cast<uint64_t>(data.settings.seed), trained.card.fitted);
  for (const std::string& note : source.remarks()) log_info(note);
  for (const std::string& note : data.notes) log_info(note);
  check_targets(trained, source);

  const auto cases = std::make_shared<sources::Measured>(
      data.split == "all" ? source.data : source.part(data.split));
  const tasks::TaskPtr task = bundle::make_task(trained.config, trained.card);
  const auto model = bundle::make_model(trained, *task);
  const Loader loader = bundle::evaluation_loader(trained.config, cases, device);
  const std::filesystem::path out =
      request.out.empty() ? trained.folder / data.folder : request.out;
  const train::StopSignals signals;
  refuse_unwritable(out);
  check_perturbations(request.perturb, nn::inputs_in_use(trained.config.model), *cases);
  report::Asked asked{.split = data.split,
                      .groupings = groupings(source, data.split, data.by),
                      .tell_all = request.small_groups,
                      .prevalence = request.prevalence};
  asked.bootstrap.replicates = request.replicates;
  report::Progress progress("eval " + data.split, loader.examples(),
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
  const auto evaluate_again = [&](const DatasetPtr& perturbed) {
    const Loader again = bundle::evaluation_loader(trained.config, perturbed, device);
    report::Progress line("perturbed", again.examples(), report::Terminal::standard_error());
    train::EvaluateOptions as_before{.device = device};
    as_before.stop = train::stop_requested;
    as_before.progress = [&](const Batch& batch) { line.advance(batch.size()); };
    const auto found = train::evaluate(*model, *task, again, as_before);
    report::Asked less{.split = data.split};
    less.bootstrap.replicates = std::min(request.replicates, kSamplesOfPerturbed);
    return found ? found->sections(less) : std::vector<report::Section>();
  };
  if (!evaluation || !fill(sections, *evaluation, asked) ||
      !add_robustness(sections, request.perturb, cases, out, evaluate_again)) {
    complain(
        fmt::format("stopped by {} after {} of {} cases: metrics of a part would be of "
                    "something else, so nothing is written",
                    train::stop_reason(), seen, loader.examples()));
    std::error_code not_empty;
    std::filesystem::remove(out, not_empty);
    return kStoppedCode;
  }

  const std::string line = evaluation->write(out, data.split);
  std::istringstream lines(line);  // one for each target
  for (report::Section& section : sections) std::getline(lines, section.line);
  const report::DataNotes notes = notes_of(source, data.split);
  for (const report::Section& section : sections)
    report::add_subgroups(out / section.folder / "metrics.json", section.subgroups);
  for (const TargetSpec& target : trained.card.targets)
    for (const auto& folder : {out, out / target.name})
      if (const auto file = folder / "metrics.json"; storage::exists(file))
        report::add_data_notes(file, notes);
  const Evaluated evaluated{trained, *model, source, data.split, device, !request.data.empty()};
  report::Report report = report_header(evaluated);
  report.bootstrap = asked.bootstrap;
  for (const std::string& note : notes.notes) report.notes.push_back(without_example(note));
  std::ranges::copy(data.notes, std::back_inserter(report.notes));
  for (const auto& [input, count] : notes.cut_texts)
    report.notes.push_back(fmt::format("{} texts of the input '{}' are cut", count, input));
  report.sections = sections;
  // Of the model's own training cases there is none.
  if (!request.data.empty() || (data.split != "train" && data.split != "all"))
    report.drift = drift_against_training(trained.card, source, *cases, data.split);
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
