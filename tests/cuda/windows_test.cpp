// Windows by coordinates against the same kernels on copies: rolled, cut, masked and put back by this test.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "cuda/device.h"
#include "cuda/sdpa.h"

namespace fovea::cuda::test {
namespace {

using Floats = std::vector<float>;

struct Cut {
  int images = 2, heads = 2, channels = 8;
  std::vector<int> grid, window, shift;
  double dropout_p = 0;
  bool table = true;
};

/// Row-major coordinates of `index` in `box`.
std::vector<int> coordinates(int index, const std::vector<int>& box) {
  std::vector<int> at(box.size());
  for (std::size_t d = box.size(); d-- > 0; index /= box[d]) at[d] = index % box[d];
  return at;
}
int volume(const std::vector<int>& box) {
  int n = 1;
  for (const int size : box) n *= size;
  return n;
}

class Pair {
 public:
  explicit Pair(const Cut& cut) : cut_(cut) {
    for (std::size_t d = 0; d < cut.grid.size(); ++d)
      blocks_.push_back((cut.grid[d] + cut.window[d] - 1) / cut.window[d]);
    windows_ = volume(blocks_), positions_ = volume(cut.window), rows_ = volume(cut.grid);
    batch_ = cut.images * windows_;
    for (int w = 0; w < windows_; ++w)
      for (int n = 0; n < positions_; ++n) place(w, n);
    const int width = cut.heads * cut.channels;
    qkv_ = random(cut.images * rows_ * 3 * width, 1);
    grad_ = random(cut.images * rows_ * width, 2);
    bins_ = 1;
    for (const int size : cut.window) bins_ *= 2 * size - 1;
    table_ = random(bins_ * cut.heads, 3);
  }

  void compare() {
    SdpaArgs a = common(), b = common();
    // By coordinates.
    const int width = cut_.heads * cut_.channels;
    Floats out(grad_.size(), NAN), dqkv(qkv_.size(), NAN), dtable(table_.size(), NAN);
    Floats lse(static_cast<std::size_t>(batch_ * cut_.heads * positions_), NAN);
    a.windows.count = windows_;
    for (std::size_t d = 0; d < cut_.grid.size(); ++d) {
      const std::size_t at = 3 - cut_.grid.size() + d;
      a.windows.size[at] = cut_.grid[d], a.windows.window[at] = cut_.window[d];
      a.windows.shift[at] = cut_.shift[d], a.windows.blocks[at] = blocks_[d];
    }
    const auto part = [&](Floats& rows, int parts, int index) {
      return View4{rows.data() + index * width,
                   {rows_ * parts * width, cut_.channels, parts * width, 1}};
    };
    a.q = part(qkv_, 3, 0), a.k = part(qkv_, 3, 1), a.v = part(qkv_, 3, 2);
    a.o = part(out, 1, 0), a.grad_out = part(grad_, 1, 0), a.lse = lse.data();
    a.dq = part(dqkv, 3, 0), a.dk = part(dqkv, 3, 1), a.dv = part(dqkv, 3, 2);
    if (cut_.table) {
      a.table = {table_.data(), {cut_.heads, 1}};
      a.dtable = {dtable.data(), {cut_.heads, 1}};
    }
    // On copies.
    std::vector<Floats> copies(7, Floats(static_cast<std::size_t>(batch_ * positions_ * width)));
    const auto view = [&](Floats& x) {
      return View4{x.data(), {positions_ * width, cut_.channels, width, 1}};
    };
    for (int i = 0; i < 3; ++i) gather(qkv_, 3, i, copies[static_cast<std::size_t>(i)]);
    gather(grad_, 1, 0, copies[3]);
    Floats copied_out(copies[0].size(), NAN), copied_lse(lse.size(), NAN);
    b.q = view(copies[0]), b.k = view(copies[1]), b.v = view(copies[2]),
    b.grad_out = view(copies[3]);
    b.dq = view(copies[4]), b.dk = view(copies[5]), b.dv = view(copies[6]);
    b.o = view(copied_out), b.lse = copied_lse.data();
    const std::int64_t pairs = std::int64_t{positions_} * positions_;
    std::vector<unsigned char> mask;
    for (int batch = 0; batch < batch_; ++batch)
      for (int i = 0; i < positions_; ++i)
        for (int j = 0; j < positions_; ++j) mask.push_back(sees(batch % windows_, i, j) ? 1 : 0);
    b.mask = {mask.data(), {pairs, 0, positions_, 1}};
    Floats bias, dbias(static_cast<std::size_t>(cut_.heads * pairs));
    for (int h = 0; h < cut_.heads; ++h)
      for (int i = 0; i < positions_; ++i)
        for (int j = 0; j < positions_; ++j)
          bias.push_back(table_[static_cast<std::size_t>(bin(i, j) * cut_.heads + h)]);
    if (cut_.table) {
      b.bias = {bias.data(), {0, pairs, positions_, 1}};
      b.dbias = b.bias;
      b.dbias.p = dbias.data();
    }
    run(a);
    run(b);

    EXPECT_EQ(lse, copied_lse);
    EXPECT_EQ(out, scattered({&copied_out}));
    EXPECT_EQ(dqkv, scattered({&copies[4], &copies[5], &copies[6]}));
    if (!cut_.table) return;
    std::vector<double> sums(table_.size());
    std::size_t at = 0;
    for (int h = 0; h < cut_.heads; ++h)
      for (int i = 0; i < positions_; ++i)
        for (int j = 0; j < positions_; ++j)
          sums[static_cast<std::size_t>(bin(i, j) * cut_.heads + h)] +=
              static_cast<double>(dbias[at++]);
    for (std::size_t i = 0; i < sums.size(); ++i)
      EXPECT_NEAR(dtable[i], sums[i], 2e-5) << "bin " << i;
  }

