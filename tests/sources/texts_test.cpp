// A column of the table as text, and inputs that a case may lack.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/inputs/image.h"
#include "fovea/inputs/series.h"
#include "fovea/inputs/table.h"
#include "fovea/inputs/text.h"
#include "fovea/targets/classes.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kRows =
    "report,label,part\n"
    "No effusion. No nodule.,no,train\n"
    "\"A nodule, large\",yes,train\n"
    "No effusion,no,train\n"
    "A mass,yes,test\n";

class Texts : public testing::Test {
 protected:
  Texts() {
    options_.table = folder_.write("t.csv", kRows);
    choose({.column = "report"});
    options_.targets.entries = {{"label", targets::ClassesOptions{.column = {"label"}}}};
    options_.split.column = "part";
  }

  void choose(inputs::TextOptions text, int64_t min_count = 1) {
    text.tokenizer.set("words", text::WordsOptions{.min_count = min_count});
    options_.inputs.entries = {{"report", {"text", text}}};
  }
  Source open(const std::string& rows) {
    folder_.write("t.csv", rows);
    return open_source(options_, 1);
  }
  static std::vector<int64_t> ids(const DatasetPtr& data, int64_t i) {
    const torch::Tensor ids = data->get(i).inputs.at("report").contiguous();
    return {ids.const_data_ptr<int64_t>(), ids.const_data_ptr<int64_t>() + ids.numel()};
  }
  std::string message(const std::string& rows) {
    return refusal([&] { open(rows); }).what();
  }

  test::TempFolder folder_;
  DataOptions options_;
};

TEST_F(Texts, AreIdsOfTheWordsOfTheTrainingRowsAlone) {
  const Source source = open(kRows);
  const auto words =
      options_.inputs.find("report")->make().tokenizer(source.inputs[0].second->fitted());
  // The most frequent first, then by the alphabet: no 3; . effusion nodule 2; , a large 1.
  EXPECT_THAT(words->words(),
              ElementsAre("[PAD]", "[UNK]", "no", ".", "effusion", "nodule", ",", "a", "large"));
  EXPECT_THAT(ids(source.data, 0), ElementsAre(2, 4, 3, 2, 5, 3));
  EXPECT_THAT(ids(source.data, 1), ElementsAre(7, 5, 6, 8));
  EXPECT_THAT(ids(source.data, 3), ElementsAre(7, 1));  // no training row says "mass"
  EXPECT_EQ(source.inputs[0].second->shape().vocabulary, 9);
  EXPECT_TRUE(source.data->schema().input("report")->shape.ragged());
}

TEST_F(Texts, LongerThanMaxTokensAreCut) {
  choose({.column = "report", .max_tokens = 3});
  const Source source = open(kRows);
  EXPECT_THAT(ids(source.data, 0), ElementsAre(2, 4, 3));
  EXPECT_THAT(source.notes,
              testing::Contains(HasSubstr("of 4 texts have more than 3 tokens and are cut there")));
}

TEST_F(Texts, AreCutWhereThePositionsOfTheEncoderEnd) {
  options_.longest["report"] = 2;
  const Source source = open(kRows);
  EXPECT_THAT(ids(source.data, 0), ElementsAre(2, 4));
  EXPECT_THAT(source.notes, testing::Contains(HasSubstr("where the positions of the encoder end")));
}

TEST_F(Texts, OneThatCannotBeReadDoesNotEndTheOthersWhereAModelIsAsked) {
  const Source source = open(kRows);
  Named<Node> fitted;
  fitted.entries.emplace_back("report", source.inputs[0].second->fitted());
  const auto table = folder_.write("new.csv", "report\nA large nodule\n...\n\"\"\nno nodule\n");
  const DatasetPtr cases = open_cases(table, options_, fitted).data;
  EXPECT_THAT(ids(cases, 0), ElementsAre(7, 8, 5));
  EXPECT_THAT(refusal([&] { cases->get(2); }).what(),
              AllOf(HasSubstr("line 4"), HasSubstr("found no word")));
  EXPECT_THAT(ids(cases, 3), ElementsAre(2, 5));
}

TEST_F(Texts, OfANewTableAreReadWithTheWordsOfTheModel) {
  const Source source = open(kRows);
  Named<Node> fitted;
  fitted.entries.emplace_back("report", source.inputs[0].second->fitted());
  const auto table = folder_.write("new.csv", "report\nA large nodule\n");
  const DatasetPtr cases = open_cases(table, options_, fitted).data;
  EXPECT_THAT(ids(cases, 0), ElementsAre(7, 8, 5));
}

