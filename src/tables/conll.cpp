// Tokens and tags in columns, as the shared tasks of CoNLL have written them since 1999.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/storage/text.h"
#include "fovea/tables/read_table.h"

namespace fovea::tables {
namespace {

/// One sentence under construction.
struct Sentence {
  int64_t line = 0;
  std::string text{};
  int64_t length = 0;  // code points
  nlohmann::json spans = nlohmann::json::array();
  std::string open{};  // label of the entity that goes on

  void add(std::string_view token, std::string_view tag) {
    if (!text.empty()) {
      text += ' ';
      ++length;
    }
    const int64_t begin = length;
    text += token;
    length += std::ranges::count_if(token, [](char c) { return (c & 0xc0) != 0x80; });
    if (tag == "O") {
      open.clear();
      return;
    }
    // I- goes on with an entity of its label; without one it begins one, as in IOB.
    const std::string label(tag.substr(2));
    if (tag[0] == 'I' && open == label)
      spans.back()[1] = length;
    else
      spans.push_back({begin, length, label});
    open = label;
  }
};

bool is_tag(std::string_view tag) {
  return tag == "O" || (tag.size() > 2 && (tag[0] == 'B' || tag[0] == 'I') && tag[1] == '-');
}

}  // namespace

storage::Table read_conll(const std::filesystem::path& path) {
  std::string content = storage::read_file(path, storage::kLargestFile);
  if (content.starts_with("\xEF\xBB\xBF")) content.erase(0, 3);
  const std::string where = "reading " + storage::shown(path);
  if (storage::valid_utf8(content) != content.size())
    throw data_error(
        fmt::format("{}: byte {} is not valid UTF-8; convert it (iconv -f LATIN1 -t UTF-8)", where,
                    storage::valid_utf8(content)));
  storage::TableBuilder table(path, {"text", "spans"});
  Sentence sentence;
  int64_t sentences = 0, line = 0;
  const auto finish = [&] {
    if (sentence.line == 0) return;
    table.add(sentence.line, {sentence.text, sentence.spans.dump()});
    sentence = {};
    ++sentences;
  };
  for (size_t at = 0; at < content.size();) {
    ++line;
    const size_t end = std::min(content.find('\n', at), content.size());
    std::string_view one(content.data() + at, end - at);
    at = end + 1;
    if (one.ends_with('\r')) one.remove_suffix(1);
    if (one.empty() || one.starts_with("-DOCSTART-")) {
      finish();
      continue;
    }
    const size_t first = one.find_first_of("\t "), last = one.find_last_of("\t ");
    if (first == 0 || first == std::string_view::npos || !is_tag(one.substr(last + 1)))
      throw data_error(fmt::format(
          "{}: line {}: wanted a token, a tab and O, B-LABEL or I-LABEL, or a blank line", where,
          line));
    if (sentence.line == 0) sentence.line = line;
    sentence.add(one.substr(0, first), one.substr(last + 1));
  }
  finish();
  if (sentences == 0) throw data_error(where + ": found no sentence, wanted at least 1");
  return table.take();
}

}  // namespace fovea::tables
