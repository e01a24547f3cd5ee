// The table of attention blocks. To add one: a file like blocks/cbam.cpp, and a line here.
#include "fovea/nn/blocks.h"

#include <fmt/format.h>

#include "fovea/core/error.h"
#include "fovea/nn/blocks/attention.h"
#include "fovea/nn/blocks/cbam.h"
#include "fovea/nn/blocks/self_attention.h"
#include "fovea/nn/blocks/squeeze_excitation.h"

namespace fovea::nn {

BlockTable& blocks() {
  static BlockTable table(
      "blocks",
      {
          BlockTable::item<SelfAttentionOptions>(
              "self_attention",
              "every position attends to every other; the gate starts at 0 (SAGAN, ICML 2019)",
              self_attention),
          BlockTable::item<AttentionBlockOptions>(
              "attention",
              "multi-head scaled dot-product attention over positions; the gate starts at 0",
              attention_block),
          BlockTable::item<SqueezeExcitationOptions>("squeeze_excitation",
                                                     "a weight per channel (Hu et al., CVPR 2018)",
                                                     squeeze_excitation),
          BlockTable::item<CbamOptions>(
              "cbam", "weights per channel, then per position (Woo et al., ECCV 2018)", cbam),
      });
  return table;
}

PlacedBlocks::PlacedBlocks(const std::vector<PlacedBlock>& placed,
                           const std::vector<int64_t>& channels, int64_t dims) {
  for (const PlacedBlock& one : placed) {
    if (one.after < 1 || one.after > static_cast<int64_t>(channels.size()))
      throw config_error(
          fmt::format("attention: found block '{}' after stage {}, wanted a stage from 1 to {}",
                      one.block.name(), one.after, channels.size()));
    BlockPtr block = one.block.make(channels[one.after - 1], dims);
    blocks_.emplace_back(one.after, register_module(std::to_string(blocks_.size()), block));
  }
}

torch::Tensor PlacedBlocks::forward(int64_t stage, torch::Tensor x) {
  for (const auto& [after, block] : blocks_)
    if (after == stage) x = block->forward(x);
  return x;
}

}  // namespace fovea::nn
