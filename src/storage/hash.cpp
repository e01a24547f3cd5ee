#include "fovea/storage/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <vector>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"

namespace fovea::storage {
namespace {

void check(int ok) {
  if (ok != 1) throw Error(Fault::internal, "SHA-256 failed in OpenSSL");
}

std::string drawn_salt() {
  unsigned char bytes[16];
  check(RAND_bytes(bytes, sizeof bytes));
  std::string text;
  for (const unsigned char byte : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

std::mutex salt_mutex;
std::string salt_in_use;

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  check(context_->evp != nullptr && EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr));
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;

Sha256& Sha256::add(std::string_view bytes) {
  check(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()));
  return *this;
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  check(EVP_DigestFinal_ex(context_->evp, digest, &length));
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    fmt::format_to(std::back_inserter(text), "{:02x}", digest[i]);
  }
  return text;
}

std::string sha256(std::string_view bytes) { return Sha256().add(bytes).hex(); }

std::string sha256_file(const std::filesystem::path& path) {
  const InputFile file(path);
  std::vector<char> piece(static_cast<size_t>(std::min<int64_t>(file.size(), 1 << 20)));
  Sha256 hash;
  for (int64_t at = 0; at < file.size();) {
    const auto bytes = static_cast<size_t>(std::min<int64_t>(file.size() - at, 1 << 20));
    file.read(at, std::as_writable_bytes(std::span(piece).first(bytes)));
    hash.add({piece.data(), bytes});
    at += static_cast<int64_t>(bytes);
  }
  return hash.hex();
}

std::string salt() {
  const std::lock_guard lock(salt_mutex);
  if (salt_in_use.empty()) salt_in_use = drawn_salt();
  return salt_in_use;
}

void set_salt(std::string salt) {
  const std::lock_guard lock(salt_mutex);
  salt_in_use = std::move(salt);
}

std::string salted_hash(std::string_view name) {
  return Sha256().add(salt()).add("\n").add(name).hex();
}

std::string pseudonym(std::string_view name) { return salted_hash(name).substr(0, 8); }

}  // namespace fovea::storage
