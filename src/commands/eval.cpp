#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "commands/stopping.h"
#include "commands/subgroups.h"

#include "fovea/bundle/trained.h"
#include "fovea/commands/commands.h"
#include "fovea/commands/words.h"
#include "fovea/config/yaml.h"
#include "fovea/core/log.h"
#include "fovea/nn/weights.h"
#include "fovea/report/data_notes.h"
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

}  // namespace

int eval(const EvalRequest& request) {
  check_settable(request.set);
  const torch::Device device = train::choose_device(request.device);
  bundle::Trained trained = bundle::open_trained(request.model);
  train::use_salt_of(trained.folder);
  train::use_threads(request.threads);
  const config::RunConfig data = data_of(request, trained);
  trained.config.data = data.data;
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
  Subgroups subgroups(source, request.split, *task);
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
  options.decoded = [&](const TensorMap& decoded, const Batch& batch) {
    subgroups.add(decoded, batch);
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
  if (!evaluation) {
    complain(
        fmt::format("stopped by {} after {} of {} cases: metrics of a part would be of "
                    "something else, so nothing is written",
                    train::stop_reason(), seen, loader.examples()));
    std::error_code not_empty;
    std::filesystem::remove(out, not_empty);
    return kStoppedCode;
  }

  const std::string line = evaluation->write(out, request.split);
  subgroups.write(out);
  const report::DataNotes notes = notes_of(source, request.split);
  for (const TargetSpec& target : trained.card.targets)
    for (const auto& folder : {out, out / target.name})
      if (const auto file = folder / "metrics.json"; std::filesystem::exists(file))
        report::add_data_notes(file, notes);
  std::cout << "metrics, predictions and plots are in " << out.string() << '\n'
            << subgroups.lines() << line << std::endl;
  const std::vector<std::string> failed = evaluation->failed();
  if (failed.empty()) return 0;
  complain(fmt::format(
      "the outputs of {} of {} cases are not finite, and no metric counts them: {}; look at their "
      "inputs for numbers that are missing, infinite or out of all bounds",
      failed.size(), loader.examples(), join(failed, ", ", 8)));
  return static_cast<int>(Fault::data);
}

}  // namespace fovea::commands
