// Who watches a run: its journal on disk, TensorBoard, and the terminal.
#pragma once

#include <memory>

#include "fovea/report/progress.h"
#include "fovea/train/trainer.h"

namespace fovea::train {

/// metrics.csv (no clock values: equal runs give equal bytes), log.jsonl, and at the end
/// learning_curves.svg.
class RunJournal final : public Callback {
 public:
  /// `log_every`: steps between two lines of log.jsonl.
  explicit RunJournal(RunFolder& run, int64_t log_every = 50) : run_(run), log_every_(log_every) {}
  void on_start(const StartReport& start) override;
  void on_step(const StepReport& step) override;
  void on_epoch(const EpochReport& epoch) override;
  void on_stop(const Result& result) override;

 private:
  RunFolder& run_;
  int64_t log_every_;
};

/// Event files that `tensorboard --logdir RUN` opens: the loss and the rate of every few steps, all
/// metrics of each epoch.
class EventLog final : public Callback {
 public:
  explicit EventLog(const std::filesystem::path& folder, int64_t every = 10);
  ~EventLog() override;
  void on_step(const StepReport& step) override;
  void on_epoch(const EpochReport& epoch) override;
  void on_stop(const Result& result) override;

 private:
  struct Writer;
  std::unique_ptr<Writer> writer_;
  int64_t every_;
};

/// A bar with loss, main metric, cases/s and time left on a terminal; one line per epoch
/// otherwise.
class ProgressLine final : public Callback {
 public:
  explicit ProgressLine(report::Terminal terminal = report::Terminal::standard_error());
  ~ProgressLine() override;
  void on_start(const StartReport& start) override;
  void on_step(const StepReport& step) override;
  void on_epoch(const EpochReport& epoch) override;
  void on_stop(const Result& result) override;

 private:
  std::string fields(double loss, double lr) const;

  report::Terminal terminal_;
  std::unique_ptr<report::Progress> bar_;  // of the epoch under way
  int64_t epochs_ = 0, cases_ = 0, epoch_cases_ = 0;
  double epoch_start_ = 0;
  std::string metric_;  // "auc 0.942", of the last validation
};

}  // namespace fovea::train
