// A model: encoders by input name, their features joined, and the heads that a task asks for.
#pragma once

#include "fovea/data/example.h"
#include "fovea/nn/encoder.h"

namespace fovea::nn {

class Linear;

/// One output that a task asks for: a linear layer on the pooled features, `name` -> [N, outputs].
struct HeadSpec {
  std::string name;
  int64_t outputs = 1;
};

struct ModelOptions {
  Named<EncoderChoice> encoders;  ///< by input name
  double dropout = 0;             ///< before the head
  std::filesystem::path
      weights;  ///< safetensors to start from; heads of another shape are left as drawn
  std::vector<std::string>
      freeze;  ///< parameters whose name begins so are not trained ("encoders.image.layer1")

  void describe(Fields& f);
};

/// Named inputs -> named outputs. Parameter names: "encoders.image.conv1.weight",
/// "heads.label.weight".
///
/// The forward pass reads `inputs` by encoder name and returns one tensor per head (logits). Layers
/// whose parameters are all frozen stay in evaluation mode, so that their statistics do not drift.
class Model : public torch::nn::Module {
 public:
  /// Draws the parameters as a function of the seed and of their names (nn::draw), then takes
  /// `options.weights` where there are some. Without a seed neither happens: for a model that is
  /// filled by load_weights next. A config Error where an encoder has no input, or `freeze` names
  /// nothing.
  Model(const ModelOptions& options, const std::vector<std::pair<std::string, InputShape>>& inputs,
        const std::vector<HeadSpec>& heads, std::optional<uint64_t> seed);

  /// `inputs` floating point (text: int64), [N, …] of the shapes the model was made for: a config
  /// Error otherwise.
  /// `lengths` holds an entry for each input that is ragged. In evaluation mode "weights.NAME"
  /// (Features::weights) stands beside the heads' outputs where the encoder of NAME gives it.
  TensorMap forward(const TensorMap& inputs, const TensorMap& lengths = {});

  void train(bool on = true) override;

  /// The names of the encoders.
  const std::vector<std::string>& input_names() const { return input_names_; }
  /// A config Error with the known names where there is none such.
  Encoder& encoder(std::string_view name) const;

 private:
  void freeze(const std::vector<std::string>& prefixes);

  std::vector<std::string> input_names_;
  std::vector<InputShape> shapes_;
  std::vector<EncoderPtr> encoders_;
  std::vector<std::string> head_names_;
  std::vector<std::shared_ptr<Linear>> heads_;
  double dropout_;
};

}  // namespace fovea::nn
