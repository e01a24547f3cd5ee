// An encoder turns one input into features; any encoder serves any task.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <memory>
#include <string_view>
#include <vector>

#include "fovea/core/catalogue.h"
#include "fovea/data/input_shape.h"

namespace fovea::nn {

/// What an encoder gives. `pooled` is always there; the others where the architecture has them.
struct Features {
  torch::Tensor map;                  ///< [N, C, (D,) H, W], the last stage before pooling
  std::vector<torch::Tensor> levels;  ///< a pyramid: the finest map first, `map` the last; or empty
  torch::Tensor tokens;               ///< [N, L, C]
  torch::Tensor pooled;               ///< [N, width()]
  /// [N, L] or [N, F]: how much each token, time step or column counted in the pooling; rows sum
  /// to 1, padding has 0.
  torch::Tensor weights;
};

/// Its parameters are zero until nn::initialize or nn::load_weights fills them; Model does.
class Encoder : public torch::nn::Module {
 public:
  /// `input` [N, …]; `lengths` [N] int64 of ragged inputs, undefined for images.
  virtual Features encode(const torch::Tensor& input, const torch::Tensor& lengths = {}) = 0;
  /// Channels of `pooled`.
  virtual int64_t width() const = 0;
  /// Channels of `map` and `tokens`, where there are some.
  virtual int64_t token_width() const { return width(); }
  /// Channels of the first of `levels`, of `map` where there are none.
  virtual int64_t finest_width() const { return token_width(); }
  /// The parameter that published weights call `stored`; empty for what is none of the encoder's
  /// (the classifier of ImageNet).
  virtual std::string known_as(std::string stored) const;
  /// A stored tensor of another shape made to fit the parameter `name` (a position embedding of
  /// another grid); undefined where there is no sound way.
  virtual torch::Tensor adapted(const std::string& name, const torch::Tensor& stored) const;
};

using EncoderPtr = std::shared_ptr<Encoder>;
using EncoderTable = Catalogue<EncoderPtr(const InputShape&)>;

/// The config Error of an encoder that was given an input it does not read: "rnn: found an image
/// [1, 64, 64], wanted text or a series; …".
[[noreturn]] void refuse_input(std::string_view encoder, const InputShape& found,
                               std::string_view wanted);
/// refuse_input where the input is not an image of 2 or 3 dimensions.
void check_image(std::string_view encoder, const InputShape& shape);

/// The table of encoders: src/nn/encoders.cpp.
EncoderTable& encoders();

struct EncoderChoice : Choice<EncoderPtr(const InputShape&)> {
  EncoderChoice() : Choice(encoders(), "resnet") {}
  /// Of a table of your own.
  EncoderChoice(const EncoderTable& table, std::string_view name) : Choice(table, name) {}
};

}  // namespace fovea::nn
