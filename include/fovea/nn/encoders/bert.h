// BERT (Devlin et al., NAACL 2019) with the parameter names of the library Hugging Face transformers,
// so that published encoders load from safetensors: BERT, BioBERT, PubMedBERT, ClinicalBERT …
#pragma once

#include <optional>
#include <string>

#include "fovea/nn/encoder.h"

namespace fovea::nn {

/// The defaults are those of BERT base.
struct BertOptions {
  int64_t width = 768;
  int64_t depth = 12;
  int64_t heads = 12;
  std::optional<int64_t> ffn = {};
  int64_t max_length = 512;
  double dropout = 0.1;
  std::string pooling = "pooler";

  void describe(Fields& f) {
    f("width", width, "channels of a token").above(0);
    f("depth", depth, "layers").above(0);
    f("heads", heads, "must divide the width").above(0);
    f("ffn", ffn, "width of the feed-forward layer (GELU); null: 4 times the token width").above(0);
    f("max_length", max_length, "how many positions are learned; the longest text allowed")
        .above(0);
    f("dropout", dropout, "on tokens, attention weights and hidden values, during training")
        .at_least(0)
        .below(1);
    f("pooling", pooling,
      "pooler: tanh of a layer on the first token, [CLS], as in the paper; or the first token "
      "itself, or the mean or attention over the tokens")
        .one_of({"pooler", "class_token", "mean", "attention"});
  }
};

/// Reads text; its tokenizer is wordpiece with the model's vocab.txt and add_special. Features:
/// `tokens` [N, L, width]; `weights` [N, L]: of attention pooling, else how much [CLS] looked at each
/// token in the last layer (none with mean). A text has one segment (token type 0).
EncoderPtr bert(const BertOptions& options, const InputShape& shape);

}  // namespace fovea::nn
