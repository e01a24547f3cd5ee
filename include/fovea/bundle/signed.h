// Who made a bundle: MANIFEST.json.sig beside its MANIFEST.json, an Ed25519 signature of its bytes
// (64 bytes, nothing around them), which `openssl pkeyutl -verify -rawin` checks too. The manifest
// lists the SHA-256 of every file, so that one signature vouches for them all.
#pragma once

#include <filesystem>
#include <string>

#include "fovea/core/standard_library.h"

namespace fovea::bundle {

inline constexpr const char* kSignatureName = "MANIFEST.json.sig";

struct Signed {
  std::string key;  ///< the fingerprint of the public key (storage/signature.h)
  size_t files = 0;
};

/// Signs the bundle in `folder`; a signature that is there is replaced. A data Error where it is not
/// a bundle that is whole: what `verify_bundle` would refuse is not signed.
Signed sign_bundle(const std::filesystem::path& folder, const std::filesystem::path& private_key);

/// A data Error where the holder of the key has not signed the bundle, or where a file of it is
/// missing, changed, a link, or not one that the manifest lists. Nothing is parsed before the
/// signature is known to be right.
Signed verify_bundle(const std::filesystem::path& folder, const std::filesystem::path& public_key);

}  // namespace fovea::bundle
