// What every device does before its kernels run: the checks, and the results of the right shape and layout.
#pragma once

#include "attention/operators.h"

namespace fovea::attention {

void check(const Sdpa& s);
void check(const Sdpa& s, const Passed& passed);
void check(const WindowSdpa& s);
void check(const WindowSdpa& s, const Passed& passed);

/// out, lse, col_sum, avg_map; what is not wanted has size [0].
Tensors4 empty_results(const Sdpa& s);
Tensors4 empty_results(const WindowSdpa& s);
/// dq, dk, dv, dbias, or dqkv, dtable; what is not needed is undefined.
Tensors4 empty_gradients(const Sdpa& s, std::array<bool, 4> need);
Tensors2 empty_gradients(const WindowSdpa& s, std::array<bool, 2> need);

}  // namespace fovea::attention
