// Random calls of the attention operator.
#pragma once

#include "attention/support.h"

namespace fovea::attention::test {

class Draws {
 public:
  explicit Draws(uint64_t seed) : random_(seed) {}

  /// 0 to below - 1.
  int64_t below(int64_t below) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(below));
  }
  bool once_in(int64_t n) { return below(n) == 0; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[below(static_cast<int64_t>(values.size()))];
  }

  Call next() {
    const bool large = once_in(16);  // more than kernels take at once
    const int64_t b = large ? 1 + below(2) : one_of<int64_t>({1, 1, 2, 3, 5});
    const int64_t h = large ? 1 + below(2) : one_of<int64_t>({1, 2, 3, 4});
    const int64_t nq = large ? 1 + below(700) : size();
    const int64_t nk = large ? 1 + below(1400) : once_in(3) ? size() : nq;
    const int64_t dk = channels(), dv = once_in(3) ? channels() : dk;
    const auto type =
        one_of({at::kFloat, at::kFloat, at::kBFloat16, at::kBFloat16, at::kHalf, at::kDouble});
    Call call;
    Sdpa& s = call.s;
    const double spread = one_of({1.0, 1.0, 3.0});
    s.q = tensor({b, h, nq, dk}, type, spread);
    s.k = tensor({b, h, nk, dk}, type, 1);
    s.v = tensor({b, h, nk, dv}, type, 1);
    if (once_in(2)) {
      s.bias = tensor(spread_over(b, h, nq, nk), one_of({at::kFloat, at::kFloat, type}), 1);
      if (once_in(3))
        s.bias = s.bias->masked_fill(at::rand(s.bias->sizes(), generator()) < 0.3, -kInf);
    }
    if (once_in(3)) s.mask = at::rand(spread_over(b, h, nq, nk), generator()) < 0.7;
    if (once_in(3)) s.len_q = lengths(b, nq);
    if (once_in(3)) s.len_k = lengths(b, nk);
    s.causal = once_in(4);
    if (once_in(3)) s.dropout_p = one_of({0.1, 0.5, 0.9});
    if (s.dropout_p > 0) s.rng = rng_of(static_cast<int64_t>(random_()), 4 * below(5));
    if (once_in(4)) s.scale = one_of({0.3, 1.0, -0.5});
    s.want_col_sum = once_in(3), s.want_avg_map = once_in(3);
    call.grad_out = tensor({b, h, nq, dv}, type, 1);
    return call;
  }

 private:
  at::Generator generator() { return at::detail::createCPUGenerator(random_()); }
  int64_t size() {
    return one_of<int64_t>({1, 2, 7, 15, 16, 17, 31, 33, 49, 63, 64, 65, 1 + below(90)});
  }
  int64_t channels() { return one_of<int64_t>({1, 3, 8, 16, 24, 32, 40, 64, 1 + below(40)}); }
  Tensor tensor(at::IntArrayRef sizes, at::ScalarType type, double spread) {
    return laid(normal(sizes, random_(), spread).to(type), static_cast<Layout>(below(kLayouts)));
  }
  Tensor lengths(int64_t b, int64_t n) {
    return at::randint(-1, n + 3, {b}, generator(), one_of({at::kInt, at::kLong}));
  }
  std::vector<int64_t> spread_over(int64_t b, int64_t h, int64_t nq, int64_t nk) {
    return {once_in(2) ? b : 1, once_in(2) ? h : 1, once_in(4) ? 1 : nq, once_in(6) ? 1 : nk};
  }

  std::mt19937_64 random_;
};

inline std::string describe(const Call& call) {
  const Sdpa& s = call.s;
  std::ostringstream text;
  text << s.q.scalar_type() << " q" << s.q.sizes() << s.q.strides() << " k" << s.k.sizes()
       << s.k.strides() << " v" << s.v.sizes() << s.v.strides() << " dO" << call.grad_out.strides();
  if (s.bias) text << " bias" << s.bias->scalar_type() << s.bias->sizes() << s.bias->strides();
  if (s.mask) text << " mask" << s.mask->sizes();
  const auto numbers = [](const Tensor& t) {
    const Tensor longs = t.to(at::kLong).contiguous();
    return at::IntArrayRef(longs.const_data_ptr<int64_t>(), static_cast<size_t>(t.numel())).vec();
  };
  if (s.len_q) text << " len_q " << numbers(*s.len_q);
  if (s.len_k) text << " len_k " << numbers(*s.len_k);
  text << (s.causal ? " causal" : "") << " p " << s.dropout_p << " scale " << s.scale.value_or(0);
  return text.str();
}

}  // namespace fovea::attention::test
