#include "fovea/storage/jsonl.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/storage/text.h"
#include "storage/table_text.h"

namespace fovea::storage {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kMostCells = size_t{1} << 27;   // blank ones cost 4 bytes, too
constexpr std::string_view kBlanks = " \t\r\n";  // of JSON

/// What the values of one key are.
struct KeyFacts {
  enum Type : size_t { kTexts, kNumbers, kTruths, kNested, kNulls, kTypes };
  std::array<int64_t, kTypes> count{};
  std::array<int64_t, kTypes> first{};  // line

  void add(Type type, int64_t line) {
    if (count[type]++ == 0) first[type] = line;
  }
};

KeyFacts::Type type_of(const Json& value) {
  return value.is_null()         ? KeyFacts::kNulls
         : value.is_string()     ? KeyFacts::kTexts
         : value.is_boolean()    ? KeyFacts::kTruths
         : value.is_structured() ? KeyFacts::kNested
                                 : KeyFacts::kNumbers;
}

class JsonlReader {
 public:
  JsonlReader(const fs::path& path, int64_t max_bytes)
      : path_(path), text_(read_file(path, max_bytes)) {}

  Table read() {
    size_t at = check_table_text(path_, text_);
    for (int64_t line = 1; at < text_.size(); ++line) {
      const size_t end = std::min(text_.find('\n', at), text_.size());
      const std::string_view one(text_.data() + at, end - at);
      if (one.find_first_not_of(kBlanks) != std::string_view::npos) add(one, line);
      at = end + 1;
    }
    if (rows_.empty()) throw fail("found no line with an object, wanted at least 1");
    TableBuilder builder(path_, columns_);
    for (Row& row : rows_) {
      std::vector<std::string> cells(columns_.size());
      for (auto& [column, text] : row.cells) cells[column] = std::move(text);
      row.cells = {};
      builder.add(row.line, cells);
    }
    for (size_t column = 0; column < columns_.size(); ++column) note(column, builder);
    return builder.take();
  }

 private:
  Error fail(const std::string& problem, const std::string& remedy = "") const {
    Error error = data_error(problem, remedy);
    error.add_place("reading table " + shown(path_));
    return error;
  }

  // The library's own message would show the text.
  Json parsed(std::string_view one, int64_t line) const {
    if (json_too_deep(one))
      throw fail(fmt::format("line {}: nested deeper than {} levels", line, kDeepestJson));
    std::set<std::string> keys;
    const auto no_key_twice = [&](int depth, Json::parse_event_t event, Json& key) {
      if (depth == 1 && event == Json::parse_event_t::key &&
          !keys.insert(key.get<std::string>()).second)
        throw fail(fmt::format("line {}: found the key '{}' twice, wanted it once", line,
                               escaped(key.get<std::string>(), 100)));
      return true;
    };
    Json json;
    try {
      json = Json::parse(one, no_key_twice);
    } catch (const Json::parse_error& error) {
      throw fail(
          fmt::format("line {}: no JSON from its byte {} on; wanted one object {{\"key\": value, "
                      "…}} per line",
                      line, error.byte));
    } catch (const Json::exception&) {
      throw fail(fmt::format("line {}: found a number that no double holds", line));
    }
    if (!json.is_object())
      throw fail(fmt::format("line {}: found a JSON {}, wanted an object {{\"key\": value, …}}",
                             line, json.type_name()));
    return json;
  }

  void add(std::string_view one, int64_t line) {
    Row& row = rows_.emplace_back(Row{.line = line});
    const Json object = parsed(one, line);
    for (const auto& [key, value] : object.items()) {
      const auto [place, added] = places_.try_emplace(key, columns_.size());
      if (added) {
        columns_.push_back(key);
        facts_.emplace_back();
      }
      facts_[place->second].add(type_of(value), line);
      if (value.is_null()) continue;
      row.cells.emplace_back(place->second,
                             value.is_string() ? value.get<std::string>() : value.dump());
    }
    if (rows_.size() * columns_.size() > kMostCells)
      throw fail(fmt::format("line {}: {} lines with {} different keys, wanted at most {} cells",
                             line, rows_.size(), columns_.size(), kMostCells),
                 "are the keys values?");
  }

  void note(size_t column, TableBuilder& builder) const {
    constexpr std::array<const char*, KeyFacts::kNulls> kNames = {
        "texts", "numbers", "true or false", "lists or objects"};
    const KeyFacts& facts = facts_[column];
    std::string types;
    int64_t found = 0, all = facts.count[KeyFacts::kNulls];
    for (size_t type = 0; type < kNames.size(); ++type) {
      all += facts.count[type];
      if (facts.count[type] == 0) continue;
      types += fmt::format("{}{} {} (first on line {})", found++ ? ", " : "", facts.count[type],
                           kNames[type], facts.first[type]);
    }
    if (found > 1) builder.note(column, "its values are of several types: " + types);
    if (const int64_t lacking = static_cast<int64_t>(rows_.size()) - all; lacking > 0)
      builder.note(column, fmt::format("{} of {} lines lack the key, as if it were blank", lacking,
                                       rows_.size()));
  }

  struct Row {
    int64_t line;
    std::vector<std::pair<size_t, std::string>> cells{};  // column, text
  };

  fs::path path_;
  std::string text_;
  std::vector<std::string> columns_;
  std::vector<KeyFacts> facts_;  // of each column
  std::unordered_map<std::string, size_t> places_;
  std::vector<Row> rows_;
};

}  // namespace

Table read_jsonl(const fs::path& path, int64_t max_bytes) {
  return JsonlReader(path, max_bytes).read();
}

}  // namespace fovea::storage
