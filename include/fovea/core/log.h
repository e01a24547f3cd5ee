// What the library says while it works: to stderr, a line each, never with patient data.
#pragma once

#include <functional>
#include <string>

#include "fovea/core/standard_library.h"

namespace fovea {

enum class Level { debug, info, warning };

void log(Level level, const std::string& message);
inline void log_info(const std::string& message) { log(Level::info, message); }
inline void log_warning(const std::string& message) { log(Level::warning, message); }

/// Says `message` once in the life of the process, however often it is called with the same `key`.
void log_once(const std::string& key, const std::string& message, Level level = Level::info);

/// The lowest level that is printed; warnings only is what tests and embedders usually want.
void set_log_level(Level level);

/// What is printed of a message, for a front end with its own words for settings (`reworded`); an
/// empty function prints it as it is. What the sink gets is reworded too.
void set_log_words(std::function<std::string(const std::string&)> words);

/// Every message also goes to `sink` (a run's log.jsonl); an empty function takes it away again.
void set_log_sink(std::function<void(Level, const std::string&)> sink);

}  // namespace fovea
