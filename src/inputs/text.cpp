#include "fovea/inputs/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/core/text.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "fovea/storage/text.h"

namespace fovea::inputs {
namespace {

/// A text as ids; what it was written from is kept where somebody asks for it.
struct Encoded {
  std::vector<int64_t> ids{};
  std::shared_ptr<const WrittenText> written{};
  bool cut = false;
  std::optional<Error> failure{};
};

constexpr int64_t kLargestText = 64 << 20;  // bytes of a file

/// With `max_tokens` no more than the encoder has positions for.
TextOptions readable(TextOptions options, const ReadOptions& read) {
  if (read.longest > 0) options.max_tokens = std::min(options.max_tokens, read.longest);
  return options;
}

/// Cut after `max_tokens`, but for the mark at the end ([SEP]) that a model may want. Without ids
/// where there is no word in it.
Encoded encoded(const text::Tokenizer& tokenizer, std::string_view text, const TextOptions& options,
                bool keep) {
  std::vector<text::Token> tokens = tokenizer.encode(text);
  const auto most = static_cast<size_t>(options.max_tokens);
  Encoded one{.cut = tokens.size() > most};
  if (one.cut) {
    const text::Token last = tokens.back();
    tokens.resize(most);
    if (last.end == 0) tokens.back() = last;
  }
  if (std::ranges::all_of(tokens, [](const text::Token& token) { return token.end == 0; }))
    return {};
  one.ids.reserve(tokens.size());
  for (const text::Token& token : tokens) one.ids.push_back(token.id);
  if (keep) {
    WrittenText written{.text = std::string(text), .tokens = {}};
    for (const text::Token& token : tokens) written.tokens.emplace_back(token.begin, token.end);
    one.written = std::make_shared<const WrittenText>(std::move(written));
  }
  return one;
}

class TextInput final : public Input {
 public:
  TextInput(std::string name, std::vector<Encoded> texts, text::TokenizerPtr tokenizer,
            const TextOptions& options)
      : name_(std::move(name)),
        texts_(std::move(texts)),
        tokenizer_(std::move(tokenizer)),
        column_(options.column),
        spelling_(options.spelling),
        optional_(options.optional) {}

  torch::Tensor read(int64_t index, Origin& origin) const override {
    const Encoded& one = texts_.at(static_cast<size_t>(index));
    if (one.failure) throw *one.failure;
    if (one.written) origin.texts.emplace_back(name_, one.written);
    return spelling_ == 0 ? torch::tensor(one.ids) : spelled(one);
  }
  bool has(int64_t index) const override {
    const Encoded& one = texts_.at(static_cast<size_t>(index));
    return !one.ids.empty() || one.failure;
  }
  bool cut(int64_t index) const override { return texts_.at(static_cast<size_t>(index)).cut; }
  InputShape shape() const override {
    InputShape shape{.sizes = {-1}, .vocabulary = tokenizer_->vocabulary(), .optional = optional_};
    if (spelling_ > 0) shape.sizes.push_back(1 + spelling_);
    return shape;
  }
  std::vector<SeenColumn> columns() const override { return {{.name = column_}}; }
  Node fitted() const override { return Node::scalar(tokenizer_->stored(), true); }
  std::string fingerprint() const override {
    storage::Sha256 hash;
    for (const Encoded& one : texts_) {
      hash.add({reinterpret_cast<const char*>(one.ids.data()), one.ids.size() * sizeof(int64_t)});
      if (one.written) hash.add(one.written->text);
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
      const auto& [begin, end] = one.written->tokens[k];
      const int64_t size = end - begin;
      const int64_t skipped = std::max<int64_t>(0, size - spelling_), head = spelling_ / 2;
      for (int64_t c = 0; c < size - skipped; ++c) {
        const int64_t at = begin + (c < head ? c : c + skipped);
        row[1 + c] = 1 + static_cast<unsigned char>(one.written->text[static_cast<size_t>(at)]);
      }
    }
    return rows;
  }

