// Somebody's own types: a target with a shape of its own (a mask), an encoder with several feature
// levels and a task with a dense head, all in this file. The loader stacks them, the transforms
// move the mask with its image, the trainer trains, evaluates and stores, the predictor answers; no
// code between them knows of any.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/bundle/parts.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/weights.h"
#include "fovea/storage/file.h"
#include "fovea/tasks/task.h"
#include "fovea/train/evaluate.h"
#include "fovea/train/optimizers/adamw.h"
#include "fovea/train/trainer.h"
#include "fovea/transforms/spatial/geometry.h"
#include "fovea/transforms/transform.h"
#include "support/test_files.h"

namespace fovea {
namespace {

using torch::Tensor;

constexpr int64_t kSide = 16;

/// A bright rectangle on noise, in the left half of the image; the mask says where.
class Rectangles final : public Dataset {
 public:
  explicit Rectangles(uint64_t seed) : seed_(seed) {
    schema_.inputs = {{"image", {.sizes = {1, kSide, kSide}}}};
    schema_.targets = {{.name = "lesion",
                        .classes = {"background", "lesion"},
                        .type = "outline",
                        .input = "image",
                        .layout = Layout::mask}};
  }
  int64_t size() const override { return 24; }
  const Schema& schema() const override { return schema_; }
  Example get(int64_t index) const override {
    Random noise(seed_, Purpose::phantom, 1, static_cast<uint64_t>(index));
    Example example{.id = name(index), .group = "", .inputs = {}, .targets = targets(index)};
    Tensor image = example.targets.at("lesion").to(torch::kFloat32).unsqueeze(0) * 3;
    auto* value = image.mutable_data_ptr<float>();
    for (int64_t i = 0; i < image.numel(); ++i) value[i] += static_cast<float>(noise.normal());
    example.inputs["image"] = image;
    return example;
  }
  TensorMap targets(int64_t index) const override {
    Random draw(seed_, Purpose::phantom, 0, static_cast<uint64_t>(index));
    const int64_t top = draw.below(9), left = draw.below(2);
    Tensor mask = torch::zeros({kSide, kSide}, torch::kUInt8);
    mask.slice(0, top, top + 5).slice(1, left, left + 5).fill_(1);
    TensorMap targets;
    targets["lesion"] = mask;
    return targets;
  }
  std::string group(int64_t) const override { return ""; }
  std::string name(int64_t index) const override { return "case " + std::to_string(index); }

 private:
  uint64_t seed_;
  Schema schema_;
};

/// A fine level, and a coarse one of half the size.
class Pyramid final : public nn::Encoder {
 public:
  Pyramid()
      : fine_(register_module("fine", std::make_shared<nn::Conv>(2, nn::same_conv(1, 6, 3)))),
        coarse_(register_module("coarse", std::make_shared<nn::Conv>(2, nn::same_conv(6, 8, 3)))) {}
  nn::Features encode(const Tensor& input, const Tensor&) override {
    const Tensor fine = at::relu(fine_->forward(input));
    const Tensor coarse = at::relu(coarse_->forward(at::avg_pool2d(fine, 2)));
    const Tensor up = at::upsample_bilinear2d(coarse, input.sizes().slice(2), false);
    return {
        .map = coarse, .levels = {at::cat({fine, up}, 1), coarse}, .pooled = coarse.mean({2, 3})};
  }
  int64_t width() const override { return 8; }
  int64_t finest_width() const override { return 14; }

 private:
  std::shared_ptr<nn::Conv> fine_, coarse_;
};

const nn::EncoderTable& own_encoders() {
  static const nn::EncoderTable table(
      "encoders", {nn::EncoderTable::item<NoOptions>("pyramid", "two levels",
                                                     [](const NoOptions&, const InputShape&) {
                                                       return std::make_shared<Pyramid>();
                                                     })});
  return table;
}

/// The share of the lesion's samples that were found, of those that the mask does not ignore.
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
    storage::write_file_atomically(folder / "metrics.txt", line);
    return line;
  }

 private:
  int64_t both_ = 0, either_ = 0;
  tasks::LossMean loss_;
};

