// cmake/write_version.cmake on small repositories of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/program.h"

namespace fovea::test {
namespace {

class Version : public testing::Test {
 protected:
  void SetUp() override {
    if (run_shell("git --version").code != 0) GTEST_SKIP() << "needs git";
    folder_.write("clone/file.txt", "one\n");
  }

  Outcome git(const std::string& arguments) const {
    return run_shell("git -c user.name=a -c user.email=a@b.c -C " +
                     quoted((folder_ / "clone").string()) + " " + arguments);
  }
  void commit() const {
    ASSERT_EQ(git("init -q").code, 0);
    ASSERT_EQ(git("add .").code, 0);
    ASSERT_EQ(git("commit -q -m first").code, 0);
  }

  /// The header as it is written for the folder `clone`.
  std::string written() const {
    const Outcome outcome =
        run_shell(quoted(FOVEA_CMAKE) + " -D SOURCE=" + quoted((folder_ / "clone").string()) +
                  " -D VERSION=1.2.3 -D OUTPUT=" + quoted(header().string()) + " -P " +
                  quoted(std::string(FOVEA_SOURCE_DIR) + "/cmake/write_version.cmake"));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return read_text(header());
  }
  fs::path header() const { return folder_ / "made/fovea_build.h"; }

  static std::string text(const std::string& commit) {
    return "#define FOVEA_VERSION \"1.2.3\"\n#define FOVEA_COMMIT \"" + commit + "\"\n";
  }

  TempFolder folder_;
};

TEST_F(Version, ACloneNamesItsCommit) {
  commit();
  git("tag v1");  // a tag does not take the place of the digits
  EXPECT_EQ(written(), text(git("rev-parse HEAD").out.substr(0, 12)));
}

TEST_F(Version, AChangedFileMakesItDirty) {
  commit();
  folder_.write("clone/file.txt", "two\n");
  EXPECT_EQ(written(), text(git("rev-parse HEAD").out.substr(0, 12) + "-dirty"));
}

TEST_F(Version, ASourceWithoutGitIsUnknownEvenInsideARepository) {
  EXPECT_EQ(written(), text("unknown"));
  ASSERT_EQ(run_shell("git init -q " + quoted(folder_.path().string())).code, 0);
  EXPECT_EQ(written(), text("unknown"));
}

TEST_F(Version, TheHeaderIsTouchedOnlyWhenItChanges) {
  commit();
  written();
  const fs::file_time_type long_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
  fs::last_write_time(header(), long_ago);
  written();
  EXPECT_EQ(fs::last_write_time(header()), long_ago);
  folder_.write("clone/file.txt", "two\n");
  written();
  EXPECT_NE(fs::last_write_time(header()), long_ago);
}

}  // namespace
}  // namespace fovea::test
