#include "fovea/text/fitted.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fovea/core/error.h"

namespace fovea::text {

void FittedTokenizer::fit(const std::vector<std::string>& texts) {
  Counts counts;
  for (size_t i = 0; i < texts.size(); ++i)
    within(fmt::format("text {}", i), [&] {
      check(texts[i]);
      count(texts[i], counts);
    });
  std::vector<std::pair<int64_t, std::string>> kept;
  for (auto& [word, n] : counts)
    if (n >= min_count_) kept.emplace_back(-n, word);
  if (kept.empty())
    throw data_error(
        fmt::format("fitting words: none of {} occurs min_count = {} times in {} texts; lower "
                    "min_count or give more texts",
                    counts.size(), min_count_, texts.size()));
  std::ranges::sort(kept);
  if (static_cast<int64_t>(kept.size()) > max_words_) kept.resize(static_cast<size_t>(max_words_));
  std::vector<std::string> words{"[PAD]", "[UNK]"};
  for (auto& [n, word] : kept) words.push_back(std::move(word));
  restore_words(std::move(words), "the training texts");
}

std::string FittedTokenizer::stored() const { return nlohmann::json(words_).dump(); }

void FittedTokenizer::restore(std::string stored, const std::string& source) {
  const auto list = nlohmann::json::parse(stored, nullptr, false);
  const auto is_text = [](const nlohmann::json& item) { return item.is_string(); };
  if (!list.is_array() || !std::ranges::all_of(list, is_text))
    throw data_error(fmt::format(
        "reading the words of {}: wanted a JSON list of texts, as fovea writes it", source));
  restore_words(list.get<std::vector<std::string>>(), source);
}

void FittedTokenizer::restore_words(std::vector<std::string> words, const std::string& source) {
  const auto fail = [&](const std::string& what) {
    return data_error(fmt::format("reading the words of {}: {}", source, what));
  };
  if (words.size() < 2 || words[0] != "[PAD]" || words[1] != "[UNK]")
    throw fail("wanted a list that begins with [PAD] and [UNK]");
  TextMap<int64_t> ids;
  for (size_t i = 2; i < words.size(); ++i) {
    const auto [place, added] = ids.emplace(words[i], static_cast<int64_t>(i));
    if (!added) throw fail(fmt::format("words {} and {} are equal", place->second, i));
  }
  words_ = std::move(words);
  ids_ = std::move(ids);
}

}  // namespace fovea::text
