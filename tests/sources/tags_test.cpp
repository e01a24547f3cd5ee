// Entities in texts as targets, and files of tokens and tags.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/inputs/text.h"
#include "fovea/tables/read_table.h"
#include "fovea/targets/tags.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<int64_t> numbers(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.to(torch::kInt64).flatten().contiguous();
  return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
}

inputs::TextOptions every_word(int64_t max_tokens = 512, int64_t spelling = 0) {
  inputs::TextOptions options{.column = "text", .max_tokens = max_tokens, .spelling = spelling};
  options.tokenizer.set("words", text::WordsOptions{.min_count = 1});
  return options;
}

class Tags : public testing::Test {
 protected:
  Tags() {
    options_.table = folder_.path() / "t.jsonl";
    options_.inputs.entries = {{"report", {"text", every_word()}}};
    options_.targets.entries = {
        {"found", {"tags", targets::TagsOptions{.column = "spans", .input = "report"}}}};
    options_.split.column = "part";
  }

  Source open(const std::string& rows) {
    folder_.write("t.jsonl", rows);
    return open_source(options_, 1);
  }
  static std::string row(const std::string& text, const std::string& spans) {
    return R"({"text": ")" + text + R"(", "spans": )" + spans + R"(, "part": "train"})" + "\n";
  }
  std::string message(const std::string& rows) {
    return refusal([&] { open(rows); }).what();
  }

  test::TempFolder folder_;
  DataOptions options_;
};

TEST_F(Tags, AreMadeOfSpansInCodePointsWhateverTheBytes) {
  // Between the words stand letters of two and four bytes; "Ödem" is 5 to 9, "lung base" 11 to 20.
  const Source source =
      open(row("no \xF0\x9D\x9C\xB7 Ödem, lung base", R"([[11, 20, "site"], [5, 9, "finding"]])"));
  const Example example = source.data->get(0);
  EXPECT_THAT(source.targets[0].classes, ElementsAre("finding", "site"));
  EXPECT_THAT(source.targets[0].counts, ElementsAre(1, 1));
  EXPECT_EQ(source.targets[0].input, "report");
  const std::vector<int64_t> tags = numbers(example.targets.at("found"));
  ASSERT_EQ(tags.size(), static_cast<size_t>(example.inputs.at("report").size(0)));
  EXPECT_THAT(std::vector<int64_t>(tags.end() - 4, tags.end()), ElementsAre(1, 0, 3, 4));
  EXPECT_TRUE(source.data->schema().target("found")->ragged());
  const WrittenText& written = *example.origin->text("report");
  EXPECT_EQ(written.tokens.back(), (std::pair<int64_t, int64_t>{20, 24}));  // bytes
  EXPECT_EQ(written.text.size(), 24u);
}

TEST_F(Tags, OfABatchArePaddedWithNoTag) {
  const Source source = open(row("a b c", R"([[0, 1, "x"]])") + row("a", "[]"));
  std::vector<Example> two{source.data->get(0), source.data->get(1)};
  const Batch batch = collate(std::move(two), {0, 1}, source.data->schema());
  EXPECT_THAT(numbers(batch.targets.at("found")), ElementsAre(1, 0, 0, 0, -1, -1));
  EXPECT_THAT(numbers(batch.lengths.at("report")), ElementsAre(3, 1));
}

TEST_F(Tags, SpansThatNoTagCanSayAreCountedInNotes) {
  options_.inputs.entries[0].second.set("text", every_word(3));
  const Source source = open(
      row("alpha beta gamma delta", R"([[1, 5, "x"], [3, 8, "x"], [17, 22, "x"], [11, 16, "x"]])"));
  EXPECT_THAT(numbers(source.data->get(0).targets.at("found")), ElementsAre(1, 0, 1));
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("1 spans begin or end inside a token")));
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("1 spans share a token")));
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("1 spans have no token")));
  // For metrics there are all of them: begin, end, type, and 0 where the tags say just that, 1
  // where it was cut with the text, 2 where no tag can.
  EXPECT_THAT(numbers(source.data->get(0).origin->written.at("found")),
              ElementsAre(1, 5, 0, 2, 3, 8, 0, 2, 11, 16, 0, 0, 17, 22, 0, 1));
}

TEST_F(Tags, OfATextThatIsCutInsideASpanAreNotTheSpan) {
  options_.inputs.entries[0].second.set("text", every_word(2));
  const Source source = open(row("alpha beta gamma", R"([[6, 16, "x"], [6, 16, "x"]])"));
  EXPECT_THAT(numbers(source.data->get(0).origin->written.at("found")), ElementsAre(6, 16, 0, 1));
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("1 spans are written twice")));
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("1 of 1 texts have more than 2 tokens")));
}

