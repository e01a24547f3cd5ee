// The contracts of sm_90a: the driver's tensor maps, boxes, products of a warpgroup. See contracts.cu.
#include <functional>
#include <map>

#include "cuda/contracts.h"

namespace fovea::cuda {
namespace {

bf16 brain(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return {static_cast<std::uint16_t>(bits >> 16)};
}
float value(bf16 x) {
  const std::uint32_t bits = std::uint32_t{x.bits} << 16;
  float y;
  std::memcpy(&y, &bits, 4);
  return y;
}
// --- Tensor maps and boxes ----------------------------------------------------------------------------------------

/// [B, N, H, D]: heads lie between positions, as models have them.
View4 merged(void* p, int N, int H, int D) {
  return {p, {std::int64_t{N} * H * D, D, std::int64_t{H} * D, 1}};
}
SdpaArgs call(void* q, void* k, int N, int D, int B = 1, int H = 1) {
  SdpaArgs a;
  a.B = B, a.H = H, a.Nq = a.Nk = N, a.Dk = a.Dv = D, a.sm = 90, a.elem = Elem::bf16;
  a.q = merged(q, N, H, D), a.k = a.v = merged(k, N, H, D);
  return a;
}
void expect_map(const char* what, View4 view, int B, int H, int N, int D, bool taken) {
  SdpaArgs a = call(view.p, view.p, N, D, B, H);
  TensorMap map;
  report(what, (encode_map(map, a, view, N, D) == 0) == taken ? 0 : 1, 1);
}
void maps() {
  const Array<bf16> x(1 << 20);
  expect_map("a head's step is the smaller", merged(x.data, 100, 3, 128), 2, 3, 100, 128, true);
  expect_map("a position's step is the smaller", {x.data, {19200, 6400, 64, 1}}, 2, 3, 100, 64,
             true);
  expect_map("a box wider than the tensor", merged(x.data, 100, 3, 8), 2, 3, 100, 8, true);
  expect_map("a box longer than the tensor", merged(x.data, 7, 3, 64), 2, 3, 7, 64, true);
  expect_map("repeated heads and batches", {x.data, {0, 0, 64, 1}}, 2, 3, 100, 64, true);
  expect_map("an address between units", merged(x.data + 4, 100, 3, 64), 2, 3, 100, 64, false);
  expect_map("a step between units", {x.data, {19200, 6400, 60, 1}}, 2, 3, 100, 60, false);
}

template <int Rows, int Panels>
struct Box {
  static constexpr int kThreads = 128;
  [[maybe_unused]] static constexpr bool kHopper = true;

  static FOVEA_DEVICE void run(const Asked& asked, unsigned char* shared) {
    const Plate<Rows, Panels> plate{aligned_shared(shared)};
    auto* const barrier = reinterpret_cast<Barrier*>(plate.data + plate.kBytes);
    if (thread_index() == 0) {
      barrier_init(barrier, 1);
      barriers_ready();
      barrier_expect(barrier, plate.kBytes);
      plate.load(Source(asked.maps.q, asked.a.q, Head(asked.a, std::int64_t{asked.second})),
                 asked.first, barrier);
    }
    sync_block();
    barrier_wait(barrier, 0);
    auto* const out = static_cast<unsigned char*>(asked.out);
    for (int i = thread_index(); i < plate.kBytes; i += kThreads) out[i] = plate.data[i];
  }
};
template <int Rows, int Panels>
void box(int N, int D, int first, int bh) {
  constexpr int B = 2, H = 3, kBytes = Plate<Rows, Panels>::kBytes, kShared = kBytes + 2048;
  const Array<bf16> x(B * N * H * D);
  for (int i = 0; i < x.size; ++i) x.data[i].bits = static_cast<std::uint16_t>(7 * i + 1);
  const Array<unsigned char> out(kBytes);
  Asked asked;
  asked.a = call(x.data, x.data, N, D, B, H);
  must(encode_maps(asked.maps, asked.a), "tensor maps");
  asked.first = first, asked.second = bh, asked.out = out.data;
  ask<Box<Rows, Panels>>(asked, 1, kShared);
  int wrong = 0;
  for (int row = 0; row < Rows; ++row)
    for (int c = 0; c < 64 * Panels; ++c) {
      const int n = first + row, panel = c / 64, unit = c % 64 / 8 ^ row % 8;
      const unsigned char* at = out.data + (panel * Rows + row) * 128 + unit * 16 + c % 8 * 2;
      const bool there = n < N && c < D;
      const int wanted = there ? x.data[((bh / H * N + n) * H + bh % H) * D + c].bits : 0;
      wrong += (at[0] | at[1] << 8) != wanted;
    }
  report("a box of " + std::to_string(Rows) + " rows from " + std::to_string(first) + " of " +
             std::to_string(N) + ", " + std::to_string(D) + " channels",
         wrong, Rows * 64 * Panels);
}
void boxes() {
  box<64, 1>(100, 64, 0, 0), box<64, 1>(100, 64, 64, 5), box<128, 2>(100, 72, 32, 4);
  box<64, 1>(7, 8, 0, 1), box<64, 2>(100, 64, 0, 3);
}

// --- Products of a warpgroup --------------------------------------------------------------------------------------

template <int Columns, int Panels>
struct ByRows {
  static constexpr int kThreads = 128;
  [[maybe_unused]] static constexpr bool kHopper = true;

