// Windows by coordinates, executed by the emulator, against the plain formula in double on windows that this test rolls and
// cuts.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "attention/philox.h"
#include "cuda/call.h"
#include "cuda/device.h"

namespace fovea::cuda::test {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

struct Layer {
  std::int64_t images = 2, heads = 2, channels = 8;
  std::vector<std::int64_t> grid, window, shift;
  double dropout_p = 0;
  Elem elem = Elem::f32, table_elem = Elem::f32;
  bool tf32 = false, table = true, col_sum = true, avg_map = false;

  std::string name() const {
    std::string text = elem == Elem::f16 ? "f16" : elem == Elem::bf16 ? "bf16" : "f32";
    if (tf32) text = "tf32";
    text += " images " + std::to_string(images) + " heads " + std::to_string(heads) + " channels " +
            std::to_string(channels);
    for (std::size_t d = 0; d < grid.size(); ++d)
      text += ", axis " + std::to_string(grid[d]) + " window " + std::to_string(window[d]) +
              " shift " + std::to_string(shift[d]);
    return text + (table ? " table" : "") + (dropout_p > 0 ? " dropout" : "");
  }
};

using Box = std::vector<std::int64_t>;
/// Row-major coordinates of `index` in `box`.
Box coordinates(std::int64_t index, const Box& box) {
  Box at(box.size());
  for (std::size_t d = box.size(); d-- > 0; index /= box[d]) at[d] = index % box[d];
  return at;
}
std::int64_t volume(const Box& box) {
  std::int64_t n = 1;
  for (const std::int64_t size : box) n *= size;
  return n;
}

struct Values {
  std::vector<double> out, lse, col_sum, avg_map, dqkv, dtable;
  bool operator==(const Values&) const = default;
};

std::vector<double> values_of(const Tensor4& tensor) {
  std::vector<double> values;
  const Size n = tensor.size();
  for (std::int64_t b = 0; b < n[0]; ++b)
    for (std::int64_t i = 0; i < n[1]; ++i)
      for (std::int64_t h = 0; h < n[2]; ++h)
        for (std::int64_t c = 0; c < n[3]; ++c) values.push_back(tensor.at(b, i, h, c));
  return values;
}

/// One layer: tensors [image, row, part and head, channel], as a Linear layer writes them.
class Windowed {
 public:
  explicit Windowed(const Layer& layer) : l_(layer) {
    for (std::size_t d = 0; d < l_.grid.size(); ++d) {
      blocks_.push_back((l_.grid[d] + l_.window[d] - 1) / l_.window[d]);
      bins_ *= 2 * l_.window[d] - 1;
    }
    windows_ = volume(blocks_), positions_ = volume(l_.window), rows_ = volume(l_.grid);
    for (std::int64_t w = 0; w < windows_; ++w)
      for (std::int64_t n = 0; n < positions_; ++n) place(w, n);
    qkv_ = random({l_.images, rows_, 3 * l_.heads, l_.channels}, l_.elem, 1);
    grad_ = random({l_.images, rows_, l_.heads, l_.channels}, l_.elem, 2);
    table_ = random({1, bins_, l_.heads, 1}, l_.table_elem, 3);
  }
  bool one_tile() const {
    return positions_ <= 64 && l_.channels * (l_.elem == Elem::f32 ? 4 : 2) <= 128;
  }

