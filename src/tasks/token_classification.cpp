#include "fovea/tasks/token_classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/metrics/entities.h"
#include "fovea/report/entities.h"
#include "fovea/tasks/crf.h"
#include "fovea/tasks/multi_task.h"
#include "tasks/outcome.h"

namespace fovea::tasks {
namespace {

using metrics::Entity;
using torch::Tensor;

/// Inside an entity only behind a token of the same one; `tags` stands for the beginning.
bool well_formed(int64_t from, int64_t to, int64_t tags) {
  if (to == tags || to == 0 || to % 2 == 1) return true;
  return from != tags && (from == to || from == to - 1);
}

/// The text of case `row`, or null where its origin is not kept.
const WrittenText* written(const Batch& batch, const std::string& input, int64_t row) {
  const auto at = static_cast<size_t>(row);
  return at < batch.origins.size() && batch.origins[at] ? batch.origins[at]->text(input) : nullptr;
}

/// Which token stands for no text, as [CLS] does.
bool is_wordless(const std::pair<int64_t, int64_t>& token) { return token.second <= token.first; }

/// Entities in tokens -> in code points of the text of case `row`.
class TextPlaces {
 public:
  TextPlaces(const Batch& batch, const std::string& input, int64_t row)
      : text_(written(batch, input, row)) {
    if (!text_)
      throw config_error(fmt::format(
          "token_classification: the cases do not keep the text of the input '{}'", input));
  }

  Entity in_bytes(const Entity& tokens) const {
    const auto& at = text_->tokens;
    return {at.at(static_cast<size_t>(tokens.begin)).first,
            at.at(static_cast<size_t>(tokens.end - 1)).second, tokens.type};
  }
  Entity in_code_points(const Entity& tokens) const {
    const Entity bytes = in_bytes(tokens);
    return {code_points(bytes.begin), code_points(bytes.end), bytes.type};
  }
  std::string text(const Entity& tokens) const {
    const Entity bytes = in_bytes(tokens);
    return text_->text.substr(static_cast<size_t>(bytes.begin),
                              static_cast<size_t>(std::max<int64_t>(0, bytes.end - bytes.begin)));
  }
  bool wordless(int64_t token) const {
    return is_wordless(text_->tokens.at(static_cast<size_t>(token)));
  }

 private:
  int64_t code_points(int64_t end) const {
    const auto begin = text_->text.begin();
    return std::count_if(begin, begin + end, [](char byte) { return (byte & 0xc0) != 0x80; });
  }

  const WrittenText* text_;
};

std::vector<Entity> entities_of_row(const Tensor& tags, int64_t row) {
  const Tensor one = tags[row].contiguous();
  return metrics::entities_of({one.const_data_ptr<int64_t>(), static_cast<size_t>(one.numel())});
}

/// How the source of data marks an entity that no tag says (the fourth column of Origin::written).
constexpr int64_t kCut = 1, kUnalignable = 2;

class TokenClassificationEvaluation final : public Evaluation {
 public:
  explicit TokenClassificationEvaluation(TargetSpec target) : target_(std::move(target)) {}

  void add(const TensorMap& decoded, const Batch& batch, const LossSums& loss) override {
    const Tensor found = decoded.at(target_.name).contiguous();
    const Tensor tags = batch.targets.at(target_.name).contiguous();
    const int64_t length = tags.size(1);
    for (int64_t i = 0; i < batch.size(); ++i) {
      if (found[i].eq(kNotFinite).any().item<bool>()) {
        coverage_.failed.push_back(batch.ids[static_cast<size_t>(i)]);
        continue;
      }
      const TextPlaces places(batch, target_.input, i);
      metrics::TaggedText text;
      add_truth(text, batch, i, places);
      for (const Entity& entity : entities_of_row(found, i))
        text.found.push_back(places.in_code_points(entity));
      const auto* tag = tags.const_data_ptr<int64_t>() + i * length;
      const auto* guess = found.const_data_ptr<int64_t>() + i * length;
      for (int64_t k = 0; k < length; ++k) {
        if (tag[k] < 0 || places.wordless(k)) continue;
        ++text.tokens;
        text.right_tokens += guess[k] == tag[k];
      }
      note_row(coverage_, batch, i);
      ids_.push_back(batch.ids[static_cast<size_t>(i)]);
      groups_.push_back(batch.groups[static_cast<size_t>(i)]);
      texts_.push_back(std::move(text));
    }
    if (!loss.empty()) loss_.add(table_of(loss));
  }

