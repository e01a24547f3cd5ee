#include "commands.h"
#include "fovea/commands/commands.h"
#include "options.h"

void add_compare(CLI::App& program, int& exit_code) {
  auto* command =
      program.add_subcommand("compare", "compare models that were evaluated on the same cases");
  auto request = std::make_shared<fovea::commands::CompareRequest>();
  command
      ->add_option("folders", request->folders,
                   "two or more runs, bundles or folders of evaluations; each is compared with the "
                   "first")
      ->type_name("FOLDER")
      ->required()
      ->expected(2, 100);
  command->add_option("--split", request->split, "which evaluation of a run or bundle")
      ->type_name("SPLIT")
      ->check(such_as({"train", "val", "test", "all"}))
      ->capture_default_str();
  command->add_option("--out", request->out, "where the comparison goes [compare]")
      ->type_name("FOLDER");
  command->add_option("--replicates", request->replicates, "samples of patients for the bootstrap")
      ->type_name("N")
      ->check(CLI::Range(int64_t{100}, int64_t{1'000'000}))
      ->capture_default_str();
  command->footer(
      "Example:\n  fovea compare runs/resnet runs/resnet-attention\n"
      "Each was evaluated before (fovea eval). Writes compare.html and compare.json; the last "
      "lines "
      "printed are key=value.");
  command->callback([request, &exit_code] { exit_code = fovea::commands::compare(*request); });
}
