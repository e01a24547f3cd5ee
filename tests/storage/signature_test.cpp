#include "fovea/storage/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/core/error.h"
#include "support/program.h"

namespace fovea::storage {
namespace {

using test::quoted;
using test::read_text;
using test::run_shell;
using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

/// RFC 8032, section 7.1, tests 1 and 2. The keys are written as PEM, which puts RFC 8410's 16 and 12
/// bytes in front of them.
struct Vector {
  std::string private_pem, public_pem, text, signature;
};
const std::vector<Vector> kVectors = {
    {"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
     "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "46b"
     "d25bf5f0595bbe24655141438e7a100b"},
    {"MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7",
     "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=", "\x72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
};

std::string pem(const std::string& type, const std::string& base64) {
  return "-----BEGIN " + type + " KEY-----\n" + base64 + "\n-----END " + type + " KEY-----\n";
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

template <class Read>
std::string refusal(const Read& read, Fault fault = Fault::config) {
  try {
    read();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), fault) << error.what();
    return error.what();
  }
  return "";
}

TEST(Signature, IsThatOfTheExamplesOfTheStandard) {
  const test::TempFolder folder;
  for (const Vector& one : kVectors) {
    const Key secret = Key::read_private(folder.write("k.pem", pem("PRIVATE", one.private_pem)));
    const Key open = Key::read_public(folder.write("p.pem", pem("PUBLIC", one.public_pem)));
    const std::string signature = secret.sign(one.text);
    EXPECT_EQ(hex(signature), one.signature);
    EXPECT_TRUE(open.made(signature, one.text));
    EXPECT_EQ(secret.fingerprint(), open.fingerprint());
  }
}

TEST(Signature, AnyOtherBitOfTextOrSignatureIsNotTheirs) {
  const test::TempFolder folder;
  const Key secret =
      Key::read_private(folder.write("k.pem", pem("PRIVATE", kVectors[0].private_pem)));
  const std::string text = "what was signed", signature = secret.sign(text);
  const auto each_bit = [](const std::string& right, const auto& wrong) {
    for (size_t bit = 0; bit < 8 * right.size(); ++bit) {
      std::string changed = right;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
      wrong(changed);
    }
  };
  each_bit(text, [&](const std::string& t) { EXPECT_FALSE(secret.made(signature, t)); });
  each_bit(signature, [&](const std::string& s) { EXPECT_FALSE(secret.made(s, text)); });
  EXPECT_FALSE(secret.made("", text));
  EXPECT_FALSE(secret.made(signature + "x", text));
  EXPECT_FALSE(secret.made(signature.substr(0, 63), text));
  const Key other =
      Key::read_private(folder.write("o.pem", pem("PRIVATE", kVectors[1].private_pem)));
  EXPECT_FALSE(other.made(signature, text));
}

TEST(Signature, AFileThatIsNotTheKeyThatIsWantedIsNamedWithWhatItIs) {
  const test::TempFolder folder;
  const fs::path secret = folder.write("secret.pem", pem("PRIVATE", kVectors[0].private_pem));
  const fs::path open = folder.write("open.pem", pem("PUBLIC", kVectors[0].public_pem));
  const fs::path nothing = folder.write("nothing.pem", "no key at all\n");
  const fs::path broken =
      folder.write("broken.pem", pem("PRIVATE", kVectors[0].private_pem.substr(8)));
  const auto as_private = [](const fs::path& file) {
    return refusal([&] { Key::read_private(file); });
  };
  const auto as_public = [](const fs::path& file) {
    return refusal([&] { Key::read_public(file); });
  };
  EXPECT_THAT(as_private(open), AllOf(HasSubstr("open.pem: found a public key, wanted a private"),
                                      HasSubstr("openssl genpkey")));
  EXPECT_THAT(as_public(secret), AllOf(HasSubstr("found a private key, wanted a public"),
                                       HasSubstr("keep it secret")));
  EXPECT_THAT(as_private(nothing), HasSubstr("found no key"));
  EXPECT_THAT(as_public(nothing), HasSubstr("found no key"));
  EXPECT_NE(as_private(broken), "");
  EXPECT_THAT(refusal([&] { Key::read_private(folder / "absent.pem"); }, Fault::io),
              HasSubstr("absent.pem"));
  folder.write("huge.pem", std::string(1 << 20, 'x'));
  EXPECT_NE(refusal([&] { Key::read_public(folder / "huge.pem"); }, Fault::data), "");
}

TEST(Signature, KeysOfOpensslOfOtherKindsOrWithAPasswordAreRefused) {
  if (run_shell("openssl version").code != 0) GTEST_SKIP() << "needs the program openssl";
  const test::TempFolder folder;
  const auto made = [&](const std::string& name, const std::string& how) {
    const fs::path file = folder / name;
    EXPECT_EQ(run_shell("openssl genpkey -out " + quoted(file.string()) + " " + how).code, 0);
    return file;
  };
  const fs::path elliptic = made("ec.pem", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256");
  EXPECT_THAT(refusal([&] { Key::read_private(elliptic); }), HasSubstr("wanted one of Ed25519"));
  const fs::path closed = made("closed.pem", "-algorithm ed25519 -aes256 -pass pass:word");
  EXPECT_THAT(refusal([&] { Key::read_private(closed); }),
              AllOf(HasSubstr("a password protects"), HasSubstr("openssl pkeyutl -sign")));
}

TEST(Signature, TheFingerprintIsWhatOpensslAndSha256sumSay) {
  if (run_shell("openssl version").code != 0) GTEST_SKIP() << "needs the program openssl";
  const test::TempFolder folder;
  const fs::path open = folder.write("open.pem", pem("PUBLIC", kVectors[1].public_pem));
  const std::string said =
      run_shell("openssl pkey -pubin -in " + quoted(open.string()) + " -outform DER | sha256sum")
          .out;
  EXPECT_EQ(Key::read_public(open).fingerprint(), said.substr(0, 64));
}

}  // namespace
}  // namespace fovea::storage
