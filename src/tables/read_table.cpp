// The types of table file, told apart by the ending of the file.
#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/io/wfdb.h"
#include "fovea/storage/jsonl.h"
#include "fovea/tables/read_table.h"

namespace fovea::tables {
namespace {

namespace fs = std::filesystem;

/// Samples per second of the record beside an annotation file.
double frequency_beside(const fs::path& path, double ticks) {
  const fs::path header = fs::path(path).replace_extension(".hea");
  std::error_code unreadable;
  if (!fs::exists(header, unreadable))
    throw data_error(
        fmt::format("{}: found times of {} ticks a second, and beside it no header {} that says "
                    "how many samples a second the record has",
                    storage::shown(path), number(ticks), storage::shown(header.filename())),
        "put the header beside the annotations");
  return io::read_wfdb_header(header).frequency;
}

// A row per annotation; "lines" are counted from the first one.
storage::Table annotation_table(const fs::path& path) {
  storage::TableBuilder table(path, {"record", "sample", "symbol", "aux"});
  const io::WfdbAnnotations found = io::read_wfdb_annotations(path);
  const double ticks = found.resolution;
  const double frequency = ticks > 0 ? frequency_beside(path, ticks) : 0;
  int64_t line = 0;
  for (const io::WfdbAnnotation& one : found.at(frequency))
    table.add(++line, {path.stem().string(), std::to_string(one.sample), one.symbol, one.aux});
  if (line == 0)
    throw data_error(storage::shown(path) + ": found no annotation, wanted at least 1");
  if (frequency != ticks)
    table.note(1, fmt::format("times of {} ticks a second are taken to the nearest of {} samples a "
                              "second",
                              number(ticks), number(frequency)));
  return table.take();
}

}  // namespace

storage::Table read_table(const fs::path& path, const storage::CsvOptions& format) {
  if (path.extension() == ".jsonl") return storage::read_jsonl(path);
  if (path.extension() == ".conll") return read_conll(path);
  if (path.extension() == ".atr") return annotation_table(path);
  return storage::read_csv(path, format);
}

}  // namespace fovea::tables
