#include <fmt/format.h>

#include <iostream>

#include "commands/explanations.h"
#include "commands/infer_output.h"
#include "commands/stopping.h"
#include "fovea/bundle/trained.h"
#include "fovea/commands/commands.h"
#include "fovea/commands/words.h"
#include "fovea/core/log.h"
#include "fovea/report/progress.h"
#include "fovea/train/device.h"

namespace fovea::commands {
namespace {

/// Where the answers go, opened before anything is computed.
class Answers {
 public:
  explicit Answers(const InferRequest& request)
      : output_(request.out, request.inputs), explanations_(request.explain) {}

  void begin(const std::vector<std::string>& columns) { output_.begin(columns); }

  /// Everything that `what`, a list of files or a data set, has.
  void add(const Predictor& predictor, const auto& what, size_t count, int threads) {
    cases_ += static_cast<int64_t>(count);
    report::Progress progress("infer", static_cast<int64_t>(count),
                              report::Terminal::standard_error(), "cases");
    predictor.predict(
        what, threads,
        [&](const Prediction& prediction) {
          output_.add(prediction);
          explanations_.add(prediction);
          progress.advance(1);
          stop_where_asked();
        },
        [&](const std::filesystem::path&, const std::string& message) {
          failures_.push_back(message);
          progress.advance(1);
          stop_where_asked();
        });
    progress.finish();
  }

  /// The exit code.
  int finish() {
    output_.finish();
    explanations_.finish();
    say_failures();
    if (failures_.empty()) return 0;
    complain(fmt::format("{} of {} cases could not be read; the others were answered",
                         failures_.size(), cases_));
    return static_cast<int>(Fault::data);
  }

  /// The same of a part.
  int leave(const Stopped& stopped) {
    if (stopped.nobody_reads) return 0;
    say_failures();
    complain(fmt::format("stopped by {}: {} of {} cases {} answered{}", train::stop_reason(),
                         output_.answers(), cases_, output_.answers() == 1 ? "is" : "are",
                         output_.answers() > 0 ? output_.where_they_are() : ""));
    return kStoppedCode;
  }

  void leave_after_error() {
    if (output_.answers() > 0)
      complain(fmt::format("{} cases were answered before this{}", output_.answers(),
                           output_.where_they_are()));
  }

 private:
  void say_failures() const {
    for (const std::string& failure : failures_) complain(failure);
  }

  InferOutput output_;
  ExplanationFolder explanations_;
  std::vector<std::string> failures_;
  int64_t cases_ = 0;
};

void answer_all(const InferRequest& request, Answers& answers) {
  const torch::Device device = train::choose_device(request.device);
  const int threads = static_cast<int>(train::use_threads(request.threads));
  const bundle::Trained trained = bundle::open_trained(request.model);
  const Predictor predictor = bundle::make_predictor(trained, device);
  answers.begin(predictor.columns());
  const sources::DataOptions data = bundle::data_in_use(trained.config);
  const sources::NamedCases named = sources::list_cases(request.inputs, data);
  stop_where_asked();
  if (!named.files.empty()) answers.add(predictor, named.files, named.files.size(), threads);
  for (const std::filesystem::path& table : named.tables) {
    const sources::Source rows = sources::open_cases(table, data, trained.card.fitted);
    for (const std::string& note : rows.remarks()) log_info(note);
    answers.add(predictor, *rows.data, static_cast<size_t>(rows.data->size()), threads);
    for (const std::string& note : rows.reading_notes()) log_info(note);
  }
  for (const std::string& note : predictor.notes()) log_info(note);
}

}  // namespace

int infer(const InferRequest& request) {
  Answers answers(request);
  const train::StopSignals signals;
  try {
    answer_all(request, answers);
  } catch (const Stopped& stopped) {
    return answers.leave(stopped);
  } catch (const Error&) {
    answers.leave_after_error();
    throw;
  }
  return answers.finish();
}

}  // namespace fovea::commands
