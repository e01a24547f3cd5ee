#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "text/makers.h"
#include "text/trie.h"
#include "text/wordpiece_file.h"

namespace fovea::text {
namespace {

constexpr int64_t kLargestVocabulary = int64_t{256} << 20;  // bytes

class WordPiece final : public Tokenizer {
 public:
  explicit WordPiece(const WordPieceOptions& options)
      : Tokenizer(options.max_bytes), options_(options) {}

  int64_t vocabulary() const override { return static_cast<int64_t>(file_.words.size()); }
  const std::string& word(int64_t id) const override {
    return file_.words.at(static_cast<size_t>(id));
  }
  int64_t padding() const override { return padding_; }
  int64_t unknown() const override { return unknown_; }

  bool fits_texts() const override { return false; }
  void fit(const std::vector<std::string>&) override {
    restore(storage::read_file(options_.file, kLargestVocabulary), storage::shown(options_.file));
  }
  std::string stored() const override { return bytes_; }

  void restore(std::string stored, const std::string& source) override {
    WordPieceFile file = read_wordpiece(stored, source);
    file.rules.lowercase = options_.lowercase.value_or(file.rules.lowercase);
    if (options_.strip_accents) file.strip_accents = options_.strip_accents;
    file.rules.strip_accents = file.strip_accents.value_or(file.rules.lowercase);
    take(std::move(file), source);
    bytes_ = std::move(stored);
  }

 private:
  void take(WordPieceFile file, const std::string& source) {
    size_t bytes = 0;
    for (const std::string& word : file.words) bytes += word.size();
    Trie trie(bytes);
    for (size_t id = 0; id < file.words.size(); ++id)
      trie.add(file.words[id], static_cast<int32_t>(id));
    const auto id_of = [&](std::string_view word) -> int64_t {
      const auto found = std::ranges::find(file.words, word);
      return found == file.words.end() ? -1 : found - file.words.begin();
    };
    first_ = id_of("[CLS]");
    last_ = id_of("[SEP]");
    if (options_.add_special && (first_ < 0 || last_ < 0))
      throw data_error(fmt::format("the WordPiece vocabulary {} has no {}; set add_special: false",
                                   source, first_ < 0 ? "[CLS]" : "[SEP]"));
    padding_ = id_of("[PAD]");
    unknown_ = id_of(file.unknown);
    inside_ = trie.walk(file.prefix);
    // The longest first: that is the one to be found where two begin alike.
    std::ranges::stable_sort(file.specials, std::greater<>(),
                             [](const auto& special) { return special.first.size(); });
    begins_special_.assign(256, false);
    for (const auto& [name, id] : file.specials)
      begins_special_[static_cast<unsigned char>(name[0])] = true;
    trie_ = std::move(trie);
    file_ = std::move(file);
  }

  void split(std::string_view text, std::vector<Token>& tokens) const override {
    if (options_.add_special) tokens.push_back({first_, 0, 0});
    BertText words(file_.rules, [&](const BertWord& word) { pieces(word, tokens); });
    size_t from = 0;
    const auto read = [&](size_t to) {
      words.read(text.substr(from, to - from), static_cast<int64_t>(from));
    };
    for (size_t at = 0; at < text.size(); ++at) {
      if (!begins_special_[static_cast<unsigned char>(text[at])]) continue;
      const auto special = std::ranges::find_if(
          file_.specials, [&](const auto& one) { return text.substr(at).starts_with(one.first); });
      if (special == file_.specials.end()) continue;
      read(at);
      from = at + special->first.size();
      tokens.push_back({special->second, static_cast<int64_t>(at), static_cast<int64_t>(from)});
      at = from - 1;
    }
    read(text.size());
    if (options_.add_special) tokens.push_back({last_, 0, 0});
  }

  // The longest piece that the rest of the word begins with, until nothing is left; a word with a
  // rest that begins with no piece is unknown as a whole.
  void pieces(const BertWord& word, std::vector<Token>& tokens) const {
    const size_t before = tokens.size();
    const auto unknown = [&] {
      tokens.resize(before);
      tokens.push_back({unknown_, word.whole.begin, word.whole.end});
    };
    if (word.characters > file_.rules.longest_word) return unknown();
    for (size_t from = 0; from < word.text.size();) {
      int32_t node = from == 0 ? 0 : inside_;
      int32_t id = Trie::kNone;
      size_t end = from;
      for (size_t at = from; node != Trie::kNone && at < word.text.size(); ++at) {
        node = trie_.step(node, word.text[at]);
        if (node == Trie::kNone || trie_.id(node) == Trie::kNone) continue;
        id = trie_.id(node);
        end = at + 1;
      }
      if (id == Trie::kNone) return unknown();
      tokens.push_back({id, word.spans[from].begin, word.spans[end - 1].end});
      from = end;
    }
  }

  WordPieceOptions options_;
  std::string bytes_;
  WordPieceFile file_;
  Trie trie_;
  int32_t inside_ = Trie::kNone;  // the node of the prefix, where pieces inside a word begin
  int64_t first_ = -1, last_ = -1, padding_ = -1, unknown_ = -1;
  std::vector<bool> begins_special_;
};

}  // namespace

TokenizerPtr make_wordpiece(const WordPieceOptions& options) {
  return std::make_shared<WordPiece>(options);
}

}  // namespace fovea::text