  static FOVEA_DEVICE void run(const Asked& asked, unsigned char* shared) {
    const Plate<128, Panels> rows{aligned_shared(shared)};
    const Plate<Columns, Panels> columns{rows.data + rows.kBytes};
    auto* const barrier = reinterpret_cast<Barrier*>(columns.data + columns.kBytes);
    const Head head(asked.a, std::int64_t{0});
    if (thread_index() == 0) {
      barrier_init(barrier, 1);
      barriers_ready();
      barrier_expect(barrier, rows.kBytes + columns.kBytes);
      rows.load(Source(asked.maps.q, asked.a.q, head), 0, barrier);
      columns.load(Source(asked.maps.k, asked.a.k, head), 0, barrier);
    }
    sync_block();
    barrier_wait(barrier, 0);
    auto* const out = static_cast<float*>(asked.out);
    for (int first = 0; first < 128; first += 64) {
      float d[Columns / 8][4] = {};
      settle(d);
      wgmma_fence();
      start_product<bf16>(d, rows, first, columns);
      wgmma_commit();
      wgmma_wait<0>();
      settle(d);
      for (int n = 0; n < Columns / 8; ++n)
        for (int e = 0; e < 4; ++e) out[(first + row_of(e)) * Columns + column_of(n, e)] = d[n][e];
    }
  }
};
template <int Columns, int Panels>
void product_of_rows() {
  constexpr int D = 64 * Panels, kShared = (128 + Columns) * D * 2 + 2048;
  const Array<bf16> x(128 * D), y(128 * D);
  for (int i = 0; i < x.size; ++i) x.data[i] = brain(number(i, 1)), y.data[i] = brain(number(i, 2));
  const Array<float> out(128 * Columns);
  Asked asked;
  asked.a = call(x.data, y.data, 128, D);
  must(encode_maps(asked.maps, asked.a), "tensor maps");
  asked.out = out.data;
  ask<ByRows<Columns, Panels>>(asked, 1, kShared);
  int wrong = 0;
  for (int i = 0; i < 128; ++i)
    for (int j = 0; j < Columns; ++j) {
      float wanted = 0;
      for (int c = 0; c < D; ++c) wanted += value(x.data[i * D + c]) * value(y.data[j * D + c]);
      wrong += out.data[i * Columns + j] != wanted;
    }
  report("both factors by rows, " + std::to_string(Columns) + " columns, " + std::to_string(D) +
             " deep",
         wrong, out.size);
}

/// x [64, Rows] in registers times a tile of which the rows from `first` on are cleared.
template <int Rows, int Panels>
struct ByDepth {
  static constexpr int kThreads = 128;
  [[maybe_unused]] static constexpr bool kHopper = true;

