// The table of encoders. To add one: a file like cnn.cpp, and a line here.
#include "fovea/nn/encoder.h"

#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/nn/encoders/bert.h"
#include "fovea/nn/encoders/cnn.h"
#include "fovea/nn/encoders/dan.h"
#include "fovea/nn/encoders/densenet.h"
#include "fovea/nn/encoders/ft_transformer.h"
#include "fovea/nn/encoders/mlp.h"
#include "fovea/nn/encoders/resnet.h"
#include "fovea/nn/encoders/resnet1d.h"
#include "fovea/nn/encoders/rnn.h"
#include "fovea/nn/encoders/sequence_transformer.h"
#include "fovea/nn/encoders/swin.h"
#include "fovea/nn/encoders/tcn.h"
#include "fovea/nn/encoders/text_cnn.h"
#include "fovea/nn/encoders/vit.h"
#include "fovea/nn/positions.h"

namespace fovea::nn {

std::string Encoder::known_as(std::string stored) const {
  for (const char* head : {"fc.", "classifier.", "head."})
    if (stored.starts_with(head)) return "";
  return stored;
}

torch::Tensor Encoder::adapted(const std::string&, const torch::Tensor&) const { return {}; }

void refuse_input(std::string_view encoder, const InputShape& found, std::string_view wanted) {
  const size_t axes = found.sizes.size();
  const char* type = found.vocabulary > 0 ? "text"
                     : axes == 1          ? "a table"
                     : axes == 2          ? "a series"
                                          : "an image";
  std::vector<std::string> sides;
  for (const int64_t side : found.sizes) sides.push_back(side < 0 ? "any" : std::to_string(side));
  throw config_error(
      fmt::format("{}: found {} [{}], wanted {}; choose an encoder for this input type", encoder,
                  type, join(sides), wanted));
}

void check_image(std::string_view encoder, const InputShape& shape) {
  const bool image = shape.dims() == 2 || shape.dims() == 3;
  if (!image || shape.vocabulary > 0) refuse_input(encoder, shape, "an image");
}

int64_t longest_input(const EncoderChoice& choice) {
  if (const auto* bert = dynamic_cast<const Held<BertOptions>*>(&choice.settings()))
    return bert->options.max_length;
  const auto* own = dynamic_cast<const Held<SequenceTransformerOptions>*>(&choice.settings());
  return own && own->options.positions == "learned" ? own->options.max_length : 0;
}

EncoderTable& encoders() {
  static EncoderTable table(
      "encoders",
      {
          EncoderTable::item<ResNetOptions>(
              "resnet", "residual network, 2-D and 3-D (He et al., CVPR 2016)", resnet),
          EncoderTable::item<DenseNetOptions>(
              "densenet", "densely connected network, 2-D and 3-D (Huang et al., CVPR 2017)",
              densenet),
          EncoderTable::item<ViTOptions>(
              "vit", "Vision Transformer, 2-D and 3-D (Dosovitskiy et al., ICLR 2021)", vit),
          EncoderTable::item<SwinOptions>(
              "swin", "Transformer of shifted windows, 2-D and 3-D (Liu et al., ICCV 2021)", swin),
          EncoderTable::item<CnnOptions>(
              "cnn", "plain convolutional network for small images, 2-D and 3-D", cnn),
          EncoderTable::item<MlpOptions>(
              "mlp",
              "tables: hidden layers on numbers and entity embeddings (Guo and Berkhahn, 2016)",
              mlp),
          EncoderTable::item<FtTransformerOptions>(
              "ft_transformer", "tables: a token per column (Gorishniy et al., NeurIPS 2021)",
              ft_transformer),
          EncoderTable::item<RnnOptions>("rnn",
                                         "text and series: LSTM (Hochreiter and Schmidhuber, "
                                         "1997), GRU (Cho et al., EMNLP 2014)",
                                         rnn),
          EncoderTable::item<SequenceTransformerOptions>(
              "transformer", "text and series: Transformer encoder (Vaswani et al., NeurIPS 2017)",
              sequence_transformer),
          EncoderTable::item<DanOptions>(
              "dan", "text: deep averaging of words, without their order (Iyyer et al., ACL 2015)",
              dan),
          EncoderTable::item<BertOptions>(
              "bert", "text: BERT, for published weights (Devlin et al., NAACL 2019)", bert),
          EncoderTable::item<TextCnnOptions>(
              "text_cnn", "text and series: convolutions, then the maximum (Kim, EMNLP 2014)",
              text_cnn),
          EncoderTable::item<TcnOptions>(
              "tcn", "series and text: dilated causal convolutions (Bai et al., 2018)", tcn),
          EncoderTable::item<ResNet1dOptions>(
              "resnet1d", "series and text: residual network along time (Wang et al., IJCNN 2017)",
              resnet1d),
      });
  return table;
}

}  // namespace fovea::nn
