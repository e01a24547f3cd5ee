#include "commands.h"
#include "fovea/commands/commands.h"
#include "options.h"

void add_inspect(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("inspect", "say what is in a file, a run or a bundle");
  auto paths = std::make_shared<fovea::commands::Paths>();
  command
      ->add_option("paths", *paths,
                   "DICOM, PNG, JPEG, TIFF, BMP, WebP, GIF, npy, npz, safetensors; a run folder; a "
                   "bundle")
      ->type_name("PATHS")
      ->required();
  add_hash_ids(*command);
  command->footer(
      "Example:\n  fovea inspect image.dcm model.safetensors runs/chest\n"
      "Shows structure only: no patient data. Of a run: its layers with shapes, parameters, "
      "multiply-adds.");
  command->callback([paths, &exit_code] { exit_code = fovea::commands::inspect(*paths); });
}
