// The window operator against roll, partition, mask, attention and reverse, as Swin's authors write them.
#include "attention/gradcheck.h"
#include "fovea/attention/attention.h"

namespace fovea::attention::test {
namespace {

class AttentionWindows : public Poisoned {};

using Numbers = std::vector<int64_t>;

struct Layer {
  Numbers grid, window, shift;
  int64_t batch = 2, heads = 2, channels = 4;
  at::ScalarType type = at::kDouble;
  double p = 0;

  Numbers padded() const {
    Numbers sizes;
    for (size_t d = 0; d < grid.size(); ++d)
      sizes.push_back((grid[d] + window[d] - 1) / window[d] * window[d]);
    return sizes;
  }
  int64_t count() const {
    int64_t n = 1;
    for (size_t d = 0; d < grid.size(); ++d) n *= padded()[d] / window[d];
    return n;
  }
  int64_t positions() const { return c10::multiply_integers(window); }
  Numbers dims() const {
    Numbers dims;
    for (size_t d = 0; d < grid.size(); ++d) dims.push_back(static_cast<int64_t>(d) + 1);
    return dims;
  }
};

Numbers negative(Numbers n) {
  for (int64_t& x : n) x = -x;
  return n;
}

/// [B, *padded, C] -> [B windows, N, C].
Tensor partition(const Tensor& x, const Layer& layer) {
  Numbers split{x.size(0)}, order{0};
  const auto dims = static_cast<int64_t>(layer.grid.size());
  for (int64_t d = 0; d < dims; ++d) {
    const int64_t w = layer.window[static_cast<size_t>(d)];
    split.insert(split.end(), {x.size(d + 1) / w, w});
    order.push_back(1 + 2 * d);
  }
  for (int64_t d = 0; d < dims; ++d) order.push_back(2 + 2 * d);
  split.push_back(x.size(-1));
  order.push_back(2 * dims + 1);
  return x.view(split).permute(order).reshape(
      {x.size(0) * layer.count(), layer.positions(), x.size(-1)});
}

/// The other way.
Tensor joined(const Tensor& windows, const Layer& layer) {
  Numbers split{layer.batch}, order{0}, sizes{layer.batch};
  const Numbers padded = layer.padded();
  const auto dims = static_cast<int64_t>(layer.grid.size());
  for (size_t d = 0; d < layer.grid.size(); ++d) split.push_back(padded[d] / layer.window[d]);
  split.insert(split.end(), layer.window.begin(), layer.window.end());
  for (int64_t d = 0; d < dims; ++d) order.insert(order.end(), {1 + d, 1 + dims + d});
  sizes.insert(sizes.end(), padded.begin(), padded.end());
  split.push_back(windows.size(-1)), order.push_back(2 * dims + 1),
      sizes.push_back(windows.size(-1));
  return windows.view(split).permute(order).reshape(sizes);
}

Tensor rolled(const Tensor& x, const Layer& layer) {
  Numbers pad{0, 0};  // the last dimension first
  for (size_t d = layer.grid.size(); d-- > 0;)
    pad.insert(pad.end(), {0, layer.padded()[d] - layer.grid[d]});
  return at::constant_pad_nd(x, pad).roll(negative(layer.shift), layer.dims());
}

/// Swin's img_mask: numbers by slices, unlike numbers do not see each other; what was padded is seen by none.
Tensor window_mask(const Layer& layer) {
  const Numbers padded = layer.padded();
  Numbers sizes{1};
  sizes.insert(sizes.end(), padded.begin(), padded.end());
  sizes.push_back(1);
  Tensor regions = at::zeros(sizes, at::kLong);
  for (size_t d = 0; d < padded.size(); ++d) {
    const auto dim = static_cast<int64_t>(d) + 1;
    regions = regions * 3;
    if (layer.shift[d] == 0) continue;
    regions.slice(dim, padded[d] - layer.window[d], padded[d] - layer.shift[d]) += 1;
    regions.slice(dim, padded[d] - layer.shift[d]) += 2;
  }
  Numbers inside{1};
  inside.insert(inside.end(), layer.grid.begin(), layer.grid.end());
  inside.push_back(1);
  const Tensor number = partition(regions, layer).squeeze(-1);
  const Tensor valid = partition(rolled(at::ones(inside), layer), layer).squeeze(-1) > 0;
  const Tensor mask = (number.unsqueeze(1) == number.unsqueeze(2)) & valid.unsqueeze(1);
  return mask.unsqueeze(1).repeat({layer.batch, 1, 1, 1});
}

/// Swin's relative_position_index.
Tensor relative_index(const Numbers& window) {
  Tensor index = at::zeros({1, 1}, at::kLong);
  Tensors axes;
  for (const int64_t w : window) axes.push_back(at::arange(w));
  const Tensors coordinates = at::meshgrid(axes, "ij");
  for (size_t d = 0; d < window.size(); ++d) {
    const Tensor at = coordinates[d].flatten();
    index = index * (2 * window[d] - 1) + (at.unsqueeze(1) - at.unsqueeze(0) + window[d] - 1);
  }
  return index;
}

struct Made {
  Tensor out, col_sum, avg_map, lse;
};

/// Everything written out; the attention itself is fovea::sdpa of the windows.
Made by_hand(const Layer& layer, const Tensor& qkv, const Tensor& table, const Tensor& rng) {
  const int64_t n = layer.positions(), windows = layer.batch * layer.count();
  const Tensor parts = partition(rolled(qkv, layer), layer)
                           .view({windows, n, 3, layer.heads, layer.channels})
                           .permute({2, 0, 3, 1, 4});
  Sdpa s{parts[0], parts[1], parts[2]};
  s.mask = window_mask(layer);
  if (table.defined())
    s.bias = table.index_select(0, relative_index(layer.window).flatten())
                 .view({1, n, n, layer.heads})
                 .permute({0, 3, 1, 2});
  s.rng = rng, s.dropout_p = layer.p;
  s.want_col_sum = s.want_avg_map = true;
  const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
  const Tensor heads = out.transpose(1, 2).reshape({windows, n, layer.heads * layer.channels});
  Tensor image = joined(heads, layer).roll(layer.shift, layer.dims());
  for (size_t d = 0; d < layer.grid.size(); ++d)
    image = image.slice(static_cast<int64_t>(d) + 1, 0, layer.grid[d]);
  return {image, col_sum, avg_map, lse};
}

void expect_as_by_hand(const Layer& layer) {
  SCOPED_TRACE(testing::Message() << "grid " << layer.grid << " window " << layer.window
                                  << " shift " << layer.shift << " p " << layer.p << " "
                                  << c10::toString(layer.type));
  Numbers sizes{layer.batch};
  sizes.insert(sizes.end(), layer.grid.begin(), layer.grid.end());
  sizes.push_back(3 * layer.heads * layer.channels);
  int64_t rows = 1;
  for (const int64_t w : layer.window) rows *= 2 * w - 1;
  const Tensor qkv = normal(sizes, 1).to(layer.type).requires_grad_();
  const Tensor table = normal({rows, layer.heads}, 2)
                           .to(layer.type == at::kDouble ? at::kDouble : at::kFloat)
                           .requires_grad_();
  sizes.back() /= 3;
  const Tensor grad_out = normal(sizes, 3).to(layer.type);
  const Tensor rng = rng_of(5);

  // In double: rounding of the parts would differ.
  const Tensor exact_qkv = qkv.detach().to(at::kDouble).requires_grad_();
  const Tensor exact_table = table.detach().to(at::kDouble).requires_grad_();
  const Made wanted = by_hand(layer, exact_qkv, exact_table, rng);
  const auto wanted_gradients =
      torch::autograd::grad({wanted.out}, {exact_qkv, exact_table}, {grad_out.to(at::kDouble)});
  const double bound = 3 * tolerance(layer.type);
  const auto near = [&](const char* name, const Tensor& found, const Tensor& exact) {
    ASSERT_EQ(found.numel(), exact.numel()) << name;
    const Tensor error = found.detach().to(at::kDouble).flatten() - exact.detach().flatten();
    EXPECT_LE(error.norm().item<double>(), bound * (1e-3 + exact.norm().item<double>())) << name;
  };
  each_isa([&] {
    WindowSdpa s{qkv, table, rng, layer.heads, layer.window, layer.shift, layer.p};
    s.want_col_sum = s.want_avg_map = true;
    const auto [out, lse, col_sum, avg_map] = window_sdpa_fwd(s);
    EXPECT_EQ(out.sizes(), at::IntArrayRef(sizes));
    EXPECT_TRUE(out.is_contiguous());
    EXPECT_EQ(lse.sizes(),
              at::IntArrayRef({layer.batch, layer.count(), layer.heads, layer.positions()}));
    near("out", out, wanted.out);
    const auto gradients = torch::autograd::grad({out}, {qkv, table}, {grad_out});
    EXPECT_TRUE(gradients[0].is_contiguous());
    near("dqkv", gradients[0], wanted_gradients[0]);
    near("dtable", gradients[1], wanted_gradients[1]);
    // Queries outside of the image look at nothing here, and at something in what was padded by hand.
    if (layer.grid != layer.padded()) return;
    near("lse", lse, wanted.lse);
    near("col_sum", col_sum, wanted.col_sum.to(at::kDouble));
    near("avg_map", avg_map, wanted.avg_map.to(at::kDouble));
  });
}

void expect_as_by_hand_in_every_type(Layer layer) {
  for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16, at::kHalf}) {
    layer.type = type;
    expect_as_by_hand(layer);
  }
}

