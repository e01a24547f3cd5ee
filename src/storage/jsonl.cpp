#include "fovea/storage/jsonl.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "fovea/core/error.h"
#include "storage/table_text.h"

namespace fovea::storage {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kDeepest = 64;                     // nlohmann writes nested values by recursion
constexpr size_t kMostCells = size_t{1} << 27;   // blank ones cost 4 bytes, too
constexpr std::string_view kBlanks = " \t\r\n";  // of JSON

/// Levels of lists and objects.
int depth(std::string_view json) {
  int now = 0, most = 0;
  bool text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') text = !text;
    if (c == '\\') ++i;
    if (text) continue;
    if (c == '[' || c == '{') most = std::max(most, ++now);
    if (c == ']' || c == '}') --now;
  }
  return most;
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
    return builder.take();
  }

 private:
  Error fail(const std::string& what) const {
    return data_error(fmt::format("reading table {}: {}", shown(path_), what));
  }

  // The library's own message would show the text.
  Json parsed(std::string_view one, int64_t line) const {
    if (depth(one) > kDeepest)
      throw fail(fmt::format("line {}: nested deeper than {} levels", line, kDeepest));
    Json json;
    try {
      json = Json::parse(one);
    } catch (const Json::parse_error& error) {
      throw fail(
          fmt::format("line {}: no JSON from its byte {} on; wanted one object {{\"key\": value, "
                      "…}} per line",
                      line, error.byte));
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
      if (added) columns_.push_back(key);
      if (value.is_null()) continue;
      row.cells.emplace_back(place->second,
                             value.is_string() ? value.get<std::string>() : value.dump());
    }
    if (rows_.size() * columns_.size() > kMostCells)
      throw fail(fmt::format(
          "line {}: {} lines with {} different keys, wanted at most {} cells; are the keys values?",
          line, rows_.size(), columns_.size(), kMostCells));
  }

  struct Row {
    int64_t line;
    std::vector<std::pair<size_t, std::string>> cells{};  // column, text
  };

  fs::path path_;
  std::string text_;
  std::vector<std::string> columns_;
  std::unordered_map<std::string, size_t> places_;
  std::vector<Row> rows_;
};

}  // namespace

Table read_jsonl(const fs::path& path, int64_t max_bytes) {
  return JsonlReader(path, max_bytes).read();
}

}  // namespace fovea::storage
