#include "fovea/storage/file.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>

#include "fovea/core/error.h"
#include "fovea/storage/append_file.h"
#include "fovea/storage/hash.h"
#include "fovea/storage/text.h"
#include "support/test_files.h"

namespace fovea::storage {
namespace {

using test::TempFolder;
using testing::HasSubstr;

// The message of the Error that `body` throws, which must be of this fault.
template <class Body>
std::string message(Fault fault, Body body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), fault) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

std::vector<std::string> names_in(const test::fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : test::fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

TEST(File, WhatWasWrittenIsRead) {
  TempFolder folder;
  const std::string content("line\r\n\0more", 11);
  write_file_atomically(folder / "a.bin", content);
  EXPECT_EQ(read_file(folder / "a.bin"), content);
  EXPECT_EQ(read_head(folder / "a.bin", 4), "line");
  EXPECT_EQ(read_head(folder / "a.bin", 400), content);
  EXPECT_THAT(names_in(folder.path()), testing::ElementsAre("a.bin"));
}

TEST(File, PiecesAreWrittenOneAfterTheOther) {
  TempFolder folder;
  const std::vector<std::string_view> pieces{"one", "", "two"};
  write_file_atomically(folder / "a", pieces);
  EXPECT_EQ(test::read_text(folder / "a"), "onetwo");
}

TEST(File, AFileOverTheLimitIsRefusedWithBothSizes) {
  TempFolder folder;
  const auto path = folder.write("big", std::string(100, 'x'));
  const std::string text = message(Fault::data, [&] { read_file(path, 99); });
  EXPECT_THAT(text, HasSubstr(path.string()));
  EXPECT_THAT(text, HasSubstr("100"));
  EXPECT_THAT(text, HasSubstr("99"));
}

TEST(File, OnlyRegularFilesAreReadAndNothingBlocks) {
  TempFolder folder;
  const auto refusal = [&](const test::fs::path& path) {
    const std::string text = message(Fault::io, [&] { read_file(path); });
    EXPECT_THAT(text, HasSubstr(path.string()));
    return text;
  };
  ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
  test::fs::create_symlink("nowhere", folder / "dangling");
  test::fs::create_symlink("loop", folder / "loop");
  EXPECT_THAT(refusal(folder / "fifo"), HasSubstr("a FIFO"));
  EXPECT_THAT(refusal(folder.path()), HasSubstr("a folder"));
  EXPECT_THAT(refusal("/dev/zero"), HasSubstr("a device"));
  EXPECT_THAT(refusal(folder / "dangling"), HasSubstr("target is missing"));
  EXPECT_THAT(refusal(folder / "loop"), HasSubstr("symbolic links"));
  EXPECT_THAT(refusal(folder / "absent"), HasSubstr("No such file"));
}

TEST(File, AFileWithoutReadPermissionNamesTheRemedy) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may read everything";
  TempFolder folder;
  const auto path = folder.write("secret", "x");
  test::fs::permissions(path, test::fs::perms::none);
  EXPECT_THAT(message(Fault::io, [&] { read_file(path); }), HasSubstr("read permission"));
}

TEST(File, AFileThatShrinksAfterOpeningIsNoticed) {
  TempFolder folder;
  const auto path = folder.write("a", std::string(100, 'x'));
  const InputFile file(path);
  test::fs::resize_file(path, 60);
  std::vector<std::byte> room(100);
  EXPECT_THAT(message(Fault::io, [&] { file.read(0, room); }), HasSubstr("ends at byte 60"));
}

TEST(File, TheStampChangesWithTheContent) {
  TempFolder folder;
  const auto path = folder.write("a", "xx");
  const FileStamp before = InputFile(path).stamp();
  EXPECT_EQ(before.size, 2);
  EXPECT_EQ(InputFile(path).stamp(), before);
  folder.write("a", "xxx");
  EXPECT_NE(InputFile(path).stamp(), before);
}

TEST(File, LongNamesAndBytesThatAreNoUtf8AreFine) {
  TempFolder folder;
  const std::string name =
      "\xff\n" + std::string(253, 'n');  // 255 bytes, as many as a name may have
  write_file_atomically(folder / name, "x");
  EXPECT_EQ(read_file(folder / name), "x");
  EXPECT_THAT(shown(folder / name), HasSubstr("/\\xff\\x0annn"));
}

TEST(File, AFailedWriteKeepsTheOldFileAndLeavesNothingElse) {
  TempFolder folder;
  write_file_atomically(folder / "a", "old");
  // RLIMIT_FSIZE acts like a full disk at that byte.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit tight{4096, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const std::string text =
      message(Fault::io, [&] { write_file_atomically(folder / "a", std::string(10'000, 'n')); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_THAT(text, HasSubstr((folder / "a").string()));
  EXPECT_THAT(text, HasSubstr("10000 bytes wanted"));
  EXPECT_THAT(text, HasSubstr("File too large"));
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_THAT(names_in(folder.path()), testing::ElementsAre("a"));
}

TEST(File, WritingIntoAMissingFolderOrOverAFolderFails) {
  TempFolder folder;
  make_folder(folder / "sub");
  EXPECT_THAT(message(Fault::io, [&] { write_file_atomically(folder / "no" / "a", "x"); }),
              HasSubstr("No such file"));
  EXPECT_THAT(message(Fault::io, [&] { write_file_atomically(folder / "sub", "x"); }),
              HasSubstr("Is a directory"));
  EXPECT_THAT(names_in(folder.path()), testing::ElementsAre("sub"));
}

TEST(File, ConcurrentWritersLeaveOneWholeFile) {
  TempFolder folder;
  std::vector<std::thread> writers;
  for (char c = 'a'; c < 'e'; ++c) {
    writers.emplace_back([&, c] {
      for (int i = 0; i < 20; ++i) write_file_atomically(folder / "f", std::string(5000, c));
    });
  }
  for (auto& writer : writers) writer.join();
  const std::string content = read_file(folder / "f");
  EXPECT_EQ(content, std::string(5000, content.at(0)));
  EXPECT_THAT(names_in(folder.path()), testing::ElementsAre("f"));
}

TEST(File, FoldersAreMadeWithTheirParentsAndAFileInTheWayIsAnError) {
  TempFolder folder;
  make_folder(folder / "a" / "b");
  make_folder(folder / "a" / "b");
  EXPECT_TRUE(test::fs::is_directory(folder / "a" / "b"));
  folder.write("file", "x");
  EXPECT_THAT(message(Fault::io, [&] { make_folder(folder / "file"); }), HasSubstr("file"));
  EXPECT_THAT(message(Fault::io, [&] { make_folder(folder / "file" / "x"); }), HasSubstr("file"));
}

TEST(File, AFolderIsRenamedOverAnEmptyOneOnly) {
  TempFolder folder;
  folder.write(".tmp/a", "x");
  rename_durably(folder / ".tmp", folder / "step");
  EXPECT_EQ(read_file(folder / "step" / "a"), "x");
  folder.write(".tmp/a", "y");
  EXPECT_THAT(message(Fault::io, [&] { rename_durably(folder / ".tmp", folder / "step"); }),
              HasSubstr("not empty"));
  EXPECT_GT(free_bytes(folder.path()), 0);
}

TEST(File, WhatCannotBeLookedAtIsAnErrorAndWhatIsMissingIsNot) {
  TempFolder folder;
  EXPECT_TRUE(storage::exists(folder.write("file", "x")));
  EXPECT_TRUE(is_folder(folder.path()));
  EXPECT_FALSE(is_folder(folder / "file"));
  EXPECT_FALSE(storage::exists(folder / "absent"));
  EXPECT_FALSE(storage::exists(folder / "file/below"));
  test::fs::create_symlink("loop", folder / "loop");
  for (const auto& look : {exists, is_folder}) {
    EXPECT_THAT(message(Fault::io, [&] { look(folder / std::string(300, 'n')); }),
                HasSubstr("File name too long"));
    EXPECT_THAT(message(Fault::io, [&] { look(folder / "loop"); }),
                testing::AllOf(HasSubstr("loop"), HasSubstr("symbolic links")));
  }
}

/// While it lives this process can write no file beyond `bytes`, as on a full disk.
class FullAt {
 public:
  explicit FullAt(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullAt() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(AppendFile, GrowsByWholeLinesAndAFullDiskLeavesNoHalfOne) {
  TempFolder folder;
  AppendFile file(folder / "log");
  file.append("one\n");
  {
    const FullAt full(10);
    EXPECT_THAT(message(Fault::io, [&] { file.append("two is too long\n"); }), HasSubstr("log"));
  }
  file.append("three\n");
  EXPECT_EQ(test::read_text(folder / "log"), "one\nthree\n");
  file.cut(4);
  EXPECT_EQ(AppendFile(folder / "log").size(), 4);
  EXPECT_THROW(file.cut(5), Error);  // which would fill it up with zeros
}

TEST(PartialFile, TakesItsNameWhenItIsWhole) {
  TempFolder folder;
  folder.write("a.csv", "old");
  {
    PartialFile file(folder / "a.csv");
    file.append("new");
    EXPECT_EQ(test::read_text(folder / "a.csv"), "old");
    EXPECT_EQ(test::read_text(folder / "a.csv.partial"), "new");
    EXPECT_THAT(message(Fault::io, [&] { PartialFile again(folder / "a.csv"); }),
                HasSubstr("another process"));
    file.finish();
  }
  EXPECT_EQ(test::read_text(folder / "a.csv"), "new");
  EXPECT_THAT(names_in(folder.path()), testing::ElementsAre("a.csv"));
}

TEST(PartialFile, WhatWasAnsweredStaysAndAnEmptyOneGoes) {
  TempFolder folder;
  { const PartialFile file(folder / "a.csv"); }
  EXPECT_TRUE(names_in(folder.path()).empty());
  { PartialFile(folder / "a.csv").append("one\ntwo\n"); }
  EXPECT_EQ(test::read_text(folder / "a.csv.partial"), "one\ntwo\n");
  PartialFile anew(folder / "a.csv");
  EXPECT_TRUE(anew.empty());
}

TEST(PartialFile, WhatCannotBeWrittenIsRefusedAtOnceAndNothingIsMade) {
  TempFolder folder;
  EXPECT_THAT(message(Fault::io, [&] { PartialFile file(folder / "no/such/x.csv"); }),
              testing::AllOf(HasSubstr("x.csv"), HasSubstr("there is no folder")));
  EXPECT_THAT(message(Fault::io, [&] { PartialFile file(folder.path()); }),
              HasSubstr("it is a folder"));
  EXPECT_THAT(message(Fault::io, [&] { PartialFile file("/proc/x.csv"); }), HasSubstr("x.csv"));
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(Hash, APseudonymIsTheSameForEqualNamesAndNeedsItsSalt) {
  set_salt("one");
  const std::string first = pseudonym("Meier, Hans");
  EXPECT_EQ(first, pseudonym("Meier, Hans"));
  EXPECT_EQ(first, sha256("one\nMeier, Hans").substr(0, 8));
  EXPECT_NE(first, pseudonym("Meier, Anna"));
  set_salt("two");
  EXPECT_NE(first, pseudonym("Meier, Hans"));
  set_salt("");  // drawn anew when it is asked for
  const std::string drawn = salt();
  EXPECT_EQ(drawn.size(), 32u);
  EXPECT_EQ(drawn, salt());
  set_salt("");
  EXPECT_NE(drawn, salt());
}

TEST(Text, Utf8IsValidatedAsInRfc3629) {
  EXPECT_EQ(valid_utf8("plain text, long enough"), 23u);
  EXPECT_EQ(valid_utf8("gr\xc3\xb6\xc3\x9f"
                       "e \xe2\x82\xac \xf0\x9f\xab\x80"),
            16u);
  EXPECT_EQ(valid_utf8("abc\xe9"), 3u);               // Latin-1
  EXPECT_EQ(valid_utf8("\xc0\xaf"), 0u);              // overlong '/'
  EXPECT_EQ(valid_utf8("12345678\xed\xa0\x80"), 8u);  // a surrogate
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), 0u);      // above U+10FFFF
  EXPECT_EQ(valid_utf8("\xe2\x82"), 0u);              // cut off
}

TEST(Text, WhatATerminalCouldMisreadIsEscaped) {
  EXPECT_EQ(escaped("a\x1b[31m\x7f"), "a\\x1b[31m\\x7f");
  EXPECT_EQ(escaped("\xe2\x80\xae"
                    "gnp"),
            "\\xe2\\x80\\xaegnp");  // turns the writing direction
  EXPECT_EQ(escaped("gr\xc3\xb6\xc3\x9f"
                    "e\\n"),
            "gr\xc3\xb6\xc3\x9f"
            "e\\n");
  EXPECT_EQ(escaped("abcdef", 3), "abc…");
}

TEST(Hash, Sha256OfTheVectorsOfFips180) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // One million times "a", through a file longer than one read and in pieces.
  const std::string million(1'000'000, 'a');
  const std::string known = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  TempFolder folder;
  EXPECT_EQ(sha256_file(folder.write("a", million)), known);
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.add(million.substr(0, 1000));
  EXPECT_EQ(hash.hex(), known);
  EXPECT_EQ(sha256_file(folder.write("b", std::string(3 << 20, 'x'))),
            sha256(std::string(3 << 20, 'x')));
}

}  // namespace
}  // namespace fovea::storage
