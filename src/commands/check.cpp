#include "fovea/sources/check.h"

#include <fmt/format.h>

#include <iostream>

#include "commands/stopping.h"
#include "fovea/bundle/assemble.h"
#include "fovea/commands/commands.h"
#include "fovea/commands/words.h"
#include "fovea/report/progress.h"
#include "fovea/storage/dtype.h"
#include "fovea/train/device.h"
#include "fovea/train/trainer.h"

namespace fovea::commands {
namespace {

constexpr size_t kShown = 20;

void print_counts(const sources::CheckReport& report) {
  std::cout << report.cases << " cases\n";
  for (const auto& [split, cases] : report.splits) {
    std::string classes;
    for (const auto& count : report.counts)
      if (count.split == split)
        classes +=
            fmt::format("{}{} {}", classes.empty() ? "" : ", ", count.class_name, count.cases);
    std::cout << fmt::format("  {:<8} {:>7}   {}\n", split, cases, classes);
  }
}

/// How each column was read: a look of ten seconds tells whether all is well.
void print_columns(const sources::CheckReport& report) {
  size_t width = 0;
  for (const auto& one : report.found.columns) width = std::max(width, one.column.size());
  for (const auto& [column, reading] : report.found.columns)
    std::cout << fmt::format("  {:<{}}  {}\n", column, width, reading);
}

void print_inputs(const sources::CheckReport& report) {
  for (const auto& sizes : report.sizes) {
    if (sizes.largest.empty()) {
      const auto [least, most] = std::ranges::minmax(sizes.channels);
      std::cout << (sizes.text ? fmt::format("  {}: {} to {} tokens, ids {:g} to {:g}\n",
                                             sizes.input, least, most, sizes.lowest, sizes.highest)
                               : fmt::format("  {}: {} columns, values {:g} to {:g}\n", sizes.input,
                                             most, sizes.lowest, sizes.highest));
      continue;
    }
    if (sizes.largest.size() == 1) {
      std::cout << fmt::format("  {}: {} to {} time steps, {} channels, values {:g} to {:g}\n",
                               sizes.input, sizes.smallest[0], sizes.largest[0], sizes.channels[0],
                               sizes.lowest, sizes.highest);
      continue;
    }
    std::string channels;
    for (const int64_t count : sizes.channels)
      channels += fmt::format("{}{}", channels.empty() ? "" : " or ", count);
    std::cout << fmt::format("  {}: {} to {} pixels, {} channels, values {:g} to {:g}{}\n",
                             sizes.input, storage::shape_text(sizes.smallest),
                             storage::shape_text(sizes.largest), channels, sizes.lowest,
                             sizes.highest, sizes.mixed ? ", some 2-D and some 3-D" : "");
  }
  if (!report.constant.empty())
    std::cout << fmt::format("  {} cases are of one value only, the first is {}\n",
                             report.constant.size(), in_our_words(report.constant[0]));
  if (!report.made_constant.empty())
    std::cout << fmt::format("  {} images are so after the transforms, the first is {}\n",
                             report.made_constant.size(), in_our_words(report.made_constant[0]));
}

template <class Items, class Text>
void print_some(const Items& items, const Text& text) {
  for (size_t i = 0; i < items.size() && i < kShown; ++i)
    std::cout << "    " << text(items[i]) << '\n';
  if (items.size() > kShown) std::cout << fmt::format("    and {} more\n", items.size() - kShown);
}

/// What training would refuse in its first step: two cases (one where batches are of one) through the
/// model and the loss, as they go there. An Error says what.
void try_step(config::RunConfig config, const sources::Source& source) {
  config.train.batch_size = std::min<int64_t>(config.train.batch_size, 2);
  config.train.precision = "fp32";  // of any device
  config.train.loader_threads = 0;
  const bundle::Training training(config, source, torch::kCPU);
  const torch::NoGradGuard no_grad;
  training.model->train();
  for (const Batch& loaded : training.cases.epoch(0)) {
    const Batch batch = train::prepared(loaded, torch::kCPU, config.train.channels_last);
    training.task->loss(training.model->forward(batch.inputs, batch.lengths, batch.present), batch);
    return;
  }
}

}  // namespace

int check(const CheckRequest& request) {
  const config::RunConfig config = config::read_config(request.config, request.set);
  train::choose_device("cpu");
  const sources::Source source = of_config(request.config, [&] {
    return sources::open_source(bundle::data_in_use(config), static_cast<uint64_t>(config.seed));
  });
  report::Progress progress("check", source.data->size(), report::Terminal::standard_error());
  ExampleTransform transform;
  if (!config.model.encoders.empty())
    transform = bundle::make_pipeline(config, config.transforms.eval, source.targets);
  int64_t shown = 0;
  const train::StopSignals signals;
  const sources::CheckReport report = sources::check(
      source, request.threads,
      [&](int64_t done, int64_t) {
        progress.advance(done - shown);
        shown = done;
        return !train::stop_requested();
      },
      transform);
  progress.finish();

  print_counts(report);
  print_columns(report);
  print_inputs(report);
  for (const std::string& note : report.found.notes)
    std::cout << "  note: " << in_our_words(note) << '\n';
  for (const std::string& warning : report.found.warnings)
    std::cout << "  warning: " << in_our_words(warning) << '\n';
  const std::vector<std::string> problems = report.problems();
  for (const std::string& problem : problems)
    std::cout << "  problem: " << in_our_words(problem) << '\n';
  print_some(report.failures, [](const auto& failure) { return in_our_words(failure.message); });
  print_some(report.duplicates, [](const auto& pair) {
    return fmt::format("same content: {} ({}) and {} ({})", in_our_words(pair.first),
                       pair.first_split, in_our_words(pair.second), pair.second_split);
  });
  if (shown < source.data->size()) {
    complain(fmt::format("stopped by {} after {} of {} cases, which are all that was looked at",
                         train::stop_reason(), shown, source.data->size()));
    return kStoppedCode;
  }
  if (problems.empty() && !source.cases("train").empty()) try_step(config, source);
  std::cout << (problems.empty() ? "no problems found\n" : "");
  return problems.empty() ? 0 : static_cast<int>(Fault::data);
}

}  // namespace fovea::commands
