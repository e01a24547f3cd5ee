// Runs the built program as a user would and keeps what it printed.
#pragma once

#include <sys/wait.h>

#include <string>
#include <vector>

#include "support/test_files.h"

namespace fovea::test {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;

  /// The last line of standard output.
  std::string last_line() const {
    const size_t end = out.find_last_not_of('\n');
    if (end == std::string::npos) return "";
    const size_t begin = out.rfind('\n', end);
    return out.substr(begin == std::string::npos ? 0 : begin + 1,
                      end - (begin == std::string::npos ? -1 : begin));
  }
};

inline std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// Any command line, through the shell.
inline Outcome run_shell(const std::string& command) {
  const TempFolder folder;
  const int status = std::system(("( " + command + " ) > " + quoted((folder / "out").string()) +
                                  " 2> " + quoted((folder / "err").string()) + " < /dev/null")
                                     .c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          read_text(folder / "out"), read_text(folder / "err")};
}

inline fs::path program() { return fs::path(FOVEA_BINARY_DIR) / "fovea"; }

/// build/fovea with these arguments.
inline Outcome fovea(const std::vector<std::string>& arguments) {
  std::string command = quoted(program().string());
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  return run_shell(command);
}

}  // namespace fovea::test
