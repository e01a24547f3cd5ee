#include <fmt/format.h>

#include <iostream>

#include "commands/explanations.h"
#include "commands/infer_output.h"
#include "fovea/bundle/trained.h"
#include "fovea/commands/commands.h"
#include "fovea/commands/words.h"
#include "fovea/core/log.h"
#include "fovea/report/progress.h"
#include "fovea/train/device.h"

namespace fovea::commands {

int infer(const InferRequest& request) {
  const torch::Device device = train::choose_device(request.device);
  const int threads = static_cast<int>(train::use_threads(request.threads));
  const bundle::Trained trained = bundle::open_trained(request.model);
  const Predictor predictor = bundle::make_predictor(trained, device);
  InferOutput output(request.out, predictor.columns());
  ExplanationFolder explanations(request.explain);
  std::vector<std::string> failures;
  int64_t cases = 0;
  const auto classify = [&](const auto& what, size_t count) {
    cases += static_cast<int64_t>(count);
    report::Progress progress("infer", static_cast<int64_t>(count),
                              report::Terminal::standard_error(), "cases");
    predictor.predict(
        what, threads,
        [&](const Prediction& prediction) {
          output.add(prediction);
          explanations.add(prediction);
          progress.advance(1);
        },
        [&](const std::filesystem::path&, const std::string& message) {
          failures.push_back(in_our_words(message));
          progress.advance(1);
        });
    progress.finish();
  };
  const sources::DataOptions data = bundle::data_in_use(trained.config);
  const sources::NamedCases named = sources::list_cases(request.inputs, data);
  if (!named.files.empty()) classify(named.files, named.files.size());
  for (const std::filesystem::path& table : named.tables) {
    const sources::Source rows = sources::open_cases(table, data, trained.card.learned);
    for (const std::string& note : rows.remarks()) log_info(note);
    classify(*rows.data, static_cast<size_t>(rows.data->size()));
    for (const std::string& note : rows.reading_notes()) log_info(note);
  }
  for (const std::string& note : predictor.notes()) log_info(note);
  output.finish();
  explanations.finish();
  if (failures.empty()) return 0;
  for (const std::string& failure : failures) std::cerr << "fovea: " << failure << '\n';
  std::cerr << fmt::format("fovea: {} of {} cases could not be read; the others were answered\n",
                           failures.size(), cases);
  return static_cast<int>(Fault::data);
}

}  // namespace fovea::commands
