#include "fovea/nn/encoders/bert.h"

#include <fmt/format.h>
#include <torch/nn/module.h>

#include <cmath>

#include "fovea/core/error.h"
#include "fovea/nn/attention.h"
#include "fovea/nn/layers.h"
#include "fovea/nn/sequence.h"
#include "fovea/nn/transformer.h"

namespace fovea::nn {
namespace {

using torch::Tensor;

constexpr double kEpsilon = 1e-12;  // of the norms, as in the published configurations
constexpr int64_t kSegments = 2;

using Folder = torch::nn::Module;  // gives a name to what lies in it

template <class Module, class... Args>
std::shared_ptr<Module> put(Folder& folder, const std::string& name, Args&&... args) {
  return folder.register_module(name, std::make_shared<Module>(std::forward<Args>(args)...));
}

/// "dense" and "LayerNorm": norm(x + dropout(dense(hidden))).
class Output : public Folder {
 public:
  Output(int64_t in, int64_t width, double dropout)
      : dense_(put<Linear>(*this, "dense", in, width, Init::small)),
        norm_(put<LayerNorm>(*this, "LayerNorm", width, kEpsilon)),
        dropout_(dropout) {}
  Tensor forward(const Tensor& hidden, const Tensor& x) {
    return norm_->forward(x + at::dropout(dense_->forward(hidden), dropout_, is_training()));
  }

 private:
  std::shared_ptr<Linear> dense_;
  std::shared_ptr<LayerNorm> norm_;
  double dropout_;
};

class Attention : public Folder {
 public:
  explicit Attention(const BertOptions& o) : heads_(o.heads), dropout_(o.dropout) {
    const auto self = put<Folder>(*this, "self");
    const auto linear = [&](const char* name) {
      return put<Linear>(*self, name, o.width, o.width, Init::small);
    };
    query_ = linear("query");
    key_ = linear("key");
    value_ = linear("value");
    output_ = put<Output>(*this, "output", o.width, o.width, o.dropout);
  }

  /// `first` takes, where it is not null, how much the first token looked at each, [N, L].
  Tensor forward(const Tensor& x, const Tensor& mask, Tensor* first) {
    const Tensor q = in_heads(query_->forward(x), heads_), k = in_heads(key_->forward(x), heads_),
                 v = in_heads(value_->forward(x), heads_);
    if (first) *first = first_row(q, k, mask);
    const Tensor seen = attention(q, k, v, mask, is_training() ? dropout_ : 0);
    return output_->forward(seen.transpose(1, 2).reshape_as(x), x);
  }

 private:
  int64_t heads_;
  double dropout_;
  std::shared_ptr<Linear> query_, key_, value_;
  std::shared_ptr<Output> output_;
};

class Layer : public Folder {
 public:
  explicit Layer(const BertOptions& o) {
    const int64_t hidden = o.ffn.value_or(4 * o.width);
    attention_ = put<Attention>(*this, "attention", o);
    dense_ =
        put<Linear>(*put<Folder>(*this, "intermediate"), "dense", o.width, hidden, Init::small);
    output_ = put<Output>(*this, "output", hidden, o.width, o.dropout);
  }
  Tensor forward(const Tensor& x, const Tensor& mask, Tensor* first) {
    const Tensor seen = attention_->forward(x, mask, first);
    return output_->forward(at::gelu(dense_->forward(seen)), seen);
  }

 private:
  std::shared_ptr<Attention> attention_;
  std::shared_ptr<Linear> dense_;
  std::shared_ptr<Output> output_;
};

class Embeddings : public Folder {
 public:
  Embeddings(const BertOptions& o, int64_t vocabulary) : dropout_(o.dropout) {
    const auto table = [&](const char* name, int64_t count) {
      return put<Embedding>(*this, name, count, o.width, 0.02);
    };
    word_ = table("word_embeddings", vocabulary);
    position_ = table("position_embeddings", o.max_length);
    segment_ = table("token_type_embeddings", kSegments);
    norm_ = put<LayerNorm>(*this, "LayerNorm", o.width, kEpsilon);
  }
  Tensor forward(const Tensor& ids) {
    const Tensor x =
        word_->forward(ids) + position_->weight.slice(0, 0, ids.size(1)) + segment_->weight[0];
    return at::dropout(norm_->forward(x), dropout_, is_training());
  }

