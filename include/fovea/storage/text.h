// Text from outside: is it UTF-8, and how is it shown in a message without harm.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "fovea/core/standard_library.h"

namespace fovea::storage {

/// Bytes of `text` from its start that are valid UTF-8 (RFC 3629: no surrogates, no overlong
/// forms); `text.size()` where all of it is.
size_t valid_utf8(std::string_view text);

/// `text` without the blanks around it: those of ASCII, the no-break, narrow and wide ones of Unicode
/// and the marks that have no width (among them that of byte order).
std::string_view trimmed(std::string_view text);

/// `text` for a message on one line: control characters, marks that turn the writing direction, and
/// bytes that are not UTF-8 appear as \xNN, a backslash as it is. Longer texts end in "…" after
/// `most` bytes.
std::string escaped(std::string_view text, size_t most = 8192);

constexpr int kDeepestJson = 64;

/// Whether lists and objects of a JSON text are nested deeper than that. Such a text is refused before
/// it becomes values: nlohmann copies and writes those by recursion.
bool json_too_deep(std::string_view json);

}  // namespace fovea::storage
