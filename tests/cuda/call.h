// One call of the CUDA kernels on host memory (the emulator's "device"), its tensors in any layout, and the plain formula
// in double as the oracle.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cuda/hopper.h"

namespace fovea::cuda::test {

using Size = std::array<std::int64_t, 4>;

/// How a tensor [b, h, n, d] lies in memory; `rows`: gaps of whole 16-byte units between rows.
enum class Layout { bhnd, bnhd, bhdn, gaps, rows };

/// A tensor among NaNs: what is read or written beside it is noticed.
class Tensor4 {
 public:
  Tensor4() = default;
  /// Dimensions not `full` repeat.
  Tensor4(Elem elem, Size size, Layout layout, std::array<bool, 4> full = {true, true, true, true});

  explicit operator bool() const { return !memory_.empty(); }
  const Size& size() const { return size_; }
  View4 view() const;
  double at(std::int64_t b, std::int64_t h, std::int64_t n, std::int64_t d) const;
  void set(std::int64_t b, std::int64_t h, std::int64_t n, std::int64_t d, double x);
  /// Throws if an element that belongs to no index is not as it was.
  void expect_untouched_gaps(const std::string& name) const;

 private:
  std::int64_t index(std::int64_t b, std::int64_t h, std::int64_t n, std::int64_t d) const;
  Elem elem_ = Elem::f32;
  Size size_ = {}, stride_ = {};
  std::int64_t offset_ = 0;
  mutable std::vector<unsigned char> memory_;
};

struct Case {
  std::int64_t B = 1, H = 1, Nq = 16, Nk = 16, Dk = 16, Dv = 16;
  Elem elem = Elem::f16, bias_elem = Elem::f32;
  bool tf32 = false, causal = false;
  Layout layout = Layout::bhnd;
  std::optional<std::array<bool, 4>> bias, mask;  // which dimensions are full
  std::vector<std::int64_t> len_q, len_k;
  bool len64 = false;
  double dropout_p = 0, scale = 0;  // 0: 1 / sqrt(Dk)
  double bias_offset = 0;           // added to every bias
  bool bias_hides = false;          // some biases are -inf
  bool poison = false;              // NaN in what must not matter
  bool col_sum = false, avg_map = false;
  std::array<bool, 4> need = {true, true, true, true};
  std::uint32_t seed = 1;
  bool shared_keys = false;  // all heads have the same; their gradients are not for this
  int sm = 80;
  bool hopper = false;  // its kernels, whatever the length

  std::string name() const;
};

/// Plain arrays [b, h, ...] in double.
struct Result {
  std::vector<double> out, lse, col_sum, avg_map, dq, dk, dv, dbias;
};

class Call {
 public:
  explicit Call(const Case&);
  Result forward();
  /// After forward.
  Result backward();
  Result reference(bool backward) const;
  /// Of the last pass.
  const std::string& path() const { return path_; }
  /// Of a pass that is not run.
  std::string path_of(Pass pass) const { return choose(a_, pass).path; }

 private:
  int run(Pass pass);
  bool hidden_key(std::int64_t b, std::int64_t h, std::int64_t j) const;
  std::int64_t length(const std::vector<std::int64_t>& lengths, std::int64_t b,
                      std::int64_t n) const;
  void fill(Tensor4& tensor, double size, std::uint32_t seed);

  Case c_;
  SdpaArgs a_;
  std::string path_;
  Tensor4 q_, k_, v_, o_, bias_, grad_out_, dq_, dk_, dv_, dbias_;
  std::vector<unsigned char> mask_;
  std::vector<float> lse_, col_sum_, avg_map_;
  std::vector<std::int32_t> len_q32_, len_k32_;
  std::vector<std::int64_t> rng_ = {0x123456789abcdef, 4 * 77};
  std::vector<unsigned char> workspace_;
};

/// Everything that forward and backward give, the same bits in `orders` orders of the emulator's threads.
void expect_same_in_every_order(const Case&, std::uint32_t orders);

/// Lengths of each batch, from none to a little beyond what there is; `below(n)` draws from 0 to n - 1.
template <class Below>
void draw_lengths(Case& c, const Below& below) {
  for (std::int64_t b = 0; b < c.B; ++b) {
    c.len_q.push_back(below(static_cast<int>(c.Nq) + 3));
    c.len_k.push_back(below(static_cast<int>(c.Nk) + 3));
  }
  if (below(2)) c.len_q.clear();
  if (below(2)) c.len_k.clear();
}

/// |x - y| / |y| in the Euclidean norm; NaN counts as infinite, equal infinities as equal.
double distance(const std::vector<double>& x, const std::vector<double>& y);

}  // namespace fovea::cuda::test
