#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/sources/inputs.h"
#include "sources/targets.h"

namespace fovea::sources {
namespace {

using Json = nlohmann::json;

struct NamedSpan {
  int64_t begin, end;
  std::string label;
};

constexpr int64_t kFarthest = int64_t{1} << 40;

bool is_span(const Json& json) {
  return json.is_array() && json.size() == 3 && json[0].is_number_integer() &&
         json[1].is_number_integer() && json[2].is_string() &&
         !json[2].get_ref<const std::string&>().empty() && json[0].get<int64_t>() >= 0 &&
         json[0].get<int64_t>() < json[1].get<int64_t>() && json[1].get<int64_t>() < kFarthest;
}

/// False where the cell is no list of spans; a blank one is an empty list.
bool read_spans(std::string_view cell, std::vector<NamedSpan>& spans) {
  if (cell.empty()) return true;
  const Json json = Json::parse(cell, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) return false;
  for (const Json& one : json) {
    if (!is_span(one)) return false;
    spans.push_back({one[0].get<int64_t>(), one[1].get<int64_t>(), one[2].get<std::string>()});
  }
  std::ranges::stable_sort(spans, {}, &NamedSpan::begin);
  return true;
}

int64_t code_points(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; });
}

}  // namespace

Labels tags_target(const TagsOptions& options, const TargetPlace& place) {
  Labels labels{.spec = {.name = place.name,
                         .classes = options.labels,
                         .kind = TargetKind::tags,
                         .input = options.input},
                .values = torch::arange(static_cast<int64_t>(place.cases))};
  const auto cells = place.cells(options.column);
  std::vector<std::vector<NamedSpan>> all(cells.size());
  std::vector<std::string> bad, unknown;
  std::set<std::string> found;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!read_spans(cells[i], all[i])) bad.push_back(place.line(i));
    for (const NamedSpan& span : all[i]) found.insert(span.label);
  }
  const std::string where = fmt::format("{}: column '{}'", place.where, options.column);
  if (!bad.empty())
    throw data_error(fmt::format(
        "{}: {} cells are wrong ({}), wanted [[begin, end, \"label\"], …] with 0 <= begin < end",
        where, bad.size(), join(bad, ", ", 5)));
  std::vector<std::string>& types = labels.spec.classes;
  if (types.empty()) types.assign(found.begin(), found.end());
  if (types.empty()) throw data_error(where + ": found no entity, wanted at least one");
  for (const std::string& label : found)
    if (std::ranges::find(types, label) == types.end()) unknown.push_back(label);
  if (!unknown.empty())
    throw data_error(fmt::format("{}: found the labels {}, which data.targets.{}.labels lacks ({})",
                                 where, join(unknown, ", ", 10), place.name, join(types)));
  for (const std::vector<NamedSpan>& spans : all) {
    auto& to = labels.spans.emplace_back();
    for (const NamedSpan& span : spans)
      to.push_back({span.begin, span.end, std::ranges::find(types, span.label) - types.begin()});
  }
  return labels;
}

AlignedTags aligned(const Labels& labels, const Input& input,
                    const std::function<std::string(size_t)>& line) {
  AlignedTags result;
  int64_t grown = 0, shared = 0, lost = 0;
  for (int64_t i = 0; i < labels.values.size(0); ++i) {
    const std::string_view text = input.text(i);
    const std::vector<text::Token> tokens = text::in_code_points(text, input.tokens(i));
    const int64_t length = code_points(text);
    const torch::Tensor tags = torch::zeros({static_cast<int64_t>(tokens.size())}, torch::kInt64);
    auto* tag = tags.mutable_data_ptr<int64_t>();
    for (const TextSpan& span : labels.spans_of(i)) {
      if (span.end > length)
        throw data_error(
            fmt::format("target '{}': {}: a span ends at {}, but the text has {} code points",
                        labels.spec.name, line(static_cast<size_t>(i)), span.end, length));
      std::vector<size_t> inside;
      for (size_t k = 0; k < tokens.size(); ++k)
        if (tokens[k].begin < span.end && tokens[k].end > span.begin) inside.push_back(k);
      if (inside.empty()) {
        ++lost;
      } else if (std::ranges::any_of(inside, [&](size_t k) { return tag[k] != 0; })) {
        ++shared;
      } else {
        grown +=
            tokens[inside.front()].begin != span.begin || tokens[inside.back()].end != span.end;
        for (const size_t k : inside) tag[k] = 2 + 2 * span.type;
        tag[inside.front()] = 1 + 2 * span.type;
      }
    }
    result.tags.push_back(tags);
  }
  const auto note = [&](int64_t count, const char* what) {
    if (count > 0)
      result.notes.push_back(
          fmt::format("target '{}': {} spans {}", labels.spec.name, count, what));
  };
  note(grown, "begin or end inside a token and are taken up to its border");
  note(shared, "share a token with the one before and are left out");
  note(lost, "have no token in the text that is kept (max_tokens) and are left out");
  return result;
}

}  // namespace fovea::sources
