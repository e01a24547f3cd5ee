// The umbrella for programs that embed fovea: load a trained model, classify files, handle errors. Needs no LibTorch
// headers. (Never included inside fovea.)
#pragma once

#include "fovea/bundle/load.h"
#include "fovea/bundle/predictor.h"
#include "fovea/core/error.h"
#include "fovea/core/log.h"
