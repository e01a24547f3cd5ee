#include "fovea/config/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/core/values.h"
#include "fovea/storage/file.h"
#include "fovea/storage/text.h"

namespace fovea::config {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxKey = 250;  // YAML reads 1024 bytes at most before a colon; a byte may be \xNN
constexpr int64_t kMaxBytes = 16 << 20;

/// Builds the tree from the parser's events; yaml-cpp's own tree would keep the first of two equal
/// keys, silently.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const std::string& name, const std::filesystem::path& base) : name_(name), base_(base) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(mark, Node{}); }
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    refuse(mark,
           fmt::format("found the anchor &{}; anchors and aliases are not accepted: write the "
                       "value out",
                       name));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "found an alias (*name); aliases are not accepted: write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    check_tag(mark, tag);
    if (storage::valid_utf8(value) < value.size())  // yaml-cpp writes \N and \_ as single bytes
      refuse(mark,
             "found an escape sequence that does not stand for a letter of UTF-8: write \\u0085 "
             "for \\N, \\u00a0 for \\_");
    Node node = Node::scalar(value, tag == "!");
    if (!node.quoted && (value == "null" || value == "~" || value.empty())) node = Node{};
    add(mark, std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    std::string key;
    std::string key_where;
    bool has_key = false;
  };

  std::string where(const YAML::Mark& mark) const {
    return fmt::format("{}:{}", name_, mark.line + 1);
  }

  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what) const {
    throw config_error(where(mark) + ": " + what);
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag != "?" && tag != "!" && !tag.empty())
      refuse(mark, "found the tag '" + tag + "'; tags are not accepted: write a plain value");
  }

  void place_node(const YAML::Mark& mark, Node& node) const {
    node.where = where(mark);
    node.base = base_;
    if (stack_.empty()) return;
    const Level& parent = stack_.back();
    const std::string step = parent.node.kind == Node::Kind::list
                                 ? std::to_string(parent.node.items.size())
                                 : parent.key;
    node.path = parent.node.path.empty() ? step : parent.node.path + "." + step;
  }

  void add(const YAML::Mark& mark, Node node) {
    if (!stack_.empty() && stack_.back().node.kind == Node::Kind::map && !stack_.back().has_key) {
      take_key(mark, node);
      return;
    }
    place_node(mark, node);
    attach(std::move(node));
  }

  void take_key(const YAML::Mark& mark, const Node& node) {
    Level& level = stack_.back();
    if (node.kind != Node::Kind::scalar) refuse(mark, "found a key that is not a text");
    if (node.text.size() > kMaxKey)
      refuse(mark, fmt::format("found a key of {} bytes; at most {} are accepted", node.text.size(),
                               kMaxKey));
    for (const Entry& entry : level.node.entries)
      if (entry.key == node.text)
        refuse(mark, fmt::format("{}the key '{}' is written twice, first at {}: keep one",
                                 level.node.path.empty() ? "" : level.node.path + ": ", node.text,
                                 entry.where));
    level.key = node.text;
    level.key_where = where(mark);
    level.has_key = true;
  }

  void open(const YAML::Mark& mark, const std::string& tag, Node::Kind kind) {
    check_tag(mark, tag);
    if (stack_.size() >= kMaxDepth)
      refuse(mark, fmt::format("nested {} levels deep; at most {} are accepted", stack_.size() + 1,
                               kMaxDepth));
    if (!stack_.empty() && stack_.back().node.kind == Node::Kind::map && !stack_.back().has_key)
      refuse(mark, "found a key that is not a text");
    Level level;
    level.node.kind = kind;
    place_node(mark, level.node);
    stack_.push_back(std::move(level));
  }

  void close() {
    Node node = std::move(stack_.back().node);
    stack_.pop_back();
    attach(std::move(node));
  }

  void attach(Node node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& parent = stack_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else {
      parent.node.entries.push_back({parent.key, std::move(node), parent.key_where, false});
      parent.has_key = false;
    }
  }

  std::string name_;
  std::filesystem::path base_;
  Node root_;
  std::vector<Level> stack_;
};

/// Sets path, place and base of a parsed value and of everything in it.
void move_to(Node& node, const std::string& path, const std::string& where) {
  node.path = path;
  node.where = where;
  for (size_t i = 0; i < node.items.size(); ++i)
    move_to(node.items[i], path + "." + std::to_string(i), where);
  for (Entry& entry : node.entries) {
    entry.where = where;
    move_to(entry.value, path + "." + entry.key, where);
  }
}

Node& list_item(Node& list, const std::string& step, const std::string& place) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (error != std::errc() || end != step.data() + step.size() || index >= list.items.size())
    throw config_error(fmt::format("{}: '{}' is not a position in the list {} of {} items", place,
                                   step, list.path, list.items.size()));
  return list.items[index];
}

void write_block(const Node& node, int indent, bool with_cosmetic, std::string& out);

bool is_flat(const Node& node) {
  for (const Node& item : node.items)
    if (!item.items.empty() || !item.entries.empty()) return false;
  return true;
}

