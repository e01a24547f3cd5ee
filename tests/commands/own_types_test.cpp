// Somebody's own types, each a class and a catalogue line in this file: an input, a target with a
// shape of its own (a mask), an encoder of several feature levels, a task with a dense head. A config
// names them; `train`, `eval` and `infer` know nothing else of them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fovea/bundle/assemble.h"
#include "fovea/bundle/trained.h"
#include "fovea/commands/commands.h"
#include "fovea/config/run_config.h"
#include "fovea/nn/layers.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/file.h"
#include "fovea/transforms/scene.h"
#include "support/test_files.h"

namespace fovea {
namespace {

using torch::Tensor;

constexpr int64_t kSide = 16;

/// Of a case a rectangle of 5 x 5 at a place that two columns say.
Tensor rectangle(std::string_view top, std::string_view left) {
  Tensor mask = torch::zeros({kSide, kSide}, torch::kUInt8);
  const int64_t y = std::stoll(std::string(top)), x = std::stoll(std::string(left));
  mask.slice(0, y, y + 5).slice(1, x, x + 5).fill_(1);
  return mask;
}

// --- an input: an image of noise in which the rectangle is bright

struct GlowOptions {
  double brightness = 1;
  void describe(Fields& f) { f("brightness", brightness, "of the rectangle").above(0); }
};

class GlowInput final : public inputs::Input {
 public:
  GlowInput(const GlowOptions& options, const inputs::InputPlace& place) : options_(options) {
    const int64_t top = place.rows.column("top"), left = place.rows.column("left");
    for (size_t i = 0; i < place.rows.size(); ++i)
      masks_.push_back(rectangle(place.rows.cell(i, top), place.rows.cell(i, left)));
  }
  Tensor read(int64_t index, Origin&) const override {
    Random noise(1, Purpose::phantom, 1, static_cast<uint64_t>(index));
    Tensor image =
        masks_[static_cast<size_t>(index)].to(torch::kFloat32).unsqueeze(0) * options_.brightness;
    auto* value = image.mutable_data_ptr<float>();
    for (int64_t i = 0; i < image.numel(); ++i) value[i] += static_cast<float>(noise.normal());
    return image;
  }

 private:
  GlowOptions options_;
  std::vector<Tensor> masks_;
};

// --- a target: where the rectangle is

struct OutlineOptions {
  std::string input{};
  void describe(Fields& f) { f("input", input, "the image in whose space it lies").required(); }
};

class OutlineTarget final : public targets::Target {
 public:
  OutlineTarget(const OutlineOptions& options, const targets::TargetPlace& place) {
    spec_ = {.name = place.name,
             .classes = {"background", "lesion"},
             .type = "outline",
             .input = options.input,
             .layout = Layout::mask};
    const auto top = place.cells("top"), left = place.cells("left");
    for (size_t i = 0; i < top.size(); ++i) masks_.push_back(rectangle(top[i], left[i]));
  }
  Tensor read(int64_t index) const override { return masks_[static_cast<size_t>(index)]; }
  bool known(int64_t) const override { return true; }
  void keep(const std::vector<int64_t>& cases) override {
    std::vector<Tensor> kept;
    for (const int64_t i : cases) kept.push_back(masks_[static_cast<size_t>(i)]);
    masks_ = std::move(kept);
  }
  void fit(const std::vector<int64_t>&, bool) override {}

 private:
  std::vector<Tensor> masks_;
};

// --- an encoder: a fine level, and a coarse one of half the size

class Pyramid final : public nn::Encoder {
 public:
  Pyramid()
      : fine_(register_module("fine", std::make_shared<nn::Conv>(2, nn::same_conv(1, 6, 3)))),
        coarse_(register_module("coarse", std::make_shared<nn::Conv>(2, nn::same_conv(6, 8, 3)))) {}
  nn::Features encode(const Tensor& input, const Tensor&) override {
    const Tensor fine = at::silu(fine_->forward(input));
    const Tensor coarse = at::silu(coarse_->forward(at::avg_pool2d(fine, 2)));
    const Tensor up = at::upsample_bilinear2d(coarse, input.sizes().slice(2), false);
    return {
        .map = coarse, .levels = {at::cat({fine, up}, 1), coarse}, .pooled = coarse.mean({2, 3})};
  }
  int64_t width() const override { return 8; }
  int64_t finest_width() const override { return 14; }

