#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/core/text.h"
#include "fovea/sources/data_options.h"
#include "fovea/storage/hash.h"

namespace fovea::sources {
namespace {

/// A text as ids; what it was written from is kept where somebody asks for it.
struct Encoded {
  std::vector<int64_t> ids{};
  std::string text{};
  std::vector<text::Token> tokens{};
};

class TextInput final : public Input {
 public:
  TextInput(std::vector<Encoded> texts, text::TokenizerPtr tokenizer, const TextOptions& options)
      : texts_(std::move(texts)),
        tokenizer_(std::move(tokenizer)),
        spelling_(options.spelling),
        optional_(options.optional) {}

  torch::Tensor read(int64_t index) const override {
    const Encoded& one = texts_.at(static_cast<size_t>(index));
    return spelling_ == 0 ? torch::tensor(one.ids) : spelled(one);
  }
  bool has(int64_t index) const override {
    return !texts_.at(static_cast<size_t>(index)).ids.empty();
  }
  std::string_view text(int64_t index) const override {
    return texts_.at(static_cast<size_t>(index)).text;
  }
  std::vector<text::Token> tokens(int64_t index) const override {
    return texts_.at(static_cast<size_t>(index)).tokens;
  }
  InputShape shape() const override {
    InputShape shape{.sizes = {-1}, .vocabulary = tokenizer_->vocabulary(), .optional = optional_};
    if (spelling_ > 0) shape.sizes.push_back(1 + spelling_);
    return shape;
  }
  Node learned() const override { return Node::scalar(tokenizer_->stored(), true); }
  std::string fingerprint() const override {
    storage::Sha256 hash;
    for (const Encoded& one : texts_) {
      hash.add({reinterpret_cast<const char*>(one.ids.data()), one.ids.size() * sizeof(int64_t)});
      hash.add(one.text);
    }
    return hash.hex();
  }

 private:
  /// [L, 1 + spelling]: behind each id 1 + the bytes of the word, of a long one the first and last.
  torch::Tensor spelled(const Encoded& one) const {
    const torch::Tensor rows =
        torch::zeros({static_cast<int64_t>(one.ids.size()), 1 + spelling_}, torch::kInt64);
    auto* row = rows.mutable_data_ptr<int64_t>();
    for (size_t k = 0; k < one.ids.size(); ++k, row += 1 + spelling_) {
      row[0] = one.ids[k];
      const int64_t begin = one.tokens[k].begin, size = one.tokens[k].end - begin;
      const int64_t skipped = std::max<int64_t>(0, size - spelling_), head = spelling_ / 2;
      for (int64_t c = 0; c < size - skipped; ++c) {
        const int64_t at = begin + (c < head ? c : c + skipped);
        row[1 + c] = 1 + static_cast<unsigned char>(one.text[static_cast<size_t>(at)]);
      }
    }
    return rows;
  }

  std::vector<Encoded> texts_;
  text::TokenizerPtr tokenizer_;
  int64_t spelling_;
  bool optional_;
};

/// Whether a target says what entities there are in the input.
bool tagged(const DataOptions& data, const std::string& input) {
  return std::ranges::any_of(data.targets, [&](const auto& target) {
    const auto* tags = target.second.template as<TagsOptions>();
    return tags && tags->input == input;
  });
}

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
  const bool keep = options.spelling > 0 || tagged(place.data, place.name);
  std::vector<Encoded> texts(place.rows.size());
  std::vector<std::string> empty;
  size_t cut = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::vector<text::Token> tokens =
        within(fmt::format("{}: {}: column '{}'", place.rows.table.name(), place.rows.place(i),
                           options.column),
               [&] { return tokenizer->encode(place.rows.cell(i, column)); });
    const size_t kept = std::min(tokens.size(), static_cast<size_t>(options.max_tokens));
    cut += kept < tokens.size();
    for (size_t k = 0; k < kept; ++k) texts[i].ids.push_back(tokens[k].id);
    if (keep) {
      tokens.resize(kept);
      texts[i].text = place.rows.cell(i, column);
      texts[i].tokens = std::move(tokens);
    }
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
  return std::make_shared<TextInput>(std::move(texts), tokenizer, options);
}

}  // namespace fovea::sources
