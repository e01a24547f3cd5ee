#include "fovea/storage/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"

namespace fovea::storage {
namespace {

void check(int ok) {
  if (ok != 1) throw Error(Fault::internal, "SHA-256 failed in OpenSSL");
}

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

}  // namespace fovea::storage