 private:
  double dropout_;
  std::shared_ptr<Embedding> word_, position_, segment_;
  std::shared_ptr<LayerNorm> norm_;
};

class Bert : public Encoder {
 public:
  Bert(const BertOptions& o, const InputShape& shape)
      : width_(o.width), longest_(o.max_length), vocabulary_(shape.vocabulary), pool_(o.pooling) {
    if (shape.vocabulary == 0 || shape.sizes.size() != 1) refuse_input("bert", shape, "text");
    check_heads("bert", o.width, o.heads);
    embeddings_ = put<Embeddings>(*this, "embeddings", o, shape.vocabulary);
    const auto layers = put<Folder>(*put<Folder>(*this, "encoder"), "layer");
    for (int64_t i = 0; i < o.depth; ++i)
      layers_.push_back(put<Layer>(*layers, std::to_string(i), o));
    if (pool_ == "pooler")
      pooler_ = put<Linear>(*put<Folder>(*this, "pooler"), "dense", o.width, o.width, Init::small);
    if (pool_ == "mean" || pool_ == "attention")
      pooling_ = put<SequencePooling>(*this, "pooling", pool_, o.width);
  }

  Features encode(const Tensor& input, const Tensor& lengths) override {
    const Padding padding = padding_of("bert", input, lengths);
    if (input.size(1) > longest_)
      throw config_error(
          fmt::format("bert: found {} tokens, wanted {} at most", input.size(1), longest_),
          "cut the texts there (TextOptions::max_tokens)");
    Tensor x = embeddings_->forward(input), first;
    for (const auto& layer : layers_)
      x = layer->forward(x, padding.mask, layer == layers_.back() && !pooling_ ? &first : nullptr);
    x = padding.clear(x);
    if (pooling_) {
      const auto [pooled, weights] = pooling_->forward(x, padding);
      return {.map = {}, .tokens = x, .pooled = pooled, .weights = weights};
    }
    const Tensor token = x.select(1, 0);
    return {.map = {},
            .tokens = x,
            .pooled = pooler_ ? pooler_->forward(token).tanh() : token,
            .weights = first};
  }

  int64_t width() const override { return width_; }

  /// Files of a whole BERT call the encoder "bert", and old ones a norm's parameters gamma and beta.
  std::string known_as(std::string stored) const override {
    if (stored.starts_with("bert.")) stored.erase(0, 5);
    if (stored.starts_with("cls.") || stored.ends_with("position_ids")) return "";
    if (stored.starts_with("pooler.") && !pooler_) return "";
    for (const auto& [old, name] : {std::pair{".gamma", ".weight"}, {".beta", ".bias"}})
      if (stored.ends_with(old))
        return stored.substr(0, stored.size() - std::string_view(old).size()) + name;
    return Encoder::known_as(std::move(stored));
  }

  Tensor adapted(const std::string& name, const Tensor& stored) const override {
    if (name == "embeddings.word_embeddings.weight")
      throw data_error(
          fmt::format("bert: the weights know {} tokens and the tokenizer {}; take the tokenizer "
                      "wordpiece with "
                      "the vocab.txt that came with the weights",
                      stored.size(0), vocabulary_));
    if (name == "embeddings.position_embeddings.weight" && stored.size(0) > longest_)
      return stored.slice(0, 0, longest_);
    return {};
  }

 private:
  int64_t width_, longest_, vocabulary_;
  std::string pool_;
  std::shared_ptr<Embeddings> embeddings_;
  std::vector<std::shared_ptr<Layer>> layers_;
  std::shared_ptr<Linear> pooler_;
  std::shared_ptr<SequencePooling> pooling_;
};

}  // namespace

EncoderPtr bert(const BertOptions& options, const InputShape& shape) {
  return std::make_shared<Bert>(options, shape);
}

}  // namespace fovea::nn
