#include "fovea/bundle/signed.h"

#include <fmt/format.h>

#include <iostream>

#include "fovea/commands/commands.h"

namespace fovea::commands {
namespace {

int say(const char* what, const BundleRequest& request, const bundle::Signed& is) {
  std::cout << fmt::format("{} {} files={} key=sha256:{}\n", what, request.folder.string(),
                           is.files, is.key);
  return 0;
}

}  // namespace

int sign_bundle(const BundleRequest& request) {
  return say("signed", request, bundle::sign_bundle(request.folder, request.key));
}

int verify_bundle(const BundleRequest& request) {
  return say("verified", request, bundle::verify_bundle(request.folder, request.key));
}

}  // namespace fovea::commands