class Outline final : public tasks::Task {
 public:
  std::vector<nn::HeadSpec> heads() const override { return {{"lesion", nn::Dense{"image", 2}}}; }
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
};

std::shared_ptr<nn::Model> model_of(const Outline& task, uint64_t seed) {
  nn::ModelOptions options;
  options.encoders.entries.emplace_back("image", nn::EncoderChoice(own_encoders(), "pyramid"));
  return std::make_shared<nn::Model>(
      options, std::vector<std::pair<std::string, InputShape>>{{"image", {{1, kSide, kSide}}}},
      task.heads(), seed);
}

TEST(OwnTypes, ATargetAnEncoderAndATaskGoTheWholeRoad) {
  const auto task = std::make_shared<Outline>();
  const auto model = model_of(*task, 1);
  const auto training_cases = std::make_shared<Rectangles>(1);
  std::vector<transforms::TransformChoice> steps(3);
  steps[0].set("flip", transforms::FlipOptions{.axis = "width", .probability = 1});
  steps[1].set("pad", transforms::PadOptions{.size = {20}});
  steps[2].set("crop", transforms::CropOptions{.size = {kSide}, .where = "random"});
  const ExampleTransform augment =
      transforms::pipeline(steps, "image", training_cases->schema().targets);
  train::TrainOptions options;
  options.epochs = 30;
  options.batch_size = 6;
  options.precision = "fp32";
  options.loader_threads = 2;
  options.accumulate = 2;
  options.best = "dice";
  options.optimizer.set("adamw", train::AdamWOptions{.lr = 0.03});
  const Loader training(training_cases, augment, train::training_loader(options, 1));

  // Each mask went with its image: flipped, the lesions lie in the right half, and are bright
  // there.
  for (const Batch& batch : training.epoch(0)) {
    const Tensor truth = batch.targets.at("lesion");
    EXPECT_EQ(truth.sizes(), (std::vector<int64_t>{6, kSide, kSide}));
    EXPECT_EQ(truth.slice(2, 0, 5).eq(1).sum().item<int64_t>(), 0);
    const Tensor image = batch.inputs.at("image").squeeze(1);
    EXPECT_GT(image.masked_select(truth.eq(1)).mean().item<double>(), 2.5);
    EXPECT_LT(image.masked_select(truth.eq(0)).mean().item<double>(), 0.5);
    EXPECT_GT(truth.eq(transforms::kIgnored).sum().item<int64_t>(), 0);  // beside the image
  }

  const Loader validation(std::make_shared<Rectangles>(2), {}, train::evaluation_loader(options));
  train::Trainer trainer(
      {.model = model, .task = task, .training = &training, .validation = &validation}, options);
  const train::Result result = trainer.fit();
  EXPECT_EQ(result.best_metric, "dice");
  EXPECT_GT(*result.best, 0.7);

  const test::TempFolder folder;
  const auto evaluation = train::evaluate(*model, *task, validation, {});
  EXPECT_THAT(evaluation->write(folder.path(), "val"), testing::StartsWith("split=val dice=0."));
  nn::save_weights(*model, folder / "model.safetensors");
  const auto parts = std::make_shared<Predictor::Parts>();
  parts->model = model_of(*task, 2);
  nn::load_weights(*parts->model, folder / "model.safetensors");
  parts->model->eval();
  parts->task = task;
  parts->inputs = {{"image", {{1, kSide, kSide}}}};
  parts->targets = training_cases->schema().targets;
  parts->transform = [](Example example, Random&) { return example; };
  const Predictor predictor(parts);
  const Rectangles fresh(3);
  int64_t answered = 0;
  predictor.predict(
      fresh, 2,
      [&](const Prediction& one) {
        ++answered;
        EXPECT_EQ(one.decision, "lesion");
        EXPECT_NEAR(*one.answers[0].number, 25, 15);
      },
      [](const std::filesystem::path& name, const std::string& why) {
        ADD_FAILURE() << name << why;
      });
  EXPECT_EQ(answered, 24);
  EXPECT_EQ(predictor.predict(fresh.get(5)).id, "case 5");
}

}  // namespace
}  // namespace fovea
