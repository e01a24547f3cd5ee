#include "fovea/text/tokenizers.h"

#include "text/makers.h"

namespace fovea::text {
namespace {

void describe_limit(Fields& f, int64_t& max_bytes) {
  f("max_bytes", max_bytes, "longer texts are refused").between(1, 2147483647);
}

}  // namespace

void WordsOptions::describe(Fields& f) {
  f("lowercase", lowercase, "by Unicode's rules, whatever the language");
  f("strip_accents", strip_accents, "é and e are one word");
  f("min_count", min_count, "words that occur less often in the training texts are unknown")
      .at_least(1);
  f("max_words", max_words, "at most this many words are kept, the most frequent ones").at_least(1);
  describe_limit(f, max_bytes);
}

void CharactersOptions::describe(Fields& f) {
  f("bytes", bytes, "bytes instead of code points; then nothing is fitted and nothing is unknown");
  f("min_count", min_count, "code points that occur less often in the training texts are unknown")
      .at_least(1);
  f("max_words", max_words, "at most this many code points are kept, the most frequent ones")
      .at_least(1);
  describe_limit(f, max_bytes);
}

void WordPieceOptions::describe(Fields& f) {
  f("file", file, "BERT's vocab.txt, or the tokenizer.json of Hugging Face").required();
  f("lowercase", lowercase, "null: what tokenizer.json says, true for a vocab.txt");
  f("strip_accents", strip_accents, "null: what tokenizer.json says, or as lowercase");
  f("add_special", add_special, "[CLS] before and [SEP] after");
  describe_limit(f, max_bytes);
}

void SentencePieceOptions::describe(Fields& f) {
  f("file", file, "the .model file that SentencePiece's trainer wrote").required();
  describe_limit(f, max_bytes);
}

TokenizerTable& tokenizers() {
  static TokenizerTable table(
      "tokenizers",
      {
          TokenizerTable::item<WordsOptions>("words",
                                             "words, numbers and punctuation marks (Unicode UAX "
                                             "#29); the vocabulary is fitted to the training texts",
                                             make_words),
          TokenizerTable::item<CharactersOptions>(
              "characters",
              "code points, whose vocabulary is fitted to the training texts, or bytes",
              make_characters),
          TokenizerTable::item<WordPieceOptions>(
              "wordpiece", "BERT's WordPiece (Devlin 2019), from vocab.txt or tokenizer.json",
              make_wordpiece),
          TokenizerTable::item<SentencePieceOptions>(
              "sentencepiece", "SentencePiece (Kudo 2018), from a .model file", make_sentencepiece),
      });
  return table;
}

}  // namespace fovea::text
