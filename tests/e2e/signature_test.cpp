// A signed bundle: what fovea signs openssl verifies, and what openssl signs fovea verifies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e2e/rows.h"

namespace fovea::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

bool has_openssl() { return run_shell("openssl version").code == 0; }

/// A pair of keys and a copy of a bundle.
struct Desk {
  TempFolder folder;
  fs::path bundle = folder / "bundle", key = folder / "key.pem", open = folder / "public.pem";
  fs::path manifest = bundle / "MANIFEST.json", signature = bundle / "MANIFEST.json.sig";

  Desk() {
    copy();
    run("genpkey -algorithm ed25519 -out " + quoted(key.string()));
    run("pkey -in " + quoted(key.string()) + " -pubout -out " + quoted(open.string()));
  }
  void copy() const {
    fs::remove_all(bundle);
    fs::copy(rows().run / "bundle", bundle);
  }
  static Outcome run(const std::string& arguments) { return run_shell("openssl " + arguments); }

  Outcome sign() const { return fovea({"bundle", "sign", bundle.string(), "--key", key.string()}); }
  Outcome verify() const {
    return fovea({"bundle", "verify", bundle.string(), "--key", open.string()});
  }
  /// With openssl alone.
  Outcome sign_by_openssl() const {
    return run("pkeyutl -sign -rawin -inkey " + quoted(key.string()) + " -in " +
               quoted(manifest.string()) + " -out " + quoted(signature.string()));
  }
  Outcome verify_by_openssl() const {
    return run("pkeyutl -verify -rawin -pubin -inkey " + quoted(open.string()) + " -in " +
               quoted(manifest.string()) + " -sigfile " + quoted(signature.string()));
  }
  std::string refusal() const {
    const Outcome outcome = verify();
    EXPECT_EQ(outcome.code, 3) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  }
};

class SignedBundle : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_openssl()) GTEST_SKIP() << "needs the program openssl";
  }
};

TEST_F(SignedBundle, OpensslAloneVerifiesOurSignatureAndWeVerifyOneOfOpensslAlone) {
  const Desk desk;
  const Outcome made = desk.sign();
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(fs::file_size(desk.signature), 64u);
  const Outcome checked = desk.verify_by_openssl();
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("Signature Verified Successfully"));
  const std::string ours = read_text(desk.signature);
  fs::remove(desk.signature);
  ASSERT_EQ(desk.sign_by_openssl().code, 0);
  EXPECT_EQ(read_text(desk.signature), ours);  // Ed25519 draws nothing
  const Outcome verified = desk.verify();
  EXPECT_EQ(verified.code, 0) << verified.err;
  const std::string key = run_shell("openssl pkey -in " + quoted(desk.key.string()) +
                                    " -pubout -outform DER | sha256sum")
                              .out.substr(0, 64);
  EXPECT_EQ(verified.out, "verified " + desk.bundle.string() + " files=3 key=sha256:" + key + "\n");
}

TEST_F(SignedBundle, IsReadAndAnswersAsBefore) {
  const Desk desk;
  const std::string table = (rows().folder / "patients.csv").string();
  const auto answers = [&] { return fovea({"infer", desk.bundle.string(), table}).out; };
  const std::string before = answers();
  EXPECT_THAT(before, HasSubstr("p_no,p_yes"));
  ASSERT_EQ(desk.sign().code, 0);
  EXPECT_EQ(answers(), before);
  EXPECT_EQ(fovea({"inspect", desk.bundle.string()}).code, 0);
  std::ofstream(desk.signature) << "no signature";  // which is for `verify` alone to say
  EXPECT_EQ(answers(), before);
}

TEST_F(SignedBundle, AByteOfAnyFileThatChangedIsRefused) {
  const Desk desk;
  ASSERT_EQ(desk.sign().code, 0);
  for (const std::string name :
       {"config.yaml", "model.json", "model.safetensors", "MANIFEST.json", "MANIFEST.json.sig"}) {
    const std::string right = read_text(desk.bundle / name);
    std::string wrong = right;
    wrong[right.size() / 2] = static_cast<char>(wrong[right.size() / 2] ^ 1);
    fs::remove(desk.bundle / name);
    std::ofstream(desk.bundle / name, std::ios::binary) << wrong;
    EXPECT_THAT(desk.refusal(), HasSubstr(name.substr(0, 13)));
    std::ofstream(desk.bundle / name, std::ios::binary) << right;
    EXPECT_EQ(desk.verify().code, 0);
  }
}

