// OpenCV resamples; this is for all that call it.
#pragma once

namespace fovea::io {

/// To be called before any other function of OpenCV: its own threads off (the loader has threads of
/// its own), and its log, which repeats in its own words what becomes an Error here. Runs once.
void prepare_opencv();

}  // namespace fovea::io
