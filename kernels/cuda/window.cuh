// Calls whose positions one tile holds: windows, and short sequences. A block owns a head and walks over batches; while one
// is computed, the next one arrives.
#pragma once

#include "cuda/scores.cuh"

namespace fovea::cuda {

constexpr int kPositions = 64;  // queries and keys of a tile
constexpr int kWindowThreads =
    2 * kPositions;  // 16 queries a warp; a thread notes one query or one key
constexpr int kWindowTiles = kPositions / 8;  // of eight keys

/// As many as a GPU wants; few where they are emulated, so that each walks over several batches.
#if defined(__CUDACC__)
constexpr int kWindowBlocks = 1024;
#else
constexpr int kWindowBlocks = 4;
#endif

/// Consecutive batches of a head.
struct WindowWalk {
  int h, part, b, end;
  int image;
  Axes block;  // of the window in its image

  /// By the shape alone, since the order of a sum depends on it.
  static FOVEA_BOTH int parts(const SdpaArgs& a) {
    const int wanted = a.H < kWindowBlocks ? kWindowBlocks / (a.H < 1 ? 1 : a.H) : 1;
    return wanted < a.B ? wanted : a.B < 1 ? 1 : a.B;
  }
  static FOVEA_BOTH std::int64_t jobs(const SdpaArgs& a) { return std::int64_t{parts(a)} * a.H; }

  /// Neighbouring blocks take the heads of the same batches, which lie side by side.
  FOVEA_DEVICE WindowWalk(const SdpaArgs& a, std::int64_t job)
      : h(static_cast<int>(job % a.H)),
        part(static_cast<int>(job / a.H)),
        b(static_cast<int>(std::int64_t{part} * a.B / parts(a))),
        end(static_cast<int>((std::int64_t{part} + 1) * a.B / parts(a))),
        image(b),
        block{} {
    if (a.windows.count == 0) return;
    image = b / a.windows.count;
    block = axes_of(a.windows.blocks, b % a.windows.count);
  }
  FOVEA_DEVICE bool there() const { return b < end; }
  FOVEA_DEVICE Head head(const SdpaArgs& a) const { return {a, b, h, image, 0}; }

  FOVEA_DEVICE void next(const SdpaArgs& a) {
    ++b;
    for (int d = 2; d >= 0; --d) {
      if (++block.at[d] < a.windows.blocks[d]) return;
      block.at[d] = 0;
    }
    ++image;
  }
};

/// What the scores of a batch must know of its positions, first of the queries, then of the keys.
struct WindowNotes {
  int *row, *region;  // as Notes; the regions of positions that are hidden are nobody else's

  // Those of the next batch are written while slow warps still read those of the last one.
  static constexpr int kBuffers = 3, kBytes = kBuffers * 4 * kPositions * int{sizeof(int)};
  FOVEA_DEVICE WindowNotes(unsigned char* shared, int step)
      : row(reinterpret_cast<int*>(shared) + step % kBuffers * 4 * kPositions),
        region(row + 2 * kPositions) {}

  /// `inside` its window lies the position of this thread.
  FOVEA_DEVICE void write(const SdpaArgs& a, const WindowWalk& walk, const Axes& inside) const {
    const int position = thread_index() % kPositions;
    const bool query = thread_index() < kPositions;
    const Head head = walk.head(a);
    Place place{-1, 0, 0};
    if (position < (query ? head.queries : head.keys)) {
      place = a.windows.count ? place_of(a.windows, walk.block, inside) : Place{position, 0, 0};
      const auto* mask = static_cast<const unsigned char*>(a.mask.p);
      if (!query && mask && a.mask.s[2] == 0 && !mask[a.mask.at(head.b, head.h, 0, position)])
        place.row = -1;
    }
    row[thread_index()] = place.row;
    region[thread_index()] = place.row >= 0 ? place.region : query ? -1 : -2;
  }

