#include "fovea/nn/sequence.h"

#include <fmt/format.h>
#include <torch/nn.h>

#include <cmath>

#include "fovea/core/error.h"

namespace fovea::nn {

using torch::Tensor;

Tensor Padding::clear(const Tensor& x) const {
  return mask.defined() ? x.masked_fill(mask.logical_not().unsqueeze(2), 0) : x;
}

Padding padding_of(std::string_view encoder, const Tensor& input, const Tensor& lengths) {
  const int64_t cases = input.size(0), longest = input.size(1);
  if (!lengths.defined()) {
    if (longest == 0)
      throw data_error(fmt::format(
          "{}: found cases of length 0, wanted one token or time step at least", encoder));
    return {};
  }
  if (lengths.dim() != 1 || lengths.size(0) != cases || lengths.scalar_type() != torch::kInt64)
    throw config_error(fmt::format("{}: found {} lengths of {} cases, wanted one int64 for each",
                                   encoder, lengths.numel(), cases));
  if (cases == 0) return {};
  const Tensor ends = lengths.to(torch::kCPU);
  const auto least = ends.min().item<int64_t>(), most = ends.max().item<int64_t>();
  if (least < 1)
    throw data_error(fmt::format(
        "{}: found a case of length {}, wanted one token or time step at least; leave empty cases "
        "out",
        encoder, least));
  if (most > longest)
    throw config_error(
        fmt::format("{}: found a length of {} in a batch padded to {}", encoder, most, longest));
  if (least == longest) return {};
  const Tensor places = torch::arange(longest, torch::dtype(torch::kInt64).device(input.device()));
  return {.lengths = ends, .mask = places.unsqueeze(0) < ends.to(input.device()).unsqueeze(1)};
}

SequenceInput::SequenceInput(std::string_view encoder, const InputShape& shape, int64_t embedding,
                             double deviation, const TokenDropout& dropout)
    : encoder_(encoder), dropout_(dropout) {
  const bool text = shape.vocabulary > 0 && shape.sizes.size() == 1;
  const bool series = shape.vocabulary == 0 && shape.sizes.size() == 2 && shape.sizes[1] > 0;
  if (!text && !series) refuse_input(encoder, shape, "text or a series");
  width_ = text ? embedding : shape.sizes[1];
  if (text)
    embedding_ = register_module(
        "embedding", std::make_shared<Embedding>(shape.vocabulary, embedding, deviation, true));
}

// Cleared before anything reads it: a product of zero and a NaN of the padding would be NaN.
Tensor SequenceInput::forward(const Tensor& input, const Padding& padding) {
  const bool train = is_training();
  if (!embedding_) return at::dropout(padding.clear(input), dropout_.values, train);
  if (input.scalar_type() != torch::kInt64)
    throw config_error(fmt::format("{}: found text as {} values, wanted int64 ids", encoder_,
                                   c10::toString(input.scalar_type())));
  Tensor ids = padding.mask.defined() ? input.masked_fill(padding.mask.logical_not(), 0) : input;
  if (train && dropout_.words > 0) {
    const Tensor draws = torch::rand(ids.sizes(), torch::device(ids.device()));
    ids = ids.masked_fill(draws.lt(dropout_.words).logical_and(ids.gt(1)), 1);
  }
  return at::dropout(embedding_->forward(ids), dropout_.values, train);
}

SequencePooling::SequencePooling(const std::string& kind, int64_t width) : kind_(kind) {
  if (kind != "attention") return;
  hidden_ = register_module("hidden", std::make_shared<Linear>(width, width));
  score_ = register_module("score", std::make_shared<Linear>(width, 1, Init::uniform, false));
}

SequencePooling::Result SequencePooling::forward(const Tensor& tokens, const Padding& padding) {
  const Tensor& mask = padding.mask;
  if (kind_ == "last") {
    if (!mask.defined()) return {tokens.select(1, -1), {}};
    const Tensor last = (mask.sum(1) - 1).view({-1, 1, 1}).expand({-1, 1, tokens.size(2)});
    return {tokens.gather(1, last).squeeze(1), {}};
  }
  if (kind_ == "mean")
    return {mask.defined() ? tokens.sum(1) / mask.sum(1, true) : tokens.mean(1), {}};
  if (kind_ == "max") {
    const Tensor seen =
        mask.defined() ? tokens.masked_fill(mask.logical_not().unsqueeze(2), -INFINITY) : tokens;
    return {seen.amax(1), {}};
  }
  Tensor scores = score_->forward(hidden_->forward(tokens).tanh()).squeeze(2);
  if (mask.defined()) scores = scores.masked_fill(mask.logical_not(), -INFINITY);
  const Tensor weights = scores.softmax(1);
  return {at::matmul(weights.to(tokens.dtype()).unsqueeze(1), tokens).squeeze(1), weights};
}

const std::vector<std::string>& sequence_pooling_names() {
  static const std::vector<std::string> names{"last", "mean", "max", "attention"};
  return names;
}

}  // namespace fovea::nn
