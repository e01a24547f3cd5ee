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
  int64_t format = 0;              ///< 16 or 212
  int64_t offset = 0;              ///< bytes of the file before the first sample
  double gain = 200;               ///< stored numbers per unit
  bool calibrated = true;          ///< false: the header names no gain, or 0; 200 is then a guess
  int64_t baseline = 0;            ///< the stored number of 0 units
  std::optional<int64_t> first{};  ///< sample, as the header says
  std::optional<int64_t> checksum{};  ///< the sum of all samples, its low 16 bits
};

struct WfdbHeader {
  std::string record;
  double frequency = 250;  ///< samples per second; the counter's frequency, where named, is another
  int64_t samples = -1;    ///< of each signal; -1: the header does not say
  std::vector<WfdbSignal> signals;

  /// What each signal is called, by its position: its name, or "signal 2" where it has none, or
  /// "ECG (signal 2)" where several have one name. All differ.
  std::vector<std::string> labels() const;
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

/// A data Error where a signal file is shorter than the header says, or longer without a checksum
/// that tells which is right, or first sample or checksum are others. The size of the files is
/// compared with the header before any memory is taken.
WfdbRecord read_wfdb(const std::filesystem::path& header,
                     int64_t max_bytes = storage::kLargestFile);

struct WfdbAnnotation {
  int64_t sample = 0;  ///< from 0 on
  std::string symbol;  ///< "N", "V", "+" …; of a code without one, its number: "[42]"
  int64_t subtype = 0, channel = 0, number = 0;
  std::string aux{};  ///< text of its own: "(AFIB"
};

struct WfdbAnnotations {
  std::vector<WfdbAnnotation> all;
  /// Ticks per second that `sample` counts, where the file says so; 0: it counts the samples of its
  /// record.
  double resolution = 0;

  /// The annotations with `sample` in samples of a record: the nearest one, as WFDB rounds. A data
  /// Error where 63 bits do not hold it.
  std::vector<WfdbAnnotation> at(double frequency) const;
};

/// All annotations of a file in MIT format. What it says of itself (time resolution, symbols of its
/// own) is applied and is not an annotation. A data Error, with the byte, where it is cut off, or
/// goes back before the first sample.
WfdbAnnotations read_wfdb_annotations(const std::filesystem::path& path);

}  // namespace fovea::io
