#include "text/wordpiece_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/storage/text.h"
#include "fovea/text/fitted.h"

namespace fovea::text {
namespace {

Error refusal(const std::string& source, const std::string& what) {
  return data_error(fmt::format("reading the WordPiece vocabulary {}: {}", source, what));
}

WordPieceFile read_lines(std::string_view bytes, const std::string& source) {
  WordPieceFile file;
  TextMap<int64_t> lines;
  for (int64_t line = 1; !bytes.empty(); ++line) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view word = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    while (!word.empty() && (word.back() == '\r' || word.back() == ' ' || word.back() == '\t'))
      word.remove_suffix(1);
    if (word.empty() && bytes.empty()) break;  // an empty line at the end
    const auto [place, added] = lines.emplace(word, line);
    if (!added)
      throw refusal(source,
                    fmt::format("line {} repeats line {}: '{}'; each line is one word, its id is "
                                "the number of the line",
                                line, place->second, storage::escaped(word, 100)));
    file.words.emplace_back(word);
  }
  for (const char* name : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    if (const auto found = lines.find(name); found != lines.end())
      file.specials.emplace_back(name, found->second - 1);
  return file;
}

}  // namespace

WordPieceFile read_wordpiece(const std::string& bytes, const std::string& source) {
  const size_t bad = storage::valid_utf8(bytes);
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff"))
    throw refusal(source, "bytes 0 and 1 are the mark of UTF-16; convert to UTF-8");
  if (bad < bytes.size())
    throw refusal(source,
                  fmt::format("byte {} ({:#04x}) is not valid UTF-8; wanted BERT's vocab.txt or "
                              "the tokenizer.json of Hugging Face",
                              bad, static_cast<unsigned char>(bytes[bad])));
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) throw refusal(source, "found an empty file");
  WordPieceFile file =
      bytes[first] == '{' ? read_tokenizer_json(bytes, source) : read_lines(bytes, source);
  if (std::ranges::find(file.words, file.unknown) == file.words.end())
    throw refusal(source, fmt::format("found {} words and no {}; wanted one word per line with the "
                                      "special tokens [PAD], [UNK], [CLS], [SEP]",
                                      file.words.size(), storage::escaped(file.unknown, 100)));
  return file;
}

}  // namespace fovea::text