 private:
  Floats random(int n, unsigned seed) const {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    Floats x(static_cast<std::size_t>(n));
    for (float& value : x) value = uniform(engine);
    return x;
  }

  /// Swin's windows: the image, padded to whole windows, is rolled by -shift and cut; its rolled coordinates fall into three
  /// regions per axis.
  void place(int w, int n) {
    const std::vector<int> block = coordinates(w, blocks_), inside = coordinates(n, cut_.window);
    int row = 0, region = 0;
    bool there = true;
    for (std::size_t d = 0; d < block.size(); ++d) {
      const int padded = blocks_[d] * cut_.window[d];
      const int rolled = block[d] * cut_.window[d] + inside[d];
      const int at = (rolled + cut_.shift[d]) % padded;
      there = there && at < cut_.grid[d];
      row = row * cut_.grid[d] + at;
      int of_axis = 2;
      if (rolled < padded - cut_.shift[d]) of_axis = 1;
      if (rolled < padded - cut_.window[d]) of_axis = 0;
      region = region * 3 + of_axis;
    }
    place_.push_back(there ? row : -1);
    region_.push_back(region);
  }
  std::size_t index(int w, int n) const { return static_cast<std::size_t>(w * positions_ + n); }
  bool sees(int w, int i, int j) const {
    return place_[index(w, i)] >= 0 && place_[index(w, j)] >= 0 &&
           region_[index(w, i)] == region_[index(w, j)];
  }
  int bin(int i, int j) const {
    const std::vector<int> at = coordinates(i, cut_.window), to = coordinates(j, cut_.window);
    int bin = 0;
    for (std::size_t d = 0; d < at.size(); ++d)
      bin = bin * (2 * cut_.window[d] - 1) + at[d] - to[d] + cut_.window[d] - 1;
    return bin;
  }

  /// copy[batch, position, head and channel] of part `index` of `parts` in image order.
  template <class F>
  void each(int parts, int index, const F& f) const {
    const int width = cut_.heads * cut_.channels;
    for (int b = 0; b < batch_; ++b)
      for (int n = 0; n < positions_; ++n) {
        const int row = place_[this->index(b % windows_, n)];
        if (row < 0) continue;
        for (int c = 0; c < width; ++c)
          f(static_cast<std::size_t>((b * positions_ + n) * width + c),
            static_cast<std::size_t>(((b / windows_ * rows_ + row) * parts + index) * width + c));
      }
  }
  void gather(const Floats& from, int parts, int index, Floats& to) const {
    each(parts, index, [&](std::size_t copy, std::size_t image) { to[copy] = from[image]; });
  }
  Floats scattered(const std::vector<const Floats*>& parts) const {
    const int n = static_cast<int>(parts.size());
    Floats to(static_cast<std::size_t>(cut_.images * rows_ * n * cut_.heads * cut_.channels), NAN);
    for (int i = 0; i < n; ++i)
      each(n, i, [&](std::size_t copy, std::size_t image) {
        to[image] = (*parts[static_cast<std::size_t>(i)])[copy];
      });
    return to;
  }

  SdpaArgs common() {
    SdpaArgs a;
    a.B = batch_, a.H = cut_.heads, a.Nq = a.Nk = positions_, a.Dk = a.Dv = cut_.channels;
    a.scale = 0.4F;
    if (cut_.dropout_p > 0) {
      a.rng = rng_.data();
      a.drop_threshold = static_cast<std::uint32_t>(cut_.dropout_p * 4294967296.0);
      a.keep_inv = static_cast<float>(1 / (1 - cut_.dropout_p));
    }
    return a;
  }
  static void run(SdpaArgs& a) {
    const char* path = nullptr;
    ASSERT_EQ(sdpa_fwd(a, &path), 0);
    std::vector<unsigned char> workspace(static_cast<std::size_t>(sdpa_bwd_workspace(a)), 0xFF);
    a.workspace = workspace.data();
    ASSERT_EQ(sdpa_bwd(a, &path), 0);
  }

  Cut cut_;
  std::vector<int> blocks_, place_, region_;
  int windows_ = 1, positions_ = 1, rows_ = 1, batch_ = 1, bins_ = 1;
  Floats qkv_, grad_, table_;
  std::vector<std::int64_t> rng_ = {42, 8};
};

TEST(CudaWindows, EqualCopiesThatAreRolledCutMaskedAndPutBack) {
  const std::vector<Cut> cuts = {
      {.grid = {12}, .window = {4}, .shift = {0}},
      {.grid = {13}, .window = {4}, .shift = {2}},
      {.images = 1, .grid = {14, 14}, .window = {7, 7}, .shift = {3, 3}, .dropout_p = 0.2},
      {.grid = {6, 10}, .window = {4, 3}, .shift = {1, 0}},
      {.images = 1, .grid = {5, 4, 7}, .window = {3, 2, 4}, .shift = {1, 1, 2}, .dropout_p = 0.1},
      {.images = 1, .grid = {4, 4, 8}, .window = {4, 4, 4}, .shift = {2, 2, 2}, .table = false},
      {.grid = {5, 7}, .window = {5, 7}, .shift = {0, 0}},
  };
  for (const Cut& cut : cuts) {
    SCOPED_TRACE("grid of " + std::to_string(cut.grid.size()) + ", first window " +
                 std::to_string(cut.window[0]) + ", first shift " + std::to_string(cut.shift[0]));
    Pair(cut).compare();
  }
}

}  // namespace
}  // namespace fovea::cuda::test
