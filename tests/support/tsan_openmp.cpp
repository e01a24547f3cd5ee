// Tells ThreadSanitizer what libgomp's teams do: they meet at futexes that it does not see, and without this each parallel
// region would be reported as a race with what comes before and after it. scripts/sanitize loads it ahead of every program.
// A program without ThreadSanitizer is not changed.
#include <dlfcn.h>

extern "C" {
__attribute__((weak)) void __tsan_acquire(void* of);
__attribute__((weak)) void __tsan_release(void* of);
}

namespace {

struct Region {
  void (*body)(void*);
  void* data;
};

void run(void* of) {
  const auto* region = static_cast<Region*>(of);
  __tsan_acquire(of);
  region->body(region->data);
  __tsan_release(of);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void GOMP_parallel(void (*body)(void*),
                                                                     void* data, unsigned threads,
                                                                     unsigned flags) {
  using Parallel = void (*)(void (*)(void*), void*, unsigned, unsigned);
  static const auto parallel = reinterpret_cast<Parallel>(dlsym(RTLD_NEXT, "GOMP_parallel"));
  if (!__tsan_acquire || !__tsan_release) return parallel(body, data, threads, flags);
  Region region{body, data};
  __tsan_release(&region);
  parallel(run, &region, threads, flags);
  __tsan_acquire(&region);
}