TEST_F(Texts, WithoutAWordAreRefusedWithTheirLines) {
  EXPECT_THAT(message("report,label,part\nA b,no,train\n\"\",yes,train\n  ,yes,train\nc,no,test\n"),
              AllOf(HasSubstr("column 'report': 2 texts have no word (line 3, line 4)"),
                    HasSubstr("DataOptions::inputs.report.text.optional")));
}

TEST_F(Texts, ThatAreNoUtf8AreRefusedWithTheByte) {
  EXPECT_THAT(message("report,label,part\nA b,no,train\n\xff\xfe,yes,train\nc,no,test\n"),
              AllOf(HasSubstr("byte 31 (0xff) is not valid UTF-8"), HasSubstr("t.csv")));
}

TEST_F(Texts, ABlankOneIsLackingWhereThatIsAllowed) {
  choose({.column = "report", .optional = true});
  const Source source = open("report,label,part\nA b,no,train\n\"\",yes,train\nc,yes,train\n");
  EXPECT_TRUE(source.inputs[0].second->shape().optional);
  EXPECT_TRUE(source.data->get(0).inputs.contains("report"));
  EXPECT_TRUE(source.data->schema().optional("report"));
  EXPECT_TRUE(source.data->get(1).inputs.empty());
}

class Mixed : public testing::Test {
 protected:
  Mixed() {
    write_image(folder_ / "a.png", 1);
    write_image(folder_ / "b.png", 2);
    options_.table = folder_.write("t.csv",
                                   "radiograph,age,label,part\n"
                                   "a.png,50,no,train\n"
                                   ",60,yes,train\n"
                                   "b.png,,yes,train\n");
    options_.targets.entries = {{"label", targets::ClassesOptions{.column = {"label"}}}};
    options_.split.column = "part";
    options_.id = "label";
  }
  void choose(bool radiograph_optional, bool age_optional) {
    options_.id.clear();
    options_.inputs.entries = {
        {"radiograph",
         {"image", inputs::ImageOptions{.column = "radiograph", .optional = radiograph_optional}}},
        {"age", {"table", inputs::TableOptions{.columns = {"age"}, .optional = age_optional}}}};
  }

  test::TempFolder folder_;
  DataOptions options_;
};

TEST_F(Mixed, ACaseHasTheInputsWhoseCellsAreFilled) {
  choose(true, true);
  const Source source = open_source(options_, 1);
  const auto has = [&](int64_t i, const char* name) {
    return source.data->get(i).inputs.contains(name);
  };
  EXPECT_TRUE(has(0, "radiograph") && has(0, "age"));
  EXPECT_TRUE(!has(1, "radiograph") && has(1, "age"));
  EXPECT_TRUE(has(2, "radiograph") && !has(2, "age"));
  EXPECT_TRUE(source.data->schema().optional("radiograph"));
  EXPECT_TRUE(source.data->schema().optional("age"));
  EXPECT_THAT(source.data->name(1), HasSubstr("line 3"));
}

TEST_F(Mixed, FilesOfATableInTheWorkingFolderAreFound) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  choose(true, true);
  options_.table = std::filesystem::path("t.csv");
  const Source source = open_source(options_, 1);
  EXPECT_TRUE(source.data->get(0).inputs.contains("radiograph"));
  std::filesystem::current_path(before);
}

TEST_F(Mixed, ASeriesMayBeLackingToo) {
  folder_.write("trace.csv", "rate\n70\n72\n");
  folder_.write("t.csv", "trace,label,part\ntrace.csv,no,train\n,yes,train\n");
  options_.id.clear();
  options_.inputs.entries = {
      {"trace",
       {"series",
        inputs::SeriesOptions{.columns = {"rate"}, .column = "trace", .optional = true}}}};
  const Source source = open_source(options_, 1);
  EXPECT_TRUE(source.data->get(0).inputs.contains("trace"));
  EXPECT_FALSE(source.data->get(1).inputs.contains("trace"));
  EXPECT_TRUE(source.data->schema().optional("trace"));
}

TEST_F(Mixed, ABlankCellWhereTheInputIsNotOptionalIsAMissingFile) {
  choose(false, true);
  EXPECT_THAT(refusal([&] { open_source(options_, 1); }).what(),
              AllOf(HasSubstr("1 of"), HasSubstr("files do not exist"), HasSubstr("line 3")));
}

}  // namespace
}  // namespace fovea::sources
