#include "text/word_breaks.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utext.h>

#include "fovea/core/error.h"
#include "text/unicode.h"

namespace fovea::text {
namespace {

void wanted(UErrorCode status, const char* what) {
  if (U_FAILURE(status))
    throw Error(Fault::internal, std::string("ICU: ") + what + ": " + u_errorName(status));
}

bool ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
/// Versions of ICU differ on whether these two join letters, so it never sees them.
bool parts(char c) { return c == ':' || c == '@'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool digit(char c) { return c >= '0' && c <= '9'; }

/// A break iterator remembers its place, so each thread has its own; making one costs far more than
/// using it.
class Breaks {
 public:
  Breaks() {
    UErrorCode status = U_ZERO_ERROR;
    iterator_ = ubrk_open(UBRK_WORD, "", nullptr, 0, &status);
    wanted(status, "no word boundaries");
  }
  ~Breaks() {
    ubrk_close(iterator_);
    utext_close(text_);
  }
  Breaks(const Breaks&) = delete;
  Breaks& operator=(const Breaks&) = delete;

  void each(std::string_view run, const TakeWord& take) {
    UErrorCode status = U_ZERO_ERROR;
    text_ = utext_openUTF8(text_, run.data(), static_cast<int64_t>(run.size()), &status);
    ubrk_setUText(iterator_, text_, &status);
    wanted(status, "word boundaries of a text");
    int32_t begin = 0;
    for (int32_t end = ubrk_next(iterator_); end != UBRK_DONE; end = ubrk_next(iterator_)) {
      take(static_cast<size_t>(begin), static_cast<size_t>(end));
      begin = end;
    }
  }

 private:
  UBreakIterator* iterator_ = nullptr;
  UText* text_ = nullptr;
};

bool shows(std::string_view segment) {
  for (size_t at = 0; at < segment.size(); at += length_of_character(segment[at])) {
    const auto c = static_cast<UChar32>(character_at(segment, at));
    const int type = u_charType(c);
    if (!u_isUWhiteSpace(c) && type != U_CONTROL_CHAR && type != U_FORMAT_CHAR) return true;
  }
  return false;
}

}  // namespace

void each_icu_segment(std::string_view run, const TakeWord& take) {
  thread_local Breaks breaks;
  breaks.each(run, take);
}

void each_ascii_segment(std::string_view run, const TakeWord& take) {
  // WB5 … WB13b, as far as ASCII goes.
  const auto joins = [&](size_t i) {  // no boundary before byte i
    const char a = run[i - 1], b = run[i];
    const auto word = [](char c) { return letter(c) || digit(c) || c == '_'; };
    if (word(a) && word(b)) return true;
    const auto around = [&](size_t middle) {
      if (middle == 0 || middle + 1 >= run.size()) return false;
      const char l = run[middle - 1], m = run[middle], r = run[middle + 1];
      const bool both = m == '.' || m == '\'';
      return (letter(l) && letter(r) && both) ||
             (digit(l) && digit(r) && (both || m == ',' || m == ';'));
    };
    return around(i) || around(i - 1);
  };
  size_t begin = 0;
  for (size_t i = 1; i <= run.size(); ++i) {
    if (i < run.size() && joins(i)) continue;
    take(begin, i);
    begin = i;
  }
}

void each_word(std::string_view text, const TakeWord& take) {
  for (size_t at = 0; at < text.size();) {
    if (ascii_space(text[at])) {
      ++at;
      continue;
    }
    size_t end = at + 1;
    if (!parts(text[at]))
      while (end < text.size() && !ascii_space(text[end]) && !parts(text[end])) ++end;
    const std::string_view run = text.substr(at, end - at);
    const TakeWord keep = [&](size_t from, size_t to) {
      if (letter(run[from]) || digit(run[from]) || shows(run.substr(from, to - from)))
        take(at + from, at + to);
    };
    is_ascii(run) ? each_ascii_segment(run, keep) : each_icu_segment(run, keep);
    at = end;
  }
}

void word_form(std::string_view word, bool lowercase, bool strip_accents, std::string& form) {
  if (is_ascii(word)) {
    form.assign(word);
    if (lowercase)
      for (char& c : form)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    return;
  }
  UErrorCode status = U_ZERO_ERROR;
  auto text = icu::UnicodeString::fromUTF8({word.data(), static_cast<int32_t>(word.size())});
  if (lowercase) text.toLower(icu::Locale::getRoot());
  if (strip_accents) {
    const icu::UnicodeString parts =
        icu::Normalizer2::getNFDInstance(status)->normalize(text, status);
    icu::UnicodeString kept;
    for (int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1))
      if (const UChar32 c = parts.char32At(i); u_charType(c) != U_NON_SPACING_MARK) kept.append(c);
    if (!kept.isEmpty()) text = kept;  // a mark alone stays
  }
  text = icu::Normalizer2::getNFCInstance(status)->normalize(text, status);
  wanted(status, "normal form");
  form.clear();
  text.toUTF8String(form);
}

}  // namespace fovea::text
