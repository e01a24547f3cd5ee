// The program's words for what the library calls by the fields of its structs: `TrainOptions::best`
// is `train.best` in a config, `RunOptions::allow_changed` the option `--allow-changed`.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "fovea/core/error.h"

namespace fovea::commands {

/// "" where the program has no word for it.
std::string word_for(std::string_view type, std::string_view field);

/// A message of the library in the program's words, without the paths that are hidden
/// (storage/case_names.h).
std::string in_our_words(std::string_view message);

/// Logs a note of the library, and gives it in the program's words for the files that keep it.
std::string noted(const std::string& note);

/// Runs `body`, and names the config where a setting of it is refused.
template <class Body>
decltype(auto) of_config(const std::filesystem::path& config, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    if (error.fault() == Fault::config) error.add_place_once(config.string());
    throw;
  }
}

/// "fovea: ", the message in the program's words and a line break, on standard error: every refusal
/// and failure of the program goes through here.
void complain(std::string_view message);

}  // namespace fovea::commands
