// Waveforms and their annotations as PhysioNet keeps them: WFDB records (a header RECORD.hea, signals
// in .dat files beside it) and annotation files (.atr). https://wfdb.io, header(5), signal(5),
// annot(5).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fovea/storage/file.h"

namespace fovea::io {

struct WfdbSignal {
  std::string file;  ///< beside the header
  std::string name;  ///< what the header says it is: "MLII"
  std::string units = "mV";
  int64_t format = 0;                 ///< 16 or 212
  int64_t offset = 0;                 ///< bytes of the file before the first sample
  double gain = 200;                  ///< stored numbers per unit
  int64_t baseline = 0;               ///< the stored number of 0 units
  std::optional<int64_t> first{};     ///< sample, as the header says
  std::optional<int64_t> checksum{};  ///< the sum of all samples, its low 16 bits
};

struct WfdbHeader {
  std::string record;
  double frequency = 250;  ///< samples per second
  int64_t samples = -1;    ///< of each signal; -1: the header does not say
  std::vector<WfdbSignal> signals;
};

struct WfdbRecord {
  WfdbHeader header;
  std::vector<int16_t> stored;  ///< [samples, signals]

  /// In the signal's units; NaN where the format says that there is no valid sample.
  double value(int64_t sample, size_t signal) const;
};

/// A data Error, with file and line, for a header that is none, and for what is not read: records of
/// several segments, formats other than 16 and 212, several samples per frame, skewed signals, and
/// signal files in other folders.
WfdbHeader read_wfdb_header(const std::filesystem::path& header);

/// A data Error where a signal file is shorter than the header says, or first sample or checksum are
/// others. The size of the files is compared with the header before any memory is taken.
WfdbRecord read_wfdb(const std::filesystem::path& header,
                     int64_t max_bytes = storage::kLargestFile);

struct WfdbAnnotation {
  int64_t sample = 0;  ///< from 0 on
  std::string symbol;  ///< "N", "V", "+" …; of a code without one, its number: "[42]"
  int64_t subtype = 0, channel = 0, number = 0;
  std::string aux{};  ///< text of its own: "(AFIB"
};

/// All annotations of a file in MIT format. A data Error, with the byte, where it is cut off, or
/// goes back before the first sample.
std::vector<WfdbAnnotation> read_wfdb_annotations(const std::filesystem::path& path);

}  // namespace fovea::io
