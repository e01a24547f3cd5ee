// Tables of several files, and of lines of JSON.
#include "fovea/storage/table.h"

#include <gmock/gmock.h>

#include <functional>

#include "fovea/core/error.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/jsonl.h"
#include "support/test_files.h"

namespace fovea::storage {
namespace {

using test::TempFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string message(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    return error.what();
  }
  return "accepted";
}

std::vector<std::string> row(const Table& table, int64_t r) {
  std::vector<std::string> cells;
  for (size_t c = 0; c < table.columns().size(); ++c)
    cells.emplace_back(table.cell(r, static_cast<int64_t>(c)));
  return cells;
}

TEST(Tables, OfSeveralFilesKnowTheFileOfEachRow) {
  const TempFolder folder;
  Table table = read_csv(folder.write("train.csv", "a,b\n1,2\n\n3,4\n"));
  EXPECT_EQ(table.place(1), "line 4");
  table.append(read_csv(folder.write("val.csv", "a,b\n,5\n")));
  table.append(read_csv(folder.write("test.csv", "a,b\n6,\n7,8\n")));
  ASSERT_EQ(table.rows(), 5);
  EXPECT_THAT(row(table, 1), ElementsAre("3", "4"));
  EXPECT_THAT(row(table, 2), ElementsAre("", "5"));
  EXPECT_THAT(row(table, 3), ElementsAre("6", ""));
  EXPECT_THAT(row(table, 4), ElementsAre("7", "8"));
  EXPECT_EQ(table.path(1), folder / "train.csv");
  EXPECT_EQ(table.path(4), folder / "test.csv");
  EXPECT_EQ(table.place(2), (folder / "val.csv").string() + ": line 2");
  EXPECT_EQ(table.place(4), (folder / "test.csv").string() + ": line 3");
  EXPECT_THAT(table.name(), testing::EndsWith("train.csv and 2 more"));
}

TEST(Tables, OfOtherColumnsDoNotFollowEachOther) {
  const TempFolder folder;
  Table table = read_csv(folder.write("a.csv", "a,b\n1,2\n"));
  for (const char* other : {"a,c\n1,2\n", "b,a\n1,2\n", "a\n1\n", "a,b,c\n1,2,3\n"})
    EXPECT_THAT(message([&] { table.append(read_csv(folder.write("b.csv", other))); }),
                AllOf(HasSubstr("b.csv"), HasSubstr("a.csv"), HasSubstr("wanted the same columns")))
        << other;
  EXPECT_EQ(table.rows(), 1);
}

Table jsonl(const std::string& text) {
  const TempFolder folder;
  return read_jsonl(folder.write("t.jsonl", text));
}

TEST(Jsonl, KeysAreTheColumns) {
  const Table table = jsonl(
      "{\"id\": \"a\", \"n\": 1.5}\n\n"
      "{\"ok\": true, \"id\": \"two\\nlines\", \"list\": [1, {\"x\": null}]}\r\n"
      "{\"n\": null, \"id\": \"\u00fc\"}");
  EXPECT_THAT(table.columns(), ElementsAre("id", "n", "ok", "list"));
  ASSERT_EQ(table.rows(), 3);
  EXPECT_THAT(row(table, 0), ElementsAre("a", "1.5", "", ""));
  EXPECT_THAT(row(table, 1), ElementsAre("two\nlines", "", "true", "[1,{\"x\":null}]"));
  EXPECT_THAT(row(table, 2), ElementsAre("\xc3\xbc", "", "", ""));
  EXPECT_EQ(table.line(1), 3);
}

TEST(Jsonl, ValuesOfSeveralTypesAndMissingKeysAreSaid) {
  const Table table = jsonl(
      "{\"crp\": 5, \"ok\": true, \"n\": 1}\n"
      "{\"crp\": \"6\", \"ok\": 1, \"n\": null}\n"
      "{\"crp\": [7], \"ok\": false}\n");
  EXPECT_THAT(table.notes(table.column("crp")),
              ElementsAre("its values are of several types: 1 texts (first on line 2), 1 numbers "
                          "(first on line 1), 1 lists or objects (first on line 3)"));
  EXPECT_THAT(table.notes(table.column("ok")), ElementsAre(HasSubstr("2 true or false")));
  EXPECT_THAT(table.notes(table.column("n")), ElementsAre(HasSubstr("1 of 3 lines lack the key")));
}

TEST(Jsonl, AKeyTwiceAndANumberBeyondADoubleAreRefusedByLine) {
  EXPECT_THAT(message([] { jsonl("{\"a\": 1}\n{\"a\": 1, \"a\": 2}\n"); }),
              HasSubstr("line 2: found the key 'a' twice"));
  EXPECT_EQ(jsonl("{\"a\": {\"a\": 1}}\n").rows(), 1);  // another object's
  EXPECT_THAT(message([] { jsonl("{\"a\": 1e999}\n"); }), HasSubstr("line 1: found a number"));
}

TEST(Jsonl, ABrokenLineIsNamedWithoutItsContent) {
  for (const char* broken :
       {"{\"secret\": ", "{\"secret\": 1} x", "{secret: 1}", "secret", "\"se\x01"}) {
    const std::string text = message([&] { jsonl(std::string("{\"a\": 1}\n\n") + broken + "\n"); });
    EXPECT_THAT(text, AllOf(HasSubstr("t.jsonl"), HasSubstr("line 3: no JSON from its byte"),
                            Not(HasSubstr("secret"))));
  }
  EXPECT_THAT(message([] { jsonl("{\"a\": 1}\n[1, 2]\n"); }),
              HasSubstr("line 2: found a JSON array, wanted an object"));
  EXPECT_THAT(message([] { jsonl("\n \n"); }), HasSubstr("wanted at least 1"));
  EXPECT_THAT(message([] { jsonl(std::string("\xff\xfe{\0}\0", 6)); }), HasSubstr("UTF-16"));
  EXPECT_THAT(message([] { jsonl("{\"a\": \"\xfc\"}\n"); }), HasSubstr("not valid UTF-8"));
}

TEST(Jsonl, NeitherDepthNorKeysRunAway) {
  const std::string deep = "{\"a\": " + std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_THAT(message([&] { jsonl(deep + "}"); }), HasSubstr("line 1: nested deeper than 64"));
  std::string wide;
  for (int i = 0; i < 20'000; ++i) wide += "{\"" + std::to_string(i) + "\": 1}\n";
  EXPECT_THAT(message([&] { jsonl(wide); }), HasSubstr("are the keys values?"));
}

}  // namespace
}  // namespace fovea::storage
