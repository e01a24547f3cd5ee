// SHA-256 (FIPS 180-4), as lower-case hexadecimal text of 64 characters, and names that say nothing.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "fovea/core/standard_library.h"

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

/// Of a name with the salt of this process: who has no salt cannot try names until one fits.
std::string salted_hash(std::string_view name);

/// What messages say in place of a patient's or a case's name: the first 8 digits of its salted
/// hash. Equal names have equal ones.
std::string pseudonym(std::string_view name);

/// The salt of this process, drawn when it is first asked for; another takes its place where a run
/// goes on (train/run_folder.h). It belongs in no file that is handed on.
std::string salt();
void set_salt(std::string salt);

}  // namespace fovea::storage