  Values run() const {
    const Tensor4 out(l_.elem, grad_.size(), Layout::bhnd),
        dqkv(l_.elem, qkv_.size(), Layout::bhnd),
        dtable(l_.table_elem, table_.size(), Layout::bhnd);
    const std::int64_t batch = l_.images * windows_, heads = batch * l_.heads;
    const auto room = [](std::int64_t n) {
      return std::vector<float>(static_cast<std::size_t>(n), std::nanf(""));
    };
    std::vector<float> lse = room(heads * positions_),
                       col_sum = room(l_.col_sum ? heads * positions_ : 0),
                       avg_map = room(l_.avg_map ? batch * positions_ * positions_ : 0);
    SdpaArgs a = arguments();
    a.q = part(qkv_, 0), a.k = part(qkv_, 1), a.v = part(qkv_, 2), a.o = part(out, 0);
    a.lse = lse.data();
    if (l_.col_sum) a.col_sum = col_sum.data();
    if (l_.avg_map) a.avg_map = avg_map.data();
    const char* path = "";
    EXPECT_EQ(sdpa_fwd(a, &path), 0);
    expect_path(path);
    a.grad_out = part(grad_, 0);
    a.dq = part(dqkv, 0), a.dk = part(dqkv, 1), a.dv = part(dqkv, 2);
    if (l_.table) a.dtable = of_table(dtable);
    std::vector<unsigned char> workspace(static_cast<std::size_t>(sdpa_bwd_workspace(a)) + 64,
                                         0xFF);
    a.workspace = workspace.data();
    EXPECT_EQ(sdpa_bwd(a, &path), 0);
    expect_path(path);
    for (std::size_t i = workspace.size() - 64; i < workspace.size(); ++i)
      EXPECT_EQ(workspace[i], 0xFF) << "written behind the workspace";
    for (const Tensor4* tensor : {&out, &dqkv, &dtable}) tensor->expect_untouched_gaps("a result");
    return {values_of(out),
            {lse.begin(), lse.end()},
            {col_sum.begin(), col_sum.end()},
            {avg_map.begin(), avg_map.end()},
            values_of(dqkv),
            l_.table ? values_of(dtable) : std::vector<double>()};
  }

  Values formula() const {
    const std::int64_t N = positions_, batch = l_.images * windows_;
    const auto room = [](std::int64_t n) {
      return std::vector<double>(static_cast<std::size_t>(n));
    };
    Values r{.out = room(l_.images * rows_ * l_.heads * l_.channels),
             .lse = std::vector<double>(static_cast<std::size_t>(batch * l_.heads * N), kInf),
             .col_sum = room(l_.col_sum ? batch * l_.heads * N : 0),
             .avg_map = room(l_.avg_map ? batch * N * N : 0),
             .dqkv = room(l_.images * rows_ * 3 * l_.heads * l_.channels),
             .dtable = room(l_.table ? bins_ * l_.heads : 0)};
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t h = 0; h < l_.heads; ++h)
        for (std::int64_t i = 0; i < N; ++i)
          if (row(b, i) >= 0) of_query(b, h, i, r);
    return r;
  }

 private:
  Tensor4 random(Size size, Elem elem, unsigned seed) const {
    Tensor4 x(elem, size, Layout::bhnd);
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> uniform(-1, 1);
    for (std::int64_t b = 0; b < size[0]; ++b)
      for (std::int64_t i = 0; i < size[1]; ++i)
        for (std::int64_t h = 0; h < size[2]; ++h)
          for (std::int64_t c = 0; c < size[3]; ++c) x.set(b, i, h, c, uniform(engine));
    return x;
  }

  /// Swin's windows: the image, padded to whole windows, is rolled by -shift and cut; its rolled coordinates fall into three
  /// regions per axis.
  void place(std::int64_t w, std::int64_t n) {
    const Box block = coordinates(w, blocks_), inside = coordinates(n, l_.window);
    std::int64_t row = 0, region = 0;
    bool there = true;
    for (std::size_t d = 0; d < block.size(); ++d) {
      const std::int64_t padded = blocks_[d] * l_.window[d];
      const std::int64_t rolled = block[d] * l_.window[d] + inside[d];
      const std::int64_t at = (rolled + l_.shift[d]) % padded;
      there = there && at < l_.grid[d];
      row = row * l_.grid[d] + at;
      int of_axis = 2;
      if (rolled < padded - l_.shift[d]) of_axis = 1;
      if (rolled < padded - l_.window[d]) of_axis = 0;
      region = region * 3 + of_axis;
    }
    place_.push_back(there ? row : -1);
    region_.push_back(region);
  }
  std::size_t index(std::int64_t b, std::int64_t n) const {
    return static_cast<std::size_t>(b % windows_ * positions_ + n);
  }
  std::int64_t row(std::int64_t b, std::int64_t n) const { return place_[index(b, n)]; }
  bool sees(std::int64_t b, std::int64_t i, std::int64_t j) const {
    return row(b, i) >= 0 && row(b, j) >= 0 && region_[index(b, i)] == region_[index(b, j)];
  }
  std::int64_t bin(std::int64_t i, std::int64_t j) const {
    const Box at = coordinates(i, l_.window), to = coordinates(j, l_.window);
    std::int64_t bin = 0;
    for (std::size_t d = 0; d < at.size(); ++d)
      bin = bin * (2 * l_.window[d] - 1) + at[d] - to[d] + l_.window[d] - 1;
    return bin;
  }

