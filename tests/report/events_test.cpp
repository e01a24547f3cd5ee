#include "fovea/report/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <vector>

#include "fovea/core/error.h"
#include "support/test_files.h"

namespace fovea::report {
namespace {

/// The records of a TFRecord file, split by their lengths only.
std::vector<std::string> records(const std::string& file) {
  std::vector<std::string> all;
  for (size_t at = 0; at < file.size();) {
    uint64_t length = 0;
    std::memcpy(&length, file.data() + at, 8);
    all.push_back(file.substr(at, 8 + 4 + length + 4));
    at += all.back().size();
  }
  return all;
}

TEST(Crc32c, HasTheCheckValuesOfTheStandard) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(Events, AreByteForByteWhatPythonWrites) {
  test::TempFolder folder;
  EventWriter writer(folder.path() / "logs");
  const double start = 1700000000.25;
  writer.scalar("train/loss", 0, 0.693, start);
  writer.scalar("train/loss", 1, 0.0, start + 1);
  writer.scalar("val/auc", 1, 0.9712, start + 1);
  writer.scalar("val/auc", 300, -1.5, start + 300);
  writer.scalar("größe", 5'000'000'000, INFINITY, start + 5e9);
  writer.scalar(std::string(200, 'a'), 2, 1e-30, start + 2);
  writer.flush();
  const auto ours = records(test::read_text(writer.path()));
  const auto theirs = records(test::read_text(test::reference("events.tfevents")));
  ASSERT_EQ(ours.size(), 7u);
  ASSERT_EQ(theirs.size(), 7u);
  // The first holds the time at which the file was opened: all but that, and the checksum at its
  // end, is equal.
  EXPECT_EQ(ours[0].substr(0, 13), theirs[0].substr(0, 13));
  EXPECT_EQ(ours[0].substr(21, ours[0].size() - 25), theirs[0].substr(21, theirs[0].size() - 25));
  for (size_t i = 1; i < 7; ++i) EXPECT_EQ(ours[i], theirs[i]) << i;
}

TEST(Events, OfARunThatGoesOnAreAFileOfTheirOwn) {
  test::TempFolder folder;
  EventWriter first(folder.path()), second(folder.path());
  EXPECT_NE(first.path(), second.path());
  EXPECT_THAT(first.path().filename().string(), testing::StartsWith("events.out.tfevents."));
}

TEST(Events, NameTheFolderThatCannotBeWritten) {
  test::TempFolder folder;
  const auto file = folder.write("taken", "not a folder");
  try {
    EventWriter writer(file / "logs");
    FAIL() << "a file was taken for a folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::io);
    EXPECT_THAT(error.what(), testing::HasSubstr("taken"));
  }
}

TEST(Events, SayThatTheDiskTookLessThanItWasGiven) {
  test::TempFolder folder;
  EventWriter writer(folder.path());
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4096, before.rlim_max};
  const auto handler =
      std::signal(SIGXFSZ, SIG_IGN);  // writes beyond the limit then fail with EFBIG
  setrlimit(RLIMIT_FSIZE, &small);
  std::string message;
  try {
    for (int i = 0; i < 2000; ++i) writer.scalar("loss", i, 1, 1);
    writer.flush();
  } catch (const Error& error) {
    message = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, testing::HasSubstr(writer.path().filename().string()));
  EXPECT_THAT(message, testing::HasSubstr("took less"));
}

}  // namespace
}  // namespace fovea::report
