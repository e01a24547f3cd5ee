// build/bench_attention --cpu [--threads N] [--rounds N] [--only WORD] [--dtype fp32|bf16]
//
// fovea::sdpa against LibTorch, in one table. The peer of a row is the faster of at::scaled_dot_product_attention and of
// the formula written out, in the same dtype; they take turns, the times are medians. A row whose
// results are further from the formula in fp64 than the contract allows does not count and ends the
// program with an error.
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "apps/memory.h"
#include "fovea/attention/attention.h"
#include "measure.h"

namespace fovea::bench {
namespace {

using torch::Tensor;

struct Shape {
  std::string name;
  int64_t batch, heads, queries, keys, d;
};

/// What a model asks besides softmax(q k') v.
struct Wish {
  std::string name;
  bool windows = false;  // the whole operator on an image of `queries` by `queries`
  bool bias = false;
  double dropout = 0;
  bool col_sum = false, padding = false;
};

struct Row {
  Shape shape;
  Wish wish;
  at::ScalarType dtype;
  bool backward;
  double must;  // the ratio that is wanted; 0: none
};

struct Inputs {
  Tensor q, k, v, bias, lengths, mask, grad;
};

Inputs draw(const Row& row) {
  const auto options = torch::dtype(row.dtype);
  const Shape& s = row.shape;
  if (row.wish.windows) {
    const int64_t side = s.queries, channels = s.heads * s.d;
    return {
        .q =
            torch::randn({s.batch, side, side, 3 * channels}, options).requires_grad_(row.backward),
        .bias = torch::randn({(2 * 7 - 1) * (2 * 7 - 1), s.heads}, options)
                    .requires_grad_(row.backward),
        .grad = torch::randn({s.batch, side, side, channels}, options)};
  }
  // Laid out as the Linear layer of a model leaves them: positions first, then heads.
  const auto heads_of = [&](int64_t n) {
    return torch::randn({s.batch, n, s.heads, s.d}, options)
        .transpose(1, 2)
        .requires_grad_(row.backward);
  };
  Inputs in{.q = heads_of(s.queries), .k = heads_of(s.keys), .v = heads_of(s.keys)};
  if (row.wish.bias)
    in.bias = torch::randn({1, s.heads, s.queries, s.keys}, options).requires_grad_(row.backward);
  if (row.wish.padding) {
    in.lengths = torch::randint(1, s.keys + 1, {s.batch}, torch::kLong);
    in.mask =
        torch::arange(s.keys).unsqueeze(0).lt(in.lengths.unsqueeze(1)).unsqueeze(1).unsqueeze(1);
  }
  in.grad = torch::randn({s.batch, s.queries, s.heads, s.d}, options).transpose(1, 2);
  return in;
}

using Outputs = std::pair<Tensor, Tensor>;  // out, column sums

Outputs formula(const Inputs& in, const Wish& wish) {
  Tensor scores = at::matmul(in.q * (1 / std::sqrt(static_cast<double>(in.q.size(-1)))),
                             in.k.transpose(-2, -1));
  if (in.bias.defined()) scores = scores + in.bias;
  if (in.mask.defined()) scores = scores.masked_fill(in.mask.logical_not(), -INFINITY);
  Tensor weights = at::softmax(scores, -1), sums;
  if (wish.col_sum) sums = weights.detach().sum(-2, false, torch::kFloat);
  if (wish.dropout > 0) weights = at::dropout(weights, wish.dropout, true);
  return {at::matmul(weights, in.v), sums};
}
Outputs libtorch(const Inputs& in, const Wish& wish) {
  const std::optional<Tensor> mask = in.bias.defined()   ? std::optional(in.bias)
                                     : in.mask.defined() ? std::optional(in.mask)
                                                         : std::nullopt;
  return {at::scaled_dot_product_attention(in.q, in.k, in.v, mask, wish.dropout), {}};
}
Outputs ours(const Inputs& in, const Wish& wish) {
  auto [out, lse, col_sum, map] = attention::sdpa(in.q, in.k, in.v,
                                                  {.bias = in.bias,
                                                   .len_k = in.lengths,
                                                   .dropout_p = wish.dropout,
                                                   .want_col_sum = wish.col_sum});
  return {out, col_sum};
}

// --- windows of 7 x 7, shifted by 3, on the qkv of a linear layer ------------------------------------------------------

constexpr int64_t kWindow = 7, kPositions = kWindow * kWindow, kShift = 3;

struct Windows {
  Tensor index, hidden;  // into the table; [windows, 1, N, N] -inf between regions
};
/// As a layer keeps them.
const Windows& windows_of(int64_t side, at::ScalarType dtype) {
  static std::map<std::pair<int64_t, at::ScalarType>, Windows> kept;
  Windows& w = kept[{side, dtype}];
  if (w.index.defined()) return w;
  const Tensor i = torch::arange(kPositions), y = i.floor_divide(kWindow), x = i.remainder(kWindow);
  const auto apart = [](const Tensor& t) { return t.unsqueeze(1) - t + kWindow - 1; };
  w.index = (apart(y) * (2 * kWindow - 1) + apart(x)).flatten();
  const Tensor at = torch::arange(side);
  const Tensor part =
      at.ge(side - kWindow).to(torch::kLong) + at.ge(side - kShift).to(torch::kLong);
  const Tensor region = (part.unsqueeze(1) * 3 + part)
                            .view({side / kWindow, kWindow, side / kWindow, kWindow})
                            .permute({0, 2, 1, 3})
                            .reshape({-1, kPositions});
  w.hidden = torch::zeros({region.size(0), kPositions, kPositions}, dtype)
                 .masked_fill(region.unsqueeze(1).ne(region.unsqueeze(2)), -INFINITY)
                 .unsqueeze(1);
  return w;
}

template <class Inner>
Outputs rolled(const Inputs& in, const Inner& inner) {
  const int64_t side = in.q.size(1), n = side / kWindow, batch = in.q.size(0),
                heads = in.bias.size(1);
  const Windows& w = windows_of(side, in.q.scalar_type());
  const Tensor parts = in.q.roll({-kShift, -kShift}, {1, 2})
                           .view({batch, n, kWindow, n, kWindow, 3, heads, -1})
                           .permute({5, 0, 1, 3, 6, 2, 4, 7})
                           .reshape({3, batch * n * n, heads, kPositions, -1});
  const Tensor table =
      in.bias.index_select(0, w.index).view({kPositions, kPositions, heads}).permute({2, 0, 1});
  const Tensor bias = (table.unsqueeze(0) + w.hidden).repeat({batch, 1, 1, 1});
  const Tensor out = inner(parts[0], parts[1], parts[2], bias);
  return {out.view({batch, n, n, heads, kWindow, kWindow, -1})
              .permute({0, 1, 4, 2, 5, 3, 6})
              .reshape({batch, side, side, -1})
              .roll({kShift, kShift}, {1, 2}),
          {}};
}
Outputs rolled_formula(const Inputs& in, const Wish&) {
  return rolled(in, [](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias) {
    const double scale = 1 / std::sqrt(static_cast<double>(q.size(-1)));
    return at::matmul(at::softmax(at::matmul(q * scale, k.transpose(-2, -1)) + bias, -1), v);
  });
}
Outputs rolled_libtorch(const Inputs& in, const Wish&) {
  return rolled(in, [](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias) {
    return at::scaled_dot_product_attention(q, k, v, bias);
  });
}
Outputs windows(const Inputs& in, const Wish&) {
  return {attention::window_sdpa(in.q, in.bias, in.bias.size(1),
                                 {.window = {kWindow, kWindow}, .shift = {kShift, kShift}})
              .out,
          {}};
}

using Attention = Outputs (*)(const Inputs&, const Wish&);

struct Peers {
  Attention ours, libtorch, formula;
};
Peers peers_of(const Wish& wish) {
  return wish.windows ? Peers{windows, rolled_libtorch, rolled_formula}
                      : Peers{ours, libtorch, formula};
}

void run(Attention attention, const Row& row, const Inputs& in) {
  if (!row.backward) {
    const torch::NoGradGuard no_grad;
    attention(in, row.wish);
    return;
  }
  attention(in, row.wish).first.backward(in.grad);
  for (const Tensor& t : {in.q, in.k, in.v, in.bias})
    if (t.defined()) t.mutable_grad() = Tensor();
}

/// Furthest from the formula in fp64, over twice what the formula in this dtype is off and 1e-5: 1 or less is right.
double error_of(const Row& row, const Inputs& in) {
  if (row.wish.dropout > 0) return 0;  // the masks differ; tests compare them
  const torch::NoGradGuard no_grad;
  Inputs exact = in;
  for (Tensor* t : {&exact.q, &exact.k, &exact.v, &exact.bias})
    if (t->defined()) *t = t->to(torch::kFloat64);
  const Peers peers = peers_of(row.wish);
  const Tensor right = peers.formula(exact, row.wish).first;
  const auto off = [&](Attention attention) {
    return (attention(in, row.wish).first.to(torch::kFloat64) - right).abs().max().item<double>();
  };
  return off(peers.ours) / (2 * off(peers.formula) + 1e-5);
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<int64_t>(values.size() / 2));
  return values[values.size() / 2];
}

struct Times {
  double ours, libtorch, formula;  // seconds
};

Times measure(const Row& row, const Inputs& in, int rounds) {
  const Peers peers = peers_of(row.wish);
  std::vector<Attention> all = {peers.ours, peers.libtorch, peers.formula};
  if (row.wish.col_sum) all = {peers.ours, peers.formula};
  const double once = seconds_of([&] { run(peers.formula, row, in); });
  const int calls = std::clamp(static_cast<int>(2e-3 / once), 1, 100);
  std::vector<std::vector<double>> seconds(all.size());
  for (int round = -1; round < rounds; ++round)
    for (size_t i = 0; i < all.size(); ++i) {
      const size_t turn = round % 2 ? all.size() - 1 - i : i;
      const double taken = seconds_of([&] {
        for (int call = 0; call < calls; ++call) run(all[turn], row, in);
      });
      if (round >= 0) seconds[turn].push_back(taken / calls);  // the first is to warm up
    }
  return {median(seconds[0]), row.wish.col_sum ? INFINITY : median(seconds[1]),
          median(seconds.back())};
}

std::vector<Row> rows() {
  const std::vector<Shape> shapes = {
      {"window 7x7", 128, 3, 49, 49, 32},   {"window 8x8", 96, 3, 64, 64, 32},
      {"SAGAN-like", 16, 4, 113, 113, 24},  {"ViT 14x14", 16, 3, 196, 196, 64},
      {"ViT 14x14+1", 16, 3, 197, 197, 64}, {"window 6^3", 16, 3, 216, 216, 32},
      {"window 7^3", 16, 3, 343, 343, 16},  {"window 7^3", 12, 6, 343, 343, 32},
      {"report", 8, 8, 256, 256, 64},       {"pooling", 64, 4, 1, 256, 64},
      {"map 28x28", 2, 6, 784, 784, 64},    {"volume 12^3", 1, 4, 1728, 1728, 64},
      {"long, wide", 1, 4, 1000, 1000, 128}};
  const std::vector<Wish> wishes = {{.name = "plain"},
                                    {.name = "bias", .bias = true},
                                    {.name = "dropout", .dropout = 0.1},
                                    {.name = "column sums", .col_sum = true},
                                    {.name = "lengths", .padding = true}};
  std::vector<Row> all;
  for (const Shape& shape : shapes)
    for (const Wish& wish : wishes)
      for (const at::ScalarType dtype : {torch::kFloat, torch::kBFloat16})
        for (const bool backward : {false, true}) {
          if (wish.dropout > 0 && !backward) continue;
          const bool window = shape.keys >= 49 && shape.keys <= 343 && shape.queries > 1;
          const double must = !window ? 0.9 : wish.dropout > 0 ? 3 : 1.2;
          all.push_back({shape, wish, dtype, backward, must});
        }
  for (const Shape& shape :
       {Shape{"Swin-T 1st", 4, 3, 56, 49, 32}, Shape{"Swin-T 3rd", 8, 12, 14, 49, 32}})
    for (const at::ScalarType dtype : {torch::kFloat, torch::kBFloat16})
      for (const bool backward : {false, true})
        all.push_back({shape, {.name = "shift, mask", .windows = true}, dtype, backward, 2});
  return all;
}

int main_of(int argc, char** argv) {
  int rounds = 9;
  std::string only, dtype;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return std::string(i + 1 < argc ? argv[++i] : ""); };
    if (word == "--threads")
      at::set_num_threads(std::stoi(value()));
    else if (word == "--rounds")
      rounds = std::stoi(value());
    else if (word == "--only")
      only = value();
    else if (word == "--dtype")
      dtype = value();
    else if (word != "--cpu")
      return fmt::print(stderr, "bench_attention: found '{}'; see the top of bench/attention.cpp\n",
                        word),
             2;
  }
  keep_freed_memory();  // of all contenders; else a row's numbers depend on the rows before it
  torch::manual_seed(1);
  fmt::print("{} threads; microseconds of one call, medians of {} rounds in turns\n",
             at::get_num_threads(), rounds);
  fmt::print("{:12} {:>18} {:5} {:12} {:7} {:>9} {:>9} {:>9}  {:10} {:>6} {:>6} {:>5}\n", "what",
             "B,H,Nq,Nk,D", "dtype", "asks for", "pass", "LibTorch", "formula", "fovea", "path",
             "ratio", "fused", "must");
  double logs = 0, worst = INFINITY;
  int count = 0, behind = 0;
  for (const Row& row : rows()) {
    const Shape& s = row.shape;
    const std::string type = row.dtype == torch::kFloat ? "fp32" : "bf16";
    if (!dtype.empty() && dtype != type) continue;
    if ((s.name + " " + row.wish.name).find(only) == std::string::npos) continue;
    const Inputs in = draw(row);
    const double error = error_of(row, in);
    const Times f = measure(row, in, rounds);
    const double ratio = std::min(f.libtorch, f.formula) / f.ours;
    fmt::print(
        "{:12} {:>18} {:5} {:12} {:7} {:9.1f} {:9.1f} {:9.1f}  {:10} {:6.2f} {:6.2f} {:5.2f}{}\n",
        s.name, fmt::format("{},{},{},{},{}", s.batch, s.heads, s.queries, s.keys, s.d), type,
        row.wish.name, row.backward ? "fwd+bwd" : "fwd", f.libtorch * 1e6, f.formula * 1e6,
        f.ours * 1e6, attention::last_path(), ratio, f.libtorch / f.ours, row.must,
        ratio < row.must ? " behind" : "");
    std::fflush(stdout);
    if (error > 1)
      return fmt::print(stderr, "bench_attention: {:.2f} times the error that is allowed\n", error),
             1;
    logs += std::log(ratio), worst = std::min(worst, ratio), ++count, behind += ratio < row.must;
  }
  fmt::print("rows={} worst_ratio={:.2f} geomean={:.2f} behind={}\n", count, worst,
             std::exp(logs / count), behind);
  return 0;
}

}  // namespace
}  // namespace fovea::bench

int main(int argc, char** argv) { return fovea::bench::main_of(argc, argv); }
