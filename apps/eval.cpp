#include "commands.h"
#include "fovea/commands/commands.h"
#include "memory.h"

void add_eval(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("eval", "evaluate a run or a bundle on held-out cases");
  auto request = std::make_shared<fovea::commands::EvalRequest>();
  command->add_option("model", request->model, "a run folder or a bundle")->required();
  command->add_option("--split", request->split, "train, val, test or all")->capture_default_str();
  command->add_option("--data", request->data, "a YAML file whose data section replaces the run's");
  command
      ->add_option("--set", request->set,
                   "data.x=value: replaces a key of the data section; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--out", request->out,
                      "where the figures and pictures go [<model>/eval-<split>]");
  command->add_option("--device", request->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  command->add_option("--threads", request->threads, "threads that compute [all cores]")
      ->check(CLI::PositiveNumber);
  command->footer(
      "Example:\n  fovea eval runs/chest --split test\n"
      "Writes metrics.json, predictions.csv and pictures; the last line printed is key=value "
      "figures.");
  command->callback([request, &exit_code] {
    keep_freed_memory();
    exit_code = fovea::commands::eval(*request);
  });
}
