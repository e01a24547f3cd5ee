#include "fovea/nn/weights.h"

#include <gmock/gmock.h>
#include <torch/nn/module.h>

#include <fstream>

#include "fovea/core/error.h"
#include "fovea/nn/encoders/resnet.h"
#include "fovea/nn/encoders/vit.h"
#include "fovea/storage/safetensors.h"
#include "nn/formula.h"
#include "support/test_files.h"

namespace fovea::nn {
namespace {

using test::formula;
using test::TempFolder;
namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using torch::Tensor;

template <class Options>
ModelOptions with(const std::string& encoder, Options settings) {
  ModelOptions options;
  options.encoders.entries.emplace_back("image", EncoderChoice());
  options.encoders.entries.back().second.set(encoder, std::move(settings));
  return options;
}

Model resnet_model(int64_t channels, int64_t classes, const ResNetOptions& settings = {},
                   uint64_t seed = 1) {
  return Model(with("resnet", settings), {{"image", {{channels, 64, 64}}}},
               {{"label", Pooled{classes}}}, seed);
}

std::string data_message(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data);
    return error.what();
  }
  return "no error";
}

/// A file as torchvision's or timm's state_dict would be saved: names and shapes of the committed
/// list, values by formula.
void write_published(const fs::path& path, const std::string& architecture) {
  std::ifstream file(test::reference("names_" + architecture + ".csv"));
  std::string line;
  std::getline(file, line);
  std::vector<Tensor> kept;
  std::vector<storage::TensorView> views;
  while (std::getline(file, line)) {
    const size_t comma = line.find(',');
    const std::string name = line.substr(0, comma);
    std::vector<int64_t> shape;
    std::istringstream sides(line.substr(comma + 1));
    for (std::string side; std::getline(sides, side, 'x');)
      if (side != "scalar") shape.push_back(std::stol(side));
    kept.push_back(formula(name, shape));
    const Tensor& tensor = kept.back();
    views.push_back(
        {name,
         tensor.scalar_type() == torch::kInt64 ? storage::DType::i64 : storage::DType::f32,
         shape,
         {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  storage::write_safetensors(path, std::move(views));
}

TEST(Weights, AModelReadsBackWhatItWrote) {
  const TempFolder folder;
  const ResNetOptions settings{.width = 8};
  Model written = resnet_model(1, 2, settings, 1), read = resnet_model(1, 2, settings, 2);
  written.forward([] {
    TensorMap inputs;
    inputs["image"] = test::input_image({2, 1, 64, 64});
    return inputs;
  }());  // moves the running statistics
  save_weights(written, folder / "model.safetensors");
  load_weights(read, folder / "model.safetensors");
  const auto a = state(written), b = state(read);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].first, b[i].first);
    EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
  }
}

TEST(Weights, OfAnotherArchitectureAreRefusedWithBothShapesAndChangeNothing) {
  const TempFolder folder;
  Model deep = resnet_model(1, 2, {.depth = 34, .width = 8});
  Model shallow = resnet_model(1, 3, {.width = 8});
  save_weights(deep, folder / "deep.safetensors");
  save_weights(shallow, folder / "shallow.safetensors");
  const Tensor before = shallow.parameters()[0].clone();
  EXPECT_THAT(
      data_message([&] { load_weights(shallow, folder / "deep.safetensors"); }),
      AllOf(HasSubstr("deep.safetensors"), HasSubstr("unexpected"), Not(HasSubstr("missing")),
            HasSubstr("heads.label.weight (file [2, 64], model [3, 64])"),
            // 34 has 8 more blocks, 2 x (weight + 5 of the norm) each
            HasSubstr("96 unexpected"), HasSubstr("(76 more)")));
  EXPECT_THAT(data_message([&] { load_weights(deep, folder / "shallow.safetensors"); }),
              HasSubstr("96 missing"));
  EXPECT_THAT(data_message([&] { start_from(shallow, folder / "deep.safetensors"); }),
              AllOf(HasSubstr("96 unexpected"), Not(HasSubstr("mismatched"))));
  EXPECT_TRUE(before.equal(shallow.parameters()[0]));
}

TEST(Weights, OfATorchvisionModelStartAnEncoderAndItsClassifierIsIgnored) {
  const TempFolder folder;
  write_published(folder / "resnet18.safetensors", "resnet18");
  PlacedBlock placed;
  Model model = resnet_model(3, 2, {.attention = {placed}});
  const Tensor head = model.named_parameters()["heads.label.weight"].clone();
  start_from(model, folder / "resnet18.safetensors");
  int found = 0;
  for (const auto& [key, tensor] : state(model)) {
    for (const std::string name : {"conv1.weight", "layer2.0.downsample.1.running_var"}) {
      if (key != "encoders.image." + name) continue;
      EXPECT_TRUE(tensor.equal(formula(name, tensor.sizes()))) << name;
      ++found;
    }
  }
  EXPECT_EQ(found, 2);
  EXPECT_TRUE(head.equal(model.named_parameters()["heads.label.weight"]));
  Model wider = resnet_model(3, 2, {.width = 32});
  EXPECT_THAT(data_message([&] { start_from(wider, folder / "resnet18.safetensors"); }),
              HasSubstr("encoders.image.conv1.weight (file [64, 3, 7, 7], model [32, 3, 7, 7])"));
}

TEST(Weights, OfAnRgbStemServeOneChannelAsARepeatedImageWould) {
  const TempFolder folder;
  write_published(folder / "resnet18.safetensors", "resnet18");
  Model grey = resnet_model(1, 2), colour = resnet_model(3, 2);
  start_from(grey, folder / "resnet18.safetensors");
  start_from(colour, folder / "resnet18.safetensors");
  grey.eval();
  colour.eval();
  torch::NoGradGuard no_grad;
  const Tensor x = test::input_image({1, 1, 64, 64});
  const Tensor a = grey.encoder("image").encode(x).pooled;
  const Tensor b = colour.encoder("image").encode(x.repeat({1, 3, 1, 1})).pooled;
  EXPECT_TRUE(a.allclose(b, 1e-4, 1e-4 * b.abs().max().item<double>()));
}

TEST(Weights, OfATimmTransformerFitAnotherImageSize) {
  const TempFolder folder;
  write_published(folder / "vit.safetensors", "vit_tiny_patch16_224");
  ModelOptions options = with("vit", ViTOptions{});
  options.weights = folder / "vit.safetensors";
  Model model(options, {{"image", {{1, 96, 128}}}}, {{"label", Pooled{2}}}, 1);
  const Tensor embedding = model.named_parameters()["encoders.image.pos_embed"].detach();
  EXPECT_EQ(embedding.sizes(), (std::vector<int64_t>{1, 1 + 6 * 8, 192}));
  const Tensor stored = formula("pos_embed", {1, 197, 192});
  EXPECT_TRUE(embedding.slice(1, 0, 1).equal(stored.slice(1, 0, 1)));  // the class token's
  EXPECT_FALSE(embedding.slice(1, 1).equal(stored.slice(1, 1, 49)));
}

TEST(Weights, AHeadOfAnotherShapeKeepsItsInitialValues) {
  const TempFolder folder;
  const ResNetOptions settings{.width = 8};
  Model trained = resnet_model(1, 5, settings, 1);
  save_weights(trained, folder / "trained.safetensors");
  Model model = resnet_model(1, 2, settings, 2);
  const Tensor head = model.named_parameters()["heads.label.weight"].clone();
  start_from(model, folder / "trained.safetensors");
  EXPECT_TRUE(head.equal(model.named_parameters()["heads.label.weight"]));
  EXPECT_TRUE(model.named_parameters()["encoders.image.conv1.weight"].equal(
      trained.named_parameters()["encoders.image.conv1.weight"]));
  Model same = resnet_model(1, 5, settings, 3);
  start_from(same, folder / "trained.safetensors");
  EXPECT_TRUE(same.named_parameters()["heads.label.weight"].equal(
      trained.named_parameters()["heads.label.weight"]));
}

TEST(Weights, OfABareModelNeedTheNameOfOneOfSeveralEncoders) {
  const TempFolder folder;
  write_published(folder / "resnet18.safetensors", "resnet18");
  ModelOptions options = with("resnet", ResNetOptions{});
  options.encoders.entries.emplace_back("lateral", options.encoders.entries[0].second);
  const InputShape shape{{3, 64, 64}};
  Model model(options, {{"image", shape}, {"lateral", shape}}, {{"label", Pooled{2}}}, 1);
  EXPECT_THROW(start_from(model, folder / "resnet18.safetensors"), Error);
  const auto parameters = model.named_parameters();
  const Tensor other = parameters["encoders.image.conv1.weight"].clone();
  start_from(model, folder / "resnet18.safetensors", "lateral");
  EXPECT_TRUE(other.equal(parameters["encoders.image.conv1.weight"]));
  EXPECT_TRUE(
      parameters["encoders.lateral.conv1.weight"].equal(formula("conv1.weight", {64, 3, 7, 7})));
}

TEST(Weights, APickleIsRefusedWithTheConversion) {
  const TempFolder folder;
  const fs::path path = folder.write("resnet18.pth", "\x80\x02}q\x00.");
  Model model = resnet_model(1, 2, {.width = 8});
  EXPECT_THAT(data_message([&] { start_from(model, path); }),
              AllOf(HasSubstr("resnet18.pth"), HasSubstr("safetensors")));
}

}  // namespace
}  // namespace fovea::nn
