#include <fmt/format.h>

#include <iostream>

#include "commands/stopping.h"

#include "fovea/bundle/freeze.h"
#include "fovea/bundle/trained.h"
#include "fovea/commands/commands.h"
#include "fovea/commands/words.h"
#include "fovea/config/version.h"
#include "fovea/config/yaml.h"
#include "fovea/report/progress.h"
#include "fovea/sources/digests.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "fovea/train/callbacks.h"
#include "fovea/train/device.h"
#include "fovea/train/signals.h"

namespace fovea::commands {
namespace {

/// SHA-256 over what the run learns from: each case's file name, split, patient and targets.
std::string fingerprint(const sources::Source& source) {
  std::string text;
  for (int64_t i = 0; i < source.data->size(); ++i) {
    const std::filesystem::path name = source.data->name(i);
    text += fmt::format("{}\n{}\n{}\n", name.filename().string(),
                        source.splits[static_cast<size_t>(i)], source.data->group(i));
    for (const auto& [target, value] : source.data->targets(i)) {
      const torch::Tensor numbers = value.to(torch::kFloat64).contiguous().view(-1);
      for (int64_t k = 0; k < numbers.numel(); ++k)
        text += fmt::format("{} ", numbers.data_ptr<double>()[k]);
    }
  }
  for (const auto& [name, input] : source.inputs) text += name + " " + input->fingerprint() + "\n";
  return storage::sha256(text);
}

storage::CaseDigests digests(const sources::Source& source, const storage::CaseDigests& known) {
  report::Progress progress("files", source.data->size(), report::Terminal::standard_error());
  storage::CaseDigests all = sources::digests(source, known, [&] { progress.advance(1); });
  progress.finish();
  return all;
}

/// `before`: the run that goes on; "" where there is none.
train::RunIdentity identity(const config::RunConfig& config, const sources::Source& source,
                            const torch::Device& device, int64_t threads,
                            const std::filesystem::path& before) {
  const train::Precision precision = train::choose_precision(config.train.precision, device);
  const std::filesystem::path written = before / "config.yaml";
  const bool goes_on = !before.empty() && storage::exists(written);
  storage::CaseDigests cases_before;
  if (!before.empty()) cases_before = storage::read_case_digests(before / storage::kCasesName);
  return {.config_yaml = config::resolved_text(config),
          .config = Fields::write(config),
          .config_before = goes_on ? Fields::write(config::read_config(written)) : Node{},
          .config_written = goes_on ? config::read_yaml(written) : Node{},
          .data_fingerprint = fingerprint(source),
          .cases = digests(source, cases_before),
          .cases_before = cases_before,
          .facts = {{"threads", std::to_string(threads)},
                    {"device", device.str()},
                    {"precision", std::string(train::name_of(precision))}}};
}

train::RunOptions opening(const TrainRequest& request) {
  train::RunOptions options;
  using Opening = train::RunOptions::Opening;
  if (request.resume && request.force)
    throw config_error(
        "--resume goes on with the run that is there, --force forgets it: give one of the two");
  options.opening = request.resume  ? Opening::resume
                    : request.force ? Opening::replace
                                    : Opening::create;
  options.allow_changed = request.allow_changed;
  options.break_lock = request.break_lock;
  options.command_line = "fovea train " + request.config.string();
  for (const std::string& assignment : request.set) options.command_line += " --set " + assignment;
  options.version = config::version();
  options.commit = config::commit();
  return options;
}

std::string closing_line(const std::filesystem::path& run, const train::Result& result) {
  std::string line = fmt::format("run={} epochs={}", run.string(), result.epochs);
  if (result.best)
    line += fmt::format(" best_epoch={} val_{}={:.4f}", result.best_epoch, result.best_metric,
                        *result.best);
  return line;
}

bool freeze(const std::filesystem::path& run, const sources::Source& source,
            const torch::Device& device) {
  report::Progress progress("operating point and profile", bundle::cases_to_freeze(source),
                            report::Terminal::standard_error());
  return bundle::freeze(
      run, source, device,
      {.progress = [&](int64_t cases) { progress.advance(cases); }, .stop = train::stop_requested});
}

}  // namespace

int train(const TrainRequest& request) {
  const std::filesystem::path out =
      request.out.empty() ? "runs" / request.config.stem() : request.out;
  train::RunOptions run_options = opening(request);
  train::RunFolder::refuse_unfit(out, run_options);
  if (request.resume) train::use_salt_of(out);
  config::RunConfig config = config::read_config(request.config, request.set);
  if (request.threads > 0) config.train.threads = request.threads;
  const torch::Device device =
      train::choose_device(request.device);  // before LibTorch is asked anything
  const int64_t threads = train::use_threads(config.train.threads);

  const sources::Source source = of_config(request.config, [&] {
    return sources::open_source(bundle::data_in_use(config), static_cast<uint64_t>(config.seed));
  });
  sources::keep_choices(source, config.data);
  for (const std::string& text : source.remarks()) run_options.notes.push_back(noted(text));
  std::optional<bundle::Training> training(std::in_place, config, source, device);
  for (const std::string& text : training->trainer.notes())
    run_options.notes.push_back(noted(text));
  train::RunFolder run(out, identity(config, source, device, threads, request.resume ? out : ""),
                       run_options);
  bundle::write_card(out / "model.json", training->card);
  const train::StopSignals signals;
  train::RunJournal journal(run);
  train::EventLog events(out);
  train::ProgressLine progress;
  const train::Result result = training->trainer.fit({&journal, &events, &progress}, &run);
  training.reset();  // what it holds on the device is free for what follows
  int code = result.exit_code();
  for (const std::string& text : source.reading_notes()) run.add_note(noted(text));
  if (result.end == train::Result::End::stopped) {
    std::cout << fmt::format(
        "{} after step {}: the checkpoint {} was complete {:.2f} s after the "
        "signal; go on with --resume\n",
        result.reason, result.steps, result.checkpoint.string(), result.seconds_to_stop);
  } else if (freeze(out, source, device)) {
    bundle::write_bundle(out, config, out / "bundle");
  } else {
    code = kStoppedCode;
    complain(
        fmt::format("stopped by {} after training, before its operating point was chosen and "
                    "its bundle written: do both with --resume",
                    train::stop_reason()));
  }
  run.finish(code);
  std::cout << closing_line(out, result) << std::endl;
  return code;
}

}  // namespace fovea::commands
