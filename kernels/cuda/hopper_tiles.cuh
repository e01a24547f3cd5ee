// Tiles of 16-bit rows as Hopper's copy engine writes and its products read them, and the barriers round them.
//
// A tile is panels of 64 channels, a panel is rows of 128 bytes, and the 16-byte units of a row are exchanged by the
// 128-byte swizzle: unit u of row r lies at u ^ r % 8. Every panel begins at a multiple of 1024 bytes.
#pragma once

#include "cuda/device_hopper.h"
#include "cuda/scores.cuh"

namespace fovea::cuda {

constexpr int kPanel = 64, kRowBytes = 128, kBoxRows = 64;

/// The maps of a call; the box of each is 64 channels of 64 positions.
struct Maps {
  TensorMap q, k, v, grad_out;
};

/// What a map is read at: a repeated head or batch is the first.
struct Source {
  const TensorMap& map;
  int head, batch;

  FOVEA_DEVICE Source(const TensorMap& map, const View4& view, const Head& head)
      : map(map), head(view.s[1] == 0 ? 0 : head.h), batch(view.s[0] == 0 ? 0 : head.b) {}
};

template <int Rows, int Panels>
struct Plate {
  static constexpr int kRows = Rows, kBytes = Rows * Panels * kRowBytes;
  unsigned char* data;

  FOVEA_DEVICE Plate at(int slot) const { return {data + slot * kBytes}; }

  /// By one thread; kBytes arrive at the barrier, zeros for what lies outside the tensor.
  FOVEA_DEVICE void load(const Source& from, int first, Barrier* barrier) const {
    for (int panel = 0; panel < Panels; ++panel)
      for (int row = 0; row < Rows; row += kBoxRows)
        load_box(data + (panel * Rows + row) * kRowBytes, from.map, panel * kPanel, first + row,
                 from.head, from.batch, barrier);
  }
  /// By a warp: rows from `first` on become zero.
  FOVEA_DEVICE void clear(int first) const {
    struct alignas(16) Zeros {
      std::uint32_t words[4];
    };
    constexpr int kUnits = kRowBytes / 16;
    for (int panel = 0; panel < Panels; ++panel)
      for (int i = first * kUnits + lane(); i < Rows * kUnits; i += kWarp)
        reinterpret_cast<Zeros*>(data + panel * Rows * kRowBytes)[i] = Zeros{};
  }

  /// Descriptor of channels 16 k to 16 k + 15 of the rows from `first` on, a multiple of 64: rows are those of a product's
  /// first factor, or the columns of its second.
  FOVEA_DEVICE std::uint64_t rows(int first, int k) const {
    const int place = (k / 4 * Rows + first) * kRowBytes + k % 4 * 32;
    return descriptor(place, 16);  // the stride between panels is not used
  }
  /// Descriptor of rows 16 k to 16 k + 15, all channels: the rows of a product's second factor.
  FOVEA_DEVICE std::uint64_t depth(int k) const {
    return descriptor(16 * k * kRowBytes, Rows * kRowBytes);
  }

 private:
  /// Address, stride between panels, stride between groups of eight rows, each in 16 bytes; the swizzle of 128 bytes.
  FOVEA_DEVICE std::uint64_t descriptor(int place, int panel_bytes) const {
    const std::uint32_t address = shared_address(data) + static_cast<std::uint32_t>(place);
    return std::uint64_t{(address & 0x3FFFFU) >> 4} |
           static_cast<std::uint64_t>(panel_bytes >> 4) << 16 |
           static_cast<std::uint64_t>(8 * kRowBytes >> 4) << 32 | std::uint64_t{1} << 62;
  }
};

/// Starts d = rows cols', over all channels, for the 64 rows from `first` on.
template <class T, int N, int Rows, int Columns, int Panels>
FOVEA_DEVICE void start_product(float (&d)[N][4], const Plate<Rows, Panels>& rows, int first,
                                const Plate<Columns, Panels>& cols) {
  static_assert(8 * N == Columns);
#pragma unroll
  for (int k = 0; k < 4 * Panels; ++k) wgmma(T{}, d, rows.rows(first, k), cols.rows(0, k), k > 0);
}

/// Starts sum += weights tile, the weights 64 x 16 K in registers.
template <class T, int W, int K, int Rows, int Panels>
FOVEA_DEVICE void start_sum(float (&sum)[W][4], const std::uint32_t (&weights)[K][4],
                            const Plate<Rows, Panels>& tile) {
  static_assert(8 * W == kPanel * Panels && 16 * K == Rows);
#pragma unroll
  for (int k = 0; k < K; ++k) wgmma(T{}, sum, weights[k], tile.depth(k), true);
}

/// Accumulators, rounded, as the first factor of a product.
template <class T, int N>
FOVEA_DEVICE void pack(const float (&c)[N][4], std::uint32_t (&a)[N / 2][4]) {
#pragma unroll
  for (int k = 0; k < N / 2; ++k) {
    const typename Mma16<T>::A part = Mma16<T>::from_accumulator(c, k);
#pragma unroll
    for (int r = 0; r < 4; ++r) a[k][r] = part.r[r];
  }
}

/// -inf where a query does not see a key, in the warp's 16 rows of a tile whose rows begin at `row`. Most tiles are all seen.
template <Side Rows, int N>
FOVEA_DEVICE void hide_columns(const SdpaArgs& a, const Head& head, int row, int column,
                               float (&s)[N][4]) {
  const int first = row + 16 * warp();
  const int end = Rows == Side::query ? head.keys : a.Nq;  // the lse of other queries hides them
  const bool some = column + 8 * N > end;
  const bool crossed =
      a.causal && (Rows == Side::query ? column + 8 * N > first + 1 : first + 15 > column);
  if (!some && !crossed) return;
#pragma unroll
  for (int n = 0; n < N; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int r = first + lane() / 4 + e / 2 * 8, c = column + Strip::column_of(n, e % 2);
      const bool later = Rows == Side::query ? c > r : r > c;
      if (c >= end || (a.causal && later)) s[n][e] = -kInfinity;
    }
}

template <int W>
FOVEA_DEVICE void clear_half(float (&c)[W][4], int half) {
#pragma unroll
  for (int w = 0; w < W; ++w) c[w][2 * half] = c[w][2 * half + 1] = 0;
}

/// Dropout of a tile of 8 N columns, whatever N: bits of `kept` for eight of its tiles.
template <Side Rows, int N>
struct Keeps {
  std::uint32_t bits[N / 8];

