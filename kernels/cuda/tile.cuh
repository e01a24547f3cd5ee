// Rows of q, k, v and their gradients between global memory and tiles in shared memory.
#pragma once

#include "cuda/device.h"
#include "cuda/sdpa.h"

namespace fovea::cuda {

/// One (batch, head).
struct Head {
  int b, h;
  std::int64_t bh;
  int image, window;  // without windows the image is the batch
  int queries, keys;  // as many as count: lengths clamped to [0, N]

  FOVEA_DEVICE Head(const SdpaArgs& a, std::int64_t index)
      : Head(a, static_cast<int>(index / a.H), static_cast<int>(index % a.H)) {}
  FOVEA_DEVICE Head(const SdpaArgs& a, int b, int h)
      : Head(a, b, h, a.windows.count ? b / a.windows.count : b,
             a.windows.count ? b % a.windows.count : 0) {}
  FOVEA_DEVICE Head(const SdpaArgs& a, int b, int h, int image, int window)
      : b(b),
        h(h),
        bh(std::int64_t{b} * a.H + h),
        image(image),
        window(window),
        queries(length(a, a.len_q, a.Nq)),
        keys(length(a, a.len_k, a.Nk)) {}

  template <class T>
  FOVEA_DEVICE T* base(const View4& view) const {
    return static_cast<T*>(view.p) + image * view.s[0] + h * view.s[1];
  }

 private:
  FOVEA_DEVICE int length(const SdpaArgs& a, const void* lengths, int most) const {
    if (!lengths) return most;
    const std::int64_t n = a.len64 ? static_cast<const std::int64_t*>(lengths)[b]
                                   : static_cast<const std::int32_t*>(lengths)[b];
    return static_cast<int>(n < 0 ? 0 : n > most ? most : n);
  }
};

/// Where a position lies.
struct Place {
  int row;     // of its image; -1: outside
  int region;  // positions see each other within one
  int bin;     // that of positions i, j is bin(i) - bin(j) + that of (0, 0)
};

struct Axes {
  int at[3];
};
/// Row-major coordinates of `index` in a box.
FOVEA_DEVICE Axes axes_of(const std::int32_t (&box)[3], int index) {
  Axes axes{};
  for (int d = 2; d >= 0; --d) {
    axes.at[d] = index % box[d];
    index /= box[d];
  }
  return axes;
}

/// Of a position `inside` the window that is `block`: no division, for kernels that know both.
FOVEA_DEVICE Place place_of(const Windows& w, const Axes& block, const Axes& inside) {
  Place place{0, 0, 0};
  int rows = 1, bins = 1, regions = 1;
  bool there = true;
  for (int d = 2; d >= 0; --d) {
    const int length = w.window[d], all = w.blocks[d] * length;
    const int rolled = block.at[d] * length + inside.at[d];
    int at = rolled + w.shift[d];
    if (at >= all) at -= all;
    there = there && at < w.size[d];
    place.row += at * rows;
    place.region += (rolled < all - length ? 0 : rolled < all - w.shift[d] ? 1 : 2) * regions;
    place.bin += inside.at[d] * bins;
    rows *= w.size[d];
    regions *= 3;
    bins *= 2 * length - 1;
  }
  if (!there) place.row = -1;
  return place;
}
FOVEA_DEVICE Place place_of(const Windows& w, int window, int position) {
  if (w.count == 0) return {position, 0, 0};
  return place_of(w, axes_of(w.blocks, window), axes_of(w.window, position));
}

/// The bin of a position and itself.
FOVEA_BOTH constexpr int middle_bin(const Windows& w) {
  int middle = 0;
  for (int d = 0; d < 3; ++d) middle = middle * (2 * w.window[d] - 1) + w.window[d] - 1;
  return middle;
}

enum class Side { query, key };

/// What the scores must know of the positions of a tile, in shared memory.
struct Notes {
  int* row;  // as Place; -1 also where the content must not matter, so that it is not even read
  int*
      region;  // of rows below 0 one that nobody else has: what sees each other is told by the regions alone
  int* bin;

  static constexpr int kWords = 3;
  FOVEA_DEVICE Notes(unsigned char*& shared, int count)
      : row(reinterpret_cast<int*>(shared)), region(row + count), bin(region + count) {
    shared += kWords * sizeof(int) * static_cast<unsigned>(count);
  }
  FOVEA_DEVICE Notes(const Notes& all, int first)
      : row(all.row + first), region(all.region + first), bin(all.bin + first) {}

  template <Side S>
  FOVEA_DEVICE void write(const SdpaArgs& a, const Head& head, int first, int count) const {
    const auto* mask = static_cast<const unsigned char*>(a.mask.p);
    const int seen = S == Side::query ? head.queries : head.keys;
    const bool masked = S == Side::key && a.mask.p && a.mask.s[2] == 0;  // alike for all queries
#pragma unroll 1
    for (int r = thread_index(); r < count; r += thread_count()) {
      const int position = first + r;
      Place place{-1, 0, 0};
      if (position < seen) place = place_of(a.windows, head.window, position);
      if (masked && position < seen && !mask[a.mask.at(head.b, head.h, 0, position)])
        place.row = -1;
      row[r] = place.row;
      region[r] = place.row >= 0 ? place.region : S == Side::query ? -1 : -2;
      bin[r] = place.bin;
    }
  }
};

/// Those of the tile that is computed and of the one that arrives meanwhile. Found by an index: of two pointers the compiler
/// forgets that they point to shared memory.
class NotesOfTwo {
 public:
  FOVEA_DEVICE NotesOfTwo(unsigned char*& shared, int count)
      : all_(shared, 2 * count), count_(count) {}
  FOVEA_DEVICE Notes of(int step) const { return {all_, step % 2 * count_}; }

