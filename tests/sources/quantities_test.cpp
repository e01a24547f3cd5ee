#include "fovea/sources/quantities.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fovea/inputs/table.h"
#include "fovea/targets/classes.h"
#include "sources/made.h"

namespace fovea::sources {
namespace {

const Quantity& named(const std::vector<Quantity>& all, const std::string& name) {
  for (const Quantity& one : all)
    if (one.name == name) return one;
  throw std::runtime_error("no quantity " + name);
}

TEST(Quantities, OfATableAreItsCellsAsTheyWereWritten) {
  const test::TempFolder folder;
  DataOptions options;
  options.table =
      folder.write("t.csv",
                   "id,age,view,y,split\na,20,PA,no,train\nb,,AP,yes,train\nc,41.5,PA,no,train\n"
                   "d,33,LL,yes,test\n");
  options.id = "id";
  options.inputs.entries = {{"labs", {"table", inputs::TableOptions{.columns = {"age", "view"}}}}};
  options.targets.entries = {{"y", targets::ClassesOptions{.column = {"y"}}}};
  options.split.column = "split";
  const Source source = open_source(options, 1);
  const auto all = known_quantities(source, {0, 1, 2, 3});
  const Quantity& age = named(all, "age");
  EXPECT_EQ(age.of, "labs");
  EXPECT_NEAR(age.numbers[0], 20, 1e-5);
  EXPECT_TRUE(std::isnan(age.numbers[1]));
  EXPECT_NEAR(age.numbers[2], 41.5, 1e-5);
  // A category that no training row has is not known by its name.
  EXPECT_EQ(named(all, "view").categories,
            (std::vector<std::string>{"PA", "AP", "PA", "(unknown)"}));
  EXPECT_EQ(named(all, "class").categories, (std::vector<std::string>{"no", "yes", "no", "yes"}));
  EXPECT_NEAR(named(known_quantities(source, {3}), "age").numbers.at(0), 33, 1e-5);
}

TEST(Quantities, OfImagesAreMeasuredWhenTheyAreRead) {
  const test::TempFolder folder;
  for (uint8_t i = 0; i < 3; ++i)
    write_image(folder / ("x/" + std::string(1, char('a' + i)) + ".png"),
                static_cast<uint8_t>(10 * i));
  DataOptions options;
  options.folder = folder.path();
  options.split.fractions = {{"train", 1.0}};
  const Source source = [&] {
    write_image(folder / "y/d.png", 30);
    return open_source(options, 1);
  }();
  const Measured measured(source.data);
  EXPECT_TRUE(measured.quantities().empty());
  const Example first = measured.get(0);
  measured.get(2);
  const auto all = measured.quantities();
  EXPECT_EQ(named(all, "width").numbers[0], first.inputs.at("image").size(2));
  EXPECT_EQ(named(all, "height").numbers[0], first.inputs.at("image").size(1));
  EXPECT_NEAR(named(all, "mean intensity").numbers[2],
              source.data->get(2).inputs.at("image").to(torch::kDouble).mean().item<double>(),
              1e-4);
  EXPECT_TRUE(std::isnan(named(all, "width").numbers[1]));  // was not read
}

}  // namespace
}  // namespace fovea::sources
