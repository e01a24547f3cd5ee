// What the encoders of text and series share. Their rule: padding never changes a result, and no
// gradient comes from it, whatever stands there.
#pragma once

#include <string_view>

#include "fovea/nn/encoder.h"
#include "fovea/nn/layers.h"

namespace fovea::nn {

/// Where the cases of one batch end. All undefined where none is padded.
struct Padding {
  torch::Tensor lengths;  ///< [N] int64 on the CPU
  torch::Tensor mask;     ///< [N, L] bool, true where a case has a token

  /// x [N, L, C] with zeros on padding.
  torch::Tensor clear(const torch::Tensor& x) const;
};

/// `lengths` [N] int64 on any device, undefined: all cases are as long as the batch. An Error where
/// a case has no token, or more than the batch.
Padding padding_of(std::string_view encoder, const torch::Tensor& input,
                   const torch::Tensor& lengths);

/// What makes it harder to learn a text by heart, while training.
struct TokenDropout {
  double words = 0;   ///< how often a word is read as an unknown one (id 1)
  double values = 0;  ///< of the vectors of the words, or of a series

  void describe(Fields& f) {
    f("word_dropout", words, "how often a word is read as unknown, during training")
        .at_least(0)
        .below(1);
    f("input_dropout", values, "on the word embeddings, during training").at_least(0).below(1);
  }
};

/// The bytes of each word -> a vector [N, L, width]: convolutions of three bytes and their largest
/// answers (Ma and Hovy, ACL 2016), so that words that were never seen are told by their endings,
/// capitals and digits. bytes [N, L, S]: 1 + the byte, zeros after the word, which change nothing.
class Spelling : public torch::nn::Module {
 public:
  explicit Spelling(int64_t width);
  torch::Tensor forward(const torch::Tensor& bytes);

 private:
  static constexpr int64_t kByteWidth = 32, kFilters = 64;
  std::shared_ptr<Embedding> embedding_;
  std::shared_ptr<Conv> conv_;
  std::shared_ptr<Linear> project_;
};

/// Text or a series -> [N, L, width()], zeros on padding. Text becomes learned vectors ("embedding",
/// id 0 zeros), to which those of its spelling are added where the input has it; the values of a
/// series pass as they are.
class SequenceInput : public torch::nn::Module {
 public:
  /// A config Error of `encoder` where the input is neither. The vectors are `embedding` wide, and
  /// begin with the deviation.
  SequenceInput(std::string_view encoder, const InputShape& shape, int64_t embedding,
                double deviation = 1, const TokenDropout& dropout = {});
  torch::Tensor forward(const torch::Tensor& input, const Padding& padding);
  int64_t width() const { return width_; }
  bool text() const { return embedding_ != nullptr; }

 private:
  std::string encoder_;
  int64_t width_;
  TokenDropout dropout_;
  std::shared_ptr<Embedding> embedding_;  ///< null: a series
  std::shared_ptr<Spelling> spelling_;    ///< null: ids alone
};

/// Tokens -> one vector per case.
///   last       the last token
///   mean, max  over the tokens
///   attention  the mean weighted by a softmax of v' tanh(W h + b) (Bahdanau et al., ICLR 2015),
///              "hidden" and "score"
class SequencePooling : public torch::nn::Module {
 public:
  SequencePooling(const std::string& type, int64_t width);

  struct Result {
    torch::Tensor pooled;   ///< [N, C]
    torch::Tensor weights;  ///< [N, L], 0 on padding; of attention only
  };
  /// tokens [N, L, C] with zeros on padding.
  Result forward(const torch::Tensor& tokens, const Padding& padding);

 private:
  std::string type_;
  std::shared_ptr<Linear> hidden_, score_;  ///< null without attention
};

const std::vector<std::string>& sequence_pooling_names();  ///< last, mean, max, attention

}  // namespace fovea::nn
