// A conditional random field on a chain (Lafferty, McCallum and Pereira, ICML 2001): a sequence of
// tags scores the sum of its emissions and of the transitions between neighbours.
#pragma once

#include <torch/types.h>

#include <functional>

#include "fovea/core/standard_library.h"

namespace fovea::tasks {

/// log p(tags | emissions) of each case, [N]; differentiable. Double or float as the emissions.
///
///   emissions    [N, L, K]
///   tags         [N, L] int64, -1 on padding, which must follow the tags and never counts
///   transitions  [K + 1, K + 1]: from the row's tag to the column's; row K from the beginning,
///                column K to the end
///
/// A case without a tag has 0.
torch::Tensor crf_log_likelihood(const torch::Tensor& emissions, const torch::Tensor& tags,
                                 const torch::Tensor& transitions);

/// The best sequence of each case among those without a forbidden step (Viterbi 1967): int64 [N, L],
/// -1 on padding. `lengths` [N] int64; undefined: all are L. `allowed(from, to)` is asked with K for
/// the beginning and the end; it must leave at least one way. All on the CPU or brought there.
torch::Tensor crf_decode(const torch::Tensor& emissions, const torch::Tensor& lengths,
                         const torch::Tensor& transitions,
                         const std::function<bool(int64_t from, int64_t to)>& allowed);

}  // namespace fovea::tasks
