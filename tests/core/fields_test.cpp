#include "fovea/core/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/core/log.h"

namespace fovea {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Inner {
  double dropout = 0;
  std::vector<int64_t> size{224};
  void describe(Fields& f) {
    f("dropout", dropout, "share of the weights").between(0, 1);
    f("size", size, "height and width in pixels").above(0);
  }
};

const Catalogue<double(int64_t)>& shapes() {
  using Table = Catalogue<double(int64_t)>;
  static const Table table(
      "shapes",
      {
          Table::item<Inner>("scaled", "n times the dropout",
                             [](const Inner& o, int64_t n) { return o.dropout * double(n); }),
          Table::item<NoOptions>("plain", "n itself",
                                 [](const NoOptions&, int64_t n) { return double(n); }),
      });
  return table;
}

struct ShapeChoice : Choice<double(int64_t)> {
  ShapeChoice() : Choice(shapes(), "plain") {}
};

struct Outer {
  int64_t epochs = 30;
  bool shuffle = true;
  std::string mode = "fast";
  std::optional<double> clip;
  Inner inner;
  ShapeChoice shape;
  std::vector<ShapeChoice> shapes;
  Named<ShapeChoice> by_name;
  std::filesystem::path folder;
  void describe(Fields& f) {
    f("epochs", epochs, "passes over the data").above(0);
    f("shuffle", shuffle, "draw a new order");
    f("mode", mode, "how").one_of({"fast", "exact"});
    f("clip", clip, "largest norm").above(0);
    f("inner", inner, "nested");
    f("shape", shape, "one of a family");
    f("shapes", shapes, "several of a family");
    f("by_name", by_name, "by name");
    f("folder", folder, "a place").cosmetic();
  }
};

Node leaf(std::string text) {
  Node node = Node::scalar(std::move(text));
  node.where = "x.yaml:7";
  return node;
}

Node map(std::initializer_list<std::pair<const char*, Node>> entries) {
  Node node;
  node.kind = Node::Kind::map;
  node.where = "x.yaml:3";
  for (const auto& [key, value] : entries) {
    Node& slot = node.at(key);
    const std::string path = slot.path;
    slot = value;
    slot.path = path;
  }
  return node;
}

std::string refusal(const Node& node) {
  Outer outer;
  try {
    Fields::read(node, outer);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::config);
    return error.what();
  }
  return "(accepted)";
}

TEST(Fields, AbsentKeysKeepTheirDefaults) {
  Outer outer;
  Fields::read(map({{"epochs", leaf("3")}}), outer);
  EXPECT_EQ(outer.epochs, 3);
  EXPECT_TRUE(outer.shuffle);
  EXPECT_EQ(outer.inner.size, std::vector<int64_t>{224});
}

TEST(Fields, AnUnknownKeyNamesLineKeyAndNearestName) {
  const std::string message = refusal(map({{"epoch", leaf("3")}}));
  EXPECT_THAT(message, HasSubstr("x.yaml:3: "));
  EXPECT_THAT(message, HasSubstr("unknown key 'epoch'; did you mean 'epochs'?"));
  EXPECT_THAT(message, HasSubstr("known here: epochs, shuffle, mode"));
}

TEST(Fields, ANestedMistakeNamesItsPath) {
  EXPECT_THAT(refusal(map({{"inner", map({{"dropout", leaf("1.5")}})}})),
              HasSubstr("dropout: found 1.5, wanted 0 to 1"));
}

TEST(Fields, WrongTypesAreRefusedWithWhatWasFound) {
  EXPECT_EQ(refusal(map({{"epochs", leaf("deep")}})),
            "x.yaml:7: epochs: found 'deep', wanted a whole number");
  EXPECT_THAT(refusal(map({{"epochs", leaf("010")}})), HasSubstr("found '010'"));
  EXPECT_THAT(refusal(map({{"epochs", leaf("1e12")}})), HasSubstr("wanted a whole number"));
  EXPECT_THAT(refusal(map({{"epochs", leaf("0")}})), HasSubstr("wanted above 0"));
  EXPECT_THAT(refusal(map({{"shuffle", leaf("yes")}})), HasSubstr("wanted true or false"));
  EXPECT_THAT(refusal(map({{"mode", leaf("fasst")}})), HasSubstr("did you mean 'fast'?"));
  EXPECT_THAT(refusal(map({{"clip", leaf("nan")}})), HasSubstr("wanted a finite number"));
}

TEST(Fields, AChoiceIsANameOrANameWithSettingsOrTheShortForm) {
  Outer outer;
  Node list;
  list.kind = Node::Kind::list;
  list.items = {leaf("plain"), map({{"scaled", map({{"dropout", leaf("0.5")}})}}),
                map({{"scaled", leaf("0.25")}})};
  Fields::read(map({{"shapes", list}}), outer);
  ASSERT_EQ(outer.shapes.size(), 3u);
  EXPECT_EQ(outer.shapes[0].make(8), 8);
  EXPECT_EQ(outer.shapes[1].make(8), 4);
  EXPECT_EQ(outer.shapes[2].make(8), 2);
}

TEST(Fields, AnUnknownChoiceNamesTheFamilyAndTheNearest) {
  const std::string message = refusal(map({{"shape", leaf("scalde")}}));
  EXPECT_THAT(message,
              HasSubstr("shape: unknown name 'scalde' among the shapes; did you mean 'scaled'?"));
}

