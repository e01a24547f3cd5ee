// The classes of code points as Hugging Face's tokenizers 0.23 sees them: categories of Unicode 8,
// decompositions of Unicode 9, lower case of Unicode 17. tests/reference/make_tokens.py checks all
// code points against that library.
#pragma once

#include <string>

namespace fovea::text {

bool bert_drops(char32_t c);  ///< control, format and private use; the replacement character
bool bert_space(char32_t c);
bool bert_mark(char32_t c);    ///< punctuation
bool bert_accent(char32_t c);  ///< a non-spacing mark
bool bert_chinese(char32_t c);
int bert_order(char32_t c);  ///< canonical combining class
/// The canonical decomposition; empty where there is none.
std::u32string bert_decomposition(char32_t c);
std::u32string bert_lower(char32_t c);

}  // namespace fovea::text
