#include "fovea/io/wfdb.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "fovea/core/error.h"
#include "fovea/storage/text.h"

namespace fovea::io {
namespace {

namespace fs = std::filesystem;

/// Bytes of `samples` of one file.
int64_t bytes_of(int64_t format, int64_t samples) {
  return format == 16 ? 2 * samples : samples / 2 * 3 + samples % 2 * 2;
}

int16_t sample_at(const std::string& bytes, int64_t format, int64_t i) {
  const auto byte = [&](int64_t at) {
    return static_cast<uint8_t>(bytes[static_cast<size_t>(at)]);
  };
  if (format == 16) return static_cast<int16_t>(byte(2 * i) | byte(2 * i + 1) << 8);
  const int64_t at =
      i / 2 * 3;  // three bytes hold two numbers of 12 bits, high halves in the middle
  const int bits = i % 2 == 0 ? byte(at) | (byte(at + 1) & 0x0f) << 8
                              : byte(at + 2) | (byte(at + 1) & 0xf0) << 4;
  return static_cast<int16_t>(bits >= 2048 ? bits - 4096 : bits);
}

class RecordReader {
 public:
  RecordReader(const fs::path& path, int64_t max_bytes)
      : path_(path), max_bytes_(max_bytes), record_{read_wfdb_header(path), {}} {}

  WfdbRecord read() {
    const std::vector<WfdbSignal>& signals = record_.header.signals;
    for (size_t first = 0; first < signals.size();) {
      size_t end = first + 1;
      while (end < signals.size() && signals[end].file == signals[first].file) ++end;
      read_file(first, end);
      first = end;
    }
    for (size_t k = 0; k < signals.size(); ++k) check(signals[k], k);
    return std::move(record_);
  }

 private:
  // The signals from `first` to `end`, whose samples alternate in one file.
  void read_file(size_t first, size_t end) {
    WfdbHeader& header = record_.header;
    const WfdbSignal& signal = header.signals[first];
    const auto count = static_cast<int64_t>(end - first);
    const fs::path file = path_.parent_path() / signal.file;
    for (size_t k = first; k < end; ++k)
      if (header.signals[k].format != signal.format || header.signals[k].offset != signal.offset)
        throw failure("header", path_,
                      fmt::format("found two formats or offsets for the file {}, wanted one",
                                  storage::shown(signal.file)));
    const storage::InputFile opened(file);
    const int64_t found = opened.size() - signal.offset;
    if (header.samples < 0)
      header.samples = std::max<int64_t>(
          0, (signal.format == 16 ? found / 2 : found / 3 * 2 + (found % 3 == 2)) / count);
    const int64_t wanted = bytes_of(signal.format, header.samples * count);
    if (header.samples == 0 || found < wanted)
      throw failure(
          "signals", file,
          fmt::format("found {} bytes, wanted {} for {} samples of {} signals in format {}, as the "
                      "header says",
                      std::max<int64_t>(found, 0), wanted, header.samples, count, signal.format),
          "the file is cut off, or the header of another");
    if (found - wanted >= bytes_of(signal.format, count) && !has_checksums(first, end))
      throw failure("signals", file,
                    fmt::format("found {} bytes, the header says {} for {} samples of {} signals, "
                                "and has no checksum that tells which is right",
                                found, wanted, header.samples, count),
                    "correct the header's number of samples");
    const auto all = static_cast<int64_t>(header.signals.size());
    if (wanted > max_bytes_ || header.samples * all * 2 > max_bytes_)
      throw failure(
          "signals", file,
          fmt::format("found {} samples, wanted at most {} bytes", header.samples, max_bytes_));
    std::string bytes(static_cast<size_t>(wanted), '\0');
    opened.read(signal.offset, std::as_writable_bytes(std::span(bytes)));
    record_.stored.resize(static_cast<size_t>(header.samples * all));
    for (int64_t t = 0; t < header.samples; ++t)
      for (int64_t k = 0; k < count; ++k)
        record_.stored[static_cast<size_t>(t * all + static_cast<int64_t>(first) + k)] =
            sample_at(bytes, signal.format, t * count + k);
  }

  static Error failure(const char* part, const fs::path& path, const std::string& problem,
                       const std::string& remedy = "") {
    Error error = data_error(problem, remedy);
    error.add_place(fmt::format("reading WFDB {} {}", part, storage::shown(path)));
    return error;
  }

  bool has_checksums(size_t first, size_t end) const {
    for (size_t k = first; k < end; ++k)
      if (!record_.header.signals[k].checksum) return false;
    return true;
  }

  void check(const WfdbSignal& signal, size_t k) const {
    uint16_t sum = 0;
    for (size_t i = k; i < record_.stored.size(); i += record_.header.signals.size())
      sum = static_cast<uint16_t>(sum + static_cast<uint16_t>(record_.stored[i]));
    const auto differs = [&](const char* what, int64_t found, int64_t wanted) {
      return failure("record", path_,
                     fmt::format("signal {} ('{}'): found the {} {}, the header says {}", k + 1,
                                 signal.name, what, found, wanted),
                     "a file is damaged, or belongs to another record");
    };
    if (signal.first && *signal.first != record_.stored[k])
      throw differs("first sample", record_.stored[k], *signal.first);
    if (signal.checksum && static_cast<uint16_t>(*signal.checksum) != sum)
      throw differs("checksum", static_cast<int16_t>(sum), *signal.checksum);
  }

  fs::path path_;
  int64_t max_bytes_;
  WfdbRecord record_;
};

}  // namespace

double WfdbRecord::value(int64_t sample, size_t signal) const {
  const WfdbSignal& from = header.signals[signal];
  const int16_t number = stored[static_cast<size_t>(sample) * header.signals.size() + signal];
  const int invalid = from.format == 212 ? -2048 : -32768;
  if (number == invalid) return std::numeric_limits<double>::quiet_NaN();
  return (number - static_cast<double>(from.baseline)) / from.gain;
}

WfdbRecord read_wfdb(const fs::path& header, int64_t max_bytes) {
  return RecordReader(header, max_bytes).read();
}

}  // namespace fovea::io
