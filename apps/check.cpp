#include "commands.h"
#include "fovea/commands/commands.h"

void add_check(CLI::App& program, int& exit_code) {
  auto* command =
      program.add_subcommand("check", "read everything a run would read, without training");
  auto request = std::make_shared<fovea::commands::CheckRequest>();
  command->add_option("config", request->config, "the YAML file")->required();
  command
      ->add_option("--set", request->set, "a.b=value: replaces a key of the file; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--threads", request->threads, "threads that read [all cores]")
      ->check(CLI::PositiveNumber);
  command->footer(
      "Example:\n  fovea check configs/image_folder.yaml --set data.folder=radiographs\n"
      "Counts, sizes, classes, unreadable files, patients or pictures shared between splits (exit "
      "3).");
  command->callback([request, &exit_code] { exit_code = fovea::commands::check(*request); });
}
