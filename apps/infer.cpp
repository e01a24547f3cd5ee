#include "commands.h"
#include "fovea/commands/commands.h"
#include "fovea/core/error.h"
#include "memory.h"
#include "options.h"
#include "streams.h"

void add_infer(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("infer", "classify files with a run or a bundle");
  auto request = std::make_shared<fovea::commands::InferRequest>();
  command->add_option("model", request->model, "a run folder or a bundle")
      ->type_name("MODEL")
      ->required();
  command
      ->add_option(
          "inputs", request->inputs,
          "files, folders (searched through), CSV tables with a column `path`; for a model of "
          "clinical tables: tables with its columns")
      ->type_name("INPUTS")
      ->required();
  command->add_option("--out", request->out, "FILE.csv, FILE.jsonl, or - for standard output")
      ->type_name("FILE")
      ->capture_default_str();
  command
      ->add_option("--explain", request->explain,
                   "folder for how much each part of an input counted: explanations.jsonl, and a "
                   "plot per case and of the mean")
      ->type_name("FOLDER");
  add_device(*command, request->device);
  add_threads(*command, request->threads, "threads that compute");
  add_hash_ids(*command);
  command->footer(
      "Example:\n  fovea infer runs/chest study/ extra.dcm --out predictions.csv\n"
      "Files that cannot be read are listed at the end (exit 3); the others are classified all the "
      "same. Answers are in FILE.csv.partial until all are there; Ctrl-C leaves them (exit 75).");
  command->callback([request, &exit_code] {
    if (request->out == "-" && output_was_closed())
      throw fovea::io_error("infer: standard output is closed, so the answers would be lost",
                            "name a file with --out");
    keep_freed_memory();
    release_startup_code();
    exit_code = fovea::commands::infer(*request);
  });
}
