// How fovea reports failure: one exception that says whose fault it is and, through that, the
// exit code.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "fovea/core/standard_library.h"

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

/// The one exception of the library. Three parts, each of which a front end may show in its own way:
/// where (a path, a line, an offset; outermost first), what was found and what was wanted, and what
/// would help. It shows ids and paths of cases, as a log does, and no other patient data.
///
/// The library knows no command line and no config file: where it speaks of a setting it names the
/// field as C++ does, `TrainOptions::batch_size` or, of a named thing within,
/// `DataOptions::inputs.chest.columns`. `reworded` turns these into the words of a front end.
class Error : public std::runtime_error {
 public:
  Error(Fault fault, std::string problem, std::string remedy = "");

  Fault fault() const noexcept { return fault_; }
  const std::string& place() const noexcept { return place_; }
  const std::string& problem() const noexcept { return problem_; }
  const std::string& remedy() const noexcept { return remedy_; }
  /// "place: problem; remedy"
  const char* what() const noexcept override { return text_.c_str(); }

  /// Puts `outer` in front of the place.
  void add_place(const std::string& outer);
  /// The same, unless the message names it already.
  void add_place_once(const std::string& outer);

 private:
  void join_parts();

  Fault fault_;
  std::string place_, problem_, remedy_, text_;
};

inline Error config_error(std::string problem, std::string remedy = "") {
  return {Fault::config, std::move(problem), std::move(remedy)};
}
inline Error data_error(std::string problem, std::string remedy = "") {
  return {Fault::data, std::move(problem), std::move(remedy)};
}
inline Error io_error(std::string problem, std::string remedy = "") {
  return {Fault::io, std::move(problem), std::move(remedy)};
}
inline Error resource_error(std::string problem, std::string remedy = "") {
  return {Fault::resources, std::move(problem), std::move(remedy)};
}

/// Runs `body`; `context` becomes the outermost place of an Error that leaves it, whose type stays:
///   within("reading table " + path, [&] { … });
template <class Body>
decltype(auto) within(const std::string& context, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    error.add_place(context);
    throw;
  }
}

/// `text` with each setting in it, such as `TrainOptions::batch_size`, replaced by what `word` makes
/// of its struct and its field; "" leaves it as it is.
std::string reworded(
    std::string_view text,
    const std::function<std::string(std::string_view type, std::string_view field)>& word);

}  // namespace fovea
