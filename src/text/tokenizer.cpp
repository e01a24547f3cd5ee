#include "fovea/text/tokenizer.h"

#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/storage/text.h"

namespace fovea::text {

void Tokenizer::check(std::string_view text) const {
  const auto size = static_cast<int64_t>(text.size());
  if (size > max_bytes_)
    throw data_error(
        fmt::format("found a text of {} bytes, wanted at most {}; split it, or raise the "
                    "tokenizer's max_bytes",
                    size, max_bytes_));
  const size_t bad = storage::valid_utf8(text);
  if (bad == text.size()) return;
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    throw data_error(
        "bytes 0 and 1 of the text are the mark of UTF-16; convert to UTF-8 (iconv -f UTF-16 -t "
        "UTF-8)");
  throw data_error(fmt::format(
      "byte {} of the text ({:#04x}) is not valid UTF-8, perhaps Latin-1; convert to UTF-8 "
      "(iconv -f LATIN1 -t UTF-8)",
      bad, static_cast<unsigned char>(text[bad])));
}

std::vector<Token> Tokenizer::encode(std::string_view text) const {
  if (vocabulary() == 0)
    throw Error(Fault::internal, "a tokenizer without words was used; fit or restore it first");
  check(text);
  std::vector<Token> tokens;
  split(text, tokens);
  return tokens;
}

std::vector<std::string> Tokenizer::words() const {
  std::vector<std::string> words;
  for (int64_t id = 0; id < vocabulary(); ++id) words.push_back(word(id));
  return words;
}

std::vector<Token> in_code_points(std::string_view text, std::vector<Token> tokens) {
  int64_t byte = 0, point = 0;
  const auto starts = [&](int64_t at) { return (text[static_cast<size_t>(at)] & 0xc0) != 0x80; };
  // Tokens are in the order of the text but for small steps back, so the walk is short.
  const auto count = [&](int64_t to) {
    if (to == 0) return int64_t{0};
    for (; byte < to; ++byte) point += starts(byte);
    for (; byte > to; --byte) point -= starts(byte - 1);
    return point;
  };
  for (Token& token : tokens) {
    token.begin = count(token.begin);
    token.end = count(token.end);
  }
  return tokens;
}

}  // namespace fovea::text
