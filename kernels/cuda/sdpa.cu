// Chooses the kernels of a call.
#include "cuda/family.cuh"

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
  extern template int backward_of<M>(const SdpaArgs&);
FOVEA_FAMILY(Mma16<f16>)
FOVEA_FAMILY(Mma16<bf16>)
FOVEA_FAMILY(MmaTf32<1>)
FOVEA_FAMILY(MmaTf32<3>)
#undef FOVEA_FAMILY

int add_parts(const SdpaArgs& a, const Sum& sum) {
  return launch<AddParts>((sum.elements(a) + 127) / 128, 128, 0, a, sum);
}
int add_table(const SdpaArgs& a, const Sum& sum) {
  return launch<AddTable>(pieces(AddTable::bins(a.windows) * a.H, 4), 128, 0, a, sum);
}

int sdpa_fwd(const SdpaArgs& a, const char** path) noexcept {
  if (!fits(a)) return kInvalidValue;
  switch (a.elem) {
    case Elem::f16:
      *path = "sm80 mma f16";
      return forward_of<Mma16<f16>>(a);
    case Elem::bf16:
      *path = "sm80 mma bf16";
      return forward_of<Mma16<bf16>>(a);
    default:
      *path = a.tf32 ? "sm80 mma tf32" : "sm80 mma 3xtf32";
  }
  return a.tf32 ? forward_of<MmaTf32<1>>(a) : forward_of<MmaTf32<3>>(a);
}

int sdpa_bwd(const SdpaArgs& a, const char** path) noexcept {
  if (!fits(a)) return kInvalidValue;
  if (const int error = launch<Delta>((Delta::count(a) + 3) / 4, 128, 0, a)) return error;
  switch (a.elem) {
    case Elem::f16:
      *path = "sm80 mma f16";
      return backward_of<Mma16<f16>>(a);
    case Elem::bf16:
      *path = "sm80 mma bf16";
      return backward_of<Mma16<bf16>>(a);
    default:
      *path = a.tf32 ? "sm80 mma tf32" : "sm80 mma 3xtf32";
  }
  return a.tf32 ? backward_of<MmaTf32<1>>(a) : backward_of<MmaTf32<3>>(a);
}

int write_rng(const RngSource& source, std::int64_t* out, void* stream) noexcept {
  SdpaArgs a;
  a.stream = stream;
  return launch<WriteRng>(1, kWarp, 0, a, source, out);
}

std::int64_t sdpa_bwd_workspace(const SdpaArgs& a) noexcept {
  std::int64_t partial = 0;
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
