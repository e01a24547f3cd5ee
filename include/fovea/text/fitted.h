// A vocabulary that is fitted to the training texts: id 0 is padding, id 1 unknown.
#pragma once

#include <unordered_map>

#include "fovea/text/tokenizer.h"

namespace fovea::text {

/// Looked up by a view, without making a string of it.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <class Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

class FittedTokenizer : public Tokenizer {
 public:
  bool fits_texts() const override { return true; }
  int64_t vocabulary() const override { return static_cast<int64_t>(words_.size()); }
  const std::string& word(int64_t id) const override { return words_.at(static_cast<size_t>(id)); }

  /// Keeps the words that occur `min_count` times, the most frequent first and equal ones by their
  /// bytes: the order of the texts does not matter. Bad texts are named by their number, from 0.
  void fit(const std::vector<std::string>& texts) override;
  std::string stored() const override;
  void restore(std::string stored, const std::string& source) override;
  /// `words` as words() gave them; a data Error where they cannot be.
  void restore_words(std::vector<std::string> words, const std::string& source);

 protected:
  FittedTokenizer(int64_t max_bytes, int64_t min_count, int64_t max_words)
      : Tokenizer(max_bytes), min_count_(min_count), max_words_(max_words) {}

  using Counts = TextMap<int64_t>;
  virtual void count(std::string_view text, Counts& counts) const = 0;
  int64_t find(std::string_view word) const {
    const auto found = ids_.find(word);
    return found == ids_.end() ? unknown() : found->second;
  }

 private:
  int64_t min_count_, max_words_;
  std::vector<std::string> words_;
  TextMap<int64_t> ids_;
};

}  // namespace fovea::text
