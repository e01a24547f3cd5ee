// One line that grows: how far a loop over cases has come.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "fovea/core/standard_library.h"

namespace fovea::report {

/// Where progress is shown. The clock and the width can be replaced in tests.
struct Terminal {
  std::ostream* out = nullptr;
  bool interactive =
      false;  ///< whether a line can be redrawn; otherwise only final lines are written
  std::function<int()> columns;     ///< of the window, asked before each redraw
  std::function<double()> seconds;  ///< monotonic

  /// Standard error, with the window's own width.
  static Terminal standard_error();
};

/// "1:05", "1:02:03"
std::string duration(double seconds);

///   epoch 3/10  42% [=======>          ] 1280/3024  512 cases/s  0:03 left  loss 0.312  auc 0.942
///
/// Redrawn in place at most ten times a second. On a narrow window the count goes first, then the
/// bar, then the end of the fields. An unfinished line is wiped by the destructor, so an error
/// message starts on a clean line.
class Progress {
 public:
  /// total 0: unknown, and then neither percentage nor time left is shown.
  Progress(std::string label, int64_t total, Terminal terminal, std::string unit = "cases");
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `fields` are shown as they are until the next call: "loss 0.312  auc 0.942".
  void advance(int64_t cases, std::string_view fields = {});

  /// Wipes the bar and writes `line` (if any) with a line break, on a terminal or not.
  void finish(std::string_view line = {});

 private:
  std::string drawn(int columns) const;

  std::string label_, unit_, fields_;
  Terminal terminal_;
  int64_t total_;
  int64_t done_ = 0;
  double start_, last_drawn_;
  bool on_screen_ = false;
  bool finished_ = false;
};

}  // namespace fovea::report
