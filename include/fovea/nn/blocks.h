// Attention inside convolutional encoders: blocks that keep the shape of a feature map and can be
// placed after any stage, and the pooling that ends an encoder.
#pragma once

#include "fovea/core/catalogue.h"
#include "fovea/nn/layers.h"

namespace fovea::nn {

/// [N, C, (D,) H, W] -> the same shape.
class Block : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& x) = 0;
};

using BlockPtr = std::shared_ptr<Block>;
using BlockTable = Catalogue<BlockPtr(int64_t channels, int64_t dims)>;

/// The table of blocks: src/nn/blocks.cpp, settings: blocks/.
BlockTable& blocks();

struct BlockChoice : Choice<BlockPtr(int64_t, int64_t)> {
  BlockChoice() : Choice(blocks(), "self_attention") {}
};

/// `{after: 3, block: self_attention}`
struct PlacedBlock {
  int64_t after = 1;  ///< stage, counted from 1
  BlockChoice block;

  void describe(Fields& f) {
    f("after", after, "the stage whose output the block reads, counted from 1").above(0);
    f("block", block, "the block");
  }
};

/// The blocks of one encoder, child modules "0", "1", … in the order of the settings.
class PlacedBlocks : public torch::nn::Module {
 public:
  /// `channels` of each stage; a config Error where a block is placed after a stage there is not.
  PlacedBlocks(const std::vector<PlacedBlock>& placed, const std::vector<int64_t>& channels,
               int64_t dims);
  /// `x` through the blocks placed after `stage`.
  torch::Tensor forward(int64_t stage, torch::Tensor x);

 private:
  std::vector<std::pair<int64_t, BlockPtr>> blocks_;
};

const std::vector<std::string>& pooling_names();  ///< average, attention, two_branch

/// A feature map -> one vector per case.
///   average     the mean over positions, [N, C]
///   attention   the mean weighted by a learned softmax over positions, w = v' tanh(U x) (Ilse et
///               al., ICML 2018), [N, C]
///   two_branch  both, one after the other: [CNN(X); A(CNN(X))], [N, 2 C]
class Pooling : public torch::nn::Module {
 public:
  Pooling(const std::string& type, int64_t channels);
  torch::Tensor forward(const torch::Tensor& map);
  int64_t width() const { return width_; }
  int64_t channels() const { return channels_; }  ///< of the map

 private:
  bool average_;
  int64_t width_, channels_;
  std::shared_ptr<Linear> hidden_, score_;  ///< null without attention
};

}  // namespace fovea::nn