  double of(const Tensor4& x, std::int64_t b, std::int64_t n, std::int64_t head,
            std::int64_t c) const {
    return x.at(b / windows_, row(b, n), head, c);
  }
  void of_query(std::int64_t b, std::int64_t h, std::int64_t i, Values& r) const {
    const std::int64_t N = positions_, H = l_.heads, bh = b * H + h;
    const auto at = [](std::vector<double>& x, std::int64_t n) -> double& {
      return x[static_cast<std::size_t>(n)];
    };
    std::vector<double> p(static_cast<std::size_t>(N), -kInf), z(p.size(), 1), dp(p.size());
    double top = -kInf, sum = 0, delta = 0;
    for (std::int64_t j = 0; j < N; ++j) {
      if (!sees(b, i, j)) continue;
      double s = 0;
      for (std::int64_t c = 0; c < l_.channels; ++c)
        s += of(qkv_, b, i, h, c) * of(qkv_, b, j, H + h, c);
      at(p, j) = s * kScale + (l_.table ? table_.at(0, bin(i, j), h, 0) : 0);
      top = std::max(top, at(p, j));
    }
    for (double& x : p) sum += x = std::exp(x - top);
    at(r.lse, bh * N + i) = top + std::log(sum);
    for (std::int64_t j = 0; j < N; ++j) {
      at(p, j) /= sum;
      if (!sees(b, i, j)) continue;
      if (l_.col_sum) at(r.col_sum, bh * N + j) += at(p, j);
      if (l_.avg_map) at(r.avg_map, (b * N + i) * N + j) += at(p, j) / static_cast<double>(H);
      if (l_.dropout_p > 0) at(z, j) = dropout().keeps(bh, i, j) ? 1 / (1 - l_.dropout_p) : 0;
      for (std::int64_t c = 0; c < l_.channels; ++c) {
        at(r.out, place_of(grad_, b, i, h, c)) +=
            at(p, j) * at(z, j) * of(qkv_, b, j, 2 * H + h, c);
        at(dp, j) += at(z, j) * of(grad_, b, i, h, c) * of(qkv_, b, j, 2 * H + h, c);
        at(r.dqkv, place_of(qkv_, b, j, 2 * H + h, c)) +=
            at(p, j) * at(z, j) * of(grad_, b, i, h, c);
      }
      delta += at(p, j) * at(dp, j);
    }
    for (std::int64_t j = 0; j < N; ++j) {
      if (!sees(b, i, j)) continue;
      const double ds = at(p, j) * (at(dp, j) - delta);
      if (l_.table) at(r.dtable, bin(i, j) * H + h) += ds;
      for (std::int64_t c = 0; c < l_.channels; ++c) {
        at(r.dqkv, place_of(qkv_, b, i, h, c)) += kScale * ds * of(qkv_, b, j, H + h, c);
        at(r.dqkv, place_of(qkv_, b, j, H + h, c)) += kScale * ds * of(qkv_, b, i, h, c);
      }
    }
  }
  std::int64_t place_of(const Tensor4& like, std::int64_t b, std::int64_t n, std::int64_t head,
                        std::int64_t c) const {
    return ((b / windows_ * rows_ + row(b, n)) * like.size()[2] + head) * l_.channels + c;
  }

