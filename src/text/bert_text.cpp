#include "text/bert_text.h"

#include <algorithm>
#include <utility>

#include "text/bert_classes.h"
#include "text/unicode.h"

namespace fovea::text {
namespace {

bool ascii_mark(int c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

}  // namespace

BertText::BertText(const BertRules& rules, Take take) : rules_(rules), take_(std::move(take)) {
  for (int c = 0; c < 128; ++c) {
    const auto i = static_cast<size_t>(c);
    const bool kept_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    const bool dropped = rules_.clean && (c < 0x20 || c == 0x7f) && !kept_space;
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    const bool upper = rules_.lowercase && c >= 'A' && c <= 'Z';
    marks_[i] = ascii_mark(c);
    ascii_[i] = static_cast<unsigned char>(upper ? c | 0x20 : c);
    if (space) ascii_[i] = ' ';
    if (dropped) ascii_[i] = 0;
  }
}

void BertText::read(std::string_view text, int64_t shift) {
  last_ = {shift, shift};
  for (size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const size_t length = length_of_character(text[at]);
    const int64_t begin = shift + static_cast<int64_t>(at);
    const Span span{begin, begin + static_cast<int64_t>(length)};
    if (first < 0x80)
      ascii(first, span);
    else
      clean(character_at(text, at), span);
    at += length;
  }
  place_marks();
  end_word();
}

void BertText::ascii(unsigned char c, Span span) {
  const unsigned char kept = ascii_[c];
  if (kept == 0 && (rules_.clean || c != 0)) return;
  if (!pending_.empty()) place_marks();
  last_ = span;
  if (kept == ' ') return end_word();
  if (marks_[c]) end_word();
  if (word_.characters < rules_.longest_word) word_.text += static_cast<char>(kept);
  append(span, 1);
  if (marks_[c]) end_word();
}

void BertText::clean(char32_t c, Span span) {
  if (rules_.clean) {
    // U+0085 is both: a control character goes.
    if (bert_drops(c)) return;
    if (bert_space(c)) return ascii(' ', span);
  }
  if (!rules_.space_chinese || !bert_chinese(c)) return decompose(c, span);
  ascii(' ', span);
  decompose(c, span);
  ascii(' ', span);
}

void BertText::decompose(char32_t c, Span span) {
  if (!rules_.strip_accents) return lower(c, span);
  const std::u32string parts = bert_decomposition(c);
  if (parts.empty()) return decomposed(c, span, false);
  for (size_t i = 0; i < parts.size(); ++i) decomposed(parts[i], span, i > 0);
}

// Marks are put in canonical order, and their places in the text do not move with them: the first
// mark in the new order takes the place of the first in the old one, and an inserted one shares the
// place before it.
void BertText::decomposed(char32_t c, Span span, bool inserted) {
  if (const int order = bert_order(c)) {
    pending_.push_back({c, order, inserted});
    if (!inserted) sources_.push_back(span);
    return;
  }
  place_marks();
  if (!inserted) last_ = span;
  if (!bert_accent(c)) lower(c, last_);
}

void BertText::place_marks() {
  if (pending_.empty()) return;
  std::ranges::stable_sort(pending_, {}, &Mark::order);
  size_t next = 0;
  for (const Mark& mark : pending_) {
    if (!mark.inserted) last_ = sources_[next++];
    if (!bert_accent(mark.code)) lower(mark.code, last_);
  }
  pending_.clear();
  sources_.clear();
}

void BertText::lower(char32_t c, Span span) {
  if (!rules_.lowercase) return put(c, span);
  for (const char32_t one : bert_lower(c)) put(one, span);
}

void BertText::put(char32_t c, Span span) {
  if (bert_space(c)) return end_word();
  const bool mark = c < 0x80 ? marks_[c] : bert_mark(c);
  if (mark) end_word();
  const size_t before = word_.text.size();
  if (word_.characters < rules_.longest_word) append_character(c, word_.text);
  append(span, word_.text.size() - before);
  if (mark) end_word();
}

void BertText::append(Span span, size_t bytes) {
  if (word_.characters == 0) word_.whole.begin = span.begin;
  word_.whole.end = span.end;
  if (word_.characters++ < rules_.longest_word) word_.spans.insert(word_.spans.end(), bytes, span);
}

void BertText::end_word() {
  if (word_.characters == 0) return;
  take_(word_);
  word_.text.clear();
  word_.spans.clear();
  word_.characters = 0;
}

}  // namespace fovea::text
