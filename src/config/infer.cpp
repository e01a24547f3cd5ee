#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "config/infer_output.h"
#include "fovea/config/commands.h"
#include "fovea/config/experiment.h"
#include "fovea/report/pictures.h"
#include "fovea/report/progress.h"
#include "fovea/storage/file.h"
#include "fovea/train/device.h"

namespace fovea::config {
namespace {

/// The folder of --explain: a line of JSON and a picture per case, and pictures of the mean.
class Explanations {
 public:
  explicit Explanations(std::filesystem::path folder) : folder_(std::move(folder)) {
    if (!folder_.empty()) storage::make_folder(folder_);
  }

  void add(const Prediction& prediction) {
    if (folder_.empty()) return;
    if (prediction.explanations.empty())
      throw config_error(
          "--explain: this model does not say where it looks; encoders that do: ft_transformer, "
          "and "
          "rnn, transformer and tcn with pooling: attention");
    ++cases_;
    nlohmann::ordered_json line{{"id", prediction.id}, {"decision", prediction.decision}};
    for (const Explanation& one : prediction.explanations) {
      nlohmann::ordered_json weights = nlohmann::ordered_json::array();
      for (const auto& [name, weight] : one.weights) weights.push_back({name, weight});
      line["weights"][one.input] = std::move(weights);
      picture(fmt::format("case-{:05}-{}.svg", cases_, one.input), one,
              fmt::format("{} · {}", prediction.id, prediction.decision));
      count(one);
    }
    lines_ += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }

  void finish() {
    if (folder_.empty()) return;
    storage::write_file_atomically(folder_ / "explanations.jsonl", lines_);
    for (Explanation& sum : sums_) {
      for (auto& [name, weight] : sum.weights) weight /= static_cast<double>(cases_);
      picture(fmt::format("mean-{}.svg", sum.input), sum, fmt::format("mean of {} cases", cases_));
    }
  }

 private:
  void picture(const std::string& name, const Explanation& one, const std::string& subtitle) const {
    storage::write_file_atomically(
        folder_ / name,
        report::weights_svg(one.weights, "Where the model looked: " + one.input, subtitle));
  }

  // Only where the parts are the same in every case: the columns of a table.
  void count(const Explanation& one) {
    const auto sum = std::ranges::find(sums_, one.input, &Explanation::input);
    if (sum == sums_.end()) {
      if (cases_ == 1) sums_.push_back(one);
      return;
    }
    for (size_t k = 0; k < sum->weights.size(); ++k)
      if (k >= one.weights.size() || sum->weights.size() != one.weights.size() ||
          sum->weights[k].first != one.weights[k].first) {
        sums_.erase(sum);
        return;
      }
    for (size_t k = 0; k < sum->weights.size(); ++k)
      sum->weights[k].second += one.weights[k].second;
  }

  std::filesystem::path folder_;
  std::string lines_;
  std::vector<Explanation> sums_;
  int64_t cases_ = 0;
};

/// Whether a case is one file; else it is a row of a table.
bool reads_files(const sources::DataOptions& data) {
  return data.inputs.empty() ||
         (data.inputs.size() == 1 &&
          data.inputs.begin()->second.as<sources::ImageOptions>() != nullptr);
}

}  // namespace

int infer(const InferRequest& request) {
  const torch::Device device = train::choose_device(request.device);
  const int threads = static_cast<int>(train::use_threads(request.threads));
  const Trained trained = open_trained(request.model);
  const Predictor predictor = make_predictor(trained, device);
  InferOutput output(request.out, predictor.columns());
  Explanations explanations(request.explain);
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
          failures.push_back(message);
          progress.advance(1);
        });
    progress.finish();
  };
  const sources::DataOptions data = data_in_use(trained.config);
  if (reads_files(data)) {
    const Paths files = sources::list_inputs(request.inputs);
    classify(files, files.size());
  } else {
    for (const std::filesystem::path& table : request.inputs) {
      const DatasetPtr rows = sources::open_cases(table, data, trained.card.learned);
      classify(*rows, static_cast<size_t>(rows->size()));
    }
  }
  output.finish();
  explanations.finish();
  if (failures.empty()) return 0;
  for (const std::string& failure : failures) std::cerr << "fovea: " << failure << '\n';
  std::cerr << fmt::format("fovea: {} of {} cases could not be read; the others were answered\n",
                           failures.size(), cases);
  return static_cast<int>(Fault::data);
}

}  // namespace fovea::config
