#include "fovea/core/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "fovea/core/catalogue.h"

namespace fovea {
namespace {

std::string found_text(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
    default:
      return node.quoted ? '"' + node.text + '"' : "'" + node.text + "'";
  }
}

// "010" reads as 8 in one YAML and as 10 in another, so it is neither.
bool has_leading_zero(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

template <class Number>
void read_number(const Node& node, Number& value, const char* wanted) {
  const std::string& text = node.text;
  const char* end = text.data() + text.size();
  Number read{};
  const auto [stop, error] = std::from_chars(text.data(), end, read);
  if (node.kind != Node::Kind::scalar || node.quoted || text.empty() || error != std::errc() ||
      stop != end || has_leading_zero(text))
    wrong_kind(node, wanted);
  value = read;
}

/// Whether YAML reads these letters as something else where no quotes are around them.
bool means_more(std::string_view text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return text.empty() || blank(text.front()) || blank(text.back()) ||
         std::string_view("-?!&*|>%@`'\"#{}[],:=").find(text.front()) != std::string_view::npos ||
         text.find_first_of("{}[],\"#") != std::string_view::npos ||
         text.find(": ") != std::string_view::npos || text.ends_with(':') ||
         std::ranges::any_of(text, control);
}

bool is_number(std::string_view text) {
  double number;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && stop == text.data() + text.size();
}

bool needs_quotes(std::string_view text) {
  return text == "null" || text == "true" || text == "false" || text == "~" || means_more(text) ||
         is_number(text);
}

std::string in_quotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      quoted += std::string("\\") + c;
    else if (c == '\n' || c == '\t')
      quoted += c == '\n' ? "\\n" : "\\t";
    else if (code < 0x20 || code == 0x7f)
      quoted += fmt::format("\\x{:02x}", code);
    else
      quoted += c;
  }
  return quoted + '"';
}

}  // namespace

void wrong_kind(const Node& node, const std::string& wanted) {
  throw config_error(place(node) + "found " + found_text(node) + ", wanted " + wanted);
}

void read_value(const Node& node, bool& value) {
  if (node.kind != Node::Kind::scalar || node.quoted ||
      (node.text != "true" && node.text != "false"))
    wrong_kind(node, "true or false");
  value = node.text == "true";
}

void read_value(const Node& node, int64_t& value) { read_number(node, value, "a whole number"); }

void read_value(const Node& node, double& value) {
  read_number(node, value, "a number");
  if (!std::isfinite(value)) wrong_kind(node, "a finite number");
}

void read_value(const Node& node, std::string& value) {
  if (node.kind != Node::Kind::scalar) wrong_kind(node, "a text");
  value = node.text;
}

void read_value(const Node& node, std::filesystem::path& value) {
  if (node.kind == Node::Kind::null) return value.clear();
  std::string text;
  read_value(node, text);
  value = text.empty() ? std::filesystem::path() : (node.base / text).lexically_normal();
}

void read_value(const Node& node, ChoiceBase& value) {
  const bool named = node.kind == Node::Kind::scalar;
  if (node.kind == Node::Kind::map && node.entries.size() > 1)
    throw config_error(place(node) + "found '" + node.entries[0].key + "' and '" +
                       node.entries[1].key + "', wanted one of the " + value.catalogue().family() +
                       "; to take another than the file does, set the whole: {name: {settings}}");
  if (!named && (node.kind != Node::Kind::map || node.entries.empty()))
    wrong_kind(node, "one of the " + value.catalogue().family() +
                         ", as name or {name: {settings}}: " + join(value.catalogue().names()));
  value.select(named ? node.text : node.entries[0].key, place(node));
  if (!named && node.entries[0].value.kind != Node::Kind::null)
    value.read_settings(node.entries[0].value);
  if (named || node.entries[0].value.kind == Node::Kind::null) {
    Node nothing;  // still visited, so that a required setting is missed by name
    nothing.kind = Node::Kind::map;
    nothing.where = node.where;
    nothing.base = node.base;
    nothing.path = (node.path.empty() ? "" : node.path + ".") + value.name();
    value.read_settings(nothing);
  }
}

Node write_value(bool value) { return Node::scalar(value ? "true" : "false"); }
Node write_value(int64_t value) { return Node::scalar(std::to_string(value)); }
Node write_value(double value) { return Node::scalar(number(value)); }
Node write_value(const std::string& value) { return Node::scalar(value, needs_quotes(value)); }
Node write_value(const std::filesystem::path& value) {
  return value.empty() ? Node{} : write_value(value.string());
}

Node write_value(const ChoiceBase& value) {
  if (!value.chosen()) return {};
  Node settings = value.settings().write();
  if (settings.entries.empty()) return Node::scalar(value.name());
  Node node;
  node.at(value.name()) = std::move(settings);
  return node;
}

std::string type_name(const ChoiceBase& value) {
  return "one of the " + value.catalogue().family();
}

std::string inline_text(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::null:
      return "null";
    case Node::Kind::scalar:
      return node.quoted || (means_more(node.text) && !is_number(node.text)) ? in_quotes(node.text)
                                                                             : node.text;
    case Node::Kind::list:
      for (const Node& item : node.items) {
        // yaml-cpp ends a text at a question mark, but within a list alone.
        const bool asks =
            item.kind == Node::Kind::scalar && item.text.find('?') != std::string::npos;
        text += (text.empty() ? "" : ", ") + (asks ? in_quotes(item.text) : inline_text(item));
      }
      return "[" + text + "]";
    case Node::Kind::map:
      for (const Entry& entry : node.entries)
        text += (text.empty() ? "" : ", ") + entry.key + ": " + inline_text(entry.value);
      return "{" + text + "}";
  }
  return text;
}

}  // namespace fovea
