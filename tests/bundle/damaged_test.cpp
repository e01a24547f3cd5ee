// Whatever happens to a bundle on its way: it is loaded whole or not at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "bundle/untrained.h"
#include "fovea/bundle/load.h"

namespace fovea::bundle {
namespace {

namespace fs = std::filesystem;

TEST(DamagedBundle, IsRefusedAsDataWithItsFileWhereverItIsCutOrChanged) {
  const Untrained& good = untrained();
  const test::TempFolder copy;
  const fs::path path = copy / "bundle";
  fs::copy(good.path, path);
  const auto refusal = [&]() -> std::string {
    try {
      load(path, "cpu");
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::data) << error.what();
      return error.what();
    }
    return "(loaded)";
  };
  ASSERT_EQ(refusal(), "(loaded)");
  std::mt19937 random(7);
  for (const char* name : {"config.yaml", "model.json", "model.safetensors", "MANIFEST.json"}) {
    const std::string right = test::read_text(good.path / name);
    const auto with = [&](const std::string& content, const std::string& what) {
      copy.write(std::string("bundle/") + name, content);
      EXPECT_THAT(refusal(), testing::HasSubstr(name)) << what;
    };
    for (const size_t length : {size_t{0}, size_t{1}, right.size() / 2, right.size() - 1})
      with(right.substr(0, length), "cut at " + std::to_string(length));
    for (int i = 0; i < 25; ++i) {
      const size_t bit = random() % (8 * right.size());
      std::string wrong = right;
      wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << bit % 8));
      with(wrong, "bit " + std::to_string(bit) + " flipped");
    }
    with(right + "x", "lengthened");
    fs::remove(path / name);
    EXPECT_NE(refusal(), "(loaded)") << name << " removed";
    copy.write(std::string("bundle/") + name, right);
  }
  EXPECT_EQ(refusal(), "(loaded)");
}

}  // namespace
}  // namespace fovea::bundle