/// After "key:" or "-": a value on the same line, or a block below.
void write_after(const Node& node, int indent, bool with_cosmetic, std::string& out) {
  const bool block = (node.kind == Node::Kind::map && !node.entries.empty()) ||
                     (node.kind == Node::Kind::list && !is_flat(node));
  if (!block) {
    out += fmt::format(" {}\n", inline_text(node));
    return;
  }
  out += "\n";
  write_block(node, indent, with_cosmetic, out);
}

std::string key_text(const std::string& key) { return inline_text(write_value(key)); }

void write_block(const Node& node, int indent, bool with_cosmetic, std::string& out) {
  const std::string pad(static_cast<size_t>(indent), ' ');
  for (const Node& item : node.items) {
    if (item.kind == Node::Kind::map && item.entries.size() == 1) {
      out += pad + "- " + key_text(item.entries[0].key) + ":";
      write_after(item.entries[0].value, indent + 4, with_cosmetic, out);
    } else {
      out += pad + "-";
      write_after(item, indent + 2, with_cosmetic, out);
    }
  }
  for (const Entry& entry : node.entries) {
    if (entry.cosmetic && !with_cosmetic) continue;
    out += pad + key_text(entry.key) + ":";
    write_after(entry.value, indent + 2, with_cosmetic, out);
  }
}

/// What yaml-cpp does not say: "illegal map value" is all that it has for a tab.
std::string advice(const std::string& text, int line) {
  std::istringstream lines(text);
  std::string found;
  for (int i = 0; i <= line; ++i) std::getline(lines, found);
  const size_t indent = found.find_first_not_of(' ');
  return indent != std::string::npos && found[indent] == '\t'
             ? "; the line is indented with a tab: wanted blanks"
             : "";
}

}  // namespace

Node parse_yaml(const std::string& text, const std::string& name,
                const std::filesystem::path& base) {
  if (const size_t bad = storage::valid_utf8(text); bad < text.size())
    throw config_error(
        fmt::format(
            "{}:{}: byte {} is not valid UTF-8", name,
            1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n'),
            bad),
        "save the file as UTF-8");
  std::istringstream stream(text);
  Builder builder(name, base);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    Builder rest(name, base);
    if (parser.HandleNextDocument(rest))
      throw config_error(name + ": found a second document (---); one is accepted: split the file");
  } catch (const YAML::Exception& error) {
    throw config_error(fmt::format("{}:{}: column {}: {}{}", name, error.mark.line + 1,
                                   error.mark.column + 1, error.msg,
                                   advice(text, error.mark.line)));
  }
  return builder.take();
}

Node read_yaml(const std::filesystem::path& path) {
  const std::string text = storage::read_file(path, kMaxBytes);
  Node root = parse_yaml(text, path.string(), std::filesystem::absolute(path).parent_path());
  if (root.kind != Node::Kind::map)
    throw config_error(path.string() + ": found no keys; wanted a map of key: value");
  return root;
}

void set_value(Node& root, const std::string& assignment) {
  const std::string place = "--set " + assignment;
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw config_error(place + ": wanted key=value, for instance train.epochs=10");
  const std::string key = assignment.substr(0, equals);
  Node value = parse_yaml(assignment.substr(equals + 1), place, std::filesystem::current_path());

  Node* node = &root;
  std::istringstream steps(key);
  for (std::string step; std::getline(steps, step, '.');) {
    if (step.empty()) throw config_error(place + ": found an empty step in the key '" + key + "'");
    if (node->kind == Node::Kind::list) {
      node = &list_item(*node, step, place);
      continue;
    }
    if (node->kind == Node::Kind::scalar) {  // `resnet` becomes {resnet: …}
      const std::string name = node->text;
      if (name != step) *node = Node{};
      node->kind = Node::Kind::map;
      node->text.clear();
    }
    const bool is_new = node->find(step) == nullptr;
    node = &node->at(step);
    if (is_new) node->where = place;
  }
  *node = std::move(value);
  move_to(*node, key, place);
}

void expand_variables(Node& root) {
  for (Node& item : root.items) expand_variables(item);
  for (Entry& entry : root.entries) expand_variables(entry.value);
  for (size_t begin = root.text.find("${"); begin != std::string::npos;
       begin = root.text.find("${", begin)) {
    const size_t end = root.text.find('}', begin);
    if (end == std::string::npos) throw config_error(place(root) + "found '${' without '}'");
    const std::string name = root.text.substr(begin + 2, end - begin - 2);
    const char* value = std::getenv(name.c_str());
    if (!value || !*value)
      throw config_error(fmt::format("{}the environment variable {} is not set", place(root), name),
                         fmt::format("give the value with --set {}=…, or set {}", root.path, name));
    log_info(
        fmt::format("{}{} is {}", place(root), root.text.substr(begin, end + 1 - begin), value));
    root.text.replace(begin, end + 1 - begin, value);
    root.base = std::filesystem::current_path();  // what the environment names stands where the
                                                  // command was typed
    begin += std::string_view(value).size();
  }
}

std::string to_yaml(const Node& root, bool with_cosmetic) {
  std::string out;
  write_block(root, 0, with_cosmetic, out);
  return out;
}

}  // namespace fovea::config
