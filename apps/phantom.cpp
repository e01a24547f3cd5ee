#include "commands.h"
#include "fovea/commands/commands.h"
#include "options.h"

void add_phantom(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("phantom", "write synthetic, labelled DICOM studies");
  auto request = std::make_shared<fovea::commands::PhantomRequest>();
  command->add_option("folder", request->out, "the folder to write")
      ->type_name("FOLDER")
      ->required();
  add_set(*command, request->set, "name=value; `fovea list phantom` names them");
  command->add_flag_callback(
      "--with-report", [request] { request->set.emplace_back("report=true"); },
      "each radiograph has a reader's report, with the entities in it");
  command->add_flag_callback(
      "--with-labs", [request] { request->set.emplace_back("labs=true"); },
      "each radiograph has laboratory values");
  command->footer(
      "Example:\n  fovea phantom demo --set patients=300\n"
      "Chest-like radiographs and small CT-like volumes with lesions, masks, boxes and labels.csv. "
      "The same seed "
      "gives the same bytes.");
  command->callback([request, &exit_code] { exit_code = fovea::commands::phantom(*request); });
}
