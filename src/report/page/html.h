// HTML under construction. What comes from outside is text, and is escaped on its way in; only what
// these files write themselves is markup.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace fovea::report::page {

/// Valid UTF-8: U+FFFD in place of every byte that is not.
std::string repaired(std::string_view text);

/// Text for content and quoted attributes. Control characters other than tab and line feed, and
/// bytes that are not UTF-8, become U+FFFD.
std::string escaped(std::string_view text);

std::string base64(std::string_view bytes);

class Html {
 public:
  Html() = default;
  /// Trusts it: for constants, and for drawings that have been looked through.
  static Html markup(std::string text) {
    Html html;
    html.text_ = std::move(text);
    return html;
  }
  Html& operator+=(const Html& other) {
    text_ += other.text_;
    return *this;
  }
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  size_t size() const { return text_.size(); }

 private:
  std::string text_;
};

/// What a {} stands for: text is escaped, HTML goes in as it is.
class Piece {
 public:
  Piece(std::string_view text) : text_(escaped(text)) {}    // NOLINT: each of them is a piece
  Piece(const std::string& text) : text_(escaped(text)) {}  // NOLINT
  Piece(const char* text) : text_(escaped(text)) {}         // NOLINT
  Piece(const Html& html) : text_(html.text()) {}           // NOLINT
  Piece(int64_t number) : text_(std::to_string(number)) {}  // NOLINT
  Piece(size_t number) : text_(std::to_string(number)) {}   // NOLINT
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// `format`, which is a constant, with each {} replaced by the next piece.
Html html(std::string_view format, std::initializer_list<Piece> pieces = {});

/// A table in a box of its own that scrolls where the screen is too narrow, by keyboard too.
Html scrolling(std::string_view label, const Html& table);

}  // namespace fovea::report::page
