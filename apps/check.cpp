#include "commands.h"
#include "fovea/commands/commands.h"
#include "options.h"

void add_check(CLI::App& program, int& exit_code) {
  auto* command =
      program.add_subcommand("check", "read everything a run would read, without training");
  auto request = std::make_shared<fovea::commands::CheckRequest>();
  command->add_option("config", request->config, "the YAML file")->type_name("CONFIG")->required();
  add_set(*command, request->set, "a.b=value: replaces a key of the file");
  add_threads(*command, request->threads, "threads that read");
  add_hash_ids(*command);
  command->footer(
      "Example:\n  fovea check configs/image_folder.yaml --set data.folder=radiographs\n"
      "Counts, sizes, classes, unreadable files, patients or images shared between splits (exit "
      "3).");
  command->callback([request, &exit_code] { exit_code = fovea::commands::check(*request); });
}
