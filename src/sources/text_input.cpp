#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/core/text.h"
#include "fovea/sources/inputs.h"
#include "fovea/storage/hash.h"

namespace fovea::sources {
namespace {

class TextInput final : public Input {
 public:
  TextInput(std::vector<std::vector<int64_t>> texts, text::TokenizerPtr tokenizer, bool optional)
      : texts_(std::move(texts)), tokenizer_(std::move(tokenizer)), optional_(optional) {}

  torch::Tensor read(int64_t index) const override {
    return torch::tensor(texts_.at(static_cast<size_t>(index)));
  }
  bool has(int64_t index) const override { return !texts_.at(static_cast<size_t>(index)).empty(); }
  InputShape shape() const override {
    return {.sizes = {-1}, .vocabulary = tokenizer_->vocabulary(), .optional = optional_};
  }
  Node learned() const override { return Node::scalar(tokenizer_->stored(), true); }
  std::string fingerprint() const override {
    storage::Sha256 hash;
    for (const auto& text : texts_)
      hash.add({reinterpret_cast<const char*>(text.data()), text.size() * sizeof(int64_t)});
    return hash.hex();
  }

 private:
  std::vector<std::vector<int64_t>> texts_;  // ids of each case
  text::TokenizerPtr tokenizer_;
  bool optional_;
};

text::TokenizerPtr learned_from(const TextOptions& options, const InputPlace& place,
                                int64_t column) {
  text::TokenizerPtr tokenizer = options.tokenizer.make();
  std::vector<std::string> texts;
  for (const size_t i : place.training) texts.emplace_back(place.rows.cell(i, column));
  within(fmt::format("learning the words of data.inputs.{}", place.name),
         [&] { tokenizer->fit(texts); });
  return tokenizer;
}

}  // namespace

text::TokenizerPtr trained_tokenizer(const TextOptions& options, const Node& learned) {
  text::TokenizerPtr tokenizer = options.tokenizer.make();
  tokenizer->restore(learned.text, "model.json");
  return tokenizer;
}

InputPtr text_input(const TextOptions& options, const InputPlace& place) {
  const int64_t column = place.rows.table.column(options.column);
  const text::TokenizerPtr tokenizer = place.learned ? trained_tokenizer(options, *place.learned)
                                                     : learned_from(options, place, column);
  std::vector<std::vector<int64_t>> texts(place.rows.size());
  std::vector<std::string> empty;
  size_t cut = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<text::Token> tokens =
        within(fmt::format("{}: {}: column '{}'", place.rows.table.name(), place.rows.place(i),
                           options.column),
               [&] { return tokenizer->encode(place.rows.cell(i, column)); });
    const size_t kept = std::min(tokens.size(), static_cast<size_t>(options.max_tokens));
    cut += kept < tokens.size();
    for (size_t k = 0; k < kept; ++k) texts[i].push_back(tokens[k].id);
    const bool may_lack = options.optional && place.rows.cell(i, column).empty();
    if (kept == 0 && !may_lack) empty.push_back(place.rows.place(i));
  }
  if (!empty.empty())
    throw data_error(fmt::format(
        "{}: column '{}': {} texts have no word ({}), wanted at least one; leave the rows "
        "out, or set data.inputs.{}.optional and leave the cells blank",
        place.rows.table.name(), options.column, empty.size(), join(empty, ", ", 5), place.name));
  if (cut > 0)
    log_info(fmt::format("input '{}': {} of {} texts have more than {} tokens and are cut there",
                         place.name, cut, texts.size(), options.max_tokens));
  return std::make_shared<TextInput>(std::move(texts), tokenizer, options.optional);
}

}  // namespace fovea::sources
