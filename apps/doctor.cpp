#include "commands.h"
#include "fovea/commands/commands.h"

void add_doctor(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("doctor", "say what this machine and this build can do");
  command->footer(
      "Example:\n  fovea doctor\n"
      "Versions, devices, threads, instruction sets, known defects of the linked libraries.");
  command->callback([&exit_code] { exit_code = fovea::commands::doctor(); });
}