  FOVEA_DEVICE Keeps(const SdpaArgs& a, const Head& head, int row, int column) {
#pragma unroll
    for (int c = 0; c < N / 8; ++c)
      bits[c] = kept<Rows, 8>(a, head, row + 16 * warp(), column + 64 * c);
  }
  FOVEA_DEVICE bool at(int n, int e) const { return bits[n / 8] >> (4 * (n % 8) + e) & 1U; }
};

/// A place in a ring of slots, and how often (mod 2) it went round.
template <int Slots>
struct Cursor {
  int slot = 0;
  std::uint32_t turn = 0;
  FOVEA_DEVICE void next() {
    if (++slot == Slots) slot = 0, turn ^= 1U;
  }
};

/// The barriers of a ring of tiles: one thread fills a slot, every warp that reads it says when it is free again.
template <int Slots>
struct Ring {
  Barrier *full, *free;

  FOVEA_DEVICE Ring(Barrier*& barriers) : full(barriers), free(full + Slots) {
    barriers += 2 * Slots;
  }
  FOVEA_DEVICE void init(int readers) const {
    for (int slot = 0; slot < Slots; ++slot) {
      barrier_init(full + slot, 1);
      barrier_init(free + slot, readers);
    }
  }
  FOVEA_DEVICE Barrier* wait_free(const Cursor<Slots>& at) const {
    barrier_wait(free + at.slot, at.turn ^ 1U);
    return full + at.slot;
  }
  FOVEA_DEVICE void wait_full(const Cursor<Slots>& at) const {
    barrier_wait(full + at.slot, at.turn);
  }
  /// By a whole warp, which then does not know the slot any more.
  FOVEA_DEVICE void release(Cursor<Slots>& at) const {
    sync_warp();
    if (lane() == 0) barrier_arrive(free + at.slot);
    at.next();
  }
};

/// A tile to be filled.
template <class T>
struct Load {
  T tile;
  Source from;
};

/// Fills slots, by a warp.
struct Filler {
  Barrier* landing;
  std::uint32_t turn = 0;

  FOVEA_DEVICE explicit Filler(Barrier*& barriers) : landing(barriers++) {}
  FOVEA_DEVICE void init() const { barrier_init(landing, 1); }

  /// Starts to load positions from `first` on, and announces them at `full`. Rows from `count` on become zero: they may hold
  /// NaN, and 0 NaN would be NaN. Where these are not all outside the tensor, the tiles land at a barrier of the warp's own.
  template <class... T>
  FOVEA_DEVICE void fill(Barrier* full, int first, int count, const Load<T>&... loads) {
    const bool whole = ((count >= T::kRows) && ...);
    Barrier* const barrier = whole ? full : landing;
    if (lane() == 0) {
      barrier_expect(barrier, (T::kBytes + ...));
      (loads.tile.load(loads.from, first, barrier), ...);
    }
    if (!whole) {
      barrier_wait(landing, turn);
      turn ^= 1U;
      (loads.tile.clear(count), ...);
      fence_shared();
      sync_warp();
      if (lane() == 0) barrier_arrive(full);
    }
    sync_warp();  // a lane two phases ahead of the others would leave them waiting
  }
};

/// Of the warps behind `Groups` warpgroups the first produces, those consume, with the registers that producing does not need.
template <int Groups, class Space, class Produce, class Consume>
FOVEA_DEVICE void in_roles(const Space& space, const Produce& produce, const Consume& consume) {
  if (thread_index() == 0) {
    space.init();
    barriers_ready();
  }
  sync_block();
  if (warp() >= 4 * Groups) {
    give_registers<24>();
    if (warp() == 4 * Groups) produce();
  } else {
    take_registers<240>();
    consume();
  }
}

/// The first multiple of 1024 bytes, where the swizzle begins anew.
FOVEA_DEVICE unsigned char* aligned_shared(unsigned char* shared) {
  return shared + (0U - shared_address(shared)) % 1024U;
}
constexpr int kAlignBytes = 1024;

}  // namespace fovea::cuda