  std::string name_;
  std::vector<Encoded> texts_;
  text::TokenizerPtr tokenizer_;
  std::string column_;
  int64_t spelling_;
  bool optional_;
};

text::TokenizerPtr fit_tokenizer(const TextOptions& options, const InputPlace& place,
                                 int64_t column) {
  text::TokenizerPtr tokenizer = options.tokenizer.make();
  std::vector<std::string> texts;
  for (const size_t i : place.training) texts.emplace_back(place.rows.cell(i, column));
  within(fmt::format("fitting the words of the input '{}'", place.name),
         [&] { tokenizer->fit(texts); });
  return tokenizer;
}

text::TokenizerPtr trained_tokenizer(const TextOptions& options, const Node& fitted) {
  text::TokenizerPtr tokenizer = options.tokenizer.make();
  tokenizer->restore(fitted.text, "model.json");
  return tokenizer;
}

void describe(const InputPlace& place, const std::string& name, int64_t column) {
  size_t shortest = SIZE_MAX, longest = 0, blank = 0;
  for (size_t i = 0; i < place.rows.size(); ++i) {
    const std::string_view cell = place.rows.cell(i, column);
    blank += cell.empty();
    if (cell.empty()) continue;
    shortest = std::min(shortest, cell.size());
    longest = std::max(longest, cell.size());
  }
  std::string reading =
      longest == 0 ? "text, all blank" : fmt::format("text, {} to {} bytes", shortest, longest);
  if (blank > 0) reading += fmt::format(", {} of {} blank", blank, place.rows.size());
  place.findings.columns.push_back({place.name + "." + name, reading});
}

InputPtr open(const TextOptions& options, const InputPlace& place) {
  const int64_t column = place.rows.column(options.column);
  const text::TokenizerPtr tokenizer = place.fitted ? trained_tokenizer(options, *place.fitted)
                                                    : fit_tokenizer(options, place, column);
  const TextOptions own = readable(options, place.read);
  const bool keep = options.spelling > 0 || place.origins;
  std::vector<Encoded> texts(place.rows.size());
  std::vector<std::string> empty;
  size_t cut = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string_view cell = place.rows.cell(i, column);
    const std::string where = fmt::format("{}: {}: column '{}'", place.rows.table.name(),
                                          place.rows.place(i), options.column);
    try {
      texts[i] = within(where, [&] { return encoded(*tokenizer, cell, own, keep); });
      if (place.cases && texts[i].ids.empty() && !(options.optional && cell.empty()))
        within(where, [] { throw data_error("found no word, wanted at least one"); });
    } catch (const Error& error) {
      if (!place.cases) throw;
      texts[i].failure = error;  // the others can be answered
      continue;
    }
    cut += texts[i].cut;
    if (texts[i].ids.empty() && !(options.optional && cell.empty()))
      empty.push_back(place.rows.place(i));
  }
  if (!empty.empty()) {
    Error error = data_error(
        fmt::format("{} texts have no word ({}), wanted at least one", empty.size(),
                    join(empty, ", ", 5)),
        fmt::format(
            "leave the rows out, or set DataOptions::inputs.{}.text.optional and leave the cells "
            "blank",
            place.name));
    error.add_place(fmt::format("{}: column '{}'", place.rows.table.name(), options.column));
    throw error;
  }
  if (cut > 0)
    place.findings.notes.push_back(fmt::format(
        "input '{}': {} of {} texts have more than {} tokens and are cut there{}", place.name, cut,
        texts.size(), own.max_tokens,
        own.max_tokens < options.max_tokens ? ", where the positions of the encoder end" : ""));
  describe(place, options.column, column);
  return std::make_shared<TextInput>(place.name, std::move(texts), tokenizer, own);
}

FileReader reader(const TextOptions& given, const FilePlace& place) {
  const TextOptions options = readable(given, place.read);
  if (!place.fitted)
    throw data_error(
        fmt::format("model.json: input '{}': found no tokenizer, wanted the one fitted in training",
                    place.name));
  text::TokenizerPtr tokenizer = trained_tokenizer(options, *place.fitted);
  const InputShape shape =
      TextInput(place.name, std::vector<Encoded>(), tokenizer, options).shape();
  return {.shape = shape,
          .read = [name = place.name, options, tokenizer = std::move(tokenizer)](
                      const std::filesystem::path& path, Origin& origin) {
            std::string text = storage::read_file(path, kLargestText);
            if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
            std::vector<Encoded> one(1);
            within(storage::shown(path), [&] {
              one[0] = encoded(*tokenizer, text, options, true);
              if (one[0].ids.empty()) throw data_error("found no word, wanted at least one");
            });
            if (one[0].cut)
              log_info(fmt::format("{}: more than {} tokens, cut there", storage::shown(path),
                                   options.max_tokens));
            return TextInput(name, std::move(one), tokenizer, options).read(0, origin);
          }};
}

}  // namespace

InputType text_input(const TextOptions& options) {
  return {
      .open = [options](const InputPlace& place) { return open(options, place); },
      .files = {.why_not =
                    [](const std::filesystem::path& path) {
                      return path.extension() == ".txt" ? "" : "its name does not end in .txt";
                    },
                .open = [options](const FilePlace& place) { return reader(options, place); }},
      .tokenizer = [options](const Node& fitted) { return trained_tokenizer(options, fitted); }};
}

}  // namespace fovea::inputs