TEST_F(AttentionWindows, AreRollPartitionAndReverseInOneDimension) {
  expect_as_by_hand_in_every_type({.grid = {12}, .window = {4}, .shift = {0}});
  expect_as_by_hand_in_every_type({.grid = {12}, .window = {4}, .shift = {2}});
  expect_as_by_hand_in_every_type({.grid = {13}, .window = {4}, .shift = {3}});
  expect_as_by_hand_in_every_type({.grid = {3}, .window = {5}, .shift = {1}});
}

TEST_F(AttentionWindows, AreRollPartitionAndReverseInTwoDimensions) {
  expect_as_by_hand_in_every_type({.grid = {8, 12}, .window = {4, 4}, .shift = {0, 0}});
  expect_as_by_hand_in_every_type(
      {.grid = {14, 14}, .window = {7, 7}, .shift = {3, 3}, .heads = 3, .channels = 32});
  expect_as_by_hand_in_every_type({.grid = {8, 9}, .window = {4, 3}, .shift = {2, 0}, .heads = 3});
  expect_as_by_hand_in_every_type({.grid = {9, 10}, .window = {4, 4}, .shift = {2, 2}});
}

TEST_F(AttentionWindows, AreRollPartitionAndReverseInThreeDimensions) {
  expect_as_by_hand_in_every_type({.grid = {4, 4, 6}, .window = {2, 2, 3}, .shift = {1, 1, 1}});
  expect_as_by_hand_in_every_type(
      {.grid = {5, 4, 7}, .window = {3, 2, 4}, .shift = {1, 0, 2}, .heads = 1});
  expect_as_by_hand({.grid = {7, 14, 7},
                     .window = {7, 7, 7},
                     .shift = {3, 3, 3},
                     .batch = 1,
                     .channels = 8,
                     .type = at::kFloat});
}

