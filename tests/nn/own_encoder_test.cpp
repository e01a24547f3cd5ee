// What it takes to add an encoder: one class, and one line of a table.
#include <gmock/gmock.h>
#include <torch/nn/functional/loss.h>
#include <torch/optim.h>

#include "fovea/core/error.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/model.h"
#include "fovea/nn/weights.h"
#include "support/test_files.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

struct ToyOptions {
  int64_t width = 4;
  void describe(Fields& f) { f("width", width, "channels").above(0); }
};

class Toy : public Encoder {
 public:
  Toy(const ToyOptions& options, const InputShape& shape) {
    layer_ = register_module("layer", std::make_shared<Linear>(shape.channels(), options.width));
  }
  Features encode(const Tensor& input, const Tensor&) override {
    Features features;
    features.pooled = layer_->forward(input.flatten(2).mean(2)).relu();
    return features;
  }
  int64_t width() const override { return layer_->weight.size(0); }

 private:
  std::shared_ptr<Linear> layer_;
};

const EncoderTable kTable("encoders", {EncoderTable::item<ToyOptions>(
                                          "toy", "the mean of each channel, and a layer",
                                          [](const ToyOptions& options, const InputShape& shape) {
                                            return std::make_shared<Toy>(options, shape);
                                          })});

Model toy_model(uint64_t seed) {
  ModelOptions options;
  options.encoders.entries.emplace_back("radiograph", EncoderChoice(kTable, "toy"));
  return {options, {{"radiograph", {{3, 8, 8}}}}, {{"label", Pooled{2}}}, seed};
}

TEST(AnEncoderOfYourOwn, IsInitializedTrainedAndStoredLikeTheOthers) {
  Model model = toy_model(1);
  TensorMap inputs;
  inputs["radiograph"] = torch::rand({16, 3, 8, 8});
  const Tensor labels =
      inputs.at("radiograph").flatten(2).mean(2).select(1, 0).gt(0.5).to(torch::kInt64);
  torch::optim::SGD descent(model.parameters(), 0.5);
  const auto loss = [&] {
    return torch::nn::functional::cross_entropy(model.forward(inputs).at("label"), labels);
  };
  const double before = loss().item<double>();
  for (int step = 0; step < 50; ++step) {
    descent.zero_grad();
    loss().backward();
    descent.step();
  }
  EXPECT_LT(loss().item<double>(), before);

  const test::TempFolder folder;
  save_weights(model, folder / "toy.safetensors");
  Model other = toy_model(2);
  load_weights(other, folder / "toy.safetensors");
  EXPECT_TRUE(other.forward(inputs).at("label").equal(model.forward(inputs).at("label")));
}

TEST(AnEncoderOfYourOwn, HasSettingsThatAreCheckedByName) {
  EncoderChoice choice(kTable, "toy");
  EXPECT_EQ(choice.settings().list().at(0).name, "width");
  EXPECT_THROW(choice.select("boy"), Error);
}

}  // namespace
}  // namespace fovea::nn