  static FOVEA_DEVICE void run(const Asked& asked, unsigned char* shared) {
    const Plate<Rows, Panels> tile{aligned_shared(shared)};
    auto* barriers = reinterpret_cast<Barrier*>(tile.data + tile.kBytes);
    Barrier* const full = barriers++;
    Filler filler(barriers);
    if (thread_index() == 0) {
      barrier_init(full, 1);
      filler.init();
      barriers_ready();
    }
    sync_block();
    const Source from(asked.maps.k, asked.a.k, Head(asked.a, std::int64_t{0}));
    if (warp() == 0) filler.fill(full, 0, asked.first, Load<Plate<Rows, Panels>>{tile, from});
    float w[Rows / 8][4], sum[8 * Panels][4] = {};
    for (int n = 0; n < Rows / 8; ++n)
      for (int e = 0; e < 4; ++e) w[n][e] = asked.x[row_of(e) * Rows + column_of(n, e)];
    std::uint32_t packed[Rows / 16][4];
    pack<bf16>(w, packed);
    barrier_wait(full, 0);
    settle(sum);
    settle(packed);
    wgmma_fence();
    start_sum<bf16>(sum, packed, tile);
    wgmma_commit();
    wgmma_wait<0>();
    settle(sum);
    settle(packed);
    auto* const out = static_cast<float*>(asked.out);
    for (int n = 0; n < 8 * Panels; ++n)
      for (int e = 0; e < 4; ++e) out[row_of(e) * 64 * Panels + column_of(n, e)] = sum[n][e];
  }
};
template <int Rows, int Panels>
void weighted_rows(int count) {
  constexpr int D = 64 * Panels, kShared = Rows * D * 2 + 2048;
  const Array<bf16> x(Rows * D);  // NaN behind `count`
  for (int i = 0; i < count * D; ++i) x.data[i] = brain(number(i, 3));
  const Array<float> weights(64 * Rows), out(64 * D);
  for (int i = 0; i < weights.size; ++i) weights.data[i] = number(i, 4);
  Asked asked;
  asked.a = call(x.data, x.data, Rows, D);
  must(encode_maps(asked.maps, asked.a), "tensor maps");
  asked.first = count, asked.x = weights.data, asked.out = out.data;
  ask<ByDepth<Rows, Panels>>(asked, 1, kShared);
  int wrong = 0;
  for (int i = 0; i < 64; ++i)
    for (int c = 0; c < D; ++c) {
      float wanted = 0;
      for (int j = 0; j < count; ++j)
        wanted += weights.data[i * Rows + j] * value(x.data[j * D + c]);
      wrong += out.data[i * D + c] != wanted;
    }
  report("weights in registers, " + std::to_string(count) + " of " + std::to_string(Rows) +
             " rows, " + std::to_string(D) + " channels",
         wrong, out.size);
}

// --- How fast one multiprocessor is ----------------------------------------------------------------------------------

#if defined(__CUDACC__)

/// Columns of a product of two warpgroups, the first factor in shared memory or in registers.
template <int Columns, bool Registers>
struct Rate {
  static constexpr int kThreads = 256;
  [[maybe_unused]] static constexpr bool kHopper = true;

  static FOVEA_DEVICE void run(const Asked& asked, unsigned char* shared) {
    const Plate<128, 2> rows{aligned_shared(shared)}, columns{rows.data + rows.kBytes};
    for (int i = thread_index(); i < 2 * rows.kBytes / 4; i += kThreads)
      reinterpret_cast<std::uint32_t*>(rows.data)[i] = 0;
    fence_shared();
    sync_block();
    float d[Columns / 8][4] = {};
    const std::uint32_t a[4] = {};
    const long long begin = clock64();
    settle(d);
#pragma unroll 1
    for (int i = 0; i < 64; ++i) {
      wgmma_fence();
#pragma unroll
      for (int k = 0; k < 8; ++k)
        if constexpr (Registers)
          wgmma(bf16{}, d, a, columns.depth(k), true);
        else
          wgmma(bf16{}, d, rows.rows(warp() / 4 * 64, k), columns.rows(0, k), true);
      wgmma_commit();
      wgmma_wait<0>();
    }
    settle(d);
    sync_block();
    // The sum is zero, but who compiles this does not know it.
    if (thread_index() == 0)
      *static_cast<long long*>(asked.out) = clock64() - begin + static_cast<long long>(d[0][0]);
  }
};
template <int Columns, bool Registers>
void rate() {
  const Array<long long> cycles(1);
  Asked asked;
  asked.out = cycles.data;
  for (int i = 0; i < 2; ++i) ask<Rate<Columns, Registers>>(asked, 1, 66 << 10);
  const double flop = 2.0 * 64 * Columns * 16 * 8 * 64 * 2;
  std::printf("rate of 64 x %d, first factor in %s: %.0f FLOP a cycle\n", Columns,
              Registers ? "registers" : "shared memory", flop / static_cast<double>(*cycles.data));
}
void rates() { rate<64, false>(), rate<128, false>(), rate<64, true>(), rate<128, true>(); }

#else

void rates() { std::printf("skipped: the emulator has no clock\n"); }

#endif

}  // namespace

bool hopper_contract(const std::string& name) {
  const std::map<std::string, std::function<void()>> all = {
      {"map", maps},
      {"tma", boxes},
      {"rows",
       [] {
         product_of_rows<64, 1>(), product_of_rows<128, 1>();
         product_of_rows<64, 2>(), product_of_rows<128, 2>();
       }},
      {"depth",
       [] {
         weighted_rows<64, 1>(64), weighted_rows<128, 1>(128);
         weighted_rows<64, 2>(64), weighted_rows<128, 2>(128);
       }},
      {"clear",
       [] { weighted_rows<64, 1>(33), weighted_rows<128, 2>(70), weighted_rows<128, 1>(1); }},
      {"rate", rates}};
  const auto found = all.find(name);
  if (found == all.end()) return false;
  found->second();
  return true;
}

}  // namespace fovea::cuda
