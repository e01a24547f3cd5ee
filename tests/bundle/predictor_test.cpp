// One case whose outputs are not finite does not cost the others their answers.
#include "fovea/bundle/predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/bundle/parts.h"
#include "fovea/core/error.h"
#include "fovea/nn/encoders/mlp.h"
#include "fovea/tasks/classification.h"

namespace fovea {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Rows of two numbers; the third row holds one that no file may, but a transform could make.
class Rows final : public Dataset {
 public:
  int64_t size() const override { return 5; }
  Example get(int64_t index) const override {
    Example one{.id = name(index), .group = "", .inputs = {}, .targets = {}};
    one.inputs["labs"] = torch::tensor({index == 2 ? NAN : 0.5f, static_cast<float>(index)});
    return one;
  }
  TensorMap targets(int64_t) const override { return {}; }
  std::string group(int64_t) const override { return ""; }
  std::string name(int64_t index) const override { return "row " + std::to_string(index); }
};

Predictor predictor() {
  auto parts = std::make_shared<Predictor::Parts>();
  parts->targets = {{.name = "label", .classes = {"negative", "positive"}}};
  parts->task = tasks::classification({}, parts->targets);
  nn::EncoderChoice encoder;
  encoder.set("mlp", nn::MlpOptions{.hidden = {4}});
  nn::ModelOptions options;
  options.encoders.entries = {{"labs", encoder}};
  parts->inputs = {{"labs", {.sizes = {2}}}};
  parts->model = std::make_shared<nn::Model>(options, parts->inputs, parts->task->heads(), 1);
  parts->model->eval();
  parts->transform = [](Example one, Random&) { return one; };
  parts->read = [](const std::filesystem::path&) { return Rows().get(2); };
  return Predictor(parts);
}

TEST(Predictor, ANonFiniteOutputFailsItsOwnCase) {
  std::vector<std::string> answered, failed;
  predictor().predict(
      Rows(), 2, [&](const Prediction& one) { answered.push_back(one.id); },
      [&](const std::filesystem::path&, const std::string& why) { failed.push_back(why); });
  EXPECT_THAT(answered, ElementsAre("row 0", "row 1", "row 3", "row 4"));
  EXPECT_THAT(failed, ElementsAre(HasSubstr("row 2: the output for 'label' is not finite")));
}

TEST(Predictor, ANonFiniteOutputOfOneFileIsAnErrorThatNamesIt) {
  try {
    predictor().predict(std::filesystem::path("a.csv"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    EXPECT_EQ(error.place(), "a.csv");
    EXPECT_THAT(error.remedy(), HasSubstr("look at the input"));
  }
}

// What the caller throws is the caller's.
TEST(Predictor, AnErrorOfTheReceiverIsNoFailureOfACase) {
  int failures = 0;
  EXPECT_THROW(predictor().predict(
                   Rows(), 1, [](const Prediction&) { throw io_error("the disk is full"); },
                   [&](const std::filesystem::path&, const std::string&) { ++failures; }),
               Error);
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace fovea
