// Text as numbers: what every tokenizer does. A token keeps where it came from in the report as it
// was written, so that what a model points at can be shown there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::text {

/// `begin` and `end` are bytes of the original UTF-8 text. A token that stands for no text ([CLS],
/// [SEP]) has 0 and 0.
struct Token {
  int64_t id = 0;
  int64_t begin = 0;
  int64_t end = 0;
  bool operator==(const Token&) const = default;
};

/// Made with settings alone; knows its words after either `fit` or `restore`. From then on it may
/// be used from many threads. No message holds any of the text.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// A data Error with the first bad byte where the text is not valid UTF-8, and where it has more
  /// bytes than the setting `max_bytes`. An empty text gives no token (but [CLS] and [SEP] where
  /// asked for).
  std::vector<Token> encode(std::string_view text) const;

  virtual int64_t vocabulary() const = 0;  ///< ids are 0 … vocabulary() - 1; 0 before fit, restore
  virtual const std::string& word(int64_t id) const = 0;
  virtual int64_t padding() const { return 0; }  ///< -1 where a file's vocabulary has none
  virtual int64_t unknown() const { return 1; }
  std::vector<std::string> words() const;  ///< all, in the order of their ids

  /// True where fit() goes by texts, which must be those of the training split alone; false
  /// where it reads the file that the settings name and looks at no text.
  virtual bool fits_texts() const = 0;
  virtual void fit(const std::vector<std::string>& texts) = 0;

  /// What a model bundle keeps: the vocabulary's file as it was, or the words as a JSON list.
  virtual std::string stored() const = 0;
  /// The reverse, for a tokenizer of equal settings. `source` is the name in messages.
  virtual void restore(std::string stored, const std::string& source) = 0;

 protected:
  explicit Tokenizer(int64_t max_bytes) : max_bytes_(max_bytes) {}

  /// Adds the tokens of a text that is valid UTF-8.
  virtual void split(std::string_view text, std::vector<Token>& tokens) const = 0;
  /// Refuses what encode() refuses.
  void check(std::string_view text) const;

 private:
  int64_t max_bytes_;
};
using TokenizerPtr = std::shared_ptr<Tokenizer>;

/// The same tokens with offsets in code points; linear in the text.
std::vector<Token> in_code_points(std::string_view text, std::vector<Token> tokens);

}  // namespace fovea::text
