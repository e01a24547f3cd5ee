#include "commands.h"
#include "fovea/commands/commands.h"
#include "options.h"

void add_bundle(CLI::App& program, int& exit_code) {
  auto* command = program.add_subcommand("bundle", "sign a bundle, or verify a signed one");
  auto action = std::make_shared<std::string>();
  auto request = std::make_shared<fovea::commands::BundleRequest>();
  command->add_option("action", *action, "sign or verify")
      ->type_name("ACTION")
      ->required()
      ->check(one_of({"sign", "verify"}));
  command->add_option("folder", request->folder, "the folder of a bundle")
      ->type_name("BUNDLE")
      ->required();
  command
      ->add_option("--key", request->key,
                   "an Ed25519 key in PEM: the private one to sign, the public one to verify")
      ->type_name("FILE")
      ->required();
  command->footer(
      "Example:\n  fovea bundle sign runs/chest/bundle --key key.pem\n"
      "  fovea bundle verify runs/chest/bundle --key public.pem\n"
      "Keys: openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout "
      "-out "
      "public.pem. Verifying checks the signature, every file's size and SHA-256, and that there "
      "is "
      "no other file (exit 3).");
  command->callback([=, &exit_code] {
    exit_code = *action == "sign" ? fovea::commands::sign_bundle(*request)
                                  : fovea::commands::verify_bundle(*request);
  });
}
