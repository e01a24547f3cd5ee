// A CUDA graph for attention_test.cpp, which itself links no library of CUDA and opens this one.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>

#include <functional>

/// Captures `body` and calls `look` after each of two replays.
extern "C" void fovea_replay_twice(const std::function<void()>& body,
                                   const std::function<void()>& look) {
  const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
  body();  // warms up: what is allocated once is not part of the graph
  c10::cuda::getCurrentCUDAStream().synchronize();
  at::cuda::CUDAGraph graph;
  graph.capture_begin();
  body();
  graph.capture_end();
  for (int replay = 0; replay < 2; ++replay) {
    graph.replay();
    c10::cuda::getCurrentCUDAStream().synchronize();
    look();
  }
}
