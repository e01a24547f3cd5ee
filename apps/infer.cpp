#include "commands.h"
#include "fovea/commands/commands.h"
#include "memory.h"

void add_infer(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("infer", "classify files with a run or a bundle");
  auto request = std::make_shared<fovea::commands::InferRequest>();
  command->add_option("model", request->model, "a run folder or a bundle")->required();
  command
      ->add_option(
          "inputs", request->inputs,
          "files, folders (searched through), CSV tables with a column `path`; for a model of "
          "clinical tables: tables with its columns")
      ->required();
  command->add_option("--out", request->out, "FILE.csv, FILE.jsonl, or - for standard output")
      ->capture_default_str();
  command->add_option(
      "--explain", request->explain,
      "folder for how much each part of an input counted: explanations.jsonl, and a "
      "picture per case and of the mean");
  command->add_option("--device", request->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str();
  command->add_option("--threads", request->threads, "threads that compute [all cores]")
      ->check(CLI::PositiveNumber);
  command->footer(
      "Example:\n  fovea infer runs/chest study/ extra.dcm --out predictions.csv\n"
      "Files that cannot be read are listed at the end (exit 3); the others are classified all the "
      "same.");
  command->callback([request, &exit_code] {
    keep_freed_memory();
    release_startup_code();
    exit_code = fovea::commands::infer(*request);
  });
}
