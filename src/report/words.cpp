#include <fmt/format.h>

#include <algorithm>

#include "fovea/report/plots.h"
#include "report/page.h"

namespace fovea::report {
namespace {

constexpr double kSize = 15, kLine = 26, kWidth = 860;  // pixels
constexpr size_t kMostBytes = 40000;                    // of a text that is drawn

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Words one after the other, in lines.
class Flow {
 public:
  struct Word {
    std::string_view text;
    double x, width;
    int64_t line;
    double weight;  // below 0: no token
  };

  void word(std::string_view text, double weight) {
    const double width = text_width(text, kSize);
    if (x_ > 0 && x_ + width > kWidth - kLeft - kRight) new_line();
    words_.push_back({text, x_, width, line_, weight});
    x_ += width;
  }
  void blank(std::string_view gap) {
    const auto lines = std::ranges::count(gap, '\n');
    if (lines > 0)
      new_line();
    else if (x_ > 0)
      x_ += kSize * 0.42;
  }
  const std::vector<Word>& words() const { return words_; }
  int64_t lines() const { return line_ + 1; }

 private:
  void new_line() {
    x_ = 0;
    ++line_;
  }

  std::vector<Word> words_;
  double x_ = 0;
  int64_t line_ = 0;
};

/// What lies between two tokens: blanks, and marks that are not tokens of their own.
void between(Flow& flow, std::string_view gap) {
  while (!gap.empty()) {
    const auto end = std::ranges::find_if(
        gap, [blank = is_blank(gap[0])](char c) { return is_blank(c) != blank; });
    const auto part = gap.substr(0, static_cast<size_t>(end - gap.begin()));
    if (is_blank(gap[0]))
      flow.blank(part);
    else
      flow.word(part, -1);
    gap.remove_prefix(part.size());
  }
}

}  // namespace

std::string words_svg(std::string_view text, std::span<const ShadedWord> words,
                      std::string_view title, std::string_view subtitle) {
  Flow flow;
  size_t at = 0, left_out = 0;
  double most = 1e-12;
  for (const ShadedWord& word : words) {
    if (word.end <= word.begin || word.end > text.size() || word.begin < at) continue;
    if (word.end > kMostBytes) {
      ++left_out;
      continue;
    }
    between(flow, text.substr(at, word.begin - at));
    flow.word(text.substr(word.begin, word.end - word.begin), word.weight);
    most = std::max(most, word.weight);
    at = word.end;
  }
  if (left_out == 0 && text.size() <= kMostBytes) between(flow, text.substr(at));

  const double height = kTop + kLine * static_cast<double>(flow.lines() + 1) + kRight;
  Svg page(kWidth, height, fmt::format("{}: {}", title, subtitle));
  headline(page, kWidth, title, subtitle);
  for (const Flow::Word& word : flow.words()) {
    const double x = kLeft + word.x, y = kTop + kLine * static_cast<double>(word.line);
    const double part = std::max(word.weight, 0.0) / most;
    if (word.weight > 0) page.rectangle({x - 1, y + 2}, word.width + 2, kLine - 4, shade(part));
    page.text({x, y + 18}, word.text,
              {.size = kSize, .color = part > 0.55 ? "#ffffff" : "#222222"});
  }
  const double end = kTop + kLine * static_cast<double>(flow.lines()) + 18;
  page.text({kLeft, end},
            left_out > 0
                ? fmt::format("darkest: {:.3f}; {} more words are not drawn", most, left_out)
                : fmt::format("darkest: {:.3f}", most),
            {.size = 12, .color = "#666666"});
  return page.finish();
}

}  // namespace fovea::report
