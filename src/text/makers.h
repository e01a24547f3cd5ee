// What the table of tokenizers is made of; one file each.
#pragma once

#include "fovea/text/tokenizers.h"

namespace fovea::text {

TokenizerPtr make_words(const WordsOptions& options);
TokenizerPtr make_characters(const CharactersOptions& options);
TokenizerPtr make_wordpiece(const WordPieceOptions& options);
TokenizerPtr make_sentencepiece(const SentencePieceOptions& options);

}  // namespace fovea::text
