#include "fovea/train/evaluate.h"

#include <c10/core/InferenceMode.h>

namespace fovea::train {
namespace {

class EvaluationMode {
 public:
  explicit EvaluationMode(nn::Model& model) : model_(model), before_(model.is_training()) {
    model_.eval();
  }
  ~EvaluationMode() { model_.train(before_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  nn::Model& model_;
  bool before_;
};

}  // namespace

std::unique_ptr<tasks::Evaluation> evaluate(nn::Model& model, const tasks::Task& task,
                                            const Loader& loader, const EvaluateOptions& options) {
  const c10::InferenceMode inference;
  const EvaluationMode mode(model);
  const Autocast autocast(options.device, options.precision);  // weights are cast once for all
  auto evaluation = task.evaluation();
  for (const Batch& loaded : loader.epoch(0)) {
    if (options.stop && options.stop()) return nullptr;
    const Batch batch = prepared(loaded, options.device, options.channels_last);
    const nn::Outputs outputs = model.forward(batch.inputs, batch.lengths, batch.present);
    const tasks::LossSums loss = task.loss(outputs, batch);
    TensorMap decoded = task.decode(outputs, batch);
    for (auto& [name, tensor] : decoded) tensor = tensor.cpu();
    evaluation->add(decoded, loaded, loss);
    if (options.decoded) options.decoded(decoded, loaded);
    if (options.progress) options.progress(loaded);
  }
  return evaluation;
}

}  // namespace fovea::train
