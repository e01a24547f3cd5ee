// Each command adds itself to the program: its options, and one call into the library.
#pragma once

#include <CLI/CLI.hpp>

void add_train(CLI::App& program, int& exit_code);
void add_eval(CLI::App& program, int& exit_code);
void add_report(CLI::App& program, int& exit_code);
void add_compare(CLI::App& program, int& exit_code);
void add_infer(CLI::App& program, int& exit_code);
void add_inspect(CLI::App& program, int& exit_code);
void add_check(CLI::App& program, int& exit_code);
void add_list(CLI::App& program, int& exit_code);
void add_phantom(CLI::App& program, int& exit_code);
void add_bundle(CLI::App& program, int& exit_code);
void add_doctor(CLI::App& program, int& exit_code);
void add_completion(CLI::App& program, int& exit_code);
