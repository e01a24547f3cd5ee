#include "fovea/config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/core/error.h"
#include "fovea/core/values.h"
#include "support/test_files.h"

namespace fovea::config {
namespace {

using testing::HasSubstr;

Node parse(const std::string& text) { return parse_yaml(text, "x.yaml", "/base"); }

std::string refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::config);
    return error.what();
  }
  return "(accepted)";
}

TEST(Yaml, EveryNodeKnowsItsLineAndPath) {
  const Node root = parse("seed: 1\nmodel:\n  encoders:\n    image: {resnet: {depth: 18}}\n");
  const Node& depth =
      root.entries[1].value.entries[0].value.entries[0].value.entries[0].value.entries[0].value;
  EXPECT_EQ(depth.text, "18");
  EXPECT_EQ(depth.where, "x.yaml:4");
  EXPECT_EQ(depth.path, "model.encoders.image.resnet.depth");
  EXPECT_EQ(depth.base, "/base");
}

TEST(Yaml, AKeyWrittenTwiceNamesBothLines) {
  EXPECT_EQ(refusal("train:\n  epochs: 1\n  epochs: 2\n"),
            "x.yaml:3: train: the key 'epochs' is written twice, first at x.yaml:2: keep one");
}

TEST(Yaml, ATabInTheIndentationIsNamed) {
  EXPECT_THAT(refusal("train:\n\tepochs: 1\n"), HasSubstr("x.yaml:2: column"));
  EXPECT_THAT(refusal("train:\n\tepochs: 1\n"), HasSubstr("indented with a tab: wanted blanks"));
}

TEST(Yaml, AliasesAnchorsTagsAndSecondDocumentsAreRefused) {
  EXPECT_THAT(refusal("a: &x 1\nb: *x\n"), HasSubstr("x.yaml:1: found the anchor &x"));
  EXPECT_THAT(refusal("a: !!int 1\n"), HasSubstr("found the tag"));
  EXPECT_THAT(refusal("a: 1\n---\nb: 2\n"), HasSubstr("second document"));
}

TEST(Yaml, NestingIsBoundedAtSixtyFourLevels) {
  const auto nested = [](size_t n) { return "a: " + std::string(n, '[') + std::string(n, ']'); };
  EXPECT_NO_THROW(parse(nested(63)));
  EXPECT_EQ(refusal(nested(64)), "x.yaml:1: nested 65 levels deep; at most 64 are accepted");
  EXPECT_THAT(refusal(nested(100000)), HasSubstr("at most 64"));
}

TEST(Yaml, BrokenTextNamesLineAndColumn) {
  EXPECT_THAT(refusal("a: 1\nb: [1, 2\nc: 3\n"), HasSubstr("x.yaml:"));
  EXPECT_THAT(refusal("a:\n\t- 1\n"), HasSubstr("x.yaml:2: column"));
}

TEST(Yaml, QuotedNumbersStayTexts) {
  const Node root = parse("a: \"28\"\nb: 28\nc: null\nd: \"null\"\n");
  EXPECT_TRUE(root.entries[0].value.quoted);
  EXPECT_FALSE(root.entries[1].value.quoted);
  EXPECT_EQ(root.entries[2].value.kind, Node::Kind::null);
  EXPECT_EQ(root.entries[3].value.kind, Node::Kind::scalar);
}

TEST(Yaml, SetReplacesAddsAndIndexes) {
  Node root =
      parse("train: {epochs: 30}\ntransforms: {eval: [{resize: 224}, flip]}\nmodel: resnet\n");
  set_value(root, "train.epochs=3");
  set_value(root, "transforms.eval.0.resize=28");
  set_value(root, "model.resnet.depth=50");
  set_value(root, "data.inputs.image={channels: 3}");
  EXPECT_EQ(inline_text(root),
            "{train: {epochs: 3}, transforms: {eval: [{resize: 28}, flip]}, model: {resnet: "
            "{depth: 50}}, "
            "data: {inputs: {image: {channels: 3}}}}");
  EXPECT_EQ(root.find("train")->find("epochs")->where, "--set train.epochs=3");
  EXPECT_THROW(set_value(root, "train"), Error);
  EXPECT_THROW(set_value(root, "transforms.eval.7=1"), Error);
}

TEST(Yaml, VariablesAreExpandedOnlyWhereTheyRemain) {
  setenv("FOVEA_TEST_ROOT", "/data", 1);
  unsetenv("FOVEA_TEST_ABSENT");
  Node root = parse("a: ${FOVEA_TEST_ROOT}/x\nb: ${FOVEA_TEST_ABSENT}\n");
  EXPECT_THROW(expand_variables(root), Error);
  set_value(root, "b=2");
  expand_variables(root);
  EXPECT_EQ(root.find("a")->text, "/data/x");
}

TEST(Yaml, WhatIsWrittenReadsBackAsTheSameTree) {
  const std::string text =
      "seed: 1\nmodel: {encoders: {image: {resnet: {depth: 18, attention: [{after: 3, block: se}, "
      "{after: 4, block: "
      "{x: [1, 2]}}]}}}}\nempty: []\nnothing: null\ntitle: \"a: b # c\"\nlist: [[1, 2], "
      "[3]]\nwindow: \"28\"\n";
  const Node root = parse(text);
  const std::string written = to_yaml(root);
  EXPECT_EQ(inline_text(parse(written)), inline_text(root)) << written;
}

/// The list that stands under the only key, written and read again.
Node list_read_back(const std::string& text) {
  return parse(to_yaml(parse(text))).entries.at(0).value;
}

TEST(Yaml, TextsThatWouldMeanSomethingElseAreWrittenInQuotes) {
  const Node list = list_read_back("list:\n- a, b\n- \"c\\rd\\x01\"\n- x: 1\n");
  ASSERT_EQ(list.items.size(), 3u) << inline_text(list);
  EXPECT_EQ(list.items[0].text, "a, b");
  EXPECT_EQ(list.items[1].text, "c\rd\x01");
}

TEST(Yaml, AQuestionMarkInAListIsWrittenSoThatItReadsBack) {
  const Node list = list_read_back("classes:\n- pneumonia? likely\n- none\n");
  ASSERT_EQ(list.items.size(), 2u) << inline_text(list);
  EXPECT_EQ(list.items[0].text, "pneumonia? likely");
}

TEST(Yaml, AKeyThatCouldNotBeReadAgainIsRefused) {
  EXPECT_THAT(refusal("a: 1\n? " + std::string(251, 'k') + "\n: 2\n"),
              HasSubstr("x.yaml:2: found a key of 251 bytes; at most 250 are accepted"));
  const std::string longest(250, '\x05');
  const Node root = parse("? \"" + longest + "\"\n: 2\n");
  EXPECT_EQ(parse(to_yaml(root)).entries.at(0).key, longest);
}

TEST(Yaml, WhatIsNotUtf8IsRefusedWithItsLine) {
  EXPECT_THAT(refusal("a: 1\nb: \xe4\n"), HasSubstr("x.yaml:2: byte 8 is not valid UTF-8"));
  EXPECT_THAT(refusal("a: 1\nb: \"\\N\"\n"), HasSubstr("x.yaml:2: found an escape sequence"));
}

TEST(Yaml, CosmeticEntriesCanBeLeftOut) {
  Node root = parse("a: 1\nb: 2\n");
  root.entries[1].cosmetic = true;
  EXPECT_EQ(to_yaml(root, false), "a: 1\n");
}

}  // namespace
}  // namespace fovea::config
