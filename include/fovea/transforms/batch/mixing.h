// Transforms of a whole batch that blend cases with one another; the targets blend with them. Every
// input must be a float image [N, C, (D,) H, W]; others are refused by name.
//
// Class indices int64 [N] become float [N, classes]; float targets [N, L] stay in shape, and a label
// missing (NaN) in either of two cases is missing in their mixture.
#pragma once

#include "fovea/transforms/transform.h"

namespace fovea::transforms {

/// Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018: share · a + (1 - share) · b
/// with one share ~ Beta(alpha, alpha) for the batch.
struct MixUpOptions {
  double alpha = 0.2;
  double probability = 1;

  void describe(Fields& f) {
    f("alpha", alpha, "of the Beta distribution of the mixing share").above(0);
    f("probability", probability, "of mixing a batch").between(0, 1);
  }
};
BatchTransformPtr mixup(const MixUpOptions& options, const std::vector<TargetSpec>& targets);

/// Yun et al., "CutMix", ICCV 2019: a box of another case, as large as its share of the target.
struct CutMixOptions {
  double alpha = 1;
  double probability = 1;

  void describe(Fields& f) {
    f("alpha", alpha, "of the Beta distribution of the mixing share").above(0);
    f("probability", probability, "of mixing a batch").between(0, 1);
  }
};
BatchTransformPtr cutmix(const CutMixOptions& options, const std::vector<TargetSpec>& targets);

}  // namespace fovea::transforms
