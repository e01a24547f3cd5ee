// card.md: the checklist that journals ask for, filled with what is known.
#include <fmt/format.h>

#include "fovea/report/report.h"

namespace fovea::report {
namespace {

/// A text in a line of Markdown: no letter of it is read as more than itself.
std::string plain(std::string_view text) {
  std::string all;
  for (const char letter : text) {
    if (std::string_view("\\`*_[]<>#|").find(letter) != std::string_view::npos) all += '\\';
    all += letter == '\n' ? ' ' : letter;
  }
  return all;
}

}  // namespace

std::string card_text(const Report& report) {
  std::string text = fmt::format("# Model card: {}\n", plain(report.title));
  std::string section;
  for (const CardItem& item : report.card) {
    if (item.section != section) {
      section = item.section;
      text += fmt::format("\n## {}\n\n", plain(section));
    }
    if (item.text && item.text->find('\n') != std::string::npos) {  // settings, verbatim
      text += fmt::format("* **{}**\n\n", plain(item.item));
      std::string line;
      for (const char letter : *item.text + "\n") {
        if (letter != '\n') {
          line += letter;
        } else if (!line.empty()) {
          text += "      " + line + "\n";
          line.clear();
        }
      }
      text += "\n";
    } else {
      text += fmt::format("* **{}:** {}\n", plain(item.item),
                          item.text ? plain(*item.text) : "not stated");
    }
  }
  return text;
}

}  // namespace fovea::report
