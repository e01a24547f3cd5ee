// Options that several commands have, and what they accept.
#pragma once

#include <CLI/CLI.hpp>

#include "fovea/core/log.h"

/// One of these words; a refusal names the nearest, and the completion of a shell offers them.
CLI::Validator one_of(std::vector<std::string> words);

/// Anything; the completion offers these words.
CLI::Validator such_as(std::vector<std::string> words);

/// The words of a validator made by one of these two; none of another.
std::vector<std::string> words_of(const CLI::Validator& validator);

/// --threads; 0 stands for all cores.
void add_threads(CLI::App& command, int64_t& threads, const std::string& help);
/// --device
void add_device(CLI::App& command, std::string& device);
/// --set, a key of `what`.
CLI::Option* add_set(CLI::App& command, std::vector<std::string>& set, const std::string& help);
/// --hash-ids, which acts at once.
void add_hash_ids(CLI::App& command);
/// --log-level, which acts at once.
void add_log_level(CLI::App& command);
