// Words between the boundaries of Unicode's UAX #29.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace fovea::text {

using TakeWord = std::function<void(size_t begin, size_t end)>;

/// Calls `take` with every word, number and mark of valid UTF-8; white space and what shows nothing
/// (control and format characters) is left out. The text is first cut at ASCII white space and
/// around : and @, so a combining mark after one of these stands alone.
void each_word(std::string_view text, const TakeWord& take);

/// The form under which a word is counted and looked up: composed (NFC), lower-cased and without
/// accents as asked.
void word_form(std::string_view word, bool lowercase, bool strip_accents, std::string& form);

/// The boundaries of a run of ASCII without white space, : and @, by a table (what each_word does) and by
/// ICU: a test holds one against the other.
void each_ascii_segment(std::string_view run, const TakeWord& take);
void each_icu_segment(std::string_view run, const TakeWord& take);

}  // namespace fovea::text
