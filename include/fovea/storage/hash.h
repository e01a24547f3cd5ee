// SHA-256 (FIPS 180-4), as lower-case hexadecimal text of 64 characters.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace fovea::storage {

/// A hash that grows piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;

  Sha256& add(std::string_view bytes);
  std::string hex();  ///< ends the hash: call once

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256(std::string_view bytes);

/// Of a file's content, read in pieces of 1 MiB.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace fovea::storage
