// The locale belongs to the host, and half of the world writes 0,5. What fovea reads, computes and says
// does not depend on it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <clocale>
#include <cstdlib>
#include <locale>

#include "bundle/untrained.h"
#include "fovea/bundle/load.h"

namespace fovea::bundle {
namespace {

struct Comma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

/// Of C++ streams always; of C's functions where a German locale can be made of the system's sources.
class Commas {
 public:
  Commas() : of_streams_(std::locale::global(std::locale(std::locale::classic(), new Comma))) {
    const std::string make =
        "localedef -i de_DE -f UTF-8 '" + (folder_ / "de_DE.UTF-8").string() + "' >/dev/null 2>&1";
    if (std::system(make.c_str()) != 0) return;
    setenv("LOCPATH", folder_.path().c_str(), 1);
    of_c_ = std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
  }
  ~Commas() {
    std::setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    std::locale::global(of_streams_);
  }
  bool of_c() const { return of_c_; }

 private:
  test::TempFolder folder_;
  std::locale of_streams_;
  bool of_c_ = false;
};

std::vector<double> answers() {
  const Predictor predictor = fovea::load(untrained().path);
  std::vector<double> all;
  for (const auto& file : untrained().images)
    all.push_back(predictor.predict(file).probabilities.at(0).second);
  return all;
}

/// A table with numbers, and a config with some, as they are read.
std::string readings() {
  const test::TempFolder folder;
  std::string rows = "crp,y\n";
  for (int i = 0; i < 40; ++i)
    rows += std::to_string(1000 + i) + ".5," + (i % 2 == 0 ? "a\n" : "b\n");
  folder.write("t.csv", rows);
  const auto yaml = folder.write("c.yaml", R"(data:
  table: t.csv
  inputs: {labs: {table: {columns: [crp]}}}
  targets: {y: {column: y}}
  split: {train: 0.75, test: 0.25}
model: {encoders: {labs: {mlp: {hidden: [4]}}}, dropout: 0.125}
)");
  const config::RunConfig config = config::read_config(yaml);
  const sources::Source source = sources::open_source(config.data, 1);
  std::string text;
  for (const auto& [column, reading] : source.columns) text += column + ": " + reading + "\n";
  return text + config::resolved_text(config).substr(0, 4000);
}

TEST(Locale, OfTheHostChangesNoNumber) {
  const std::vector<double> answered = answers();
  const Commas commas;
  EXPECT_EQ(answers(), answered);
  const std::string again = readings();
  EXPECT_THAT(again, testing::HasSubstr("number, 1000.5 to 1039.5"));
  EXPECT_THAT(again, testing::HasSubstr("0.125"));
  if (!commas.of_c()) GTEST_SKIP() << "C++ streams only: localedef could not make de_DE here";
  EXPECT_EQ(std::strtod("0,5", nullptr), 0.5);  // the locale is what it claims
}

}  // namespace
}  // namespace fovea::bundle
