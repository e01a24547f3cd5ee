// Scalars for TensorBoard: an event file that `tensorboard --logdir RUN` opens.
//
// The file is a sequence of TFRecords (length, masked CRC-32C of it, data, masked CRC-32C of that),
// each a protocol buffer `Event` of tensorflow/core/util/event.proto. Only what scalars need is
// encoded here, by hand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "fovea/core/standard_library.h"

namespace fovea::report {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the check value of "123456789" is 0xe3069283.
uint32_t crc32c(std::string_view data);

/// One file. Values are buffered until `flush`; TensorBoard reads a file that is still growing.
class EventWriter {
 public:
  /// Starts events.out.tfevents.<seconds>.<process>.<number> in the folder, which is made if
  /// absent. An existing file is never touched: a resumed run adds a file.
  explicit EventWriter(const std::filesystem::path& folder);
  ~EventWriter();

  /// wall_time in seconds since 1970. TensorBoard keeps scalars in single precision.
  void scalar(std::string_view tag, int64_t step, double value, double wall_time);
  void scalar(std::string_view tag, int64_t step, double value);  ///< now

  /// Throws an Error (io) where the disk took less than it was given.
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  void record(std::string_view event);

  std::filesystem::path path_;
  std::ofstream stream_;
};

}  // namespace fovea::report
