// How bench/run talks to a measured program: after "ready", each line "go" on standard input is answered with one
// measurement, a number on a line of its own; the end of the input ends the program.
#pragma once

#include <chrono>
#include <iostream>
#include <string>

namespace fovea::bench {

inline double seconds_of(auto&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Answers every "go" with measure().
inline void serve(auto&& measure) {
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);)
    if (line == "go") std::cout << measure() << std::endl;
}

}  // namespace fovea::bench
