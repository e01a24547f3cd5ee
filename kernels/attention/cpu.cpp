#include "attention/cpu.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <cpuinfo.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>

#include "attention/reference.h"
#include "attention/simd/kernels.h"

namespace fovea::attention {
namespace {

using std::int64_t;

struct Isa {
  std::string name;
  const Kernels* kernels;  // null: the reference
};

/// What this processor runs, the slowest first.
const std::vector<Isa>& isas() {
  static const std::vector<Isa> found = [] {
    std::vector<Isa> all = {{"reference", nullptr}, {"portable", &portable}};
#ifdef FOVEA_X86
    cpuinfo_initialize();
    if (cpuinfo_has_x86_avx2() && cpuinfo_has_x86_fma3()) all.push_back({"avx2", &avx2});
    if (cpuinfo_has_x86_avx512f() && cpuinfo_has_x86_avx512bw() && cpuinfo_has_x86_avx512dq() &&
        cpuinfo_has_x86_avx512vl()) {
      all.push_back({"avx512", &avx512});
      if (cpuinfo_has_x86_avx512bf16()) all.push_back({"avx512_bf16", &avx512_bf16});
    }
#endif
    return all;
  }();
  return found;
}

/// Read at each call, so that a test can go through all of them.
const Isa& chosen_isa() {
  const char* wanted = std::getenv("FOVEA_CPU_ISA");
  if (!wanted || !*wanted) return isas().back();
  const auto found = std::ranges::find(isas(), wanted, &Isa::name);
  std::string names;
  for (const Isa& isa : isas()) names += (names.empty() ? "" : ", ") + isa.name;
  TORCH_CHECK(found != isas().end(), "FOVEA_CPU_ISA=", wanted,
              ": wanted one that this processor runs: ", names);
  return *found;
}

/// Runs task 0 to `count`, each on any thread, in memory of `room` floats that is the thread's own.
void run_tasks(int64_t count, int64_t room, const std::function<void(int64_t, float*)>& task) {
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), count);
  const at::Tensor memory = at::empty({threads, room}, at::kFloat);  // on a boundary of 64 bytes
  std::atomic<int64_t> next = 0;
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t thread = begin; thread < end; ++thread) {
      float* mine = memory.data_ptr<float>() + thread * room;
      for (int64_t i = next++; i < count; i = next++) task(i, mine);
    }
  });
}

int64_t parts_of(int64_t whole, int64_t part) { return (whole + part - 1) / part; }

void forward(const Problem& p, const Kernels& kernels) {
  const int64_t heads = p.B * p.H, room = kernels.forward_room(p);
  if (p.col_sum) std::fill_n(p.col_sum, heads * p.Nk, 0.0F);
  if (p.avg_map) {  // the heads of a sample add to one map, in their order
    std::fill_n(p.avg_map, p.B * p.Nq * p.Nk, 0.0F);
    return run_tasks(p.B, room, [&](int64_t b, float* memory) {
      for (int64_t h = 0; h < p.H; ++h) kernels.forward(p, b, h, 0, p.Nq, memory);
    });
  }
  // Few heads are cut into blocks of queries; none has to do with another, so the bits stay the same.
  int64_t block = p.Nq;
  if (!p.col_sum && heads < 2 * at::get_num_threads())
    block = std::max<int64_t>(32, parts_of(p.Nq * heads, 4 * at::get_num_threads()));
  const int64_t blocks = parts_of(p.Nq, block);
  run_tasks(heads * blocks, room, [&](int64_t task, float* memory) {
    const int64_t head = task / blocks, first = task % blocks * block;
    kernels.forward(p, head / p.H, head % p.H, first, std::min(first + block, p.Nq), memory);
  });
}

/// The backward pass of heads, each cut into blocks of queries where there are few of them: into as many as the shape says, so
/// that the bits do not depend on the number of threads.
class Heads {
 public:
  Heads(const Problem& p, const Kernels& kernels)
      : p_(p), kernels_(kernels), slab_(kernels.slab_room(p)) {
    const int64_t heads = std::max<int64_t>(p.B * p.H, 1);
    const bool cut = !p.dbias.data || p.dbias.stride[2] != 0;  // else the blocks share its rows
    if (cut) blocks_ = std::clamp<int64_t>(64 / heads, 1, std::max<int64_t>(p.Nq / 512, 1));
    if (blocks_ > 1) slabs_ = at::empty({heads * blocks_, slab_}, at::kFloat);
  }
  int64_t blocks() const { return blocks_; }
  /// Of a gradient of the bias [rows, columns] the part that a block of queries adds to, as zeros.
  void clear(float* dbias, int64_t block, int64_t rows, int64_t columns) const {
    std::fill(dbias + part(rows, block) * columns, dbias + part(rows, block + 1) * columns, 0.0F);
  }
  void run(int64_t b, int64_t h, int64_t block, float* dbias, float* memory) const {
    kernels_.backward(p_, b, h, part(p_.Nq, block), part(p_.Nq, block + 1), slab(b, h, block),
                      dbias, memory);
  }
  /// When all blocks have run.
  void finish() const {
    if (blocks_ == 1) return;
    run_tasks(p_.B * p_.H, 0, [&](int64_t task, float*) {
      const int64_t b = task / p_.H, h = task % p_.H;
      kernels_.add_slabs(p_, b, h, slab(b, h, 0), blocks_);
    });
  }

