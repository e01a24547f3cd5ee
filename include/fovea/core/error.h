// How fovea reports failure: one exception that says whose fault it is and, through its kind, the
// exit code.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace fovea {

/// Whose hands the failure is in. The values are the exit codes of the program
/// (docs/runs.md).
enum class Fault : int {
  config = 2,     ///< usage, a setting, a shape the caller chose
  data = 3,       ///< an input file, a label, a number that is not finite
  io = 4,         ///< permission, disk full, a lock
  resources = 5,  ///< memory, a device that is absent
  internal = 70,  ///< our own mistake
};

/// The one exception of the library. The message says what was being done, where (path, line, key,
/// offset), what was found, what was wanted and what to do. It never holds patient data.
class Error : public std::runtime_error {
 public:
  Error(Fault fault, const std::string& message) : std::runtime_error(message), fault_(fault) {}
  Fault fault() const { return fault_; }

 private:
  Fault fault_;
};

inline Error config_error(const std::string& message) { return {Fault::config, message}; }
inline Error data_error(const std::string& message) { return {Fault::data, message}; }
inline Error io_error(const std::string& message) { return {Fault::io, message}; }
inline Error resource_error(const std::string& message) { return {Fault::resources, message}; }

/// Runs `body` and puts `context` in front of the message of an Error that leaves it:
///   within("reading table " + path, [&] { … });
template <class Body>
decltype(auto) within(const std::string& context, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    throw Error(error.fault(), context + ": " + error.what());
  }
}

}  // namespace fovea
