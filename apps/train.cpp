#include "commands.h"
#include "fovea/commands/commands.h"
#include "memory.h"
#include "options.h"

void add_train(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("train", "train a model from a YAML file");
  auto request = std::make_shared<fovea::commands::TrainRequest>();
  command->add_option("config", request->config, "the YAML file")->type_name("CONFIG")->required();
  add_set(*command, request->set, "a.b=value: replaces a key of the file");
  command->add_option("--out", request->out, "the run folder to write [runs/<name of the config>]")
      ->type_name("FOLDER");
  add_device(*command, request->device);
  command->add_flag("--resume", request->resume, "go on where the run folder stands");
  command->add_flag("--force", request->force,
                    "replace the run that is in the folder; only a run of fovea is ever deleted");
  command->add_flag("--allow-changed", request->allow_changed,
                    "with --resume: although configuration or data have changed");
  command->add_flag("--break-lock", request->break_lock,
                    "take over a run folder that a process of another machine has locked");
  add_threads(*command, request->threads, "threads that compute");
  add_hash_ids(*command);
  command->footer(
      "Example:\n  fovea train configs/image_folder.yaml --set data.folder=radiographs --out "
      "runs/chest\n"
      "Writes the resolved config, checkpoints, `best`, metrics.csv, log.jsonl, TensorBoard events "
      "and "
      "learning_curves.svg. Ctrl-C stops after the step with a checkpoint (exit 75).");
  command->callback([request, &exit_code] {
    keep_freed_memory();
    exit_code = fovea::commands::train(*request);
  });
}
