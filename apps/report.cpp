#include "commands.h"
#include "fovea/commands/commands.h"
#include "options.h"

void add_report(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("report", "draw the report of an evaluation once more");
  auto request = std::make_shared<fovea::commands::ReportRequest>();
  command->add_option("folder", request->folder, "the folder of an evaluation, or a run or bundle")
      ->type_name("FOLDER")
      ->required();
  command->add_option("--split", request->split, "which evaluation of a run or bundle")
      ->type_name("SPLIT")
      ->check(such_as({"train", "val", "test", "all"}))
      ->capture_default_str();
  command->add_flag("!--no-images", request->images,
                    "no thumbnails of cases and no links to their files");
  command->footer(
      "Example:\n  fovea report runs/chest --no-images\nPredicts nothing; prints where report.html "
      "is.");
  command->callback([request, &exit_code] { exit_code = fovea::commands::report(*request); });
}