TEST(Fields, WhatIsWrittenReadsBackAsTheSame) {
  Outer outer;
  outer.clip = 0.1;
  outer.mode = "exact";
  outer.shape.set("scaled", Inner{.dropout = 0.3, .size = {28, 30}});
  outer.by_name.entries.emplace_back("image", outer.shape);
  const Node written = Fields::write(outer);
  Outer again;
  Fields::read(written, again);
  EXPECT_EQ(inline_text(Fields::write(again)), inline_text(written));
  EXPECT_THAT(inline_text(written), HasSubstr("shape: {scaled: {dropout: 0.3, size: [28, 30]}}"));
  EXPECT_TRUE(written.entries.back().cosmetic);
}

TEST(Fields, PathsStandOnTheFolderOfTheirFile) {
  Outer outer;
  Node folder = leaf("../data");
  folder.base = "/somewhere/configs";
  Fields::read(map({{"folder", folder}}), outer);
  EXPECT_EQ(outer.folder, "/somewhere/data");
}

TEST(Fields, TheListNamesTypeDefaultAndRange) {
  const std::vector<SettingRow> rows = Fields::list(Outer{});
  EXPECT_EQ(rows[0].name, "epochs");
  EXPECT_EQ(rows[0].type, "whole number");
  EXPECT_EQ(rows[0].fallback, "30");
  EXPECT_EQ(rows[0].range, "above 0");
  EXPECT_EQ(rows[4].name, "inner.dropout");
}

struct TwoNeeded {
  int64_t first = 0, second = 0;
  void describe(Fields& f) {
    f("first", first, "needed").required();
    f("second", second, "needed too").required();
  }
};

TEST(Fields, TheShortFormDoesNotExcuseAnotherRequiredSetting) {
  TwoNeeded two;
  try {
    Fields::read(leaf("3"), two, true);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'second' is missing"));
  }
}

TEST(Choice, ACopyHasSettingsOfItsOwn) {
  ShapeChoice first;
  first.set("scaled", Inner{.dropout = 0.5});
  ShapeChoice copy = first;
  ShapeChoice assigned;
  assigned = first;
  Node changed;
  changed.at("dropout") = leaf("0.25");
  first.read_settings(changed);
  EXPECT_EQ(first.make(4), 1);
  EXPECT_EQ(copy.make(4), 2);
  EXPECT_EQ(assigned.make(4), 2);
}

TEST(Choice, SettingsOfAnotherTypeAreRefusedInsteadOfBeingReadAsIfTheyFitted) {
  ShapeChoice choice;
  EXPECT_THROW(choice.set("plain", Inner{.dropout = 0.5}), Error);
  EXPECT_THROW(choice.set("scaled", NoOptions{}), Error);
}

using Factors = Catalogue<double(int64_t)>;

struct FactorChoice : Choice<double(int64_t)> {
  explicit FactorChoice(const Factors& factors) : Choice(factors) {}
};

Factors::Item times(const char* name, double factor) {
  return Factors::item<NoOptions>(name, "n times a factor", [factor](const NoOptions&, int64_t n) {
    return factor * static_cast<double>(n);
  });
}

TEST(Catalogue, OtherNamesAreReadAsTheNameAndAFormerOneWithOneWarning) {
  const Factors factors("factors", {times("twofold", 2).also("double").formerly("twice")});
  std::vector<std::string> warnings;
  set_log_sink([&](Level level, const std::string& text) {
    if (level == Level::warning) warnings.push_back(text);
  });
  for (const char* name : {"twofold", "double", "twice", "twice"}) {
    FactorChoice choice(factors);
    read_value(leaf(name), choice);
    EXPECT_EQ(choice.make(3), 6) << name;
    EXPECT_EQ(inline_text(write_value(choice)), "twofold") << name;
  }
  set_log_sink({});
  EXPECT_THAT(warnings, ElementsAre("x.yaml:7: 'twice' among the factors is called 'twofold' now"));
  EXPECT_THAT(factors.names(), ElementsAre("twofold"));
}

TEST(Catalogue, TakesLinesOfTheProgramAround) {
  Factors factors("factors", {times("twofold", 2)});
  FactorChoice before(factors);
  EXPECT_THROW(before.select("threefold"), Error);
  before.select("twofold");
  factors.add(times("threefold", 3));
  FactorChoice after(factors);
  after.select("threefold");
  EXPECT_EQ(before.make(4), 8);
  EXPECT_EQ(after.make(4), 12);
  EXPECT_THAT(factors.names(), ElementsAre("twofold", "threefold"));
}

TEST(Catalogue, RefusesANameThatIsTaken) {
  Factors factors("factors", {times("twofold", 2).also("double").formerly("twice")});
  const auto refusal_of = [&](Factors::Item item) -> std::string {
    try {
      factors.add(std::move(item));
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::config);
      return error.what();
    }
    return "(accepted)";
  };
  for (const std::string taken : {"twofold", "double", "twice"}) {
    const std::string wanted = "found the name '" + taken + "' twice among the factors";
    EXPECT_THAT(refusal_of(times(taken.c_str(), 3)), HasSubstr(wanted));
    EXPECT_THAT(refusal_of(times("other", 3).also(taken)), HasSubstr(wanted));
    EXPECT_THAT(refusal_of(times("other", 3).formerly(taken)), HasSubstr(wanted));
  }
  EXPECT_THAT(factors.names(), ElementsAre("twofold"));
  EXPECT_THROW(Factors("factors", {times("half", 0.5), times("half", 0.5)}), Error);
}

}  // namespace
}  // namespace fovea