 private:
  Notes all_;
  int count_;
};

/// A tile of `rows` rows, the first `columns` columns real and the others, up to `width`, zero.
template <class T>
struct Tile {
  T* data;
  int rows, columns, width, pitch;

  FOVEA_DEVICE Tile(unsigned char*& shared, int rows, int columns, int pad)
      : Tile(shared, rows, columns, round_up(columns, 16), pad) {}
  FOVEA_DEVICE Tile(unsigned char*& shared, int rows, int columns, int width, int pad)
      : data(reinterpret_cast<T*>(shared)),
        rows(rows),
        columns(columns),
        width(width),
        pitch(width + pad) {
    shared += rows * pitch * static_cast<int>(sizeof(T));
  }

  /// Starts to fill it; `from` is element (0, first column) of the head. Wait for the copies, then for the block.
  FOVEA_DEVICE void load(const View4& view, const T* from, const int* row) const {
    constexpr int kVector = 16 / static_cast<int>(sizeof(T));
    const bool whole = view.s[3] == 1 && columns % kVector == 0 && view.s[2] % kVector == 0 &&
                       reinterpret_cast<std::uintptr_t>(from) % 16 == 0;
    if (whole) {
      const int vectors = width / kVector;
#pragma unroll 1
      for (int i = thread_index(); i < rows * vectors; i += thread_count()) {
        const int r = i / vectors, c = i % vectors * kVector;
        const bool valid = row[r] >= 0 && c < columns;
        copy_async(data + r * pitch + c, valid ? from + row[r] * view.s[2] + c : from, valid);
      }
    } else {
      // Neighbouring threads take neighbouring elements, also of channels-first tensors.
      const bool by_row = view.s[2] == 1;
      const int inner = by_row ? rows : width;
#pragma unroll 1
      for (int i = thread_index(); i < rows * width; i += thread_count()) {
        const int r = by_row ? i % inner : i / inner, c = by_row ? i / inner : i % inner;
        T x{};
        if (row[r] >= 0 && c < columns) x = from[row[r] * view.s[2] + c * view.s[3]];
        data[r * pitch + c] = x;
      }
    }
  }
};

/// Bytes of a Tile, as its constructor takes them.
template <class M>
FOVEA_BOTH constexpr int tile_bytes(int rows, int columns) {
  return rows * (round_up(columns, 16) + M::kPad) * static_cast<int>(sizeof(typename M::Element));
}
FOVEA_BOTH constexpr int notes_bytes(int rows) {
  return rows * Notes::kWords * static_cast<int>(sizeof(int));
}

/// Neighbouring elements, stored at once at an address that is a multiple of all.
template <class T, int N>
struct alignas(N * sizeof(T)) Vector {
  T x[N];
};
template <class T>
FOVEA_DEVICE void store_pair(T* to, T x, T y) {
  *reinterpret_cast<Vector<T, 2>*>(to) = {{x, y}};
}

/// Stores accumulators of one warp, rows as `place_of` says, columns below `columns` only; each row times its factor. Two
/// lanes exchange what they have of two tiles, so that a row is written in whole sectors of 32 bytes.
template <class T, int W>
FOVEA_DEVICE void store_rows(const float (&c)[W][4], const View4& view, T* to, const int (&row)[2],
                             const float (&factor)[2], int columns) {
  const bool fours = view.s[3] == 1 && view.s[2] % 4 == 0 && columns % 4 == 0 &&
                     reinterpret_cast<std::uintptr_t>(to) % (4 * sizeof(T)) == 0;
  const bool odd = lane() % 2 == 1;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    T* at = to + row[half] * view.s[2];
#pragma unroll
    for (int w = 0; w < W; w += 2) {
      if (8 * w >= columns) break;
      const float x[4] = {c[w][2 * half] * factor[half], c[w][2 * half + 1] * factor[half],
                          c[w + 1][2 * half] * factor[half], c[w + 1][2 * half + 1] * factor[half]};
      if (fours) {
        const float got[2] = {shuffle_xor(odd ? x[0] : x[2], 1), shuffle_xor(odd ? x[1] : x[3], 1)};
        const int column = 8 * (w + lane() % 2) + lane() % 4 / 2 * 4;
        if (row[half] >= 0 && column < columns)
          *reinterpret_cast<Vector<T, 4>*>(at + column) = {
              {Float<T>::store(odd ? got[0] : x[0]), Float<T>::store(odd ? got[1] : x[1]),
               Float<T>::store(odd ? x[2] : got[0]), Float<T>::store(odd ? x[3] : got[1])}};
      } else if (row[half] >= 0) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const int column = 8 * (w + e / 2) + lane() % 4 * 2 + e % 2;
          if (column < columns) at[column * view.s[3]] = Float<T>::store(x[e]);
        }
      }
    }
  }
}

/// The rows of this lane's accumulators that are to be stored, -1 where there is none.
FOVEA_DEVICE void rows_to_store(const SdpaArgs& a, const Head& head, int first, int count,
                                int (&row)[2]) {
  for (int half = 0; half < 2; ++half) {
    const int position = first + lane() / 4 + 8 * half;
    row[half] = position < count ? place_of(a.windows, head.window, position).row : -1;
  }
}

}  // namespace fovea::cuda
