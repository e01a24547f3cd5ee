// How bench/run talks to a measured program: after "ready", each line "go" on standard input is answered with one
// measurement, a number on a line of its own; the end of the input ends the program. So several programs stay warm and
// take turns (bench/peers/protocol.py is the other side of it).
#pragma once

#include <chrono>
#include <iostream>
#include <string>

namespace fovea::bench {

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The seconds that `work` takes.
inline double seconds_of(auto&& work) {
  const double start = now();
  work();
  return now() - start;
}

/// Waits for our turn; false at the end of the input.
inline bool our_turn() {
  for (std::string line; std::getline(std::cin, line);)
    if (line == "go") return true;
  return false;
}

}  // namespace fovea::bench
