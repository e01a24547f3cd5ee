#include "commands/explanations.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/report/plots.h"
#include "fovea/storage/file.h"
#include "fovea/text/tokenizer.h"

namespace fovea::commands {
namespace {

using Json = nlohmann::ordered_json;

/// [[part, weight], …]; of a text [[word, weight, begin, end], …] in code points.
Json weights_of(const Explanation& one) {
  std::vector<text::Token> places;
  for (const auto& [begin, end] : one.places)
    places.push_back({0, static_cast<int64_t>(begin), static_cast<int64_t>(end)});
  places = text::in_code_points(one.text, std::move(places));
  Json weights = Json::array();
  for (size_t k = 0; k < one.weights.size(); ++k) {
    Json part = {one.weights[k].first, one.weights[k].second};
    if (k < places.size()) {
      part.push_back(places[k].begin);
      part.push_back(places[k].end);
    }
    weights.push_back(std::move(part));
  }
  return weights;
}

std::string drawn(const Explanation& one, const std::string& subtitle) {
  const std::string title = "Where the model looked: " + one.input;
  if (!one.places.empty()) {
    std::vector<report::ShadedWord> words;
    for (size_t k = 0; k < one.places.size(); ++k)
      words.push_back({one.places[k].first, one.places[k].second, one.weights[k].second});
    return report::words_svg(one.text, words, title, subtitle);
  }
  if (!one.channels.empty()) {
    std::vector<report::Trace> traces;
    std::vector<double> weights;
    for (const auto& [name, values] : one.channels) traces.push_back({name, values});
    for (const auto& [step, weight] : one.weights) weights.push_back(weight);
    return report::traces_svg(traces, weights, title, subtitle);
  }
  return report::weights_svg(one.weights, title, subtitle);
}

}  // namespace

ExplanationFolder::ExplanationFolder(std::filesystem::path folder) : folder_(std::move(folder)) {
  if (folder_.empty()) return;
  within("--explain", [&] {
    storage::make_folder(folder_);
    lines_.emplace(folder_ / "explanations.jsonl");
  });
}

void ExplanationFolder::add(const Prediction& prediction) {
  if (folder_.empty()) return;
  ++cases_;
  explained_ += !prediction.explanations.empty();
  Json line{{"id", prediction.id}, {"decision", prediction.decision}};
  for (const Explanation& one : prediction.explanations) {
    line["weights"][one.input] = weights_of(one);
    plot(fmt::format("case-{:05}-{}.svg", cases_, one.input), one,
         fmt::format("{} · {}", prediction.id, prediction.decision));
    count(one);
  }
  lines_->append(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void ExplanationFolder::finish() {
  if (folder_.empty() || cases_ == 0) return;
  if (explained_ == 0) {
    lines_->clear();
    throw config_error(
        "--explain: this model does not say where it looks",
        "encoders that do: ft_transformer, bert, and dan, rnn, transformer and tcn with pooling: "
        "attention");
  }
  lines_->finish();
  for (Explanation& sum : sums_) {
    for (auto& [name, weight] : sum.weights) weight /= static_cast<double>(cases_);
    plot(fmt::format("mean-{}.svg", sum.input), sum, fmt::format("mean of {} cases", cases_));
  }
}

void ExplanationFolder::plot(const std::string& name, const Explanation& one,
                             const std::string& subtitle) const {
  storage::write_file_atomically(folder_ / name, drawn(one, subtitle));
}

// Only where the parts are the same in every case: the columns of a table.
void ExplanationFolder::count(const Explanation& one) {
  const auto sum = std::ranges::find(sums_, one.input, &Explanation::input);
  if (sum == sums_.end()) {
    if (cases_ == 1 && one.places.empty() && one.channels.empty()) sums_.push_back(one);
    return;
  }
  for (size_t k = 0; k < sum->weights.size(); ++k)
    if (k >= one.weights.size() || sum->weights.size() != one.weights.size() ||
        sum->weights[k].first != one.weights[k].first) {
      sums_.erase(sum);
      return;
    }
  for (size_t k = 0; k < sum->weights.size(); ++k) sum->weights[k].second += one.weights[k].second;
}

}  // namespace fovea::commands
