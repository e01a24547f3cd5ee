#define FOVEA_ISA isa_avx2
#define FOVEA_LANES 8
#define FOVEA_COLUMNS 2
#define FOVEA_ROWS(columns) (columns == 2 ? 6 : 12)
#include "attention/simd/table.h"

namespace fovea::attention {
const Kernels avx2 = isa_avx2::kKernels;
}
