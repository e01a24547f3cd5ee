#include "fovea/storage/case_digests.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"
#include "fovea/storage/text.h"

namespace fovea::storage {
namespace {

constexpr size_t kDigits = 16;
const std::vector<std::string> kColumns{"case", "learned", "stamp", "content"};

std::optional<uint64_t> number(std::string_view digits) {
  uint64_t value = 0;
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (failed != std::errc() || end != digits.data() + digits.size()) return {};
  return value;
}

uint64_t beginning(const std::string& hex) { return *number(hex.substr(0, kDigits)); }

using Contents = std::vector<std::pair<uint64_t, uint64_t>>;

/// What there is of each name: several cases may have one.
std::unordered_map<uint64_t, Contents> by_name(const CaseDigests& cases) {
  std::unordered_map<uint64_t, Contents> all;
  for (const CaseDigest& one : cases) all[one.name].emplace_back(one.learned, one.content);
  for (auto& [name, contents] : all) std::ranges::sort(contents);
  return all;
}

}  // namespace

uint64_t digest_of(std::string_view bytes) { return beginning(sha256(bytes)); }

uint64_t salted_digest_of(std::string_view name) { return beginning(salted_hash(name)); }

std::string text_of(const CaseDigests& cases) {
  std::string text = join(kColumns, ",") + "\n";
  for (const CaseDigest& one : cases)
    text += fmt::format("{:016x},{:016x},{:016x},{:016x}\n", one.name, one.learned, one.stamp,
                        one.content);
  return text;
}

CaseDigests read_case_digests(const std::filesystem::path& file) {
  if (!storage::exists(file)) return {};
  const Table table = read_csv(file);
  std::vector<int64_t> columns;
  for (const std::string& name : kColumns) columns.push_back(table.column(name));
  CaseDigests cases;
  for (int64_t row = 0; row < table.rows(); ++row) {
    const auto cell = [&](size_t i) {
      const std::string_view digits = table.cell(row, columns[i]);
      if (const auto value = number(digits)) return *value;
      throw data_error(
          fmt::format("{}: {}: found '{}' as {}, wanted {} hexadecimal digits", shown(file),
                      table.place(row), escaped(digits), kColumns[i], kDigits),
          "remove the file: what changed is then not counted");
    };
    cases.push_back({cell(0), cell(1), cell(2), cell(3)});
  }
  return cases;
}

std::string difference(const CaseDigests& before, const CaseDigests& after) {
  auto left = by_name(before);
  size_t added = 0, removed = 0, changed = 0;
  for (const auto& [name, now] : by_name(after)) {
    const Contents was = std::move(left[name]);
    left.erase(name);
    Contents fresh, gone;
    std::ranges::set_difference(now, was, std::back_inserter(fresh));
    std::ranges::set_difference(was, now, std::back_inserter(gone));
    const size_t both = std::min(fresh.size(), gone.size());
    changed += both;
    added += fresh.size() - both;
    removed += gone.size() - both;
  }
  for (const auto& [name, contents] : left) removed += contents.size();
  if (added + removed + changed == 0) return "";
  return fmt::format("{} {} added, {} removed, {} changed", added,
                     added == 1 ? "case was" : "cases were", removed, changed);
}

}  // namespace fovea::storage