  attention::Dropout dropout() const {
    return attention::Dropout::with(l_.dropout_p, static_cast<std::uint64_t>(rng_[0]),
                                    static_cast<std::uint64_t>(rng_[1]));
  }
  SdpaArgs arguments() const {
    SdpaArgs a;
    a.B = static_cast<int>(l_.images * windows_), a.H = static_cast<int>(l_.heads);
    a.Nq = a.Nk = static_cast<int>(positions_), a.Dk = a.Dv = static_cast<int>(l_.channels);
    a.scale = static_cast<float>(kScale), a.elem = l_.elem, a.tf32 = l_.tf32;
    a.windows.count = static_cast<int>(windows_);
    for (std::size_t d = 0; d < l_.grid.size(); ++d) {
      const std::size_t at = 3 - l_.grid.size() + d;
      a.windows.size[at] = static_cast<int>(l_.grid[d]);
      a.windows.window[at] = static_cast<int>(l_.window[d]);
      a.windows.shift[at] = static_cast<int>(l_.shift[d]);
      a.windows.blocks[at] = static_cast<int>(blocks_[d]);
    }
    a.bias_elem = l_.table_elem;
    if (l_.table) a.table = of_table(table_);
    if (l_.dropout_p > 0) {
      a.rng = rng_.data();
      a.drop_threshold = dropout().threshold;
      a.keep_inv = dropout().factor;
    }
    return a;
  }
  View4 of_table(const Tensor4& table) const { return {table.view().p, {l_.heads, 1}}; }
  /// Part 0 to 2 of q, k and v as [image, head, row, channel].
  View4 part(const Tensor4& x, std::int64_t index) const {
    const std::int64_t width = x.size()[2] * l_.channels,
                       bytes = index * l_.heads * l_.channels * (l_.elem == Elem::f32 ? 4 : 2);
    return {static_cast<unsigned char*>(x.view().p) + bytes,
            {rows_ * width, l_.channels, width, 1}};
  }
  void expect_path(const std::string& path) const {
    EXPECT_EQ(path, std::string(one_tile() ? "sm80 window " : "sm80 mma ") +
                        (l_.elem == Elem::f16    ? "f16"
                         : l_.elem == Elem::bf16 ? "bf16"
                         : l_.tf32               ? "tf32"
                                                 : "3xtf32"));
  }

  static constexpr double kScale = 0.40625;
  Layer l_;
  Box blocks_;
  std::vector<std::int64_t> place_, region_;
  std::int64_t windows_ = 1, positions_ = 1, rows_ = 1, bins_ = 1;
  Tensor4 qkv_, grad_, table_;
  std::vector<std::int64_t> rng_ = {42, 8};
};

