// Tables as lines of JSON: one object per line.
#pragma once

#include <filesystem>

#include "fovea/storage/file.h"
#include "fovea/storage/table.h"

namespace fovea::storage {

/// Reads a table whose columns are the keys, in the order in which they first occur. A key that a
/// line has not, and null, are a blank cell; a text is the cell; a number, true, false, a list or an
/// object is its JSON text. Empty lines are skipped, and so is a UTF-8 byte-order mark.
///
/// Notes of a column say where its values are of several types (numbers and texts), nested, or
/// where lines lack the key.
///
/// A data Error, with path and line but without the content, for a line that is not a JSON object,
/// has a key twice or a number that no double holds, or is nested deeper than 64; for a file that
/// is empty or not valid UTF-8; and where lines and keys together make more than 2^27 cells.
Table read_jsonl(const std::filesystem::path& path, int64_t max_bytes = kLargestFile);

}  // namespace fovea::storage
