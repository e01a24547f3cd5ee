// Requests to stop from outside: Ctrl-C, a scheduler, a shutdown. The handler sets a flag; the
// trainer looks at it after every step, commits a checkpoint and ends.
#pragma once

#include <csignal>
#include <string>

#include "fovea/core/standard_library.h"

namespace fovea::train {

/// While it lives, SIGTERM, SIGINT, SIGUSR1 and SIGHUP ask for a stop instead of ending the
/// process. A second SIGINT ends it at once. SIGPIPE is ignored: write errors are handled where
/// they happen. With the destructor the dispositions of before come back, and a request that came
/// meanwhile ends. One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  struct sigaction before_[5];
};

/// Whether a stop was asked for, and by what: "SIGTERM", "" where not.
bool stop_requested();
std::string stop_reason();
/// Since the first one that was not obeyed yet; 0 where there is none.
double seconds_since_request();

/// What the handlers do; for embedders with a stop button. 0 takes the request back, as
/// Trainer::fit does once it has obeyed.
void request_stop(int signal);

}  // namespace fovea::train