 private:
  std::shared_ptr<nn::Conv> fine_, coarse_;
};

// --- a task: a class for each sample

/// The overlap of what was found and what is there, of the samples that the mask does not ignore.
class OutlineEvaluation final : public tasks::Evaluation {
 public:
  void add(const TensorMap& decoded, const Batch& batch, const tasks::LossSums& loss) override {
    const Tensor found = decoded.at("lesion"), truth = batch.targets.at("lesion");
    const Tensor known = truth.ne(transforms::kIgnored);
    both_ += (found.eq(1) & truth.eq(1)).sum().item<int64_t>();
    either_ += (found.eq(1) & known).sum().item<int64_t>() + truth.eq(1).sum().item<int64_t>();
    if (!loss.empty()) loss_.add(tasks::table_of(loss));
  }
  std::vector<tasks::NamedMetric> metrics() const override {
    return {{"dice", 2.0 * static_cast<double>(both_) / static_cast<double>(either_), ""},
            {"loss", loss_.value(), "", metrics::kLower}};
  }
  std::vector<std::string> failed() const override { return {}; }
  std::string write(const std::filesystem::path& folder, const std::string& split) const override {
    const std::string line = "split=" + split + " dice=" + std::to_string(metrics()[0].value);
    storage::write_file_atomically(
        folder / "metrics.json",
        nlohmann::json{{"split", split}, {"dice", metrics()[0].value}}.dump());
    return line;
  }

 private:
  int64_t both_ = 0, either_ = 0;
  tasks::LossMean loss_;
};

class Outlining final : public tasks::Task {
 public:
  explicit Outlining(const std::vector<TargetSpec>& targets) : target_(targets.at(0)) {}
  std::vector<nn::HeadSpec> heads() const override {
    return {{target_.name, nn::Dense{target_.input, 2}}};
  }
  tasks::LossSums loss(const nn::Outputs& outputs, const Batch& batch) const override {
    const Tensor truth = batch.targets.at("lesion").to(torch::kInt64);
    return {{at::cross_entropy_loss(outputs.at("lesion").to(torch::kFloat), truth, {},
                                    at::Reduction::Sum, transforms::kIgnored),
             loss_weights(batch)[0]}};
  }
  std::vector<Tensor> loss_weights(const Batch& batch) const override {
    return {batch.targets.at("lesion").ne(transforms::kIgnored).sum(torch::kDouble)};
  }
  TensorMap decode(const nn::Outputs& outputs, const Batch&) const override {
    TensorMap decoded;
    decoded["lesion"] = outputs.at("lesion").argmax(1).to(torch::kUInt8);
    return decoded;
  }
  std::vector<Answer> answers(const TensorMap& decoded, const Batch&, int64_t row) const override {
    const auto samples = decoded.at("lesion")[row].sum().item<int64_t>();
    return {{.target = "lesion",
             .number = static_cast<double>(samples),
             .decision = samples > 0 ? "lesion" : "none"}};
  }
  std::vector<std::string> columns() const override { return {"samples"}; }
  std::unique_ptr<tasks::Evaluation> evaluation() const override {
    return std::make_unique<OutlineEvaluation>();
  }

 private:
  TargetSpec target_;
};

/// The catalogue lines: once in the process, before anything reads a config.
const bool kAdded = [] {
  inputs::input_types().add(inputs::InputTable::item<GlowOptions>(
      "glow", "a bright rectangle", [](const GlowOptions& options) {
        return inputs::InputType{.open =
                                     [options](const inputs::InputPlace& place) {
                                       return std::make_shared<GlowInput>(options, place);
                                     },
                                 .image = true};
      }));
  targets::target_types().add(targets::TargetTable::item<OutlineOptions>(
      "outline", "where it is",
      [](const OutlineOptions& options, const targets::TargetPlace& place) {
        return std::make_shared<OutlineTarget>(options, place);
      }));
  nn::encoders().add(nn::EncoderTable::item<NoOptions>(
      "pyramid", "two levels",
      [](const NoOptions&, const InputShape&) { return std::make_shared<Pyramid>(); }));
  tasks::tasks().add(tasks::TaskTable::item<NoOptions>(
      "outlining", "a class for each sample",
      [](const NoOptions&, const std::vector<TargetSpec>& targets) {
        return std::make_shared<Outlining>(targets);
      }));
  return true;
}();

constexpr const char* kConfig = R"(
data:
  table: cases.csv
  id: id
  split: split
  inputs: {scan: {glow: {brightness: 3}}}
  targets: {lesion: {outline: {input: scan}}}
transforms:
  train: [{flip: {axis: width, probability: 1}}, {pad: {size: 20}}, {crop: {size: 16, where: random}}]
model: {encoders: {scan: pyramid}}
task: outlining
train:
  epochs: 30
  batch_size: 6
  accumulate: 2
  precision: fp32
  best: dice
  optimizer: {adamw: {lr: 0.03}}
)";

class OwnTypes : public testing::Test {
 protected:
  OwnTypes() {
    std::string rows = "id,split,top,left\n";
    for (int i = 0; i < 48; ++i)
      rows += fmt::format("case {},{},{},{}\n", i,
                          i < 24   ? "train"
                          : i < 36 ? "val"
                                   : "test",
                          i % 12, i < 24 ? i % 2 : 10 + i % 2);
    folder_.write("cases.csv", rows);
    folder_.write("own.yaml", kConfig);
  }

