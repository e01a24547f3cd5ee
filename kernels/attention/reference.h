// Attention as its formula reads: the weights of a row at a time, in double, plain loops. What every other kernel is held
// against, and what runs where there is no faster one.
#pragma once

#include "attention/problem.h"

namespace fovea::attention {

/// A call falls into tasks that write to different places: any order, and any number at once, gives the same bits.
std::int64_t reference_fwd_tasks(const Problem& problem);
std::int64_t reference_bwd_tasks(const Problem& problem);
void reference_fwd(const Problem& problem, std::int64_t task);
void reference_bwd(const Problem& problem, std::int64_t task);

/// All tasks.
void reference_fwd(const Problem& problem);
/// Recomputes what it needs from q, k, v, so `out` and `lse` are not read.
void reference_bwd(const Problem& problem);

}  // namespace fovea::attention
