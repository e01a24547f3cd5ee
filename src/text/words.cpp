#include "fovea/text/fitted.h"
#include "text/makers.h"
#include "text/word_breaks.h"

namespace fovea::text {
namespace {

/// Bytes. What is longer (an image in base64, a line without spaces) is unknown and not counted.
constexpr size_t kLongestWord = 1024;

class Words final : public FittedTokenizer {
 public:
  explicit Words(const WordsOptions& o)
      : FittedTokenizer(o.max_bytes, o.min_count, o.max_words),
        lowercase_(o.lowercase),
        strip_accents_(o.strip_accents) {}

 private:
  void split(std::string_view text, std::vector<Token>& tokens) const override {
    std::string form;
    each_word(text, [&](size_t begin, size_t end) {
      int64_t id = unknown();
      if (end - begin <= kLongestWord) {
        word_form(text.substr(begin, end - begin), lowercase_, strip_accents_, form);
        id = find(form);
      }
      tokens.push_back({id, static_cast<int64_t>(begin), static_cast<int64_t>(end)});
    });
  }

  void count(std::string_view text, Counts& counts) const override {
    std::string form;
    each_word(text, [&](size_t begin, size_t end) {
      if (end - begin > kLongestWord) return;
      word_form(text.substr(begin, end - begin), lowercase_, strip_accents_, form);
      ++counts[form];
    });
  }

  bool lowercase_, strip_accents_;
};

}  // namespace

TokenizerPtr make_words(const WordsOptions& options) { return std::make_shared<Words>(options); }

}  // namespace fovea::text
