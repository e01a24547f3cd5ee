// How a command that goes over cases ends before the last of them.
#pragma once

#include "fovea/train/signals.h"

namespace fovea::commands {

inline constexpr int kStoppedCode = 75;

/// Thrown out of a loop over cases, and caught around it.
struct Stopped {
  bool nobody_reads = false;  ///< whoever read standard output has gone; else a signal asked for it
};

inline void stop_where_asked() {
  if (train::stop_requested()) throw Stopped{};
}

}  // namespace fovea::commands
