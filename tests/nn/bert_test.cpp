// BERT against the library that its published weights are for.
#include "fovea/nn/encoders/bert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <torch/nn/module.h>

#include <complex>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/nn/attention.h"
#include "fovea/nn/model.h"
#include "fovea/nn/weights.h"
#include "support/test_files.h"

namespace fovea::nn {
namespace {

using test::TempFolder;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;
using torch::Tensor;
namespace fs = std::filesystem;

const BertOptions kSmall{.width = 16, .depth = 2, .heads = 4, .ffn = 24, .max_length = 9};
const InputShape kText{.sizes = {-1}, .vocabulary = 23};

nlohmann::json reference() {
  std::ifstream file(test::reference("bert.json"));
  return nlohmann::json::parse(file);
}

template <class Number>
void append(const nlohmann::json& json, std::vector<Number>& values) {
  if (!json.is_array()) return values.push_back(json.get<Number>());
  for (const auto& item : json) append(item, values);
}

template <class Number>
Tensor tensor(const nlohmann::json& json) {
  std::vector<Number> values;
  std::vector<int64_t> shape;
  for (const nlohmann::json* at = &json; at->is_array(); at = &(*at)[0])
    shape.push_back(static_cast<int64_t>(at->size()));
  append(json, values);
  return torch::tensor(values).view(shape);
}

Model model_of(const BertOptions& bert, const fs::path& weights = {},
               const InputShape& shape = kText) {
  ModelOptions options;
  options.encoders.entries.emplace_back("report", EncoderChoice());
  options.encoders.entries.back().second.set("bert", bert);
  options.weights = weights;
  return {options, {{"report", shape}}, {{"label", Pooled{2}}}, 1};
}

TEST(Bert, GivesTheOutputsOfThePythonLibraryForItsWeights) {
  const nlohmann::json wanted = reference();
  Model model = model_of(kSmall, test::reference("bert.safetensors"));
  model.eval();
  const torch::NoGradGuard no_gradients;
  const Tensor lengths = tensor<int64_t>(wanted.at("lengths"));
  const Features found = model.encoder("report").encode(tensor<int64_t>(wanted.at("ids")), lengths);
  const Tensor mask = torch::arange(7).unsqueeze(0).lt(lengths.unsqueeze(1)).unsqueeze(2);
  // float32 in another order of additions
  EXPECT_TRUE(at::allclose(found.tokens, tensor<float>(wanted.at("tokens")) * mask, 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(found.pooled, tensor<float>(wanted.at("pooled")), 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(found.weights, tensor<float>(wanted.at("first_row")), 1e-4, 1e-5));
}

TEST(Bert, NamesAndShapesAreThoseOfThePublishedModel) {
  std::vector<std::string> wanted, found;
  std::ifstream file(test::reference("names_bert_base.csv"));
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) wanted.push_back(line);
  const EncoderPtr base = bert({}, {.sizes = {-1}, .vocabulary = 30522});
  for (const auto& item : base->named_parameters())
    found.push_back(fmt::format("{},{}", item.key(), fmt::join(item.value().sizes(), "x")));
  EXPECT_THAT(found, UnorderedElementsAreArray(wanted));
}

/// The reference file with other names, and without those that become empty.
fs::path renamed(const TempFolder& folder,
                 const std::function<std::string(const std::string&)>& name) {
  NamedTensors tensors;
  for (const auto& [old, values] : load_tensors(test::reference("bert.safetensors")))
    if (const std::string now = name(old); !now.empty()) tensors.emplace_back(now, values);
  tensors.emplace_back("cls.predictions.bias", torch::zeros({23}));
  save_tensors(tensors, folder / "renamed.safetensors");
  return folder / "renamed.safetensors";
}

TEST(Bert, FilesOfAWholeModelWithTheOldNamesOfNormsLoadToo) {
  const TempFolder folder;
  const fs::path file = renamed(folder, [](std::string name) {
    const size_t norm = name.find("LayerNorm.");
    if (norm != name.npos)
      name =
          name.substr(0, norm) + (name.ends_with("weight") ? "LayerNorm.gamma" : "LayerNorm.beta");
    return "bert." + name;
  });
  const Model plain = model_of(kSmall, test::reference("bert.safetensors"));
  const auto wanted = plain.named_parameters();
  const Model model = model_of(kSmall, file);
  for (const auto& item : model.named_parameters())
    EXPECT_TRUE(item.value().equal(wanted[item.key()])) << item.key();
}

TEST(Bert, AFileWithoutAPoolerLeavesItAsInitialized) {
  const TempFolder folder;
  const fs::path file = renamed(folder, [](const std::string& name) {
    return name.starts_with("pooler.") ? "" : "bert." + name;
  });
  EXPECT_NO_THROW(model_of(kSmall, file));
}

TEST(Bert, FewerPositionsThanTheFileHasAreItsFirst) {
  BertOptions shorter = kSmall;
  shorter.max_length = 4;
  const auto found = model_of(shorter, test::reference("bert.safetensors")).named_parameters();
  const auto all = model_of(kSmall, test::reference("bert.safetensors")).named_parameters();
  const std::string name = "encoders.report.embeddings.position_embeddings.weight";
  EXPECT_TRUE(found[name].equal(all[name].slice(0, 0, 4)));
}

TEST(Bert, AnotherVocabularyThanTheFilesIsRefusedWithTheReason) {
  try {
    model_of(kSmall, test::reference("bert.safetensors"), {.sizes = {-1}, .vocabulary = 24});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("know 23 tokens and the tokenizer 24"));
    EXPECT_THAT(error.what(), HasSubstr("vocab.txt"));
  }
}

TEST(RotaryPositions, TurnPairsOfChannelsAsComplexNumbers) {
  const Tensor x = torch::randn({1, 2, 5, 6});
  const Tensor found = rotated(x);
  for (int64_t p = 0; p < 5; ++p)
    for (int64_t i = 0; i < 3; ++i) {
      const std::complex<double> before(x[0][1][p][i].item<double>(),
                                        x[0][1][p][i + 3].item<double>());
      const auto after = before * std::polar(1.0, p * std::pow(10000.0, -2.0 * i / 6));
      EXPECT_NEAR(found[0][1][p][i].item<double>(), after.real(), 1e-5);
      EXPECT_NEAR(found[0][1][p][i + 3].item<double>(), after.imag(), 1e-5);
    }
}

TEST(RotaryPositions, ProductsDependOnTheDistanceAlone) {
  const Tensor q = torch::randn({8}).expand({1, 1, 6, 8}),
               k = torch::randn({8}).expand({1, 1, 6, 8});
  const Tensor products = rotated(q).matmul(rotated(k).transpose(-2, -1))[0][0];
  for (int64_t far = 0; far < 4; ++far)
    EXPECT_NEAR(products[far][0].item<double>(), products[far + 2][2].item<double>(), 1e-5);
  EXPECT_GT((products[0][0] - products[3][0]).abs().item<double>(), 1e-3);
}

}  // namespace
}  // namespace fovea::nn
