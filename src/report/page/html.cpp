#include "report/page/html.h"

#include <algorithm>
#include <cassert>

#include "fovea/storage/text.h"

namespace fovea::report::page {
namespace {

constexpr std::string_view kReplaced = "\xEF\xBF\xBD";

/// Whether a letter of valid UTF-8 is a control character that HTML does not take.
bool is_control(std::string_view letter) {
  const auto first = static_cast<unsigned char>(letter[0]);
  if (letter.size() == 2) return first == 0xC2 && static_cast<unsigned char>(letter[1]) < 0xA0;
  return letter.size() == 1 && (first < 0x20 || first == 0x7F) && first != '\t' && first != '\n';
}

size_t length_of_letter(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

}  // namespace

std::string repaired(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t valid = storage::valid_utf8(text);
    result += text.substr(0, valid);
    if (valid == text.size()) break;
    result += kReplaced;
    text.remove_prefix(valid + 1);
  }
  return result;
}

std::string escaped(std::string_view raw) {
  const std::string text = repaired(raw);
  std::string result;
  result.reserve(text.size() + text.size() / 8);
  for (size_t i = 0; i < text.size();) {
    const std::string_view letter = std::string_view(text).substr(i, length_of_letter(&text[i]));
    i += letter.size();
    if (letter == "&") {
      result += "&amp;";
    } else if (letter == "<") {
      result += "&lt;";
    } else if (letter == ">") {
      result += "&gt;";
    } else if (letter == "\"") {
      result += "&quot;";
    } else if (letter == "'") {
      result += "&#39;";
    } else {
      result += is_control(letter) ? kReplaced : letter;
    }
  }
  return result;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k)
      result += i + k > bytes.size() ? '=' : kLetters[three >> (18 - 6 * k) & 63];
  }
  return result;
}

Html html(std::string_view format, std::initializer_list<Piece> pieces) {
  std::string text;
  for (const Piece& piece : pieces) {
    const size_t gap = format.find("{}");
    assert(gap != std::string_view::npos);
    text += format.substr(0, gap);
    text += piece.text();
    format.remove_prefix(std::min(gap, format.size() - 2) + 2);
  }
  assert(format.find("{}") == std::string_view::npos);
  text += format;
  return Html::markup(std::move(text));
}

Html scrolling(std::string_view label, const Html& table) {
  return html(R"(<div class="scroll" role="region" aria-label="{}" tabindex="0">{}</div>)"
              "\n",
              {label, table});
}

}  // namespace fovea::report::page
