#include "attention/checks.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

namespace fovea::attention {
namespace {

using c10::SymInt;

constexpr int64_t kMostInMap = int64_t{1} << 28;
constexpr int64_t kMostPositions = (int64_t{1} << 31) - 1;

#define FOVEA_WANT(condition, ...) TORCH_CHECK(condition, op, ": ", __VA_ARGS__)

void check_elements(const char* op, const char* name, const Tensor& t) {
  const at::ScalarType type = t.scalar_type();
  FOVEA_WANT(
      type == at::kFloat || type == at::kHalf || type == at::kBFloat16 || type == at::kDouble, name,
      " is ", type, "; wanted float, half, bfloat16 or double");
}

void check_device(const char* op, const char* name, const Tensor& t, const char* first,
                  const Tensor& wanted) {
  FOVEA_WANT(t.device() == wanted.device(), name, " is on ", t.device(), "; wanted that of ", first,
             ", ", wanted.device());
}

void check_dropout(const char* op, double p, const OptionalTensor& rng, const char* first,
                   const Tensor& like) {
  FOVEA_WANT(p >= 0 && p < 1, "dropout_p is ", p, "; wanted 0 <= dropout_p < 1");
  if (p == 0) return;
  FOVEA_WANT(rng, "dropout_p is ", p, " and rng is absent; draw_rng makes one");
  check_device(op, "rng", *rng, first, like);
  FOVEA_WANT(rng->scalar_type() == at::kLong && rng->dim() == 1 && rng->sym_size(0) == 2 &&
                 rng->is_contiguous(),
             "rng is ", rng->scalar_type(), " ", rng->sym_sizes(),
             "; wanted contiguous int64 [2], as draw_rng makes it");
}

/// bias or mask: 4-D, each dimension full or 1.
void check_spread(const char* op, const char* name, const Tensor& t, const Sdpa& s) {
  check_device(op, name, t, "q", s.q);
  const std::array<SymInt, 4> full{s.q.sym_size(0), s.q.sym_size(1), s.q.sym_size(2),
                                   s.k.sym_size(2)};
  bool fits = t.dim() == 4;
  for (int64_t d = 0; fits && d < 4; ++d) fits = t.sym_size(d) == full[d] || t.sym_size(d) == 1;
  FOVEA_WANT(fits, name, " ", t.sym_sizes(), " does not spread over the scores ",
             c10::SymIntArrayRef(full), " [batch, heads, queries, keys]; wanted these sizes or 1s");
}

void check_lengths(const char* op, const char* name, const Tensor& t, const Sdpa& s) {
  check_device(op, name, t, "q", s.q);
  FOVEA_WANT(t.scalar_type() == at::kInt || t.scalar_type() == at::kLong, name, " is ",
             t.scalar_type(), "; wanted int32 or int64");
  FOVEA_WANT(t.dim() == 1 && t.sym_size(0) == s.q.sym_size(0), name, " ", t.sym_sizes(),
             " is not one length per sample; wanted [", s.q.sym_size(0), "], the batch of q ",
             s.q.sym_sizes());
}

/// Unknown sizes pass: a traced model shall not be bound to limits that its kernels check when it runs.
bool within(const SymInt& count, int64_t most) {
  const std::optional<int64_t> known = count.maybe_as_int();
  return !known || *known <= most;
}

void check_count(const char* op, const SymInt& heads, const SymInt& queries, const SymInt& keys) {
  FOVEA_WANT(within(heads, kMostPositions) && within(queries, kMostPositions) &&
                 within(keys, kMostPositions),
             "batch x heads is ", heads, ", queries are ", queries, ", keys are ", keys,
             "; wanted each below 2^31");
}

void check_map(const char* op, const SymInt& batch, const SymInt& queries, const SymInt& keys) {
  const auto fits = [](const SymInt& a, const SymInt& b) {  // without an overflow
    return within(a, kMostInMap) && within(b, kMostInMap) && within(a * b, kMostInMap);
  };
  FOVEA_WANT(fits(batch, queries) && fits(batch * queries, keys), "avg_map would have ", batch,
             " x ", queries, " x ", keys,
             " elements; wanted at most 2^28: ask for it in parts of the batch, or for col_sum");
}

void check_passed(const char* op, const Passed& passed, const char* first, const Tensor& like,
                  c10::SymIntArrayRef out, c10::SymIntArrayRef lse) {
  const auto check_one = [&](const char* name, const Tensor& t, c10::SymIntArrayRef sizes,
                             at::ScalarType type) {
    check_device(op, name, t, first, like);
    FOVEA_WANT(t.scalar_type() == type && t.sym_sizes() == sizes, name, " is ", t.scalar_type(),
               " ", t.sym_sizes(), "; wanted ", type, " ", sizes);
  };
  const at::ScalarType type = like.scalar_type();
  check_one("grad_out", passed.grad_out, out, type);
  check_one("out", passed.out, out, type);
  check_one("lse", passed.lse, lse, type == at::kDouble ? at::kDouble : at::kFloat);
}

std::vector<SymInt> out_sizes(const Sdpa& s) {
  return {s.q.sym_size(0), s.q.sym_size(1), s.q.sym_size(2), s.v.sym_size(3)};
}
std::vector<SymInt> lse_sizes(const Sdpa& s) {
  return {s.q.sym_size(0), s.q.sym_size(1), s.q.sym_size(2)};
}

/// Of a window operator: windows of one image, positions of one window, channels of one head.
struct WindowCounts {
  SymInt windows = 1, positions = 1, channels;
};

WindowCounts counts(const WindowSdpa& s) {
  WindowCounts n;
  n.channels = s.qkv.sym_size(-1) / (3 * s.heads);
  for (int64_t d = 0; d < s.qkv.dim() - 2; ++d) {
    const SymInt grid = s.qkv.sym_size(d + 1);
    n.positions = n.positions * (s.window.empty() ? grid : SymInt(s.window[d]));
    if (!s.window.empty()) n.windows = n.windows * ((grid + s.window[d] - 1) / s.window[d]);
  }
  return n;
}

std::vector<SymInt> out_sizes(const WindowSdpa& s) {
  std::vector<SymInt> sizes = s.qkv.sym_sizes().vec();
  sizes.back() = sizes.back() / 3;
  return sizes;
}
std::vector<SymInt> lse_sizes(const WindowSdpa& s) {
  const WindowCounts n = counts(s);
  return {s.qkv.sym_size(0), n.windows, s.heads, n.positions};
}

at::TensorOptions sums(const Tensor& like) {
  return like.options().dtype(like.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
}
Tensor empty_if(bool wanted, std::vector<SymInt> sizes, const Tensor& like) {
  if (!wanted) sizes = {0};
  return at::empty_symint(sizes, like.options().dtype(at::kFloat));
}

}  // namespace

void check(const Sdpa& s) {
  const char* op = "fovea::sdpa";
  const auto rank = [&](const char* name, const Tensor& t) {
    FOVEA_WANT(t.dim() == 4, name, " ", t.sym_sizes(), " has ", t.dim(),
               " dimensions; wanted 4: [batch, heads, positions, channels]");
    check_elements(op, name, t);
    check_device(op, name, t, "q", s.q);
    FOVEA_WANT(t.scalar_type() == s.q.scalar_type(), name, " is ", t.scalar_type(),
               "; wanted that of q, ", s.q.scalar_type());
    FOVEA_WANT(t.sym_size(3) >= 1, name, " ", t.sym_sizes(), " has no channels; wanted at least 1");
    FOVEA_WANT(t.sym_size(0) == s.q.sym_size(0) && t.sym_size(1) == s.q.sym_size(1), name, " ",
               t.sym_sizes(), " differs from q ", s.q.sym_sizes(), " in batch or heads");
  };
  rank("q", s.q);
  rank("k", s.k);
  rank("v", s.v);
  FOVEA_WANT(s.k.sym_size(3) == s.q.sym_size(3), "k ", s.k.sym_sizes(), " differs from q ",
             s.q.sym_sizes(), " in channels");
  FOVEA_WANT(s.v.sym_size(2) == s.k.sym_size(2), "v ", s.v.sym_sizes(), " differs from k ",
             s.k.sym_sizes(), " in the number of keys");
  if (s.bias) {
    check_elements(op, "bias", *s.bias);
    check_spread(op, "bias", *s.bias, s);
  }
  if (s.mask) {
    FOVEA_WANT(s.mask->scalar_type() == at::kBool, "mask is ", s.mask->scalar_type(),
               "; wanted bool, true where a query may look (add a float mask as bias)");
    check_spread(op, "mask", *s.mask, s);
  }
  if (s.len_q) check_lengths(op, "len_q", *s.len_q, s);
  if (s.len_k) check_lengths(op, "len_k", *s.len_k, s);
  check_dropout(op, s.dropout_p, s.rng, "q", s.q);
  const SymInt batch = s.q.sym_size(0), queries = s.q.sym_size(2), keys = s.k.sym_size(2);
  check_count(op, batch * s.q.sym_size(1), queries, keys);
  if (s.want_avg_map) check_map(op, batch, queries, keys);
}

void check(const Sdpa& s, const Passed& passed) {
  check(s);
  check_passed("fovea::sdpa_bwd", passed, "q", s.q, out_sizes(s), lse_sizes(s));
}

void check(const WindowSdpa& s) {
  const char* op = "fovea::window_sdpa";
  const at::IntArrayRef window = s.window, shift = s.shift;
  const int64_t dims = s.qkv.dim() - 2;
  FOVEA_WANT(dims >= 1 && dims <= 3, "qkv ", s.qkv.sym_sizes(), " has ", s.qkv.dim(),
             " dimensions; wanted [batch, grid of 1 to 3 dimensions, 3 heads channels]");
  check_elements(op, "qkv", s.qkv);
  FOVEA_WANT(s.heads >= 1, "heads is ", s.heads, "; wanted at least 1");
  FOVEA_WANT(s.qkv.sym_size(-1) >= 1 && s.qkv.sym_size(-1) % (3 * s.heads) == 0, "qkv ",
             s.qkv.sym_sizes(), " has ", s.qkv.sym_size(-1),
             " channels; wanted a multiple of 3 heads = ", 3 * s.heads);
  const auto full = static_cast<size_t>(dims);
  FOVEA_WANT((s.window.empty() || s.window.size() == full) && s.shift.size() == s.window.size(),
             "window ", window, " and shift ", shift, " do not fit qkv ", s.qkv.sym_sizes(),
             "; wanted one number per grid dimension in each, or none: the whole grid");
  for (size_t d = 0; d < s.window.size(); ++d)
    FOVEA_WANT(s.window[d] >= 1 && s.shift[d] >= 0 && s.shift[d] < s.window[d], "window ", window,
               " and shift ", shift, "; wanted 0 <= shift < window");
  const WindowCounts n = counts(s);
  if (s.table) {
    check_elements(op, "table", *s.table);
    check_device(op, "table", *s.table, "qkv", s.qkv);
    SymInt rows = 1;
    for (int64_t d = 0; d < dims; ++d)
      rows =
          rows * (s.window.empty() ? 2 * s.qkv.sym_size(d + 1) - 1 : SymInt(2 * s.window[d] - 1));
    FOVEA_WANT(
        s.table->dim() == 2 && s.table->sym_size(0) == rows && s.table->sym_size(1) == s.heads,
        "table ", s.table->sym_sizes(), " does not fit window ", window, " and ", s.heads,
        " heads; wanted [", rows, ", ", s.heads, "], the product of 2 window - 1 and heads");
  }
  check_dropout(op, s.dropout_p, s.rng, "qkv", s.qkv);
  const SymInt batch = s.qkv.sym_size(0) * n.windows;
  check_count(op, batch * s.heads, n.positions, n.positions);
  FOVEA_WANT(within(n.windows * n.positions, kMostPositions), "qkv ", s.qkv.sym_sizes(),
             " in windows has ", n.windows, " x ", n.positions, " positions; wanted below 2^31");
  if (s.want_avg_map) check_map(op, batch, n.positions, n.positions);
}

void check(const WindowSdpa& s, const Passed& passed) {
  check(s);
  check_passed("fovea::window_sdpa_bwd", passed, "qkv", s.qkv, out_sizes(s), lse_sizes(s));
}

Tensors4 empty_results(const Sdpa& s) {
  const SymInt b = s.q.sym_size(0), h = s.q.sym_size(1), nq = s.q.sym_size(2), nk = s.k.sym_size(2),
               dv = s.v.sym_size(3);
  const bool channels_first = s.v.sym_stride(2) == 1 && s.v.sym_stride(3) != 1;
  Tensor out = channels_first ? at::empty_symint({b, h, dv, nq}, s.q.options()).transpose(2, 3)
                              : at::empty_symint({b, nq, h, dv}, s.q.options()).transpose(1, 2);
  return {std::move(out), at::empty_symint({b, h, nq}, sums(s.q)),
          empty_if(s.want_col_sum, {b, h, nk}, s.q), empty_if(s.want_avg_map, {b, nq, nk}, s.q)};
}

Tensors4 empty_results(const WindowSdpa& s) {
  const std::vector<SymInt> lse = lse_sizes(s);
  return {at::empty_symint(out_sizes(s), s.qkv.options()), at::empty_symint(lse, sums(s.qkv)),
          empty_if(s.want_col_sum, lse, s.qkv),
          empty_if(s.want_avg_map, {lse[0], lse[1], lse[3], lse[3]}, s.qkv)};
}

Tensors4 empty_gradients(const Sdpa& s, std::array<bool, 4> need) {
  const auto like = [](bool needed, const Tensor& t) {
    return needed ? at::empty_like(t) : Tensor();
  };
  const bool dbias = need[3] && s.bias;
  return {like(need[0], s.q), like(need[1], s.k), like(need[2], s.v),
          dbias ? at::empty_symint(s.bias->sym_sizes(), s.bias->options()) : Tensor()};
}

Tensors2 empty_gradients(const WindowSdpa& s, std::array<bool, 2> need) {
  const auto contiguous = [](bool needed, const Tensor& t) {
    return needed ? at::empty_symint(t.sym_sizes(), t.options()) : Tensor();
  };
  return {contiguous(need[0], s.qkv), contiguous(need[1] && s.table, s.table.value_or(Tensor()))};
}

}  // namespace fovea::attention