TEST_F(Tags, CellsThatAreNoListOfSpansAreNamedByTheirLine) {
  for (const char* spans : {"[[3, 2, \"x\"]]", "[[0, 1]]", "{}", "\"[[0, 1, \"", "[[0, 1, 2]]",
                            "[[-1, 1, \"x\"]]", "[[0, 1, \"\"]]", "7"})
    EXPECT_THAT(message(row("a b", "[]") + row("secret", spans)),
                AllOf(HasSubstr("'spans'"), HasSubstr("line 2"), Not(HasSubstr("secret"))))
        << spans;
  EXPECT_THAT(message(row("a b", R"([[0, 4, "x"]])")),
              AllOf(HasSubstr("line 1"), HasSubstr("ends at 4"), HasSubstr("3 code points")));
  EXPECT_THAT(message(row("a", "[]")), HasSubstr("found no entity"));
}

TEST_F(Tags, LabelsThatAreSpelledAlikeAreRefusedUnlessListed) {
  const std::string rows = row("a b", R"([[0, 1, "Site"], [2, 3, "site"]])");
  EXPECT_THAT(message(rows), AllOf(HasSubstr("'Site' and 'site'"), HasSubstr("tags.labels")));
  options_.targets.entries = {
      {"found",
       {"tags",
        targets::TagsOptions{.column = "spans", .input = "report", .labels = {"Site", "site"}}}}};
  EXPECT_THAT(numbers(open(rows).data->get(0).targets.at("found")), ElementsAre(1, 3));
}

TEST_F(Tags, TheInputMustBeAText) {
  options_.targets.entries = {
      {"found", {"tags", targets::TagsOptions{.column = "spans", .input = "image"}}}};
  EXPECT_THAT(message(row("a b", R"([[0, 1, "x"]])")),
              HasSubstr("DataOptions::targets.found.tags.input"));
}

TEST_F(Tags, SpellingIsTheBytesOfEachWordOfALongOneItsEnds) {
  options_.inputs.entries[0].second.set("text", every_word(512, 4));
  const Source source = open(row("Ab abcdefgh", R"([[0, 2, "x"]])"));
  const torch::Tensor words = source.data->get(0).inputs.at("report");
  EXPECT_THAT(source.inputs[0].second->shape().sizes, ElementsAre(-1, 5));
  EXPECT_THAT(numbers(words[0].slice(0, 1)), ElementsAre('A' + 1, 'b' + 1, 0, 0));
  EXPECT_THAT(numbers(words[1].slice(0, 1)), ElementsAre('a' + 1, 'b' + 1, 'g' + 1, 'h' + 1));
}

TEST(Conll, SentencesAreRowsOfTextAndSpans) {
  const test::TempFolder folder;
  const auto path = folder.write("t.conll",
                                 "-DOCSTART- -X- O\n\nÖdem\tB-F\r\nder\tI-F\nLunge\tB-S\n.\tO\n\n\n"
                                 "a NN I-F\nb NN I-S\nc NN O\nd NN I-S");
  const storage::Table table = tables::read_conll(path);
  ASSERT_EQ(table.rows(), 2);
  EXPECT_EQ(table.cell(0, 0), "Ödem der Lunge .");
  EXPECT_EQ(table.cell(0, 1), R"([[0,8,"F"],[9,14,"S"]])");
  EXPECT_EQ(table.line(0), 3);
  EXPECT_EQ(table.cell(1, 0), "a b c d");
  EXPECT_EQ(table.cell(1, 1), R"([[0,1,"F"],[2,3,"S"],[6,7,"S"]])");
}

TEST(Conll, LinesThatAreNeitherAreNamedWithoutTheirContent) {
  const test::TempFolder folder;
  for (const char* text :
       {"a\tO\nsecret\n", "a\tO\n\tB-F\n", "a\tO\nsecret\tX-F\n", "a\tO\nsecret\tB-\n"})
    EXPECT_THAT(refusal([&] { tables::read_conll(folder.write("t.conll", text)); }).what(),
                AllOf(HasSubstr("line 2"), Not(HasSubstr("secret"))))
        << text;
  EXPECT_THAT(refusal([&] { tables::read_conll(folder.write("t.conll", "\n\n")); }).what(),
              HasSubstr("no sentence"));
  EXPECT_THAT(refusal([&] { tables::read_conll(folder.write("t.conll", "a\xff\tO\n")); }).what(),
              HasSubstr("UTF-8"));
}

TEST(Conll, TheDiseasesOfNcbiAreAllOnTokens) {
  FOVEA_NEEDS_DATA("text/ncbi_disease/train.tsv");
  const auto root = test::test_data() / "text/ncbi_disease";
  DataOptions options;
  options.conll = true;
  options.table.files = {{"train", root / "train.tsv"}, {"test", root / "test.tsv"}};
  options.inputs.entries = {{"abstract", {"text", inputs::TextOptions{.column = "text"}}}};
  options.targets.entries = {
      {"disease", {"tags", targets::TagsOptions{.column = "spans", .input = "abstract"}}}};
  const Source source = open_source(options, 1);
  // grep -c '	B-' train.tsv
  EXPECT_THAT(source.targets[0].counts, ElementsAre(5134));
  EXPECT_TRUE(source.notes.empty()) << source.notes[0];
}

}  // namespace
}  // namespace fovea::sources
