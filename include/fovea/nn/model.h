// A model: encoders by input name, their features fused, and the heads that a task asks for.
#pragma once

#include "fovea/data/example.h"
#include "fovea/nn/encoder.h"
#include "fovea/nn/fusion.h"
#include "fovea/nn/head.h"

namespace fovea::nn {

class Head;

struct ModelOptions {
  Named<EncoderChoice> encoders;     ///< by input name
  std::vector<std::string> without;  ///< encoders that are left out, to see what their input adds
  FusionChoice fusion;
  double input_dropout = 0;  ///< how often an input is dropped from a training case
  double dropout = 0;        ///< before the head
  std::filesystem::path
      weights;  ///< safetensors to start from; heads of another shape keep their initial values
  std::vector<std::string>
      freeze;  ///< parameters whose name begins so are not trained ("encoders.image.layer1")

  void describe(Fields& f);
};

/// Named inputs -> named outputs. Parameter names: "encoders.image.conv1.weight",
/// "placeholders.image", "fusion.gate.weight", "heads.label.weight" ("heads.label.image.weight" where
/// the fusion has a branch per input).
///
/// The forward pass reads `inputs` by encoder name and returns what each head gives. Layers
/// whose parameters are all frozen stay in evaluation mode, so that their statistics do not drift.
class Model : public torch::nn::Module {
 public:
  /// Initializes the parameters as a function of the seed and of their names (nn::initialize), then
  /// takes `options.weights` where there are some. Without a seed neither happens: for a model that
  /// is filled by load_weights next. A config Error where an encoder has no input, or `freeze`
  /// names nothing.
  Model(const ModelOptions& options, const std::vector<std::pair<std::string, InputShape>>& inputs,
        const std::vector<HeadSpec>& heads, std::optional<uint64_t> seed);

  /// `inputs` floating point (text: int64), [N, …] of the shapes the model was made for: a config
  /// Error otherwise.
  /// `lengths` holds an entry for each input that is ragged, `present` one for each that a case may
  /// lack (bool [N]); an input that no case of the batch has may be left out.
  Outputs forward(const TensorMap& inputs, const TensorMap& lengths = {},
                  const TensorMap& present = {});

  void train(bool on = true) override;

  /// The names of the encoders in use.
  const std::vector<std::string>& input_names() const { return input_names_; }
  /// A config Error with the known names where there is none such.
  Encoder& encoder(std::string_view name) const;

 private:
  struct Reader {
    std::string name;
    InputShape shape;
    EncoderPtr encoder;
    torch::Tensor placeholder;  ///< [C], undefined where every case has the input
  };
  Part read(const Reader& reader, const TensorMap& inputs, const TensorMap& lengths,
            const TensorMap& present, Features& features) const;
  void take_away(std::vector<Part>& parts) const;
  void freeze(const std::vector<std::string>& prefixes);

  std::vector<std::string> input_names_;
  std::vector<Reader> readers_;
  FusionPtr fusion_;
  std::vector<std::shared_ptr<const Head>> heads_;
  double input_dropout_, dropout_;
};

/// The names of the encoders that are in use: all but those of `without`. A config Error where one of
/// `without` is not an encoder, or none is left.
std::vector<std::string> inputs_in_use(const ModelOptions& options);

}  // namespace fovea::nn