void expect_right(const Layer& layer) {
  SCOPED_TRACE(layer.name());
  try {
    const Windowed windows(layer);
    const Values wanted = windows.formula(), found = windows.run();
    const double bound = layer.elem == Elem::f16    ? 1.5e-3
                         : layer.elem == Elem::bf16 ? 8e-3
                         : layer.tf32               ? 1e-3
                                                    : 1e-5;
    const double of_weights = layer.tf32 ? bound : 1e-5;
    EXPECT_LE(distance(found.out, wanted.out), bound);
    EXPECT_LE(distance(found.lse, wanted.lse), of_weights);
    EXPECT_LE(distance(found.col_sum, wanted.col_sum), of_weights);
    EXPECT_LE(distance(found.avg_map, wanted.avg_map), of_weights);
    EXPECT_LE(distance(found.dqkv, wanted.dqkv), 2 * bound);
    // One tile: no rounded output is part of it.
    const double of_table = windows.one_tile() ? 2 * of_weights : 2 * bound;
    EXPECT_LE(distance(found.dtable, wanted.dtable),
              layer.table_elem == Elem::f32 ? of_table : of_table + 4e-3);
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

/// The layer in every type.
void expect_right_in_all(Layer layer) {
  for (const Elem elem : {Elem::f16, Elem::bf16, Elem::f32}) {
    layer.elem = elem;
    layer.tf32 = false;
    expect_right(layer);
  }
  layer.tf32 = true;
  expect_right(layer);
}

TEST(CudaWindows, AreTheFormulaInOneTwoAndThreeDimensions) {
  expect_right_in_all({.grid = {12}, .window = {4}, .shift = {0}});
  expect_right_in_all({.images = 1, .grid = {14, 14}, .window = {7, 7}, .shift = {0, 0}});
  expect_right_in_all({.images = 1, .grid = {8, 16}, .window = {8, 8}, .shift = {0, 0}});
  expect_right_in_all({.images = 1, .grid = {4, 4, 8}, .window = {4, 4, 4}, .shift = {0, 0, 0}});
  expect_right_in_all({.images = 3, .grid = {5, 7}, .window = {5, 7}, .shift = {0, 0}});
}

TEST(CudaWindows, SeeTheirOwnRegionOfAShiftedImageOnly) {
  expect_right_in_all({.grid = {65}, .window = {64}, .shift = {32}});
  expect_right_in_all({.images = 1, .grid = {14, 14}, .window = {7, 7}, .shift = {3, 3}});
  expect_right_in_all({.images = 1, .grid = {16, 8}, .window = {8, 8}, .shift = {4, 4}});
  expect_right_in_all({.images = 1, .grid = {4, 8, 4}, .window = {4, 4, 4}, .shift = {2, 1, 0}});
}

TEST(CudaWindows, LeaveOutWhatLiesOutsideAnIndivisibleGrid) {
  expect_right_in_all({.grid = {13}, .window = {4}, .shift = {2}});
  expect_right_in_all({.grid = {6, 10}, .window = {4, 3}, .shift = {1, 0}});
  expect_right_in_all({.images = 1, .grid = {9, 8}, .window = {7, 7}, .shift = {3, 3}});
  expect_right_in_all({.images = 1, .grid = {5, 4, 7}, .window = {3, 2, 4}, .shift = {1, 1, 2}});
}

TEST(CudaWindows, MayHaveAnyNumberOfHeadsAndEveryWidth) {
  for (const std::int64_t heads : {1, 3, 5})
    expect_right_in_all({.heads = heads, .grid = {6, 9}, .window = {6, 3}, .shift = {0, 1}});
  for (const std::int64_t channels : {1, 3, 12, 16, 24, 32, 40, 64, 72})
    expect_right_in_all({.images = 1,
                         .heads = 1,
                         .channels = channels,
                         .grid = {14, 7},
                         .window = {7, 7},
                         .shift = {3, 0}});
}

TEST(CudaWindows, DropTheWeightsThatTheirPlaceSays) {
  expect_right_in_all(
      {.images = 1, .grid = {14, 14}, .window = {7, 7}, .shift = {3, 3}, .dropout_p = 0.2});
  expect_right_in_all(
      {.images = 1, .grid = {4, 4, 8}, .window = {4, 4, 4}, .shift = {2, 2, 2}, .dropout_p = 0.5});
}

TEST(CudaWindows, NeedNoTableAndTakeOneOfAnyType) {
  for (const Elem elem : {Elem::f16, Elem::bf16})
    expect_right(
        {.grid = {14, 7}, .window = {7, 7}, .shift = {3, 3}, .elem = elem, .table_elem = elem});
  expect_right(
      {.grid = {14, 7}, .window = {7, 7}, .shift = {3, 3}, .table = false, .avg_map = true});
}

TEST(CudaWindows, OfMoreThanOneTileAreTheFormulaToo) {
  for (const Elem elem : {Elem::f16, Elem::f32}) {
    expect_right({.grid = {100}, .window = {70}, .shift = {35}, .dropout_p = 0.1, .elem = elem});
    expect_right({.images = 1, .grid = {9, 18}, .window = {9, 9}, .shift = {0, 4}, .elem = elem});
    expect_right({.images = 1,
                  .heads = 1,
                  .grid = {6, 5, 9},
                  .window = {5, 5, 5},
                  .shift = {2, 2, 2},
                  .elem = elem,
                  .avg_map = true});
  }
}

TEST(CudaWindows, DoNotDependOnTheOrderInWhichThreadsRun) {
  for (const Elem elem : {Elem::f16, Elem::f32})
    for (const std::int64_t channels : {8, elem == Elem::f32 ? 32 : 64}) {
      const Windowed windows({.images = 1,
                              .heads = 3,
                              .channels = channels,
                              .grid = {7, 30},
                              .window = {7, 7},
                              .shift = {3, 3},
                              .dropout_p = 0.1,
                              .elem = elem});
      const Values first = windows.run();
      for (const std::uint32_t order : {1U, 2U, 3U}) {
        emulate::set_order(order);
        EXPECT_EQ(windows.run(), first) << "order " << order;
      }
      emulate::set_order(0);
    }
}

}  // namespace
}  // namespace fovea::cuda::test
