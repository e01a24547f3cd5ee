#include "report/page/drawing.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

namespace fovea::report::page {
namespace {

constexpr std::array<std::string_view, 21> kElements{
    "svg",  "g",      "path",     "line",           "polyline",       "polygon", "rect",
    "text", "circle", "ellipse",  "tspan",          "title",          "desc",    "defs",
    "use",  "marker", "clipPath", "linearGradient", "radialGradient", "stop",    "pattern"};
/// Of the root: what the page says itself.
constexpr std::array<std::string_view, 6> kOwn{"role",     "id",   "aria-label", "aria-labelledby",
                                               "tabindex", "class"};

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == ':' || c == '_';
}

struct Refusal {
  std::string why;
};

struct Attribute {
  std::string_view name, value;
};

/// One pass over the text, tag by tag.
class Reader {
 public:
  Reader(std::string_view svg, std::string_view prefix, std::string_view label)
      : rest_(svg), prefix_(prefix), label_(label) {}

  std::string read() {
    while (!rest_.empty()) {
      const size_t tag = std::min(rest_.find('<'), rest_.size());
      text(rest_.substr(0, tag));
      rest_.remove_prefix(tag);
      if (!rest_.empty()) markup();
    }
    if (!open_.empty() || result_.empty()) throw Refusal{"it is cut short"};
    return std::move(result_);
  }

 private:
  void text(std::string_view between) {
    if (between.find('>') != std::string_view::npos) throw Refusal{"it is no well-formed drawing"};
    if (!open_.empty() && !in_title()) result_ += between;
  }

  bool in_title() const { return open_.size() > 1 && open_[1] == "title"; }

  void markup() {
    if (rest_.starts_with("<!--")) return skip("-->");
    if (rest_.starts_with("<?")) return skip("?>");
    if (rest_.starts_with("<!")) return skip(">");
    const bool closes = rest_.starts_with("</");
    rest_.remove_prefix(closes ? 2 : 1);
    const std::string_view name = taken();
    if (std::ranges::find(kElements, name) == kElements.end())
      throw Refusal{"it holds more than shapes and text"};
    if (open_.empty() && (closes || name != "svg" || !result_.empty()))
      throw Refusal{"it is no drawing"};
    if (closes) {
      if (open_.back() != name) throw Refusal{"it is no well-formed drawing"};
      const bool shown = !in_title();
      expect(">");
      open_.pop_back();
      if (shown) result_ += "</" + std::string(name) + ">";
      return;
    }
    open_.emplace_back(name);
    std::string tag = "<" + std::string(name) + attributes();
    if (open_.size() == 1) tag += root();
    const bool shown = !in_title();
    blanks();
    const bool empty = rest_.starts_with("/");
    if (empty) rest_.remove_prefix(1);
    expect(">");
    if (shown) result_ += tag + (empty ? "/>" : ">");
    if (empty) open_.pop_back();
  }

  std::string root() const {
    return R"( role="img" focusable="false" aria-label=")" + escaped(label_) + "\"";
  }

  std::string attributes() {
    std::string all;
    while (const auto attribute = next_attribute()) {
      const auto& [name, value] = *attribute;
      if (open_.size() == 1 && std::ranges::find(kOwn, name) != kOwn.end()) continue;
      const bool refers = name == "href" || name == "xlink:href";
      if (name.starts_with("on") || (refers && !value.starts_with('#')) ||
          value.find("javascript:") != std::string_view::npos ||
          value.find('\\') != std::string_view::npos || value.find("@") != std::string_view::npos)
        throw Refusal{"it holds more than shapes and text"};
      if (name.starts_with("xmlns") && open_.size() > 1) continue;
      all += " " + std::string(name) + "=\"" +
             (name == "id" ? prefix_ + std::string(value)
              : refers     ? "#" + prefix_ + std::string(value.substr(1))
                           : with_own_ids(value)) +
             "\"";
    }
    return all;
  }

  /// url(#a) is url(#prefix-a); anything else that would be fetched is refused.
  std::string with_own_ids(std::string_view value) const {
    std::string lower(value), result;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    size_t done = 0;
    for (size_t at; (at = lower.find("url(", done)) != std::string::npos;) {
      at += 4;
      if (!value.substr(at).starts_with('#')) throw Refusal{"it holds more than shapes and text"};
      result += std::string(value.substr(done, at - done)) + "#" + prefix_;
      done = at + 1;
    }
    return result += value.substr(done);
  }

  std::optional<Attribute> next_attribute() {
    blanks();
    if (rest_.empty() || !is_name(rest_[0])) return std::nullopt;
    const std::string_view name = taken();
    expect("=");
    if (rest_.empty() || (rest_[0] != '"' && rest_[0] != '\''))
      throw Refusal{"it is no well-formed drawing"};
    const char quote = rest_[0];
    const size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) throw Refusal{"it is cut short"};
    const std::string_view value = rest_.substr(1, end - 1);
    if (value.find_first_of("<\"") != std::string_view::npos)
      throw Refusal{"it is no well-formed drawing"};
    rest_.remove_prefix(end + 1);
    return Attribute{name, value};
  }

  std::string_view taken() {
    const auto* end = std::ranges::find_if_not(rest_, is_name);
    const std::string_view name(rest_.data(), static_cast<size_t>(end - rest_.begin()));
    rest_.remove_prefix(name.size());
    return name;
  }
  void blanks() {
    while (!rest_.empty() && is_blank(rest_[0])) rest_.remove_prefix(1);
  }
  void expect(std::string_view mark) {
    blanks();
    if (!rest_.starts_with(mark))
      throw Refusal{rest_.empty() ? "it is cut short" : "it is no well-formed drawing"};
    rest_.remove_prefix(mark.size());
  }
  void skip(std::string_view end) {
    const size_t at = rest_.find(end);
    if (at == std::string_view::npos) throw Refusal{"it is cut short"};
    rest_.remove_prefix(at + end.size());
  }

  std::string_view rest_;
  std::string prefix_;
  std::string_view label_;
  std::string result_;
  std::vector<std::string> open_;
};

}  // namespace

Drawing drawing(std::string_view svg, std::string_view prefix, std::string_view label) {
  const std::string text = repaired(svg);
  try {
    return {Html::markup(Reader(text, prefix, label).read()), ""};
  } catch (const Refusal& refusal) {
    return {{}, refusal.why};
  }
}

}  // namespace fovea::report::page
