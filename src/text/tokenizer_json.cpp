#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/storage/text.h"
#include "text/wordpiece_file.h"

namespace fovea::text {
namespace {

using Json = nlohmann::json;

class Reader {
 public:
  Reader(const std::string& bytes, const std::string& source) : source_(source) {
    try {
      root_ = Json::parse(bytes);
    } catch (const Json::parse_error& error) {
      throw fail(fmt::format("byte {}: no JSON; fetch the file again", error.byte));
    }
    if (!root_.is_object()) throw fail("found no object at the top");
  }

  WordPieceFile read() {
    wanted_type("model", "WordPiece");
    wanted_type("normalizer", "BertNormalizer");
    wanted_type("pre_tokenizer", "BertPreTokenizer");
    const Json& model = root_["model"];
    const Json& normalizer = root_["normalizer"];
    file_.unknown = text(model, "unk_token", "[UNK]");
    file_.prefix = text(model, "continuing_subword_prefix", "##");
    file_.rules.longest_word = whole(model, "max_input_chars_per_word", 100);
    if (file_.rules.longest_word > 1'000'000)
      throw fail("model.max_input_chars_per_word is above 1000000");
    file_.rules.clean = flag(normalizer, "clean_text").value_or(true);
    file_.rules.space_chinese = flag(normalizer, "handle_chinese_chars").value_or(true);
    file_.rules.lowercase = flag(normalizer, "lowercase").value_or(true);
    file_.strip_accents = flag(normalizer, "strip_accents");
    read_words(model);
    return std::move(file_);
  }

 private:
  Error fail(const std::string& what) const {
    return data_error(fmt::format("reading the tokenizer.json {}: {}", source_, what));
  }

  void wanted_type(const char* part, const char* known) const {
    const auto found = root_.find(part);
    const std::string type = found == root_.end() || found->is_null() ? "nothing"
                             : found->is_object() ? text(*found, "type", "no type")
                                                  : "no object";
    if (type != known)
      throw fail(
          fmt::format("{} is {}; known here is the pipeline of BERT alone: a WordPiece model with "
                      "BertNormalizer and BertPreTokenizer. Use a vocab.txt, or a SentencePiece "
                      ".model with the tokenizer sentencepiece",
                      part, storage::escaped(type, 100)));
  }

  std::string text(const Json& object, const char* key, const char* otherwise) const {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return otherwise;
    if (!found->is_string()) throw fail(fmt::format("{} is not a text", key));
    return found->get<std::string>();
  }

  int64_t whole(const Json& object, const char* key, int64_t otherwise) const {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return otherwise;
    const bool fits = found->is_number_unsigned() && found->get<uint64_t>() <= INT32_MAX;
    if (!fits) throw fail(fmt::format("{} is not a number from 0 to {}", key, INT32_MAX));
    return found->get<int64_t>();
  }

  std::optional<bool> flag(const Json& object, const char* key) const {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return std::nullopt;
    if (!found->is_boolean()) throw fail(fmt::format("{} is neither true nor false", key));
    return found->get<bool>();
  }

  void read_words(const Json& model) {
    const auto vocab = model.find("vocab");
    if (vocab == model.end() || !vocab->is_object() || vocab->empty())
      throw fail("model.vocab is missing or empty; wanted word: id");
    std::vector<std::pair<int64_t, std::string>> ids;
    for (const auto& [word, id] : vocab->items())
      ids.emplace_back(whole(*vocab, word.c_str(), -1), word);
    add_specials(*vocab, ids);
    std::ranges::sort(ids);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i].first != static_cast<int64_t>(i))
        throw fail(
            fmt::format("the id {} of '{}' comes where {} was wanted: ids are 0 … {}, each "
                        "once",
                        ids[i].first, storage::escaped(ids[i].second, 100), i, ids.size() - 1));
      file_.words.push_back(std::move(ids[i].second));
    }
  }

  void add_specials(const Json& vocab, std::vector<std::pair<int64_t, std::string>>& ids) {
    const auto added = root_.find("added_tokens");
    if (added == root_.end() || added->is_null()) return;
    if (!added->is_array()) throw fail("added_tokens is not a list");
    for (const Json& token : *added) {
      if (!token.is_object()) throw fail("added_tokens holds something that is not an object");
      const std::string content = text(token, "content", "");
      if (content.empty()) throw fail("an added token has no content");
      for (const char* key : {"single_word", "lstrip", "rstrip", "normalized"})
        if (flag(token, key).value_or(false))
          throw fail(
              fmt::format("the added token '{}' has {}: true; known here are added tokens "
                          "without it",
                          storage::escaped(content, 100), key));
      const int64_t id = whole(token, "id", -1);
      const auto known = vocab.find(content);
      if (known == vocab.end())
        ids.emplace_back(id, content);
      else if (*known != id)
        throw fail(fmt::format("the added token '{}' has the id {}, in model.vocab another",
                               storage::escaped(content, 100), id));
      file_.specials.emplace_back(content, id);
    }
  }

  std::string source_;
  Json root_;
  WordPieceFile file_;
};

}  // namespace

WordPieceFile read_tokenizer_json(const std::string& bytes, const std::string& source) {
  return Reader(bytes, source).read();
}

}  // namespace fovea::text
