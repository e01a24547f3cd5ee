// What is wrong with a command line, in words that show how it is typed right.
#pragma once

#include <CLI/CLI.hpp>

/// After `program` has refused its command line with `error`.
std::string explanation(CLI::App& program, const CLI::ParseError& error);
