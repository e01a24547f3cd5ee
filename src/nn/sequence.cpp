#include "fovea/nn/sequence.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

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

Spelling::Spelling(int64_t width) {
  embedding_ = register_module("embedding",
                               std::make_shared<Embedding>(257, kByteWidth, 1, /*padded=*/true));
  conv_ = register_module("conv", std::make_shared<Conv>(1, ConvOptions{.in = kByteWidth,
                                                                        .out = kFilters,
                                                                        .kernel = {3},
                                                                        .padding = {1},
                                                                        .bias = true,
                                                                        .init = Init::he_in}));
  project_ = register_module("project", std::make_shared<Linear>(kFilters, width));
}

Tensor Spelling::forward(const Tensor& bytes) {
  const int64_t cases = bytes.size(0), longest = bytes.size(1);
  const Tensor words = bytes.flatten(0, 1);  // [N L, S]
  const Tensor none = words.eq(0).unsqueeze(1);
  const Tensor x = conv_->forward(embedding_->forward(words).transpose(1, 2)).relu();
  // Zeros after the word lose against nothing: what follows a relu is not below 0.
  return project_->forward(x.masked_fill(none, 0).amax(2)).unflatten(0, {cases, longest});
}

SequenceInput::SequenceInput(std::string_view encoder, const InputShape& shape, int64_t embedding,
                             double deviation, const TokenDropout& dropout)
    : encoder_(encoder), dropout_(dropout) {
  const bool spelled = shape.sizes.size() == 2 && shape.sizes[1] > 1;
  const bool text = shape.vocabulary > 0 && (shape.sizes.size() == 1 || spelled);
  const bool series = shape.vocabulary == 0 && shape.sizes.size() == 2 && shape.sizes[1] > 0;
  if (!text && !series) refuse_input(encoder, shape, "text or a series");
  width_ = text ? embedding : shape.sizes[1];
  if (text)
    embedding_ = register_module(
        "embedding", std::make_shared<Embedding>(shape.vocabulary, embedding, deviation, true));
  if (text && spelled)
    spelling_ = register_module("spelling", std::make_shared<Spelling>(embedding));
}

// Cleared before anything reads it: a product of zero and a NaN of the padding would be NaN.
Tensor SequenceInput::forward(const Tensor& input, const Padding& padding) {
  const bool train = is_training();
  if (!embedding_) return at::dropout(padding.clear(input), dropout_.values, train);
  if (input.scalar_type() != torch::kInt64)
    throw config_error(fmt::format("{}: found text as {} values, wanted int64 ids", encoder_,
                                   c10::toString(input.scalar_type())));
  Tensor clean = input;
  if (padding.mask.defined()) {
    const Tensor none = padding.mask.logical_not();
    clean = input.masked_fill(spelling_ ? none.unsqueeze(2) : none, 0);
  }
  Tensor ids = spelling_ ? clean.select(2, 0) : clean;
  if (train && dropout_.words > 0) {
    const Tensor draws = torch::rand(ids.sizes(), torch::device(ids.device()));
    ids = ids.masked_fill(draws.lt(dropout_.words).logical_and(ids.gt(1)), 1);
  }
  Tensor vectors = embedding_->forward(ids);
  if (spelling_) vectors = padding.clear(vectors + spelling_->forward(clean.slice(2, 1)));
  return at::dropout(vectors, dropout_.values, train);
}

SequencePooling::SequencePooling(const std::string& type, int64_t width) : type_(type) {
  if (type != "attention") return;
  hidden_ = register_module("hidden", std::make_shared<Linear>(width, width));
  score_ = register_module("score", std::make_shared<Linear>(width, 1, Init::uniform, false));
}

SequencePooling::Result SequencePooling::forward(const Tensor& tokens, const Padding& padding) {
  const Tensor& mask = padding.mask;
  if (type_ == "last") {
    if (!mask.defined()) return {tokens.select(1, -1), {}};
    const Tensor last = (mask.sum(1) - 1).view({-1, 1, 1}).expand({-1, 1, tokens.size(2)});
    return {tokens.gather(1, last).squeeze(1), {}};
  }
  if (type_ == "mean")
    return {mask.defined() ? tokens.sum(1) / mask.sum(1, true) : tokens.mean(1), {}};
  if (type_ == "max") {
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
