// The Hopper kernels of one element type.
#pragma once

#include "cuda/hopper.h"
#include "cuda/hopper_backward.cuh"
#include "cuda/hopper_forward.cuh"
#include "cuda/hopper_launch.cuh"

namespace fovea::cuda {

/// Calls f with the panels that hold keys and values.
template <int Panels>
struct Wide {
  static constexpr int kPanels = Panels;
};
template <class F>
int with_panels(const SdpaArgs& a, const F& f) {
  return a.Dk <= kPanel && a.Dv <= kPanel ? f(Wide<1>()) : f(Wide<2>());
}

template <class T>
int hopper_forward(const SdpaArgs& a) {
  Maps maps = {};
  if (encode_maps(maps, a)) return kNoMap;
  return with_panels(a, [&](auto wide) {
    return launch_hopper<HopperForward<T, decltype(wide)::kPanels>>(a, maps);
  });
}

template <class T>
int hopper_backward(const SdpaArgs& a) {
  Maps maps = {};
  if (encode_maps(maps, a)) return kNoMap;
  return with_panels(a, [&](auto wide) {
    constexpr int kPanels = decltype(wide)::kPanels;
    int error = 0;
    if (a.dq.p) error = launch_hopper<HopperBackward<T, Side::query, kPanels>>(a, maps);
    if (!error && (a.dk.p || a.dv.p))
      error = launch_hopper<HopperBackward<T, Side::key, kPanels>>(a, maps);
    return error;
  });
}

}  // namespace fovea::cuda
