// What OpenCV keeps for the whole process.
#pragma once

namespace fovea::io {

/// For a program that is all fovea, before its first image: OpenCV's own threads off (the loader has
/// threads of its own), and its log, which repeats in its own words what becomes an Error here. The
/// library never calls it: in another program both are as that program wants them.
void take_opencv();

}  // namespace fovea::io