TEST_F(SignedBundle, AManifestThatFitsChangedFilesIsRefusedForItsSignature) {
  const Desk desk;
  ASSERT_EQ(desk.sign().code, 0);
  // Another run of the same config: a bundle that is whole in itself, under a signature of the first.
  const fs::path other = desk.folder / "run";
  ASSERT_EQ(fovea({"train", rows().config.string(), "--set", "seed=7", "--out", other.string(),
                   "--device", "cpu"})
                .code,
            0);
  for (const char* name : {"config.yaml", "model.json", "model.safetensors", "MANIFEST.json"})
    fs::copy_file(other / "bundle" / name, desk.bundle / name,
                  fs::copy_options::overwrite_existing);
  EXPECT_THAT(desk.refusal(), AllOf(HasSubstr("has not been signed with the key of"),
                                    HasSubstr("do not use the bundle")));
  EXPECT_NE(desk.verify_by_openssl().code, 0);
}

TEST_F(SignedBundle, AFileThatIsNotListedOrMissingOrALinkIsRefused) {
  const Desk desk;
  ASSERT_EQ(desk.sign().code, 0);
  desk.folder.write("bundle/more.txt", "read me");
  EXPECT_THAT(desk.refusal(), AllOf(HasSubstr("more.txt"), HasSubstr("does not list")));
  EXPECT_EQ(desk.sign().code, 3);  // nor is it signed
  fs::remove(desk.bundle / "more.txt");
  fs::create_directory(desk.bundle / "folder");
  EXPECT_THAT(desk.refusal(), HasSubstr("bundle/folder: found a link or a folder"));
  fs::remove(desk.bundle / "folder");
  fs::rename(desk.bundle / "model.json", desk.folder / "model.json");
  EXPECT_THAT(desk.refusal(), HasSubstr("model.json is missing"));
  fs::create_symlink("../model.json", desk.bundle / "model.json");
  EXPECT_THAT(desk.refusal(), HasSubstr("model.json: found a link"));
}

TEST_F(SignedBundle, ASignatureThatIsMissingOrCutOrOfAnotherKeyIsRefused) {
  const Desk desk;
  EXPECT_THAT(desk.refusal(), HasSubstr("found no MANIFEST.json.sig"));
  ASSERT_EQ(desk.sign().code, 0);
  const std::string right = read_text(desk.signature);
  std::ofstream(desk.signature, std::ios::binary) << right.substr(0, 63);
  EXPECT_THAT(desk.refusal(), HasSubstr("found 63 bytes, wanted the 64"));
  const Desk other;
  ASSERT_EQ(other.sign().code, 0);
  fs::copy_file(other.signature, desk.signature, fs::copy_options::overwrite_existing);
  EXPECT_THAT(desk.refusal(), HasSubstr("has not been signed with the key of"));
}

TEST_F(SignedBundle, WhatIsNotABundleOrNotAKeyIsNamed) {
  const Desk desk;
  const auto refused = [&](const std::string& folder, const fs::path& key, int code) {
    const Outcome outcome = fovea({"bundle", "sign", folder, "--key", key.string()});
    EXPECT_EQ(outcome.code, code) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(refused(rows().run.string(), desk.key, 3),
              AllOf(HasSubstr("found a run"), HasSubstr((rows().run / "bundle").string())));
  EXPECT_THAT(refused((rows().run / "best").string(), desk.key, 3),
              HasSubstr("found a checkpoint, wanted a bundle"));
  EXPECT_THAT(refused(desk.folder.path().string() + "/absent", desk.key, 3),
              HasSubstr("found no MANIFEST.json"));
  EXPECT_THAT(refused(desk.bundle.string(), desk.open, 2), HasSubstr("found a public key"));
  EXPECT_THAT(refused(desk.bundle.string(), desk.folder / "absent.pem", 4),
              HasSubstr("absent.pem"));
  const Outcome secret =
      fovea({"bundle", "verify", desk.bundle.string(), "--key", desk.key.string()});
  EXPECT_EQ(secret.code, 2);
  EXPECT_THAT(secret.err, HasSubstr("-pubout"));
  EXPECT_THAT(fovea({"bundle", "sgn", desk.bundle.string(), "--key", desk.key.string()}).err,
              HasSubstr("did you mean 'sign'?"));
}

}  // namespace
}  // namespace fovea::test
