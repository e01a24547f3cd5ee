// Vectors of four floats, which every processor that LibTorch runs on has.
#define FOVEA_ISA isa_portable
#define FOVEA_LANES 4
#define FOVEA_COLUMNS 2
#define FOVEA_ROWS(columns) (columns == 2 ? 6 : 12)
#include "attention/simd/table.h"

namespace fovea::attention {
const Kernels portable = isa_portable::kKernels;
}
