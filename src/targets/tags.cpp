#include "fovea/targets/tags.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/inputs/inputs.h"
#include "fovea/storage/text.h"
#include "tables/names.h"
#include "targets/labels.h"

namespace fovea::targets {
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

/// False where the cell is not a list of spans; a blank one is an empty list.
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
  for (const tables::Clash& clash : tables::clashes(types)) {
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

/// Whether the tags of a text say an entity as it was written, and if not, why.
enum class Said : int64_t { by_tags, cut, unalignable };

/// Where an entity stands in a text: code points from `begin` on, before `end`.
struct TextSpan {
  int64_t begin, end;
  int64_t type;  // index among the classes of the target
  bool operator==(const TextSpan&) const = default;
};

/// The tags of each case for the tokens of its text, int64 [L].
struct AlignedTags {
  std::vector<torch::Tensor> tags;
  /// Every entity as it was written, int64 [K, 4]: begin and end in code points, type, and a Said.
  /// Metrics are about these: what no tag can say is missed.
  std::vector<torch::Tensor> written;
  std::vector<std::string> notes;  // of spans that no tags can say
};

/// Gives the tokens of a text the tags of its spans.
class Aligner {
 public:
  /// `cut_off`: the text goes on behind its last token.
  void add(const WrittenText& text, bool cut_off, const std::vector<TextSpan>& spans) {
    std::vector<text::Token> in_bytes;
    for (const auto& [begin, end] : text.tokens) in_bytes.push_back({.begin = begin, .end = end});
    tokens_ = text::in_code_points(text.text, in_bytes);
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
      const bool cut = cut_off && span.end > kept;
      const Fit fit = tag(span);
      const Said said = fit == whole ? Said::by_tags : cut ? Said::cut : Said::unalignable;
      ++(said == Said::cut ? cut_ : count_[fit]);
      written.insert(written.end(), {span.begin, span.end, span.type, static_cast<int64_t>(said)});
    }
    result_.tags.push_back(tags);
    result_.written.push_back(torch::tensor(written, torch::kInt64).reshape({-1, 4}));
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

  std::vector<text::Token> tokens_;
  int64_t* tag_ = nullptr;
  std::array<int64_t, 4> count_{};  // by Fit, of those that are not cut
  int64_t cut_ = 0, twice_ = 0;
  AlignedTags result_;
};

/// A span is where its tokens are: one that begins or ends inside a token is tagged up to its border,
/// of two that share a token the first is tagged, and what is cut off with the text is not; each is
/// counted in a note. A span that is written twice counts once.
class TagsTarget final : public Target {
 public:
  TagsTarget(TargetSpec spec, std::vector<std::vector<TextSpan>> spans) : spans_(std::move(spans)) {
    spec_ = std::move(spec);
  }

  torch::Tensor read(int64_t index) const override {
    return aligned_.tags.at(static_cast<size_t>(index));
  }
  bool known(int64_t) const override { return true; }
  void keep(const std::vector<int64_t>& cases) override {
    std::vector<std::vector<TextSpan>> kept;
    for (const int64_t i : cases) kept.push_back(std::move(spans_.at(static_cast<size_t>(i))));
    spans_ = std::move(kept);
  }
  std::string summary() const override {
    return fmt::format("entities {}", join(spec_.classes, ", ", 20));
  }

  void prepare(const InputsOfCases& cases) override {
    const auto input =
        std::ranges::find(cases.inputs, spec_.input, [](const auto& one) { return one.first; });
    if (input == cases.inputs.end() || input->second->shape().vocabulary == 0)
      throw config_error(
          fmt::format("DataOptions::targets.{}.tags.input: found '{}', wanted one of "
                      "DataOptions::inputs that is a text",
                      spec_.name, spec_.input));
    Aligner aligner;
    for (size_t i = 0; i < spans_.size(); ++i) {
      Origin origin;
      const auto index = static_cast<int64_t>(i);
      input->second->read(index, origin);
      const WrittenText& text = *origin.text(spec_.input);
      refuse_beyond(text.text, spans_[i], [&] { return cases.line(i); });
      aligner.add(text, input->second->cut(index), spans_[i]);
    }
    aligned_ = aligner.take(spec_.name);
    std::ranges::move(aligned_.notes, std::back_inserter(cases.notes));
  }

  void fit(const std::vector<int64_t>& training, bool) override {
    spec_.counts.assign(spec_.classes.size(), 0);
    for (const int64_t i : training)
      for (const TextSpan& span : spans_.at(static_cast<size_t>(i)))
        ++spec_.counts[static_cast<size_t>(span.type)];
  }

  void add_origin(int64_t index, Origin& origin) const override {
    origin.written[spec_.name] = aligned_.written.at(static_cast<size_t>(index));
  }

 private:
  template <class Line>
  void refuse_beyond(std::string_view text, const std::vector<TextSpan>& spans,
                     const Line& line) const {
    const int64_t length = code_points(text);
    for (const TextSpan& span : spans)
      if (span.end > length) {
        Error error = data_error(
            fmt::format("a span ends at {}, but the text has {} code points", span.end, length),
            "count code points, not bytes or UTF-16 units, and leave the end out");
        error.add_place(fmt::format("target '{}': {}", spec_.name, line()));
        throw error;
      }
  }

  std::vector<std::vector<TextSpan>> spans_;  // of each case, in the order of the text
  AlignedTags aligned_;
};

}  // namespace

TargetPtr tags_target(const TagsOptions& options, const TargetPlace& place) {
  TargetSpec spec{.name = place.name,
                  .classes = options.labels,
                  .type = "tags",
                  .input = options.input,
                  .layout = Layout::tokens};
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
  std::vector<std::string>& types = spec.classes;
  if (types.empty()) types.assign(found.begin(), found.end());
  if (types.empty()) throw data_error(where + ": found no entity, wanted at least one");
  if (options.labels.empty()) refuse_alike(types, where, place.name);
  for (const std::string& label : found)
    if (std::ranges::find(types, label) == types.end()) unknown.push_back(label);
  if (!unknown.empty())
    throw data_error(
        fmt::format("{}: found the labels {}, which DataOptions::targets.{}.tags.labels lacks ({})",
                    where, join(unknown, ", ", 10), place.name, join(types)));
  std::vector<std::vector<TextSpan>> by_type;
  for (const std::vector<NamedSpan>& spans : all) {
    auto& to = by_type.emplace_back();
    for (const NamedSpan& span : spans)
      to.push_back({span.begin, span.end, std::ranges::find(types, span.label) - types.begin()});
  }
  return std::make_shared<TagsTarget>(std::move(spec), std::move(by_type));
}

}  // namespace fovea::targets
