#define FOVEA_ISA isa_avx512
#define FOVEA_LANES 16
#define FOVEA_COLUMNS 4
#define FOVEA_ROWS(columns) (columns == 4 ? 6 : columns == 3 ? 8 : columns == 2 ? 12 : 14)
#include "attention/simd/table.h"

namespace fovea::attention {
const Kernels avx512 = isa_avx512::kKernels;
}
