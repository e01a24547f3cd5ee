// A training step as the Trainer makes it: batch, forward, loss, backward, gradient norm, AdamW.
//   bench_train_step MODEL PRECISION [STEPS]      models as in peers/train_step.py; fp32 | bf16

#include "apps/memory.h"
#include "fovea/core/error.h"
#include "fovea/nn/encoders/resnet.h"
#include "fovea/nn/encoders/rnn.h"
#include "fovea/nn/encoders/sequence_transformer.h"
#include "fovea/nn/encoders/swin.h"
#include "fovea/nn/encoders/vit.h"
#include "fovea/train/trainer.h"
#include "measure.h"

using namespace fovea;

namespace {

constexpr int64_t kVocabulary = 30000;

struct Work {
  nn::EncoderChoice encoder;
  InputShape shape;
  int64_t batch;
};

Work work_of(const std::string& name) {
  Work work{{}, {{3, 224, 224}}, 32};
  const InputShape text{.sizes = {-1}, .vocabulary = kVocabulary};
  nn::ResNetOptions resnet;
  if (name == "vit_tiny_224") {
    work.encoder.set("vit", nn::ViTOptions());
  } else if (name == "swin_tiny_224") {
    work.encoder.set("swin", nn::SwinOptions());
    work.batch = 8;
  } else if (name == "resnet18_224") {
    work.encoder.set("resnet", resnet);
  } else if (name == "resnet18_28") {
    resnet.stem = "small";
    work.encoder.set("resnet", resnet);
    work.shape.sizes = {1, 28, 28};
    work.batch = 128;
  } else if (name == "lstm_text") {
    work.encoder.set("rnn", nn::RnnOptions{.pooling = "mean"});
    work.shape = text;
  } else if (name == "transformer_text") {
    work.encoder.set("transformer", nn::SequenceTransformerOptions{.pooling = "mean"});
    work.shape = text;
  } else {
    throw config_error(
        "unknown model '" + name +
        "'; known: resnet18_28, resnet18_224, vit_tiny_224, swin_tiny_224, lstm_text, "
        "transformer_text");
  }
  return work;
}

/// The same random image, under as many names as an epoch needs; or texts of 64 to 256 random words.
class Noise final : public Dataset {
 public:
  Noise(const InputShape& shape, int64_t count) : text_(shape.vocabulary > 0), count_(count) {
    schema_.inputs.push_back({"image", shape});
    image_ = text_ ? torch::randint(1, shape.vocabulary, {256}, torch::kInt64)
                   : torch::randn(shape.sizes);
  }
  int64_t size() const override { return count_; }
  Example get(int64_t index) const override {
    Example example{.id = name(index), .group = "", .inputs = {}, .targets = targets(index)};
    example.inputs["image"] = text_ ? image_.slice(0, 0, 64 + index * 37 % 193) : image_;
    return example;
  }
  const Schema& schema() const override { return schema_; }
  TensorMap targets(int64_t index) const override {
    TensorMap targets;
    targets["label"] = torch::tensor(index % 2);
    return targets;
  }
  std::string group(int64_t) const override { return ""; }
  std::string name(int64_t index) const override { return std::to_string(index); }

 private:
  bool text_;
  torch::Tensor image_;
  Schema schema_;
  int64_t count_;
};

struct InputEnded {};

/// Waits for its turn between steps, and times some of them together.
class Turns final : public train::Callback {
 public:
  explicit Turns(int64_t steps) : steps_(steps) {}

  void on_step(const train::StepReport& report) override {
    cases_ += report.cases;
    if (++done_ < (warm_ ? steps_ : kWarmUp)) return;
    if (warm_) std::cout << static_cast<double>(cases_) / (bench::now() - start_) << std::endl;
    if (!warm_) std::cout << "ready" << std::endl;
    warm_ = true;
    if (!bench::our_turn()) throw InputEnded();
    done_ = cases_ = 0;
    start_ = bench::now();
  }

 private:
  static constexpr int64_t kWarmUp = 2;
  int64_t steps_, done_ = 0, cases_ = 0;
  bool warm_ = false;
  double start_ = 0;
};

void serve(const std::string& name, const std::string& precision, int64_t steps) {
  const Work work = work_of(name);
  const TargetSpec target{.name = "label", .classes = {"no", "yes"}, .counts = {1, 1}};
  const tasks::TaskPtr task = tasks::TaskChoice().make({target});
  nn::ModelOptions options;
  options.encoders.entries.emplace_back("image", work.encoder);
  const auto model = std::make_shared<nn::Model>(
      options, std::vector<std::pair<std::string, InputShape>>{{"image", work.shape}},
      task->heads(), 1);
  train::TrainOptions training;
  training.batch_size = work.batch;
  training.precision = precision;
  training.loader_threads = 1;
  const Loader loader(std::make_shared<Noise>(work.shape, 1000 * work.batch), {},
                      train::training_loader(training, 1));
  Turns turns(steps);
  train::Trainer({.model = model, .task = task, .training = &loader}, training).fit({&turns});
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  try {
    if (argc < 3) throw config_error("wanted: bench_train_step MODEL PRECISION [STEPS]");
    serve(argv[1], argv[2], argc > 3 ? std::stoll(argv[3]) : 2);
  } catch (const InputEnded&) {
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_train_step: " << error.what() << '\n';
    return 1;
  }
}
