#include "fovea/storage/signature.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "fovea/storage/hash.h"

namespace fovea::storage {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLargestKey = 1 << 16;  // bytes of a file

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void check(bool ok) {
  if (!ok) throw Error(Fault::internal, "Ed25519 failed in OpenSSL");
}

/// Of an encrypted key: nobody is asked, for a program may run where nobody sits.
int refuse_to_ask(char*, int, int, void*) { return -1; }

/// The text of a file that may be a secret, overwritten when it is read.
struct KeyText {
  std::string text;
  std::unique_ptr<BIO, decltype(&BIO_free)> stream;

  explicit KeyText(const fs::path& file)
      : text(read_file(file, kLargestKey)),
        stream(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free) {
    check(stream != nullptr);
  }
  ~KeyText() { OPENSSL_cleanse(text.data(), text.size()); }
  KeyText(const KeyText&) = delete;
  KeyText& operator=(const KeyText&) = delete;

  bool names(std::string_view what) const { return text.find(what) != std::string::npos; }
};

Error not_a_key(const KeyText& key, const fs::path& file, bool want_private) {
  const bool encrypted = key.names("-----BEGIN ENCRYPTED PRIVATE KEY-----");
  const bool is_private = key.names("PRIVATE KEY-----"), is_public = key.names("PUBLIC KEY-----");
  const std::string found = encrypted    ? "a private key that a password protects"
                            : is_private ? "a private key"
                            : is_public  ? "a public key"
                                         : "no key";
  std::string remedy = "make one: openssl genpkey -algorithm ed25519 -out KEY.pem";
  if (want_private && encrypted)
    remedy =
        "let openssl, which asks for the password, sign: openssl pkeyutl -sign -rawin -inkey "
        "KEY.pem -in MANIFEST.json -out MANIFEST.json.sig";
  else if (!want_private && is_private)
    remedy = "keep it secret and take its public half: openssl pkey -in KEY.pem -pubout";
  else if (!want_private)
    remedy = "ask whoever signed for it: openssl pkey -in KEY.pem -pubout";
  return config_error(fmt::format("{}: found {}, wanted {} Ed25519 key in PEM", shown(file), found,
                                  want_private ? "a private" : "a public"),
                      remedy);
}

}  // namespace

struct Key::Pair {
  EVP_PKEY* evp = nullptr;
  explicit Pair(EVP_PKEY* made) : evp(made) {}
  ~Pair() { EVP_PKEY_free(evp); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  static std::shared_ptr<const Pair> read(const fs::path& file, bool want_private) {
    const KeyText key(file);
    EVP_PKEY* made =
        want_private ? PEM_read_bio_PrivateKey(key.stream.get(), nullptr, refuse_to_ask, nullptr)
                     : PEM_read_bio_PUBKEY(key.stream.get(), nullptr, refuse_to_ask, nullptr);
    if (!made) throw not_a_key(key, file, want_private);
    auto pair = std::make_shared<const Pair>(made);
    if (EVP_PKEY_base_id(made) != EVP_PKEY_ED25519)
      throw config_error(fmt::format("{}: found a key of {}, wanted one of Ed25519", shown(file),
                                     OBJ_nid2sn(EVP_PKEY_base_id(made))),
                         "make one: openssl genpkey -algorithm ed25519 -out KEY.pem");
    return pair;
  }
};

namespace {

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Context context() {
  Context made(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  check(made != nullptr);
  return made;
}

}  // namespace

Key Key::read_private(const fs::path& file) { return Key(Pair::read(file, true)); }
Key Key::read_public(const fs::path& file) { return Key(Pair::read(file, false)); }

std::string Key::sign(std::string_view text) const {
  const Context signing = context();
  check(EVP_DigestSignInit(signing.get(), nullptr, nullptr, nullptr, pair_->evp) == 1);
  unsigned char signature[kSignatureBytes];
  size_t length = sizeof signature;
  check(EVP_DigestSign(signing.get(), signature, &length, bytes_of(text), text.size()) == 1);
  check(length == kSignatureBytes);
  return {reinterpret_cast<const char*>(signature), length};
}

bool Key::made(std::string_view signature, std::string_view text) const {
  if (signature.size() != kSignatureBytes) return false;
  const Context verifying = context();
  check(EVP_DigestVerifyInit(verifying.get(), nullptr, nullptr, nullptr, pair_->evp) == 1);
  return EVP_DigestVerify(verifying.get(), bytes_of(signature), signature.size(), bytes_of(text),
                          text.size()) == 1;
}

std::string Key::fingerprint() const {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(pair_->evp, &der);
  check(length > 0);
  const std::string text(reinterpret_cast<const char*>(der), static_cast<size_t>(length));
  OPENSSL_free(der);
  return sha256(text);
}

}  // namespace fovea::storage
