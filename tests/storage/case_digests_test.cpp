#include "fovea/storage/case_digests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/core/error.h"
#include "support/test_files.h"

namespace fovea::storage {
namespace {

using testing::HasSubstr;

TEST(CaseDigests, DifferencesAreCountedWhateverTheOrder) {
  const CaseDigests before{{1, 10, 5, 100}, {2, 20, 5, 200}, {3, 30, 5, 300}, {3, 31, 5, 301}};
  EXPECT_EQ(difference(before, {before[3], before[1], before[2], before[0]}), "");
  CaseDigests touched = before;
  touched[0].stamp = 6;  // written again, with the same content
  EXPECT_EQ(difference(before, touched), "");
  CaseDigests other = before;
  other[1].content = 201;
  other[2].learned = 32;
  EXPECT_EQ(difference(before, other), "0 cases were added, 0 removed, 2 changed");
  // Of several with one name each is told from the others.
  EXPECT_EQ(difference(before, {before[0], before[1], before[3], {4, 40, 5, 400}}),
            "1 case was added, 1 removed, 0 changed");
  EXPECT_EQ(difference({}, before), "4 cases were added, 0 removed, 0 changed");
}

TEST(CaseDigests, GoThroughAFile) {
  const test::TempFolder folder;
  const CaseDigests cases{{1, 0xFFFFFFFFFFFFFFFF, 0, 1}, {salted_digest_of("p1"), 2, 3, 4}};
  const CaseDigests read = read_case_digests(folder.write("cases.csv", text_of(cases)));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(difference(cases, read), "");
  EXPECT_EQ(read[1].stamp, 3u);
  EXPECT_TRUE(read_case_digests(folder / "absent.csv").empty());
  try {
    read_case_digests(folder.write("cases.csv", "case,learned,stamp,content\n1,2,3,p7\n"));
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("cases.csv: line 2"), HasSubstr("'p7'")));
  }
}

// SHA-256 of "abc": FIPS 180-4, example B.1.
TEST(CaseDigests, AreTheBeginningsOfHashes) {
  EXPECT_EQ(digest_of("abc"), 0xba7816bf8f01cfeaULL);
  EXPECT_NE(salted_digest_of("abc"), digest_of("abc"));
}

}  // namespace
}  // namespace fovea::storage
