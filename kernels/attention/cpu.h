// The CPU kernels: the fastest one that this processor runs.
#pragma once

#include <string>
#include <vector>

#include "attention/problem.h"

namespace fovea::attention {

/// What FOVEA_CPU_ISA may name on this processor, the slowest first; the last one is taken where it names none.
std::vector<std::string> cpu_isas();

/// Each gives the path taken, as last_path() tells it. Nothing of B, H, Nq, Nk is 0. The same bits whatever the number of
/// threads.
const char* cpu_fwd(const Problem& problem);
const char* cpu_bwd(const Problem& problem);

}  // namespace fovea::attention
