// The table of encoders. To add one: a file like cnn.cpp, and a line here.
#include "fovea/nn/encoder.h"

#include "fovea/nn/cnn.h"
#include "fovea/nn/densenet.h"
#include "fovea/nn/resnet.h"
#include "fovea/nn/vit.h"

namespace fovea::nn {

torch::Tensor Encoder::adapted(const std::string&, const torch::Tensor&) const { return {}; }

const EncoderTable& encoders() {
  static const EncoderTable table(
      "encoders",
      {
          EncoderTable::item<ResNetOptions>(
              "resnet", "residual network, 2-D and 3-D (He et al., CVPR 2016)", resnet),
          EncoderTable::item<DenseNetOptions>(
              "densenet", "densely connected network, 2-D and 3-D (Huang et al., CVPR 2017)",
              densenet),
          EncoderTable::item<ViTOptions>(
              "vit", "Vision Transformer, 2-D and 3-D (Dosovitskiy et al., ICLR 2021)", vit),
          EncoderTable::item<CnnOptions>(
              "cnn", "plain convolutional network for small images, 2-D and 3-D", cnn),
      });
  return table;
}

}  // namespace fovea::nn