 private:
  /// Where a block begins in `all`.
  int64_t part(int64_t all, int64_t block) const { return block * all / blocks_; }
  float* slab(int64_t b, int64_t h, int64_t block) const {
    return blocks_ == 1 ? nullptr
                        : slabs_.data_ptr<float>() + ((b * p_.H + h) * blocks_ + block) * slab_;
  }

  const Problem& p_;
  const Kernels& kernels_;
  int64_t slab_, blocks_ = 1;
  at::Tensor slabs_;
};

/// The gradient of a bias that all samples share: chunks of samples, as many as the shape says, each with sums of its own,
/// which are then added in order. So the bits do not depend on the number of threads.
void backward_of_shared_bias(const Problem& p, const Kernels& kernels, const Heads& heads,
                             int64_t rows, int64_t columns) {
  const int64_t slice = rows * columns;
  const int64_t chunks = std::min<int64_t>(p.B, 8);
  auto* const dbias = static_cast<float*>(p.dbias.data);
  const bool shared_by_heads = p.dbias.stride[1] == 0, in_place = chunks == 1 && !shared_by_heads;
  const at::Tensor partial = in_place ? at::Tensor() : at::empty({chunks, p.H, slice}, at::kFloat);
  float* const sums = in_place ? dbias : partial.data_ptr<float>();
  run_tasks(chunks * p.H * heads.blocks(), kernels.backward_room(p),
            [&](int64_t task, float* memory) {
              const int64_t block = task % heads.blocks(), of = task / heads.blocks();
              const int64_t chunk = of / p.H, h = of % p.H;
              float* mine = sums + of * slice;
              heads.clear(mine, block, rows, columns);
              for (int64_t b = chunk * p.B / chunks; b < (chunk + 1) * p.B / chunks; ++b)
                heads.run(b, h, block, mine, memory);
            });
  if (in_place) return;
  const int64_t slices = shared_by_heads ? 1 : p.H, added = chunks * p.H / slices;
  constexpr int64_t step = 1024;
  at::parallel_for(0, parts_of(slices * slice, step), 1, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin * step; first < std::min(end * step, slices * slice);
         first += step) {
      const int64_t count = std::min(step, slices * slice - first);
      double totals[step] = {};
      for (int64_t part = 0; part < added; ++part)
        for (int64_t i = 0; i < count; ++i) totals[i] += sums[part * slices * slice + first + i];
      std::copy_n(totals, count, dbias + first);
    }
  });
}

void backward(const Problem& p, const Kernels& kernels) {
  const Heads heads(p, kernels);
  const int64_t room = kernels.backward_room(p), blocks = heads.blocks();
  const auto& stride = p.dbias.stride;
  auto* const dbias = static_cast<float*>(p.dbias.data);
  const int64_t rows = stride[2] ? p.Nq : 1, columns = stride[3] ? p.Nk : 1;
  if (!dbias) {
    run_tasks(p.B * p.H * blocks, room, [&](int64_t task, float* memory) {
      const int64_t head = task / blocks;
      heads.run(head / p.H, head % p.H, task % blocks, nullptr, memory);
    });
  } else if (stride[0] == 0) {
    backward_of_shared_bias(p, kernels, heads, rows, columns);
  } else {
    const int64_t slices =
        stride[1] ? p.H : 1;  // of a sample; heads that share one add to it in their order
    run_tasks(p.B * slices * blocks, room, [&](int64_t task, float* memory) {
      const int64_t slice = task / blocks, block = task % blocks;
      float* mine = dbias + slice * rows * columns;
      heads.clear(mine, block, rows, columns);
      const int64_t b = slice / slices, first = slice % slices;
      for (int64_t h = first; h < (slices == 1 ? p.H : first + 1); ++h)
        heads.run(b, h, block, mine, memory);
    });
  }
  heads.finish();
}

/// By the kernels of the chosen instruction set, or task by task by the reference, which alone knows fp64. Gives the path.
const char* solve(const Problem& p, void (*fast)(const Problem&, const Kernels&),
                  int64_t (*tasks)(const Problem&), void (*slow)(const Problem&, int64_t task)) {
  const Isa& isa = chosen_isa();
  if (isa.kernels && p.elem != Elem::f64) {
    fast(p, *isa.kernels);
    return isa.name.c_str();
  }
  at::parallel_for(0, tasks(p), 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) slow(p, task);
  });
  return "reference";
}

}  // namespace

std::vector<std::string> cpu_isas() {
  std::vector<std::string> names;
  for (const Isa& isa : isas()) names.push_back(isa.name);
  return names;
}

const char* cpu_fwd(const Problem& problem) {
  return solve(problem, forward, reference_fwd_tasks, reference_fwd);
}
const char* cpu_bwd(const Problem& problem) {
  return solve(problem, backward, reference_bwd_tasks, reference_bwd);
}

}  // namespace fovea::attention
