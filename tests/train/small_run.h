// A data set that a tiny network learns in seconds, and all it takes to train on it.
#pragma once

#include "fovea/nn/encoders/cnn.h"
#include "fovea/nn/weights.h"
#include "fovea/tasks/classification.h"
#include "fovea/train/optimizers/adamw.h"
#include "fovea/train/trainer.h"

namespace fovea::train {

/// Noise, brighter in the left (class 0) or right half (class 1) by `contrast`.
class Halves final : public Dataset {
 public:
  Halves(int64_t size, uint64_t seed, double contrast = 1)
      : size_(size), seed_(seed), contrast_(contrast) {}

  int64_t size() const override { return size_; }
  Example get(int64_t index) const override {
    Random random(seed_, Purpose::phantom, 0, static_cast<uint64_t>(index));
    torch::Tensor image = torch::empty({1, 8, 8});
    for (int64_t i = 0; i < 64; ++i) {
      const bool right = i % 8 >= 4;
      const double bright = right == (label(index) == 1) ? contrast_ : 0;
      image.mutable_data_ptr<float>()[i] = static_cast<float>(random.normal() + bright);
    }
    Example example{.id = name(index), .group = "", .inputs = {}, .targets = targets(index)};
    example.inputs["image"] = image;
    return example;
  }
  TensorMap targets(int64_t index) const override {
    TensorMap targets;
    targets["label"] = torch::tensor(label(index));
    return targets;
  }
  std::string group(int64_t) const override { return ""; }
  std::string name(int64_t index) const override { return "case " + std::to_string(index); }

 private:
  int64_t label(int64_t index) const { return index % 2; }

  int64_t size_;
  uint64_t seed_;
  double contrast_;
};

/// Everything a Trainer needs, kept together.
struct SmallRun {
  TrainOptions options;
  int64_t cases = 40;
  double contrast = 1;
  uint64_t seed = 3;
  double dropout = 0.2;
  std::vector<std::string> freeze;

  std::optional<Loader> training, validation;
  std::shared_ptr<nn::Model> model;
  tasks::TaskPtr task;

  SmallRun() {
    options.epochs = 3;
    options.batch_size = 8;
    options.precision = "fp32";
    options.loader_threads = 0;
    options.optimizer.set("adamw", AdamWOptions{.lr = 0.01});
  }

  Training prepare() {
    use_threads(2);
    // Shifted by a random amount, so that augmentation takes part in what must be repeatable.
    const ExampleTransform shift = [](Example example, Random& random) {
      auto& image = example.inputs["image"];
      image = image + static_cast<float>(0.1 * random.normal());
      return example;
    };
    training.emplace(std::make_shared<Halves>(cases, 1, contrast), shift,
                     training_loader(options, seed));
    validation.emplace(std::make_shared<Halves>(30, 2, contrast), ExampleTransform(),
                       evaluation_loader(options));
    task = tasks::classification({}, {{.name = "label", .classes = {"left", "right"}}});
    nn::EncoderChoice encoder;
    encoder.set("cnn", nn::CnnOptions{.channels = {4, 8}, .attention = {}});
    nn::ModelOptions described;
    described.encoders.entries.emplace_back("image", encoder);
    described.dropout = dropout;
    described.freeze = freeze;
    model = std::make_shared<nn::Model>(
        described, std::vector<std::pair<std::string, InputShape>>{{"image", {{1, 8, 8}}}},
        task->heads(), seed);
    return {.model = model,
            .task = task,
            .training = &*training,
            .validation = &*validation,
            .device = torch::kCPU,
            .seed = seed,
            .mix = {}};
  }

  Result fit(std::vector<Callback*> callbacks = {}, RunFolder* folder = nullptr) {
    return Trainer(prepare(), options).fit(std::move(callbacks), folder);
  }

  /// Every weight and buffer, as bytes.
  std::string weights() const {
    std::string bytes;
    for (const auto& [name, tensor] : nn::state(*model)) {
      const torch::Tensor plain = tensor.detach().contiguous();
      bytes.append(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes());
    }
    return bytes;
  }
};

}  // namespace fovea::train
