#include "fovea/bundle/signed.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bundle/files.h"
#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "fovea/storage/manifest.h"
#include "fovea/storage/signature.h"

namespace fovea::bundle {
namespace {

namespace fs = std::filesystem;
using storage::shown;

std::string text_of_manifest(const fs::path& folder) {
  if (storage::exists(folder / storage::kManifestName)) return storage::manifest_text(folder);
  const fs::path inner = folder / "bundle";
  const bool is_run = storage::exists(inner / storage::kManifestName);
  throw data_error(
      fmt::format("{}: found {}, wanted the folder of a bundle with its MANIFEST.json",
                  shown(folder), is_run ? "a run" : "no MANIFEST.json"),
      is_run
          ? "name its bundle, " + shown(inner)
          : "name the folder `bundle` of a run; one of an older fovea is written anew by training");
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

/// Every file is the one that is listed, every one that a bundle needs is listed, and nothing else is
/// there: what is not vouched for may be taken for a part of the bundle by somebody.
size_t check_files(const std::string& text, const fs::path& folder) {
  const storage::Manifest manifest = storage::parse_manifest(text, folder, kBundleType);
  std::vector<std::string> names = kBundleFiles;
  for (const auto& [name, file] : manifest.files) {
    if (fs::path(name).filename() != name || name == "." || name == "..")
      throw data_error(
          fmt::format("{}: MANIFEST.json lists '{}', wanted names of files of the folder",
                      shown(folder), shown(name)),
          "take another copy of the bundle");
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  for (const std::string& name : names_in(folder)) {
    if (fs::symlink_status(folder / name).type() != fs::file_type::regular)
      throw data_error(fmt::format("{}: found a link or a folder, wanted a file of the bundle",
                                   shown(folder / name)),
                       "remove it, or copy the bundle with what its links lead to");
    if (name == storage::kManifestName || name == kSignatureName) continue;
    if (!manifest.files.contains(name))
      throw data_error(
          fmt::format("{}: found a file that MANIFEST.json does not list", shown(folder / name)),
          "remove it, or take another copy of the bundle");
  }
  storage::verify(manifest, folder, names);
  return manifest.files.size();
}

}  // namespace

Signed sign_bundle(const fs::path& folder, const fs::path& private_key) {
  const storage::Key key = storage::Key::read_private(private_key);
  const std::string text = text_of_manifest(folder);
  const size_t files = check_files(text, folder);
  storage::write_file_atomically(folder / kSignatureName, key.sign(text));
  return {.key = key.fingerprint(), .files = files};
}

Signed verify_bundle(const fs::path& folder, const fs::path& public_key) {
  const storage::Key key = storage::Key::read_public(public_key);
  const std::string text = text_of_manifest(folder);
  if (!storage::exists(folder / kSignatureName))
    throw data_error(fmt::format("{}: found no {}, wanted the signature of whoever made the bundle",
                                 shown(folder), kSignatureName),
                     "copy the bundle whole, or ask them for it");
  const std::string signature = storage::read_file(folder / kSignatureName, 1 << 16);
  if (signature.size() != storage::kSignatureBytes)
    throw data_error(
        fmt::format("{}: found {} bytes, wanted the {} of an Ed25519 signature",
                    shown(folder / kSignatureName), signature.size(), storage::kSignatureBytes),
        "take another copy of it");
  if (!key.made(signature, text))
    throw data_error(
        fmt::format("{}: MANIFEST.json has not been signed with the key of {} (SHA-256 {})",
                    shown(folder), shown(public_key), key.fingerprint()),
        "do not use the bundle: it was changed after it was signed, or somebody else signed it; "
        "compare the key with that of whoever made it");
  return {.key = key.fingerprint(), .files = check_files(text, folder)};
}

}  // namespace fovea::bundle
