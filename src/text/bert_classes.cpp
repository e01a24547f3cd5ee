#include "text/bert_classes.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

namespace fovea::text {
namespace {

int age(char32_t c) {
  UVersionInfo version;
  u_charAge(static_cast<UChar32>(c), version);
  return version[0];
}

uint32_t category(char32_t c) { return U_GET_GC_MASK(static_cast<UChar32>(c)); }
bool in_unicode_8(char32_t c) { return age(c) <= 8; }

}  // namespace

bool bert_drops(char32_t c) {
  if (c == 0xfffd) return true;
  return (category(c) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) && in_unicode_8(c);
}

bool bert_space(char32_t c) { return u_isUWhiteSpace(static_cast<UChar32>(c)); }

bool bert_mark(char32_t c) {
  if (c == 0x166d || c == 0x111c9) return true;  // changed after Unicode 8
  return (category(c) & U_GC_P_MASK) && in_unicode_8(c);
}

bool bert_accent(char32_t c) {
  if (c == 0x1734) return true;  // these five changed after Unicode 8
  if (c == 0x1885 || c == 0x1886 || c == 0xa9bd || c == 0x111c9) return false;
  return (category(c) & U_GC_MN_MASK) && in_unicode_8(c);
}

bool bert_chinese(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  // That library begins extension E at 2b920, not at 2b820.
  return within(0x4e00, 0x9fff) || within(0x3400, 0x4dbf) || within(0x20000, 0x2a6df) ||
         within(0x2a700, 0x2b81f) || within(0x2b920, 0x2ceaf) || within(0xf900, 0xfaff) ||
         within(0x2f800, 0x2fa1f);
}

int bert_order(char32_t c) {
  const int order = u_getCombiningClass(static_cast<UChar32>(c));
  return order != 0 && age(c) <= 9 ? order : 0;
}

std::u32string bert_decomposition(char32_t c) {
  UErrorCode status = U_ZERO_ERROR;
  static const icu::Normalizer2* const forms = icu::Normalizer2::getNFDInstance(status);
  icu::UnicodeString parts;
  if (!forms || !forms->getDecomposition(static_cast<UChar32>(c), parts) || age(c) > 9) return {};
  std::u32string codes;
  for (int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1))
    codes += static_cast<char32_t>(parts.char32At(i));
  return codes;
}

std::u32string bert_lower(char32_t c) {
  if (c == 0x130) return {U'i', 0x307};  // the only one that becomes two
  struct Range {
    char32_t first, last, lower;
    int step;
  };
  // Newer than Debian's ICU 72.
  static constexpr Range kRanges[] = {
      {0x1c89, 0x1c89, 0x1c8a, 1},    {0xa7cb, 0xa7cb, 0x264, 1},     {0xa7cc, 0xa7ce, 0xa7cd, 2},
      {0xa7d2, 0xa7d4, 0xa7d3, 2},    {0xa7da, 0xa7da, 0xa7db, 1},    {0xa7dc, 0xa7dc, 0x19b, 1},
      {0x10d50, 0x10d65, 0x10d70, 1}, {0x16ea0, 0x16eb8, 0x16ebb, 1},
  };
  for (const Range& range : kRanges)
    if (c >= range.first && c <= range.last && (c - range.first) % range.step == 0)
      return {range.lower + (c - range.first)};
  return {static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)))};
}

}  // namespace fovea::text
