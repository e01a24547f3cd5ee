// With products of pairs of bf16, so only what is in bf16 differs from avx512.cpp.
#define FOVEA_ISA isa_avx512_bf16
#define FOVEA_DOT
#define FOVEA_LANES 16
#define FOVEA_COLUMNS 4
#define FOVEA_ROWS(columns) (columns == 4 ? 6 : columns == 3 ? 8 : columns == 2 ? 12 : 14)
#include "attention/simd/table.h"

namespace fovea::attention {
const Kernels avx512_bf16 = isa_avx512_bf16::kKernels;
}
