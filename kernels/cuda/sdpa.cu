// Chooses the kernels of a call.
#include "cuda/family.cuh"
#include "cuda/hopper.h"

namespace fovea::cuda {
namespace {

constexpr int kInvalidValue = 1;                     // cudaErrorInvalidValue
constexpr std::int32_t kMostPositions = 0x7FFFFF00;  // the last tile may reach behind them

bool fits(const SdpaArgs& a) { return a.Nq <= kMostPositions && a.Nk <= kMostPositions; }

struct WriteRng {
  static FOVEA_DEVICE void run(const SdpaArgs&, const RngSource& source, std::int64_t* out,
                               unsigned char*) {
    if (thread_index() != 0) return;
    const auto value = [](const std::int64_t* at) {
      return at ? static_cast<std::uint64_t>(*at) : std::uint64_t{0};
    };
    out[0] = static_cast<std::int64_t>(source.seed + value(source.seed_at));
    out[1] = static_cast<std::int64_t>(source.offset + value(source.offset_at));
  }
};

}  // namespace

#define FOVEA_FAMILY(M)                               \
  extern template int forward_of<M>(const SdpaArgs&); \
  extern template int sums_of<M>(const SdpaArgs&);    \
  extern template int backward_of<M>(const SdpaArgs&);
FOVEA_FAMILY(Mma16<f16>)
FOVEA_FAMILY(Mma16<bf16>)
FOVEA_FAMILY(MmaTf32<1>)
FOVEA_FAMILY(MmaTf32<3>)
#undef FOVEA_FAMILY

int write_delta(const SdpaArgs& a) { return launch<Delta>((Delta::count(a) + 3) / 4, 128, 0, a); }
int add_parts(const SdpaArgs& a, const Sum& sum) {
  return launch<AddParts>((sum.elements(a) + 127) / 128, 128, 0, a, sum);
}
int add_table(const SdpaArgs& a, const Sum& sum) {
  return launch<AddTable>(AddTable::jobs(a), AddTable::kWarps * kWarp, AddTable::kSharedBytes, a,
                          sum);
}

namespace {

constexpr int kHopper = 90;  // the one GPU that sm_90a is for

template <class M>
int forward_with_sums(const SdpaArgs& a) {
  const int error = forward_of<M>(a);
  return error ? error : sums_of<M>(a);
}
/// `path` is the choice's, until the driver refuses what hopper_refuses could not know.
template <class T>
void refused_by_driver(const char** path) {
  *path = __is_same(T, bf16) ? kRefusedByDriver.bf16 : kRefusedByDriver.f16;
}
template <class T>
int forward_16(const SdpaArgs& a, bool hopper, const char** path) {
  if (hopper) {
    const int error = hopper_forward<T>(a);
    if (!error) return sums_of<Mma16<T>>(a);
    if (error != kNoMap) return error;
    refused_by_driver<T>(path);
  }
  return forward_with_sums<Mma16<T>>(a);
}
template <class T>
int backward_16(const SdpaArgs& a, bool hopper, const char** path) {
  if (hopper) {
    int error = write_delta(a);
    if (!error) error = hopper_backward<T>(a);
    if (error != kNoMap) return error;
    refused_by_driver<T>(path);
  }
  return backward_of<Mma16<T>>(a);
}

}  // namespace

Choice choose(const SdpaArgs& a, Pass pass) {
  const bool window = fits_window(a);
  if (a.elem == Elem::f32 && a.tf32) return {false, window ? "sm80 window tf32" : "sm80 mma tf32"};
  if (a.elem == Elem::f32) return {false, window ? "sm80 window 3xtf32" : "sm80 mma 3xtf32"};
  const bool brain = a.elem == Elem::bf16;
  if (window) return {false, brain ? "sm80 window bf16" : "sm80 window f16"};
  if (a.sm != kHopper) return {false, brain ? "sm80 mma bf16" : "sm80 mma f16"};
  if (const Refusal* refusal = hopper_refuses(a, pass))
    return {false, brain ? refusal->bf16 : refusal->f16};
  return {true, brain ? "sm90 wgmma bf16" : "sm90 wgmma f16"};
}

int sdpa_fwd(const SdpaArgs& a, const char** path) noexcept {
  if (!fits(a)) return kInvalidValue;
  const Choice choice = choose(a, Pass::forward);
  *path = choice.path;
  if (a.elem == Elem::f16) return forward_16<f16>(a, choice.hopper, path);
  if (a.elem == Elem::bf16) return forward_16<bf16>(a, choice.hopper, path);
  return a.tf32 ? forward_with_sums<MmaTf32<1>>(a) : forward_with_sums<MmaTf32<3>>(a);
}

int sdpa_bwd(const SdpaArgs& a, const char** path) noexcept {
  if (!fits(a)) return kInvalidValue;
  const Choice choice = choose(a, Pass::backward);
  *path = choice.path;
  if (a.elem == Elem::f16) return backward_16<f16>(a, choice.hopper, path);
  if (a.elem == Elem::bf16) return backward_16<bf16>(a, choice.hopper, path);
  return a.tf32 ? backward_of<MmaTf32<1>>(a) : backward_of<MmaTf32<3>>(a);
}

int write_rng(const RngSource& source, std::int64_t* out, void* stream) noexcept {
  SdpaArgs a;
  a.stream = stream;
  return launch<WriteRng>(1, kWarp, 0, a, source, out);
}

std::int64_t sdpa_bwd_workspace(const SdpaArgs& a) noexcept {
  std::int64_t partial = 0;
  if (fits_window(a)) {
    if (a.dbias.p || a.dtable.p) partial = window_sum(a).elements(a) * window_sum(a).parts;
    return partial * static_cast<std::int64_t>(sizeof(float));
  }
  if (a.dbias.p) {
    const Sum sum = sum_of(a, a.dbias);
    if (!is_whole(a, sum)) partial = sum.elements(a) * sum.parts;
  }
  if (a.dtable.p) {
    const Sum sum = table_sum(a);
    partial = std::max(partial, sum.elements(a) * sum.parts);
  }
  return (Delta::count(a) + partial) * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace fovea::cuda