  /// The rows of this lane's accumulators that are to be stored, those of hidden positions too.
  FOVEA_DEVICE void rows_to_store(const SdpaArgs& a, Side side, int (&to)[2]) const {
    for (int half = 0; half < 2; ++half) {
      const int position = 16 * warp() + lane() / 4 + 8 * half;
      const bool query = side == Side::query;
      if (a.windows.count)
        to[half] = row[(query ? 0 : kPositions) + position];
      else
        to[half] = position < (query ? a.Nq : a.Nk) ? position : -1;
    }
  }
};

/// What is added to the scores of every batch of a head, in base 2: mask, bias and table; -inf also where the sight of keys
/// that come later is barred, and behind the last position.
struct WindowAddend {
  static constexpr int kPitch = kPositions + 8;  // pairs of columns without bank conflicts
  static constexpr int kMostBins = 7 * 7 * 7;    // of 4x4x4; any other window of 64 has fewer
  static constexpr int kValueBytes = kPositions * kPitch * int{sizeof(float)};
  // And, until they are filled, the table and its bins.
  static constexpr int kBytes =
      round_up(kValueBytes + (kPositions + kMostBins) * int{sizeof(float)}, 128);
  float* data;

  /// What was written to shared memory before can be read after it.
  FOVEA_DEVICE void fill(const SdpaArgs& a, const Head& head, const Axes& inside) const {
    float* const table = data + kPositions * kPitch;
    int* const bins = reinterpret_cast<int*>(table + kMostBins);
    const int middle = middle_bin(a.windows), j = thread_index() % kPositions;
    const int bin = place_of(a.windows, {}, inside).bin;
    bins[j] = bin;
    for (int n = thread_index(); n <= 2 * middle; n += kWindowThreads)
      table[n] = a.table.p ? Addend::of_table(a, head.h, n) : 0.0F;
    sync_block();
#pragma unroll 4
    for (int i = thread_index() / kPositions; i < kPositions; i += 2) {
      const bool seen = i < a.Nq && j < a.Nk && (!a.causal || j <= i);
      data[i * kPitch + j] =
          seen ? Addend::of(a, head, i, j) + table[middle + bins[i] - bin] : -kInfinity;
    }
  }
  FOVEA_DEVICE void read(float (&add)[kWindowTiles][4]) const {
    const float* from = data + (16 * warp() + lane() / 4) * kPitch + lane() % 4 * 2;
#pragma unroll
    for (int n = 0; n < kWindowTiles; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) add[n][e] = from[e / 2 * 8 * kPitch + 8 * n + e % 2];
  }
};

/// Products to scores in base 2.
FOVEA_DEVICE void finish_window_scores(const SdpaArgs& a, const WindowNotes& notes,
                                       const float (&add)[kWindowTiles][4],
                                       float (&s)[kWindowTiles][4]) {
  const float scale = a.scale * kLog2e;
  const int* of_row = notes.region + 16 * warp() + lane() / 4;
  const int region[2] = {of_row[0], of_row[8]};
#pragma unroll
  for (int n = 0; n < kWindowTiles; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int of_column = notes.region[kPositions + Strip::column_of(n, e % 2)];
      // -inf hides also an infinite product.
      const bool seen = region[e / 2] == of_column && add[n][e] != -kInfinity;
      s[n][e] = seen ? s[n][e] * scale + add[n][e] : -kInfinity;
    }
}

/// Tile `index` behind `shared`.
template <class M, int W>
struct WindowTiles {
  using T = typename M::Element;
  static constexpr int kPitch = 8 * W + M::kPad,
                       kBytes = kPositions * kPitch * static_cast<int>(sizeof(T));
  unsigned char* shared;

  FOVEA_DEVICE Tile<T> tile(int index, int columns) const {
    unsigned char* at = shared + index * kBytes;
    return {at, kPositions, columns, 8 * W, M::kPad};
  }
  FOVEA_DEVICE void load(int index, const Head& head, const View4& view, int columns,
                         const int* row) const {
    tile(index, columns).load(view, head.base<const T>(view), row);
  }
};

}  // namespace fovea::cuda
