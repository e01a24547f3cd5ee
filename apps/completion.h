// Completion for shells, printed from the program's own commands and options.
#pragma once

#include <CLI/CLI.hpp>

/// The script for "bash", "zsh" or "fish".
std::string completion(CLI::App& program, const std::string& shell);
