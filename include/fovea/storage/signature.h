// Ed25519 signatures (RFC 8032): 64 bytes that only the holder of a private key can have made of a
// text, and that everybody with its public key can check. Keys are PEM files, as `openssl genpkey
// -algorithm ed25519` writes them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "fovea/core/standard_library.h"

namespace fovea::storage {

inline constexpr size_t kSignatureBytes = 64;

class Key {
 public:
  /// A config Error where the file holds something else, the other half of a pair included; an io
  /// Error where it cannot be read.
  static Key read_private(const std::filesystem::path& file);
  static Key read_public(const std::filesystem::path& file);

  /// By a private key. The same text has the same signature.
  std::string sign(std::string_view text) const;
  /// Whether the holder of the key made `signature` of `text`.
  bool made(std::string_view signature, std::string_view text) const;
  /// SHA-256 of the public half in DER, which both halves have in common:
  /// `openssl pkey -pubin -in FILE -outform DER | sha256sum`.
  std::string fingerprint() const;

 private:
  struct Pair;
  explicit Key(std::shared_ptr<const Pair> pair) : pair_(std::move(pair)) {}

  std::shared_ptr<const Pair> pair_;
};

}  // namespace fovea::storage
