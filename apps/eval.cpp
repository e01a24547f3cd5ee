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
  command->add_option("--split", request->split, "which cases: a split, or all [test]")
      ->type_name("SPLIT")
      ->check(such_as({"train", "val", "test", "all"}));
  command
      ->add_option(
          "--data", request->data,
          "other data: a table, a folder of classes or an .npz archive like the model's own, of "
          "which all cases are evaluated; or a YAML file whose data section replaces the run's")
      ->type_name("DATA");
  add_set(*command, request->set, "data.x=value: replaces a key of the data section");
  command
      ->add_option("--out", request->out,
                   "where the report goes [<model>/eval-<split>, or -<name of the other data>]")
      ->type_name("FOLDER");
  command
      ->add_option(
          "--by", request->by,
          "columns for whose values metrics are reported apart, as sex,age; sex+age: for both "
          "together [data.subgroups]")
      ->type_name("COLUMN,…")
      ->delimiter(',');
  command
      ->add_option(
          "--perturb", request->perturb,
          "evaluates once more on images with noise, blur, contrast, rotation, window, jpeg "
          "(of these at four strengths each)")
      ->type_name("NAME,…")
      ->delimiter(',');
  command->add_flag("--small-groups", request->small_groups,
                    "also tell of subgroups of fewer than 5 cases, who could be recognised");
  command->add_flag("!--no-images", request->images,
                    "no thumbnails of cases and no links to their files in the report");
  command
      ->add_option("--replicates", request->replicates,
                   "samples of patients for the intervals of the bootstrap; 0: none")
      ->type_name("N")
      ->check(CLI::Range(int64_t{0}, int64_t{1'000'000}))
      ->capture_default_str();
  command
      ->add_option("--prevalence", request->prevalence,
                   "how frequent the class is where the model will be used: for PPV and NPV there")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0));
  add_device(*command, request->device);
  add_threads(*command, request->threads, "threads that compute");
  add_hash_ids(*command);
  command->footer(
      "Example:\n  fovea eval runs/chest --split test\n"
      "Writes report.html (and report.json, card.md), metrics.json, predictions.csv and plots; the "
      "last line printed is key=value "
      "metrics.");
  command->callback([request, &exit_code] {
    keep_freed_memory();
    exit_code = fovea::commands::eval(*request);
  });
}