TEST_F(AttentionWindows, DrawTheDropoutOfTheirPartition) {
  for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    expect_as_by_hand({.grid = {8, 6}, .window = {4, 3}, .shift = {2, 1}, .type = type, .p = 0.3});
    expect_as_by_hand({.grid = {7, 5}, .window = {4, 3}, .shift = {2, 1}, .type = type, .p = 0.3});
  }
}

TEST_F(AttentionWindows, OfTheWholeGridArePlainAttentionOfThePackedParts) {
  for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    const Tensor qkv = normal({3, 5, 4, 36}, 1).to(type), table = normal({63, 2}, 2).to(at::kFloat);
    const Tensor parts = qkv.view({3, 20, 3, 2, 6}).permute({2, 0, 3, 1, 4});
    const Tensor bias = table.index_select(0, relative_index({5, 4}).flatten())
                            .view({1, 20, 20, 2})
                            .permute({0, 3, 1, 2});
    each_isa([&] {
      const Result found = window_sdpa(qkv, table, 2, {.want_col_sum = true});
      const Result wanted =
          sdpa(parts[0], parts[1], parts[2], {.bias = bias, .want_col_sum = true});
      const double bound = tolerance(type);
      EXPECT_TRUE(
          at::allclose(found.out, wanted.out.transpose(1, 2).reshape({3, 5, 4, 12}), bound, bound));
      EXPECT_TRUE(at::allclose(found.lse.squeeze(1), wanted.lse, 1e-5, 1e-5));
      EXPECT_TRUE(at::allclose(found.col_sum.squeeze(1), wanted.col_sum, 1e-5, 1e-5));
      EXPECT_FALSE(found.avg_map.defined());
    });
  }
}

