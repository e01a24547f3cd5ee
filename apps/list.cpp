#include "commands.h"
#include "fovea/commands/commands.h"
#include "options.h"

void add_list(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("list", "print a family of named things");
  auto family = std::make_shared<std::string>();
  auto verbose = std::make_shared<bool>(false);
  command->add_option("family", *family, "which: encoders, transforms, metrics, configuration …")
      ->type_name("FAMILY")
      ->required()
      ->check(one_of(fovea::commands::families()));
  command->add_flag("--verbose,-v", *verbose, "with their settings");
  command->footer(
      "Example:\n  fovea list encoders --verbose\n  fovea list configuration   every key of a "
      "config file, as "
      "Markdown");
  command->callback([=, &exit_code] { exit_code = fovea::commands::list(*family, *verbose); });
}
