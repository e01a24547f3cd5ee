#include "fovea/train/callbacks.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/report/events.h"
#include "fovea/report/plots.h"
#include "fovea/storage/file.h"

namespace fovea::train {
namespace {

using Json = nlohmann::ordered_json;

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

std::string metrics_line(const EpochReport& epoch, std::string_view split, std::string_view metric,
                         double value) {
  return fmt::format("{},{},{},{},{}\n", epoch.epoch, epoch.step, split, metric,
                     std::isfinite(value) ? number(value) : "");
}

/// The rows that metrics_line wrote.
std::vector<report::HistoryRow> history_of(std::string_view metrics) {
  const auto until = [&](char end) {
    const std::string_view part = metrics.substr(0, metrics.find(end));
    metrics.remove_prefix(std::min(metrics.size(), part.size() + 1));
    return part;
  };
  const auto read = [](std::string_view text, auto value) {
    std::from_chars(text.data(), text.data() + text.size(), value);  // as it is where it is empty
    return value;
  };
  std::vector<report::HistoryRow> rows;
  until('\n');  // the names of the columns
  while (!metrics.empty()) {
    const int64_t epoch = read(until(','), int64_t{0});
    until(',');
    const std::string split(until(',')), metric(until(','));
    rows.push_back({epoch, split, metric, read(until('\n'), double{NAN})});
  }
  return rows;
}

std::string_view name_of(Result::End end) {
  switch (end) {
    case Result::End::early:
      return "early";
    case Result::End::stopped:
      return "stopped";
    default:
      return "completed";
  }
}

const tasks::NamedMetric* metric_of(const EpochReport& epoch) {
  const auto found = std::ranges::find(epoch.metrics, epoch.best_metric, &tasks::NamedMetric::name);
  return found == epoch.metrics.end() ? nullptr : &*found;
}

}  // namespace

void RunJournal::on_start(const StartReport& start) {
  run_.append_log("info", start.resumed ? "resume" : "start",
                  Json{{"epochs", start.epochs},
                       {"steps_per_epoch", start.steps_per_epoch},
                       {"cases_per_epoch", start.cases_per_epoch},
                       {"epoch", start.first_epoch},
                       {"step", start.first_step},
                       {"device", start.device.str()},
                       {"precision", train::name_of(start.precision)}}
                      .dump());
}

void RunJournal::on_step(const StepReport& step) {
  if (step.applied && step.step % log_every_ != 0) return;
  run_.append_log(step.applied ? "info" : "warning", step.applied ? "step" : "skipped_step",
                  Json{{"epoch", step.epoch},
                       {"step", step.step},
                       {"loss", finite(step.loss)},
                       {"gradient_norm", finite(step.gradient_norm)},
                       {"lr", step.lr}}
                      .dump());
}

void RunJournal::on_epoch(const EpochReport& epoch) {
  std::string lines = metrics_line(epoch, "train", "loss", epoch.train_loss) +
                      metrics_line(epoch, "train", "lr", epoch.lr);
  Json metrics = Json::object();
  for (const tasks::NamedMetric& metric : epoch.metrics) {
    lines += metrics_line(epoch, "val", metric.name, metric.value);
    metrics[metric.name] = finite(metric.value);
  }
  run_.append_metrics(lines);
  run_.append_log("info", "epoch",
                  Json{{"epoch", epoch.epoch},
                       {"step", epoch.step},
                       {"train_loss", finite(epoch.train_loss)},
                       {"best", epoch.improved},
                       {"figures", metrics}}
                      .dump());
}

void RunJournal::on_stop(const Result& result) {
  run_.append_log("info", "stop",
                  Json{{"end", name_of(result.end)},
                       {"reason", result.reason},
                       {"epochs", result.epochs},
                       {"steps", result.steps},
                       {"best_figure", result.best_metric},
                       {"best", result.best ? Json(*result.best) : Json(nullptr)},
                       {"best_epoch", result.best_epoch}}
                      .dump());
  if (result.epochs > 0) {
    storage::write_file_atomically(
        run_.path() / "learning_curves.svg",
        report::learning_curves_svg(history_of(run_.metrics()), result.best_metric,
                                    result.best ? result.best_epoch : -1, result.reason));
  }
  run_.finish(result.exit_code());
}

struct EventLog::Writer {
  report::EventWriter events;
};

EventLog::EventLog(const std::filesystem::path& folder, int64_t every)
    : writer_(new Writer{report::EventWriter(folder)}), every_(every) {}
EventLog::~EventLog() = default;

void EventLog::on_step(const StepReport& step) {
  if (step.step % every_ != 0) return;
  writer_->events.scalar("step/loss", step.step, step.loss);
  writer_->events.scalar("step/gradient_norm", step.step, step.gradient_norm);
  writer_->events.scalar("step/lr", step.step, step.lr);
}

void EventLog::on_epoch(const EpochReport& epoch) {
  writer_->events.scalar("train/loss", epoch.step, epoch.train_loss);
  for (const tasks::NamedMetric& metric : epoch.metrics)
    if (metric.why_undefined.empty())
      writer_->events.scalar("val/" + metric.name, epoch.step, metric.value);
  writer_->events.flush();
}

void EventLog::on_stop(const Result&) { writer_->events.flush(); }

ProgressLine::ProgressLine(report::Terminal terminal) : terminal_(std::move(terminal)) {}
ProgressLine::~ProgressLine() = default;

void ProgressLine::on_start(const StartReport& start) {
  epochs_ = start.epochs;
  cases_ = start.cases_per_epoch;
  epoch_start_ = terminal_.seconds();
}

std::string ProgressLine::fields(double loss, double lr) const {
  return fmt::format("loss {:.4f}{}{}  lr {:.2g}", loss, metric_.empty() ? "" : "  ", metric_, lr);
}

void ProgressLine::on_step(const StepReport& step) {
  if (!bar_) {
    bar_ = std::make_unique<report::Progress>(fmt::format("epoch {}/{}", step.epoch + 1, epochs_),
                                              cases_, terminal_);
    epoch_cases_ = 0;
  }
  epoch_cases_ += step.cases;
  bar_->advance(step.cases, fields(step.epoch_loss, step.lr));
}

void ProgressLine::on_epoch(const EpochReport& epoch) {
  if (const tasks::NamedMetric* metric = metric_of(epoch))
    metric_ = metric->why_undefined.empty() ? fmt::format("{} {:.4f}", metric->name, metric->value)
                                            : metric->name + " undefined";
  if (!bar_) return;  // a resumed run that had only its validation left
  const double seconds = terminal_.seconds() - epoch_start_;
  epoch_start_ += seconds;
  bar_->finish(fmt::format("epoch {}/{}  {}{}  {:.0f} cases/s  {}", epoch.epoch, epochs_,
                           fields(epoch.train_loss, epoch.lr), epoch.improved ? "  best" : "",
                           static_cast<double>(epoch_cases_) / std::max(1e-9, seconds),
                           report::duration(seconds)));
  bar_.reset();
}

void ProgressLine::on_stop(const Result&) {
  if (bar_) bar_->finish();
  bar_.reset();
}

}  // namespace fovea::train
