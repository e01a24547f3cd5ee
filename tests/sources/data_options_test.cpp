#include "fovea/sources/data_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sources/made.h"

namespace fovea::sources {
namespace {

// A config in /configs as the module `config` would hand it over.
Node config(const std::vector<std::pair<std::string, std::string>>& entries) {
  Node node;
  node.kind = Node::Kind::map;
  for (const auto& [key, text] : entries) {
    Node& value = node.at(key);
    value = Node::scalar(text);
    value.base = "/configs";
  }
  return node;
}

TEST(DataOptions, PathsStandOnTheRootOrOnTheConfigsFolder) {
  DataOptions rooted;
  Fields::read(config({{"root", "../data"}, {"table", "labels.csv"}}), rooted);
  EXPECT_EQ(rooted.root, "/data");
  EXPECT_EQ(rooted.table.files, CaseTables("/data/labels.csv").files);
  DataOptions alone;
  Fields::read(config({{"path", "x.npz"}}), alone);
  EXPECT_EQ(alone.path, "/configs/x.npz");
  EXPECT_TRUE(alone.table.empty());
}

TEST(DataOptions, EachSplitMayHaveATable) {
  Node node = config({{"root", "/data"}});
  for (const char* split : {"train", "test"})
    node.at("table").at(split) = Node::scalar(std::string(split) + ".csv");
  DataOptions options, again;
  Fields::read(node, options);
  EXPECT_THAT(options.table.files, testing::ElementsAre(testing::Pair("train", "/data/train.csv"),
                                                        testing::Pair("test", "/data/test.csv")));
  Fields::read(Fields::write(options), again);
  EXPECT_EQ(again.table.files, options.table.files);
}

TEST(DataOptions, WhatIsWrittenReadsBackTheSame) {
  DataOptions options;
  Node node = config({{"root", "../data"}, {"table", "labels.csv"}, {"group", "patient"}});
  Node& shares = node.at("split");
  shares.at("train") = Node::scalar("0.8");
  shares.at("test") = Node::scalar("0.2");
  node.at("inputs").at("image").at("column") = Node::scalar("file");
  node.at("targets").at("label").at("column") = Node::scalar("class");
  node.at("dicom").at("window") = Node::scalar("file");
  Fields::read(node, options);
  ASSERT_EQ(options.split.fractions.size(), 2u);
  EXPECT_TRUE(options.formats.dicom.window.from_file);
  const Node written = Fields::write(options);
  DataOptions again;
  Fields::read(written, again);
  EXPECT_EQ(inline_text(Fields::write(again)), inline_text(written));
  EXPECT_EQ(again.table.files, CaseTables("/data/labels.csv").files);
  EXPECT_EQ(again.split.fractions[0].second, 0.8);
}

TEST(DataOptions, DefaultsReadBackToo) {
  const Node written = Fields::write(DataOptions());
  DataOptions again;
  Fields::read(written, again);
  EXPECT_EQ(inline_text(Fields::write(again)), inline_text(written));
  EXPECT_GE(Fields::list(DataOptions()).size(), 16u);
}

TEST(DataOptions, AnUnknownKeyIsAnErrorWithTheNearest) {
  DataOptions options;
  EXPECT_THAT(refusal([&] {
                Fields::read(config({{"tabl", "x"}}), options);
              }).what(),
              testing::HasSubstr("did you mean 'table'"));
}

}  // namespace
}  // namespace fovea::sources