  std::vector<NamedMetric> metrics() const override {
    std::vector<NamedMetric> all;
    for (const auto& [name, metric] : metrics::entity_metrics(texts_))
      all.push_back({name, metric.value, metric.why_undefined, metrics::kHigher});
    all.push_back(metric_of(loss_));
    return all;
  }

  std::vector<std::string> failed() const override { return coverage_.failed; }

  std::string write(const std::filesystem::path& folder, const std::string& split) const override {
    return report::write_entities(folder, texts_, ids_, groups_, target_.classes, split, coverage_);
  }

  std::vector<report::Section> sections(const report::Asked& asked) const override {
    report::Section section =
        report::section_of(texts_, ids_, groups_, target_.classes, coverage_, asked);
    section.target = target_.name;
    return {std::move(section)};
  }

 private:
  /// All entities as they were written; where the batch does not say, those of the tags.
  void add_truth(metrics::TaggedText& text, const Batch& batch, int64_t row,
                 const TextPlaces& places) const {
    const Tensor* all = batch.origins[static_cast<size_t>(row)]->written.find(target_.name);
    if (!all) {
      for (const Entity& entity : entities_of_row(batch.targets.at(target_.name), row))
        text.truth.push_back(places.in_code_points(entity));
      return;
    }
    const Tensor rows = all->contiguous();
    for (int64_t k = 0; k < rows.size(0); ++k) {
      const auto* one = rows.const_data_ptr<int64_t>() + 4 * k;
      text.truth.push_back({one[0], one[1], static_cast<size_t>(one[2])});
      text.cut += one[3] == kCut;
      text.unalignable += one[3] == kUnalignable;
    }
  }

  TargetSpec target_;
  std::vector<metrics::TaggedText> texts_;
  std::vector<std::string> ids_, groups_;
  metrics::Coverage coverage_;
  LossMean loss_;
};

class TokenClassification final : public Task {
 public:
  TokenClassification(const TokenClassificationOptions& options, TargetSpec target)
      : options_(options),
        target_(std::move(target)),
        tags_(1 + 2 * static_cast<int64_t>(target_.classes.size())) {
    if (target_.type != "tags")
      throw config_error(fmt::format("token_classification: target '{}' is of {}, wanted tags",
                                     target_.name, target_.type),
                         "declare it as tags, with TagsOptions::column and TagsOptions::input");
    for (const auto& [field, label] : options_.report)
      if (std::ranges::find(target_.classes, label) == target_.classes.end())
        throw config_error(
            fmt::format("TokenClassificationOptions::report: the field '{}' wants '{}', known: {}",
                        field, label, join(target_.classes)));
  }

  std::vector<nn::HeadSpec> heads() const override {
    return {{target_.name, nn::PerToken{target_.input, tags_, options_.crf}}};
  }

  /// Divided by the tokens, so that texts of any length weigh by what they say.
  LossSums loss(const nn::Outputs& outputs, const Batch& batch) const override {
    const Tensor emissions = precise(outputs.at(target_.name));
    const Tensor tags = batch.targets.at(target_.name);
    const Tensor sum =
        options_.crf
            ? -crf_log_likelihood(emissions, tags, outputs.transitions.at(target_.name)).sum()
            : at::cross_entropy_loss(emissions.flatten(0, 1), tags.flatten(), {},
                                     at::Reduction::Sum, /*ignore_index=*/-1);
    return {{sum, loss_weights(batch)[0]}};
  }