  test::TempFolder folder_;
};

TEST_F(OwnTypes, AMaskGoesWithTheImageThroughTheTransformsOfTheConfig) {
  const config::RunConfig config = config::read_config(folder_ / "own.yaml");
  const sources::Source source = sources::open_source(bundle::data_in_use(config), 1);
  const bundle::Training training(config, source, torch::kCPU);
  int64_t ignored = 0;
  for (const Batch& batch : training.cases.epoch(0)) {
    const Tensor truth = batch.targets.at("lesion");
    EXPECT_EQ(truth.sizes(), (std::vector<int64_t>{6, kSide, kSide}));
    // Those of training lie at the left; flipped, as all others at the right, and are bright there.
    EXPECT_EQ(truth.slice(2, 0, 5).eq(1).sum().item<int64_t>(), 0);
    const Tensor image = batch.inputs.at("scan").squeeze(1);
    EXPECT_GT(image.masked_select(truth.eq(1)).mean().item<double>(), 2.5);
    EXPECT_LT(image.masked_select(truth.eq(0)).mean().item<double>(), 0.5);
    ignored += truth.eq(transforms::kIgnored).sum().item<int64_t>();  // beside the image
  }
  EXPECT_GT(ignored, 0);
}

TEST_F(OwnTypes, GoTheWholeRoadFromAConfigToTheAnswersOfABundle) {
  const std::filesystem::path run = folder_ / "run";
  ASSERT_EQ(commands::check({.config = folder_ / "own.yaml"}), 0);
  ASSERT_EQ(commands::train({.config = folder_ / "own.yaml", .out = run, .device = "cpu"}), 0);
  ASSERT_EQ(commands::eval({.model = run, .device = "cpu"}), 0);
  const auto metrics =
      nlohmann::json::parse(storage::read_file(run / "eval-test" / "metrics.json"));
  EXPECT_GT(metrics.at("dice").get<double>(), 0.7);

  // The bundle names the types; where the program has them it is asked like any other.
  std::filesystem::copy(run / "bundle", folder_ / "model",
                        std::filesystem::copy_options::recursive);
  ASSERT_EQ(commands::infer({.model = folder_ / "model",
                             .inputs = {folder_ / "cases.csv"},
                             .out = folder_ / "answers.csv",
                             .device = "cpu"}),
            0);
  const storage::Table answers = storage::read_csv(folder_ / "answers.csv");
  ASSERT_EQ(answers.rows(), 48);
  const int64_t samples = answers.column("samples");
  double sum = 0;
  for (int64_t row = 0; row < answers.rows(); ++row)
    sum += std::stod(std::string(answers.cell(row, samples)));
  EXPECT_NEAR(sum / 48, 25, 8);  // 5 x 5
}

TEST_F(OwnTypes, AreListedAndRefusedByTheirSettingsLikeOthers) {
  EXPECT_THAT(inputs::input_types().names(), testing::Contains("glow"));
  folder_.write("wrong.yaml", "data: {table: cases.csv, inputs: {scan: {glow: {brightnes: 3}}}}\n");
  try {
    config::read_config(folder_ / "wrong.yaml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("brightness"));
  }
}

}  // namespace
}  // namespace fovea
