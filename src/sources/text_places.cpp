#include "sources/text_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "fovea/core/error.h"

namespace fovea::sources {
namespace {

/// A part of what a text input knows, under a name of its own.
class Place : public Input {
 public:
  explicit Place(InputPtr text) : text_(std::move(text)) {}
  bool has(int64_t index) const override { return text_->has(index); }

 protected:
  InputPtr text_;
};

class TextBytes final : public Place {
 public:
  using Place::Place;
  torch::Tensor read(int64_t index) const override {
    const std::string_view text = text_->text(index);
    torch::Tensor bytes = torch::empty({static_cast<int64_t>(text.size())}, torch::kUInt8);
    std::ranges::copy(text, bytes.mutable_data_ptr<uint8_t>());
    return bytes;
  }
  InputShape shape() const override { return {.sizes = {-1}, .optional = text_->shape().optional}; }
};

class Offsets final : public Place {
 public:
  using Place::Place;
  torch::Tensor read(int64_t index) const override {
    const std::vector<text::Token> tokens = text_->tokens(index);
    torch::Tensor places = torch::empty({static_cast<int64_t>(tokens.size()), 2}, torch::kInt64);
    auto* to = places.mutable_data_ptr<int64_t>();
    for (const text::Token& token : tokens) {
      *to++ = token.begin;
      *to++ = token.end;
    }
    return places;
  }
  InputShape shape() const override {
    return {.sizes = {-1, 2}, .optional = text_->shape().optional};
  }
};

class Entities final : public Input {
 public:
  explicit Entities(std::vector<torch::Tensor> entities) : entities_(std::move(entities)) {}
  torch::Tensor read(int64_t index) const override {
    return entities_.at(static_cast<size_t>(index));
  }
  InputShape shape() const override { return {.sizes = {-1, 4}}; }

 private:
  std::vector<torch::Tensor> entities_;
};

InputPtr text_of(const Cases& cases, const std::string& input, const std::string& target) {
  for (const auto& [name, found] : cases.inputs)
    if (name == input && found->shape().vocabulary > 0) return found;
  throw config_error(
      fmt::format("DataOptions::targets.{}.tags.input: found '{}', wanted one of "
                  "DataOptions::inputs that is a text",
                  target, input));
}

}  // namespace

void add_tags(Cases& cases, const std::vector<Labels>& labels, std::vector<std::string>& notes,
              const std::function<std::string(size_t)>& line) {
  for (const Labels& one : labels) {
    if (one.spec.kind != TargetKind::tags) continue;
    AlignedTags found = aligned(one, *text_of(cases, one.spec.input, one.spec.name), line);
    cases.inputs.emplace_back(one.spec.name + ".entities",
                              std::make_shared<Entities>(std::move(found.entities)));
    std::ranges::move(found.notes, std::back_inserter(notes));
    cases.tags.emplace_back(one.spec.name, std::move(found.tags));
  }
}

std::vector<std::pair<std::string, InputPtr>> text_places(const std::string& name, InputPtr text) {
  return {{name + ".text", std::make_shared<TextBytes>(text)},
          {name + ".offsets", std::make_shared<Offsets>(text)}};
}

void add_text_places(Cases& cases, const Targets& targets, bool all) {
  std::set<std::string> names;
  for (const auto& [name, target] : targets)
    if (const auto* tags = target.as<TagsOptions>()) {
      text_of(cases, tags->input, name);  // the config Error of another input
      names.insert(tags->input);
    }
  for (const auto& [name, input] : cases.inputs)
    if (all && input->shape().vocabulary > 0) names.insert(name);
  for (const std::string& name : names)
    std::ranges::move(text_places(name, text_of(cases, name, "")),
                      std::back_inserter(cases.inputs));
}

}  // namespace fovea::sources
