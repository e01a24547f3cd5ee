// MANIFEST.json: what lies in a folder that is written once and read often (a checkpoint, a bundle),
// so that a byte that changed, a file that is missing and one that was put in are noticed.
//
//   {"format": 2, "kind": "checkpoint", "step": 1250,
//    "files": {"model.safetensors": {"bytes": 4184, "sha256": "…"}, …},
//    "digest": SHA-256 of this text without its last member}
//
// The digest vouches for the manifest against accidents. It is not a signature: whoever can write
// the folder can write a manifest that fits. That of a bundle can be signed (bundle/signed.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::storage {

inline constexpr const char* kManifestName = "MANIFEST.json";

struct ManifestFile {
  int64_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  std::string type;             ///< "checkpoint", "bundle"
  std::optional<int64_t> step;  ///< of a checkpoint
  std::map<std::string, ManifestFile> files;
  bool has_digest = true;  ///< false as read: of a fovea before format 2
};

/// Writes the manifest of `names`, files of `folder`, there.
void write_manifest(const std::filesystem::path& folder, const std::string& type,
                    const std::vector<std::string>& names, std::optional<int64_t> step = {});

/// The manifest of `folder`, of this type. A data Error where it is not, byte for byte, what
/// `write_manifest` wrote, or of a later format. Format 1, of checkpoints, has no digest.
Manifest read_manifest(const std::filesystem::path& folder, const std::string& type);

/// The bytes of the manifest of `folder`, and what they say where they were read before.
std::string manifest_text(const std::filesystem::path& folder);
Manifest parse_manifest(const std::string& text, const std::filesystem::path& folder,
                        const std::string& type);

/// A data Error where one of `names` is not listed, is missing, or differs in size or SHA-256.
void verify(const Manifest& manifest, const std::filesystem::path& folder,
            const std::vector<std::string>& names);

}  // namespace fovea::storage
