#include "attention/reference.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace fovea::attention {
namespace {

using std::int64_t;
constexpr double kInf = std::numeric_limits<double>::infinity();

struct Bf16 {
  std::uint16_t bits;
};

double wide(double x) { return x; }
double wide(Bf16 x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16); }

template <class T>
T narrow(double x) {
  return static_cast<T>(x);
}
template <>
Bf16 narrow<Bf16>(double x) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(x));
  if (x != x) return {0x7FC0};
  return {static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};  // ties to even
}

using Numbers = std::vector<double>;

/// Row n of a tensor as doubles; outside of the image there is nothing to read or write.
template <class T>
void load(const Problem& p, const View& view, int64_t b, int64_t h, int64_t n, int64_t width,
          double* to) {
  const T* row = p.row<T>(view, b, h, n);
  for (int64_t c = 0; row && c < width; ++c) to[c] = wide(row[c * view.stride[3]]);
}
template <class T>
void store(const Problem& p, const View& view, int64_t b, int64_t h, int64_t n, int64_t width,
           const double* from) {
  T* row = p.row<T>(view, b, h, n);
  for (int64_t c = 0; row && c < width; ++c) row[c * view.stride[3]] = narrow<T>(from[c]);
}

double dot(const double* a, const double* b, int64_t n) {
  double sum[4] = {};  // four chains of additions keep the processor busy
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int lane = 0; lane < 4; ++lane) sum[lane] += a[i + lane] * b[i + lane];
  for (; i < n; ++i) sum[0] += a[i] * b[i];
  return sum[0] + sum[1] + (sum[2] + sum[3]);
}

void add(double* to, double factor, const double* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] += factor * from[i];
}

/// One head of one sample: the weights of its queries, one at a time. T: elements; A: of bias and lse.
template <class T, class A>
struct Head {
  const Problem& p;
  int64_t b, h;
  Numbers k = Numbers(p.Nk * p.Dk), v = Numbers(p.Nk * p.Dv);
  Numbers q = Numbers(p.Dk), weights = Numbers(p.Nk), kept = Numbers(p.Nk, 1.0);

  Head(const Problem& problem, int64_t batch, int64_t head) : p(problem), b(batch), h(head) {
    for (int64_t j = 0; j < p.keys(b); ++j) {
      load<T>(p, p.k, b, h, j, p.Dk, &k[j * p.Dk]);
      load<T>(p, p.v, b, h, j, p.Dv, &v[j * p.Dv]);
    }
  }

  bool sees(int64_t i, int64_t j) const {
    if (p.causal && j > i) return false;
    if (const Windows& w = p.windows; w.count > 0) {
      const int64_t first = b % w.count * p.Nq;
      if (w.place[first + i] < 0 || w.place[first + j] < 0) return false;
      if (w.region && w.region[first + i] != w.region[first + j]) return false;
    }
    return !p.mask.data || at<std::uint8_t>(p.mask, i, j) != 0;
  }

  template <class E>
  E at(const View& view, int64_t i, int64_t j) const {
    return static_cast<const E*>(view.data)[b * view.stride[0] + h * view.stride[1] +
                                            i * view.stride[2] + j * view.stride[3]];
  }

  double bias_of(int64_t i, int64_t j) const {
    if (!p.bias.data) return 0;
    return p.bias_elem == Elem::bf16 ? wide(at<Bf16>(p.bias, i, j)) : at<A>(p.bias, i, j);
  }

  /// Makes the weights of query i and what dropout multiplies them by. Gives the log of the sum; +inf, and weights that
  /// are all 0, if it sees nothing. What is not seen takes no part: it may be NaN.
  double weigh(int64_t i) {
    std::ranges::fill(weights, -kInf);
    double most = -kInf;
    bool any = false;
    if (i < p.queries(b)) load<T>(p, p.q, b, h, i, p.Dk, q.data());
    for (int64_t j = 0; i < p.queries(b) && j < p.keys(b); ++j) {
      if (!sees(i, j)) continue;
      const double bias = bias_of(i, j);
      if (bias == -kInf) continue;
      weights[j] = p.scale * dot(q.data(), &k[j * p.Dk], p.Dk) + bias;
      any |= weights[j] != -kInf;
      most = std::max(most, weights[j]);
    }
    double sum = 0;
    for (double& weight : weights) sum += weight = any ? std::exp(weight - most) : 0;
    for (double& weight : weights) weight = any ? weight / sum : 0;
    drop(i);
    return any ? most + std::log(sum) : kInf;
  }

  void drop(int64_t i) {
    if (p.dropout.threshold == 0) return;
    for (int64_t j = 0; j < p.Nk; ++j)
      kept[j] = p.dropout.keeps(b * p.H + h, i, j) ? p.dropout.factor : 0;
  }
};

template <class T, class A>
void forward(const Problem& p, int64_t b, int64_t h) {
  Head<T, A> head(p, b, h);
  Numbers out(p.Dv), looks(p.Nk);
  for (int64_t i = 0; i < p.Nq; ++i) {
    static_cast<A*>(p.lse)[(b * p.H + h) * p.Nq + i] = static_cast<A>(head.weigh(i));
    std::ranges::fill(out, 0);
    for (int64_t j = 0; j < p.Nk; ++j)
      if (const double weight = head.weights[j] * head.kept[j]; weight != 0)
        add(out.data(), weight, &head.v[j * p.Dv], p.Dv);
    store<T>(p, p.out, b, h, i, p.Dv, out.data());
    add(looks.data(), 1, head.weights.data(), p.Nk);
    for (int64_t j = 0; p.avg_map && j < p.Nk; ++j) {
      float& mean = p.avg_map[(b * p.Nq + i) * p.Nk + j];
      const float share = static_cast<float>(head.weights[j] / static_cast<double>(p.H));
      mean = h == 0 ? share : mean + share;
    }
  }
  for (int64_t j = 0; p.col_sum && j < p.Nk; ++j)
    p.col_sum[(b * p.H + h) * p.Nk + j] = static_cast<float>(looks[j]);
}

