// The table of the ways to join inputs. To add one: a file like fusion/concat.cpp, and a line here.
#include "fovea/nn/fusion.h"

#include "fovea/nn/fusion/concat.h"
#include "fovea/nn/fusion/cross_attention.h"
#include "fovea/nn/fusion/gated.h"
#include "fovea/nn/fusion/late.h"

namespace fovea::nn {

FusionTable& fusions() {
  static FusionTable table(
      "fusions",
      {
          FusionTable::item<ConcatOptions>("concat", "the features, concatenated", concat),
          FusionTable::item<GatedOptions>(
              "gated", "a learned weight of each input, per case (Arevalo et al., 2017)", gated),
          FusionTable::item<CrossAttentionOptions>(
              "cross_attention", "each input attends to the others (Tsai et al., ACL 2019)",
              cross_attention),
          FusionTable::item<LateOptions>("late", "a head per input; the outputs are averaged",
                                         late),
      });
  return table;
}

}  // namespace fovea::nn
