#include "fovea/text/tokenizers.h"

#include "text/makers.h"

namespace fovea::text {
namespace {

void describe_limit(Fields& f, int64_t& max_bytes) {
  f("max_bytes", max_bytes, "a longer text is refused").between(1, 2147483647);
}

}  // namespace

void WordsOptions::describe(Fields& f) {
  f("lowercase", lowercase, "by Unicode's rules, whatever the language");
  f("strip_accents", strip_accents, "é and e are one word");
  f("min_count", min_count, "a word that the training texts hold less often is unknown")
      .at_least(1);
  f("max_words", max_words, "the most frequent are kept").at_least(1);
  describe_limit(f, max_bytes);
}

void CharactersOptions::describe(Fields& f) {
  f("bytes", bytes, "bytes in place of code points; nothing is fitted or unknown then");
  f("min_count", min_count, "a code point that the training texts hold less often is unknown")
      .at_least(1);
  f("max_words", max_words, "the most frequent code points are kept").at_least(1);
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
  f("file", file, "the .model that SentencePiece's trainer wrote").required();
  describe_limit(f, max_bytes);
}

TokenizerTable& tokenizers() {
  static TokenizerTable table(
      "tokenizers",
      {
          TokenizerTable::item<WordsOptions>(
              "words", "words, numbers and marks (Unicode UAX #29), fitted to the training texts",
              make_words),
          TokenizerTable::item<CharactersOptions>(
              "characters", "code points, fitted to the training texts; or bytes", make_characters),
          TokenizerTable::item<WordPieceOptions>(
              "wordpiece", "BERT's pieces of words (Devlin 2019), from vocab.txt or tokenizer.json",
              make_wordpiece),
          TokenizerTable::item<SentencePieceOptions>(
              "sentencepiece", "pieces of sentences (Kudo 2018), from a .model file",
              make_sentencepiece),
      });
  return table;
}

}  // namespace fovea::text