/// One sum per number of dbias, of all the heads of one task.
struct BiasSum {
  explicit BiasSum(const Problem& p)
      : rows(p.dbias.stride[2] ? p.Nq : 1),
        columns(p.dbias.stride[3] ? p.Nk : 1),
        sums(p.dbias.data ? rows * columns : 0) {}
  void add(int64_t i, int64_t j, double score) {
    if (!sums.empty()) sums[(rows > 1 ? i * columns : 0) + (columns > 1 ? j : 0)] += score;
  }
  template <class A>
  void store(const View& to, int64_t b, int64_t h) const {
    for (int64_t i = 0; !sums.empty() && i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j)
        static_cast<A*>(
            to.data)[b * to.stride[0] + h * to.stride[1] + i * to.stride[2] + j * to.stride[3]] =
            static_cast<A>(sums[i * columns + j]);
  }
  int64_t rows, columns;
  Numbers sums;
};

template <class T, class A>
void backward(const Problem& p, int64_t b, int64_t h, BiasSum& dbias) {
  Head<T, A> head(p, b, h);
  Numbers dq(p.Dk), dk(p.Nk * p.Dk), dv(p.Nk * p.Dv), dout(p.Dv), dweights(p.Nk);
  for (int64_t i = 0; i < p.Nq; ++i) {
    head.weigh(i);
    load<T>(p, p.grad_out, b, h, i, p.Dv, dout.data());
    std::ranges::fill(dq, 0);
    double mean = 0;
    for (int64_t j = 0; j < p.Nk; ++j) {
      if (head.weights[j] == 0) continue;  // seen by nothing, or as good as that
      dweights[j] = head.kept[j] ? head.kept[j] * dot(dout.data(), &head.v[j * p.Dv], p.Dv) : 0;
      mean += head.weights[j] * dweights[j];
      add(&dv[j * p.Dv], head.weights[j] * head.kept[j], dout.data(), p.Dv);
    }
    for (int64_t j = 0; j < p.Nk; ++j) {
      if (head.weights[j] == 0) continue;
      const double score = head.weights[j] * (dweights[j] - mean);
      add(dq.data(), p.scale * score, &head.k[j * p.Dk], p.Dk);
      add(&dk[j * p.Dk], p.scale * score, head.q.data(), p.Dk);
      dbias.add(i, j, score);
    }
    if (p.dq.data) store<T>(p, p.dq, b, h, i, p.Dk, dq.data());
  }
  for (int64_t j = 0; j < p.Nk; ++j) {
    if (p.dk.data) store<T>(p, p.dk, b, h, j, p.Dk, &dk[j * p.Dk]);
    if (p.dv.data) store<T>(p, p.dv, b, h, j, p.Dv, &dv[j * p.Dv]);
  }
}

/// Calls f<T, A>().
template <class F>
void with_types(Elem elem, F f) {
  if (elem == Elem::f32) f.template operator()<float, float>();
  if (elem == Elem::bf16) f.template operator()<Bf16, float>();
  if (elem == Elem::f64) f.template operator()<double, double>();
}

/// Samples and heads that share one slice of dbias are one task, added in order.
bool share_samples(const Problem& p) { return p.dbias.data && p.dbias.stride[0] == 0; }
bool share_heads(const Problem& p) { return p.dbias.data && p.dbias.stride[1] == 0; }

}  // namespace

// The heads of a sample add to one map.
int64_t reference_fwd_tasks(const Problem& p) { return p.avg_map ? p.B : p.B * p.H; }

void reference_fwd(const Problem& p, int64_t task) {
  const int64_t b = p.avg_map ? task : task / p.H;
  const int64_t first = p.avg_map ? 0 : task % p.H, last = p.avg_map ? p.H : first + 1;
  with_types(p.elem, [&]<class T, class A>() {
    for (int64_t h = first; h < last; ++h) forward<T, A>(p, b, h);
  });
}

int64_t reference_bwd_tasks(const Problem& p) {
  return (share_samples(p) ? 1 : p.B) * (share_heads(p) ? 1 : p.H);
}

void reference_bwd(const Problem& p, int64_t task) {
  const int64_t heads = share_heads(p) ? 1 : p.H;
  const int64_t b0 = share_samples(p) ? 0 : task / heads, b1 = share_samples(p) ? p.B : b0 + 1;
  const int64_t h0 = share_heads(p) ? 0 : task % heads, h1 = share_heads(p) ? p.H : h0 + 1;
  with_types(p.elem, [&]<class T, class A>() {
    BiasSum dbias(p);
    for (int64_t b = b0; b < b1; ++b)
      for (int64_t h = h0; h < h1; ++h) backward<T, A>(p, b, h, dbias);
    dbias.store<A>(p.dbias, b0, h0);
  });
}

void reference_fwd(const Problem& p) {
  for (int64_t task = 0; task < reference_fwd_tasks(p); ++task) reference_fwd(p, task);
}

void reference_bwd(const Problem& p) {
  for (int64_t task = 0; task < reference_bwd_tasks(p); ++task) reference_bwd(p, task);
}

}  // namespace fovea::attention
