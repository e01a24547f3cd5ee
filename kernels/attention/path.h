// Which kernel ran: fallbacks explain themselves.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace fovea::attention {

/// Remembers the path that `op` took for last_path(); with FOVEA_SDPA_LOG=1 prints it when it is new, as
/// `sdpa_fwd [8,12,197,64] bf16: reference`, `shape` being [B,H,Nq,Dk], "x" between those of queries and keys if unlike.
void note_path(const char* op, at::IntArrayRef sizes, at::ScalarType type, std::string path);

}  // namespace fovea::attention