TEST_F(AttentionWindows, ReadSlicesInPlace) {
  const Tensor big = at::full({2, 8, 9, 40}, kNaN);
  const Tensor qkv =
      big.slice(1, 0, 6).slice(2, 1, 7).slice(3, 3, 27).copy_(normal({2, 6, 6, 24}, 1));
  const WindowOptions options{.window = {3, 3}, .shift = {1, 1}};
  EXPECT_TRUE(at::equal(window_sdpa(qkv, {}, 2, options).out,
                        window_sdpa(qkv.contiguous(), {}, 2, options).out));
  EXPECT_EQ(window_sdpa(qkv.slice(0, 0, 0), {}, 2, options).out.sizes(),
            at::IntArrayRef({0, 6, 6, 8}));
}

TEST_F(AttentionWindows, HaveShapesThatMetaForetells) {
  const Layer layers[] = {{.grid = {13}, .window = {4}, .shift = {3}},
                          {.grid = {9, 8}, .window = {4, 4}, .shift = {2, 0}},
                          {.grid = {3, 4, 5}, .window = {}, .shift = {}}};
  for (const Layer& layer : layers)
    for (const bool maps : {false, true}) {
      Numbers sizes{2};
      sizes.insert(sizes.end(), layer.grid.begin(), layer.grid.end());
      sizes.push_back(24);
      WindowSdpa s{normal(sizes, 1).to(at::kHalf), {}, {}, 2, layer.window, layer.shift};
      s.want_col_sum = s.want_avg_map = maps;
      const auto [out, lse, col_sum, avg_map] = window_sdpa_fwd(s);
      WindowSdpa without = s;
      without.qkv = s.qkv.to(at::kMeta);
      const auto [meta_out, meta_lse, meta_sum, meta_map] = window_sdpa_fwd(without);
      const std::pair<Tensor, Tensor> pairs[] = {
          {out, meta_out},
          {lse, meta_lse},
          {col_sum, meta_sum},
          {avg_map, meta_map},
          {std::get<0>(window_sdpa_bwd(s, {out, out, lse}, {true, false})),
           std::get<0>(window_sdpa_bwd(without, {meta_out, meta_out, meta_lse}, {true, false}))}};
      for (const auto& [real, meta] : pairs) {
        EXPECT_EQ(real.sizes(), meta.sizes());
        EXPECT_EQ(real.strides(), meta.strides());
        EXPECT_EQ(real.scalar_type(), meta.scalar_type());
      }
    }
}

}  // namespace
}  // namespace fovea::attention::test