  std::vector<Tensor> loss_weights(const Batch& batch) const override {
    return {(batch.targets.at(target_.name) >= 0).sum(torch::kDouble)};
  }

  TensorMap decode(const nn::Outputs& outputs, const Batch& batch) const override {
    const Tensor emissions = precise(outputs.at(target_.name));
    const Tensor* lengths = outputs.lengths.find(target_.name);
    const Tensor* transitions = outputs.transitions.find(target_.name);
    TensorMap decoded;
    const Tensor inside =
        outside_of_text(transitions ? emissions : emissions.log_softmax(2), batch);
    decoded[target_.name] =
        crf_decode(inside, lengths ? *lengths : Tensor(),
                   transitions ? *transitions : torch::zeros({tags_ + 1, tags_ + 1}),
                   [this](int64_t from, int64_t to) { return well_formed(from, to, tags_); });
    // -1 is padding, whose emissions may be anything.
    const Tensor scored = emissions.isfinite().all(2).cpu();
    Tensor& tags = decoded[target_.name];
    Tensor failed = (tags.ge(0) & scored.logical_not()).any(1, /*keepdim=*/true);
    if (transitions && !transitions->isfinite().all().item<bool>()) failed.fill_(true);
    tags.masked_fill_(failed, kNotFinite);
    return decoded;
  }

  std::vector<Answer> answers(const TensorMap& decoded, const Batch& batch,
                              int64_t row) const override {
    Answer answer{.target = target_.name};
    if (decoded.at(target_.name)[row].eq(kNotFinite).any().item<bool>())
      refuse_not_finite(target_.name);
    const TextPlaces places(batch, target_.input, row);
    auto& found = answer.entities.emplace();
    for (const Entity& entity : entities_of_row(decoded.at(target_.name), row)) {
      const Entity at = places.in_code_points(entity);
      found.push_back({target_.classes[entity.type], places.text(entity), at.begin, at.end});
      answer.decision += (answer.decision.empty() ? "" : "|") + found.back().label;
    }
    for (const auto& [field, label] : options_.report) {
      auto& texts = answer.report.emplace_back(field, std::vector<std::string>()).second;
      for (const FoundEntity& one : found)
        if (one.label == label) texts.push_back(one.text);
    }
    return {answer};
  }

  std::vector<std::string> columns() const override { return {"label", "text", "begin", "end"}; }

  std::unique_ptr<Evaluation> evaluation() const override {
    return std::make_unique<TokenClassificationEvaluation>(target_);
  }

 private:
  static Tensor precise(const Tensor& output) {
    return output.scalar_type() == torch::kDouble ? output : output.to(torch::kFloat);
  }

  /// The scores, of which a token that stands for no text ([CLS]) can only be outside of entities.
  Tensor outside_of_text(const Tensor& scores, const Batch& batch) const {
    const int64_t length = scores.size(1);
    const Tensor wordless = torch::zeros({scores.size(0), length}, torch::kBool);
    auto* to = wordless.mutable_data_ptr<bool>();
    for (int64_t i = 0; i < scores.size(0); ++i, to += length)
      if (const WrittenText* text = written(batch, target_.input, i))
        std::transform(text->tokens.begin(),
                       text->tokens.begin() + std::min<int64_t>(length, std::ssize(text->tokens)),
                       to, is_wordless);
    const Tensor inside = at::arange(tags_, scores.options().dtype(torch::kInt64)).gt(0);
    return scores.masked_fill(wordless.to(scores.device()).unsqueeze(2) & inside,
                              -std::numeric_limits<double>::infinity());
  }

  TokenClassificationOptions options_;
  TargetSpec target_;
  int64_t tags_;
};

}  // namespace

TaskPtr token_classification(const TokenClassificationOptions& options,
                             const std::vector<TargetSpec>& targets) {
  return for_each_target("token_classification", targets, [&](const TargetSpec& target) {
    return std::make_shared<TokenClassification>(options, target);
  });
}

}  // namespace fovea::tasks
