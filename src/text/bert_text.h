// BERT's way from text to words: clean, space Chinese characters, decompose and strip accents,
// lower-case, split at white space and marks. It reads the text once, in constant memory.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::text {

struct BertRules {
  bool clean = true;          ///< control characters go, white space becomes a space
  bool space_chinese = true;  ///< each Chinese character is a word
  bool strip_accents = true;
  bool lowercase = true;
  int64_t longest_word = 100;  ///< code points; of a longer word only its place is kept
};

struct Span {
  int64_t begin = 0, end = 0;
};

struct BertWord {
  std::string text;         ///< normalised, in UTF-8
  std::vector<Span> spans;  ///< of each byte of `text`, in the original
  int64_t characters = 0;
  Span whole;
};

class BertText {
 public:
  using Take = std::function<void(const BertWord&)>;

  BertText(const BertRules& rules, Take take);

  /// Hands over the words of `text`, valid UTF-8; spans count from `shift`.
  void read(std::string_view text, int64_t shift);

 private:
  struct Mark {
    char32_t code;
    int order;      // canonical combining class
    bool inserted;  // by a decomposition, other than its first
  };

  void ascii(unsigned char c, Span span);
  void clean(char32_t c, Span span);
  void decompose(char32_t c, Span span);
  void decomposed(char32_t c, Span span, bool inserted);
  void place_marks();
  void lower(char32_t c, Span span);
  void put(char32_t c, Span span);
  void append(Span span, size_t bytes);
  void end_word();

  BertRules rules_;
  Take take_;
  BertWord word_;
  std::array<unsigned char, 128> ascii_;  // what becomes of it: 0 nothing, ' ' an end
  std::array<bool, 128> marks_;           // a word of its own
  std::vector<Mark> pending_;             // combining marks that wait for their order
  std::vector<Span> sources_;
  Span last_;
};

}  // namespace fovea::text
