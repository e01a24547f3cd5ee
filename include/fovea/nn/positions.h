// How long a text or a series may be for an encoder.
#pragma once

#include "fovea/nn/encoder.h"

namespace fovea::nn {

/// How many tokens or time steps the chosen encoder has positions for; 0: any number.
int64_t longest_input(const EncoderChoice& choice);

}  // namespace fovea::nn
