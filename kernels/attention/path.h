// Which kernel ran: fallbacks explain themselves.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

namespace fovea::attention {

struct CallShape {
  std::int64_t B, H, Nq, Nk, Dk, Dv;
};

/// Remembers the path that `op` took, for last_path(). With FOVEA_SDPA_LOG=1 prints it to stderr when it is new:
///   sdpa_fwd [8,12,197,64] bf16: reference
/// and [8,12,197|343,64|32] where queries and keys, or the channels of k and v, differ in number.
void note_path(const char* op, const CallShape& shape, c10::ScalarType type, std::string path);

}  // namespace fovea::attention
