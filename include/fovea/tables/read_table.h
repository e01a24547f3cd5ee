// Files that are tables, told apart by their endings.
#pragma once

#include <filesystem>

#include "fovea/storage/csv.h"

namespace fovea::tables {

/// A file of tokens, one per line, tab (or blank), tag, with a blank line behind each sentence, as a
/// table with a row per sentence: `text`, its tokens with a blank between, and `spans`, the entities
/// that its BIO (or IOB) tags say, as the target `tags` reads them. A data Error with the line of
/// what is none.
storage::Table read_conll(const std::filesystem::path& path);

/// CSV, or by its ending lines of JSON (.jsonl), WFDB annotations (.atr: record, sample, symbol, aux)
/// or tokens with tags (.conll).
storage::Table read_table(const std::filesystem::path& path,
                          const storage::CsvOptions& format = {});

}  // namespace fovea::tables
