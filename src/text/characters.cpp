#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/text/fitted.h"
#include "text/makers.h"
#include "text/unicode.h"

namespace fovea::text {
namespace {

class CodePoints final : public FittedTokenizer {
 public:
  explicit CodePoints(const CharactersOptions& o)
      : FittedTokenizer(o.max_bytes, o.min_count, o.max_words) {}

 private:
  template <class Take>
  static void each(std::string_view text, Take take) {
    for (size_t at = 0; at < text.size();) {
      const size_t length = length_of_character(text[at]);
      take(at, length);
      at += length;
    }
  }

  void split(std::string_view text, std::vector<Token>& tokens) const override {
    each(text, [&](size_t at, size_t length) {
      tokens.push_back({find(text.substr(at, length)), static_cast<int64_t>(at),
                        static_cast<int64_t>(at + length)});
    });
  }

  void count(std::string_view text, Counts& counts) const override {
    each(text, [&](size_t at, size_t length) {
      const std::string_view one = text.substr(at, length);
      const auto found = counts.find(one);
      ++(found == counts.end() ? counts.emplace(one, 0).first : found)->second;
    });
  }
};

class Bytes final : public Tokenizer {
 public:
  explicit Bytes(const CharactersOptions& o) : Tokenizer(o.max_bytes) {
    for (int byte = 0; byte < 256; ++byte) words_.push_back(fmt::format("<0x{:02X}>", byte));
  }

  int64_t vocabulary() const override { return static_cast<int64_t>(words_.size()); }
  const std::string& word(int64_t id) const override { return words_.at(static_cast<size_t>(id)); }
  bool fits_texts() const override { return false; }
  void fit(const std::vector<std::string>&) override {}
  std::string stored() const override { return ""; }
  void restore(std::string stored, const std::string& source) override {
    if (!stored.empty())
      throw data_error(fmt::format(
          "reading the words of {}: found {} bytes, wanted none: bytes need no vocabulary", source,
          stored.size()));
  }

 private:
  void split(std::string_view text, std::vector<Token>& tokens) const override {
    tokens.reserve(text.size());
    for (size_t at = 0; at < text.size(); ++at)
      tokens.push_back({2 + static_cast<unsigned char>(text[at]), static_cast<int64_t>(at),
                        static_cast<int64_t>(at + 1)});
  }

  std::vector<std::string> words_{"[PAD]", "[UNK]"};
};

}  // namespace

TokenizerPtr make_characters(const CharactersOptions& options) {
  if (options.bytes) return std::make_shared<Bytes>(options);
  return std::make_shared<CodePoints>(options);
}

}  // namespace fovea::text
