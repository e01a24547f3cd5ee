#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/sources/inputs.h"
#include "fovea/storage/text.h"
#include "sources/names.h"
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

/// Types that differ only in case or blanks: one was meant.
void refuse_alike(const std::vector<std::string>& types, const std::string& where,
                  const std::string& target) {
  for (const Clash& clash : clashes(types)) {
    if (clash.truths) continue;
    Error error = data_error(
        fmt::format("found the labels '{}' and '{}', spellings of one",
                    storage::escaped(clash.first, 40), storage::escaped(clash.second, 40)),
        fmt::format("write it in one way, or list both in DataOptions::targets.{}.tags.labels",
                    target));
    error.add_place(where);
    throw error;
  }
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
  if (options.labels.empty()) refuse_alike(types, where, place.name);
  for (const std::string& label : found)
    if (std::ranges::find(types, label) == types.end()) unknown.push_back(label);
  if (!unknown.empty())
    throw data_error(
        fmt::format("{}: found the labels {}, which DataOptions::targets.{}.tags.labels lacks ({})",
                    where, join(unknown, ", ", 10), place.name, join(types)));
  for (const std::vector<NamedSpan>& spans : all) {
    auto& to = labels.spans.emplace_back();
    for (const NamedSpan& span : spans)
      to.push_back({span.begin, span.end, std::ranges::find(types, span.label) - types.begin()});
  }
  return labels;
}

namespace {

/// Gives the tokens of a text the tags of its spans.
class Aligner {
 public:
  explicit Aligner(const Input& input) : input_(input) {}

  void add(int64_t i, const std::vector<TextSpan>& spans) {
    const std::string_view text = input_.text(i);
    tokens_ = text::in_code_points(text, input_.tokens(i));
    const torch::Tensor tags = torch::zeros({static_cast<int64_t>(tokens_.size())}, torch::kInt64);
    tag_ = tags.mutable_data_ptr<int64_t>();
    int64_t kept = 0;  // code points before the end of the last token
    for (const text::Token& token : tokens_) kept = std::max(kept, token.end);
    std::vector<int64_t> written;
    for (size_t k = 0; k < spans.size(); ++k) {
      const TextSpan& span = spans[k];
      if (std::find(spans.begin(), spans.begin() + static_cast<int64_t>(k), span) !=
          spans.begin() + static_cast<int64_t>(k)) {
        ++twice_;
        continue;
      }
      const bool cut = input_.cut(i) && span.end > kept;
      const Fit fit = tag(span);
      const Said said = fit == whole ? Said::by_tags : cut ? Said::cut : Said::unalignable;
      ++(said == Said::cut ? cut_ : count_[fit]);
      written.insert(written.end(), {span.begin, span.end, span.type, static_cast<int64_t>(said)});
    }
    result_.tags.push_back(tags);
    result_.entities.push_back(torch::tensor(written, torch::kInt64).reshape({-1, 4}));
  }

  AlignedTags take(const std::string& target) {
    const auto note = [&](int64_t count, const char* what) {
      if (count > 0)
        result_.notes.push_back(fmt::format("target '{}': {} spans {}", target, count, what));
    };
    note(count_[grown],
         "begin or end inside a token, are tagged up to its border and count as missed");
    note(count_[shared], "share a token with the one before and count as missed");
    note(cut_,
         "have no token in the text that is kept (max_tokens), or not all, and count as missed");
    note(count_[tokenless], "have no token and count as missed");
    note(twice_, "are written twice and count once");
    return std::move(result_);
  }

 private:
  enum Fit { whole, grown, shared, tokenless };

  Fit tag(const TextSpan& span) {
    std::vector<size_t> inside;
    for (size_t k = 0; k < tokens_.size(); ++k)
      if (tokens_[k].begin < span.end && tokens_[k].end > span.begin) inside.push_back(k);
    if (inside.empty()) return tokenless;
    if (std::ranges::any_of(inside, [&](size_t k) { return tag_[k] != 0; })) return shared;
    for (const size_t k : inside) tag_[k] = 2 + 2 * span.type;
    tag_[inside.front()] = 1 + 2 * span.type;
    return tokens_[inside.front()].begin == span.begin && tokens_[inside.back()].end == span.end
               ? whole
               : grown;
  }

  const Input& input_;
  std::vector<text::Token> tokens_;
  int64_t* tag_ = nullptr;
  std::array<int64_t, 4> count_{};  // by Fit, of those that are not cut
  int64_t cut_ = 0, twice_ = 0;
  AlignedTags result_;
};

}  // namespace

AlignedTags aligned(const Labels& labels, const Input& input,
                    const std::function<std::string(size_t)>& line) {
  Aligner aligner(input);
  for (int64_t i = 0; i < labels.values.size(0); ++i) {
    const std::vector<TextSpan>& spans = labels.spans_of(i);
    const int64_t length = code_points(input.text(i));
    for (const TextSpan& span : spans)
      if (span.end > length) {
        Error error = data_error(
            fmt::format("a span ends at {}, but the text has {} code points", span.end, length),
            "count code points, not bytes or UTF-16 units, and leave the end out");
        error.add_place(
            fmt::format("target '{}': {}", labels.spec.name, line(static_cast<size_t>(i))));
        throw error;
      }
    aligner.add(i, spans);
  }
  return aligner.take(labels.spec.name);
}

}  // namespace fovea::sources
