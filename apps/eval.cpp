#include "commands.h"
#include "fovea/commands/commands.h"
#include "memory.h"
#include "options.h"

void add_eval(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("eval", "evaluate a run or a bundle on held-out cases");
  auto request = std::make_shared<fovea::commands::EvalRequest>();
  command->add_option("model", request->model, "a run folder or a bundle")
      ->type_name("MODEL")
      ->required();
  command->add_option("--split", request->split, "which cases: a split, or all")
      ->type_name("SPLIT")
      ->check(such_as({"train", "val", "test", "all"}))
      ->capture_default_str();
  command->add_option("--data", request->data, "a YAML file whose data section replaces the run's")
      ->type_name("CONFIG");
  add_set(*command, request->set, "data.x=value: replaces a key of the data section");
  command
      ->add_option("--out", request->out, "where the metrics and plots go [<model>/eval-<split>]")
      ->type_name("FOLDER");
  add_device(*command, request->device);
  add_threads(*command, request->threads, "threads that compute");
  add_hash_ids(*command);
  command->footer(
      "Example:\n  fovea eval runs/chest --split test\n"
      "Writes metrics.json, predictions.csv and plots; the last line printed is key=value "
      "metrics.");
  command->callback([request, &exit_code] {
    keep_freed_memory();
    exit_code = fovea::commands::eval(*request);
  });
}
