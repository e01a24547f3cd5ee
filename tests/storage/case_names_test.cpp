#include "fovea/storage/case_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/storage/hash.h"
#include "support/sha256.h"

namespace fovea::storage {
namespace {

/// As anybody with the salt can count it: printf '%s\n%s' SALT NAME | sha256sum.
std::string salted(const std::string& name) {
  const std::string text = "grain\n" + name;
  return test::sha256(std::as_bytes(std::span(text))).substr(0, 16);
}

class CaseNames : public testing::Test {
 protected:
  void SetUp() override { set_salt("grain"); }
  void TearDown() override { hide_names(false); }
};

TEST_F(CaseNames, AreShownUnlessTheyAreToBeHidden) {
  EXPECT_FALSE(names_are_hidden());
  note_path("/data/shown/meier.dcm");
  EXPECT_EQ(known_as("meier-1"), "meier-1");
  EXPECT_EQ(without_paths("/data/shown/meier.dcm: cut"), "/data/shown/meier.dcm: cut");
  hide_names();
  EXPECT_EQ(without_paths("/data/shown/meier.dcm: cut"), "/data/shown/meier.dcm: cut");
}

TEST_F(CaseNames, AnIdIsASaltedHash) {
  hide_names();
  EXPECT_EQ(known_as("meier-1"), salted("meier-1"));
  EXPECT_NE(known_as("meier-2"), known_as("meier-1"));
}

TEST_F(CaseNames, APathIsAHashWithItsEndingWhereverItStandsAndTheLongestIsTaken) {
  hide_names();
  note_path("/data/meier");
  note_path("/data/meier/1.dcm");
  note_path("/data/meier/1.dcm.patientname");
  const std::string folder = "#" + salted("/data/meier");
  const std::string file = "#" + salted("/data/meier/1.dcm") + ".dcm";
  EXPECT_EQ(
      without_paths("/data/meier: 3 files, '/data/meier/1.dcm' and /data/meier/1.dcm, line 7"),
      folder + ": 3 files, '" + file + "' and " + file + ", line 7");
  EXPECT_EQ(without_paths("/data/meier/1.dcm.patientname"),
            "#" + salted("/data/meier/1.dcm.patientname"));
  EXPECT_EQ(without_paths("nothing of it: /data/mei"), "nothing of it: /data/mei");
  EXPECT_EQ(without_paths(""), "");
}

TEST_F(CaseNames, EverySpellingOfAPathIsThatPath) {
  hide_names();
  note_path("./study/../study/meier\n.dcm");
  const std::string file = "#" + salted("study/meier\n.dcm") + ".dcm";
  EXPECT_EQ(without_paths("./study/../study/meier\n.dcm"), file);
  EXPECT_EQ(without_paths("./study/../study/meier\\x0a.dcm"), file);  // as messages show it
  EXPECT_EQ(without_paths("study/meier\n.dcm"), file);
}

}  // namespace
}  // namespace fovea::storage
