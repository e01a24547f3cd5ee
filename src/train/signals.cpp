#include "fovea/train/signals.h"

#include <atomic>
#include <cstdint>
#include <ctime>

namespace fovea::train {
namespace {

constexpr int kSignals[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGPIPE};

std::atomic<int> requested{0};
std::atomic<int64_t> requested_ns{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may set it");

int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void on_signal(int signal) {
  if (signal == 0)
    requested_ns = 0;
  else if (requested_ns == 0)
    requested_ns = now_ns();
  requested.store(signal, std::memory_order_relaxed);
}

}  // namespace

StopSignals::StopSignals() {
  on_signal(0);
  for (int i = 0; i < 5; ++i) {
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_handler = kSignals[i] == SIGPIPE ? SIG_IGN : on_signal;
    // SA_RESETHAND gives the second SIGINT its default action.
    action.sa_flags = SA_RESTART | (kSignals[i] == SIGINT ? SA_RESETHAND : 0);
    sigaction(kSignals[i], &action, &before_[i]);
    if (kSignals[i] == SIGHUP && before_[i].sa_handler == SIG_IGN)  // nohup
      sigaction(SIGHUP, &before_[i], nullptr);
  }
}

StopSignals::~StopSignals() {
  for (int i = 0; i < 5; ++i) sigaction(kSignals[i], &before_[i], nullptr);
  on_signal(0);  // what comes after in this process was not meant
}

bool stop_requested() { return requested.load(std::memory_order_relaxed) != 0; }

std::string stop_reason() {
  switch (requested.load(std::memory_order_relaxed)) {
    case 0:
      return "";
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT (Ctrl-C)";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGHUP:
      return "SIGHUP";
    default:
      return "a request";
  }
}

double seconds_since_request() {
  const int64_t begin = requested_ns;
  return begin == 0 ? 0 : static_cast<double>(now_ns() - begin) * 1e-9;
}

void request_stop(int signal) { on_signal(signal); }

}  // namespace fovea::train
