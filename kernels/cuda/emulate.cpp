#include "cuda/emulate.h"

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace fovea::cuda::emulate {
namespace {

constexpr int kLanes = 32;
constexpr std::size_t kStack = 128 << 10;
constexpr std::size_t kAlign = 1024;   // of the shared memory, as the swizzle of tiles wants it
constexpr int kGuard = 64;             // bytes behind the shared memory that must stay as they are
constexpr unsigned char kFill = 0xFF;  // NaN in every type

struct Copy {
  void* to;
  const void* from;
  bool valid;
};

struct Fiber {
  ucontext_t context;
  bool done = false;
  bool waiting = false;
  const std::function<bool()>* ready = nullptr;  // what it waits for, if not for a call of wake
  std::vector<std::vector<Copy>> groups;         // committed copies, oldest first
  std::vector<Copy> open;                        // not committed yet
};

struct Warp {
  int arrived = 0;
  void (*compute)(const Words (&)[kLanes], Words (&)[kLanes]) = nullptr;
  Words in[kLanes], out[kLanes];
};

struct Machine {
  std::int64_t block = 0, blocks = 0;
  int threads = 0, current = 0, at_barrier = 0;
  std::uint64_t round = 0;  // of the scheduler
  bool yielded = false;
  unsigned char* shared = nullptr;
  std::size_t shared_bytes = 0;
  const std::function<void(unsigned char*)>* body = nullptr;
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  ucontext_t scheduler;
  std::string failure;
};

thread_local Machine* machine = nullptr;
thread_local std::vector<std::unique_ptr<char[]>> stacks;  // kept from run to run
thread_local std::uint32_t order_seed = 0;

Fiber& self() { return machine->fibers[static_cast<std::size_t>(machine->current)]; }

void back_to_scheduler() { swapcontext(&self().context, &machine->scheduler); }

void start() {
  (*machine->body)(machine->shared);
  Fiber& me = self();
  if (!me.groups.empty() || !me.open.empty()) fail("ends with copies that nobody waited for");
  me.done = true;
  back_to_scheduler();
}

void wait() {
  self().waiting = true;
  back_to_scheduler();
}

void wake(int first, int count) {
  for (int t = first; t < first + count; ++t)
    machine->fibers[static_cast<std::size_t>(t)].waiting = false;
}

/// 0 to n - 1, as set_order wants it.
std::vector<int> order_of(int n, std::mt19937& shuffle) {
  std::vector<int> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  if (order_seed == 1) std::ranges::reverse(order);
  if (order_seed > 1) std::ranges::shuffle(order, shuffle);
  return order;
}

/// Runs each lane of a warp that does not wait, once. How many did, and how many of them ended.
std::pair<int, int> run_lanes(int warp, const std::vector<int>& lanes) {
  int ran = 0, ended = 0;
  for (const int lane : lanes) {
    machine->current = warp * kLanes + lane;
    Fiber& fiber = self();
    if (fiber.ready && (*fiber.ready)()) {
      fiber.ready = nullptr;
      fiber.waiting = false;
    }
    if (fiber.done || fiber.waiting) continue;
    swapcontext(&machine->scheduler, &fiber.context);
    if (!machine->failure.empty()) throw std::logic_error(machine->failure);
    ++ran;
    ended += fiber.done ? 1 : 0;
  }
  return {ran, ended};
}

/// Those that a round leaves out, as set_order wants it, so that lanes fall behind the others of their warp.
void leave_out(std::vector<int>& lanes, std::mt19937& shuffle) {
  if (order_seed > 2 && shuffle() % 2 == 0) lanes.resize(1 + shuffle() % (kLanes - 1));
}

/// Runs all fibers to their end, in rounds of the warps. A warp goes on until the whole block must wait: as far ahead of the
/// others as a GPU allows.
void schedule() {
  std::mt19937 shuffle(order_seed);
  bool all = true;  // lanes take part: only then does "nobody runs" mean something
  for (int done = 0; done < machine->threads;) {
    bool any = std::exchange(machine->yielded, false);
    ++machine->round;
    for (const int warp : order_of(machine->threads / kLanes, shuffle)) {
      std::vector<int> lanes = order_of(kLanes, shuffle);
      if (!all) leave_out(lanes, shuffle);
      for (int ran = 1; ran > 0;) {
        int ended = 0;
        std::tie(ran, ended) = run_lanes(warp, lanes);
        done += ended;
        any = any || ran > 0;
      }
    }
    if (!any && all && done < machine->threads)
      throw std::logic_error("block " + std::to_string(machine->block) +
                             ": threads wait for others that do not come");
    all = !any;
  }
}

void perform(const std::vector<Copy>& copies) {
  for (const Copy& copy : copies) {
    if (copy.valid)
      std::memcpy(copy.to, copy.from, 16);
    else
      std::memset(copy.to, 0, 16);
  }
}

}  // namespace

void set_order(std::uint32_t seed) { order_seed = seed; }
std::uint32_t order() { return order_seed; }

void fail(const std::string& what) {
  machine->failure = "block " + std::to_string(machine->block) + ", thread " +
                     std::to_string(machine->current) + ": " + what;
  back_to_scheduler();
  std::abort();  // a failed machine runs no fiber again
}

void wait_until(const std::function<bool()>& ready) {
  if (ready()) return;
  self().ready = &ready;
  wait();
}

int thread_index() { return machine->current; }
int thread_count() { return machine->threads; }
std::int64_t block_index() { return machine->block; }
std::int64_t block_count() { return machine->blocks; }

void run(std::int64_t blocks, int threads, int shared_bytes,
         const std::function<void(unsigned char*)>& body) {
  Machine m;
  m.blocks = blocks;
  m.threads = threads;
  m.body = &body;
  m.fibers.resize(static_cast<std::size_t>(threads));
  while (stacks.size() < m.fibers.size())
    stacks.push_back(std::make_unique_for_overwrite<char[]>(kStack));
  m.warps.resize(static_cast<std::size_t>(threads) / kLanes);
  const auto bytes = m.shared_bytes = static_cast<std::size_t>(shared_bytes);
  std::vector<unsigned char> memory(bytes + kGuard + kAlign - 1);
  m.shared = memory.data() + (0 - reinterpret_cast<std::uintptr_t>(memory.data())) % kAlign;
  machine = &m;
  for (m.block = 0; m.block < blocks; ++m.block) {
    std::memset(m.shared, kFill, bytes + kGuard);
    m.at_barrier = 0;
    for (Warp& warp : m.warps) warp.arrived = 0;
    for (Fiber& fiber : m.fibers) {
      fiber.done = fiber.waiting = false;
      fiber.ready = nullptr;
      getcontext(&fiber.context);
      fiber.context.uc_stack.ss_sp =
          stacks[static_cast<std::size_t>(&fiber - m.fibers.data())].get();
      fiber.context.uc_stack.ss_size = kStack;
      fiber.context.uc_link = &m.scheduler;
      makecontext(&fiber.context, &start, 0);
    }
    begin_asynchronous(threads);
    schedule();
    end_asynchronous();
    for (int i = 0; i < kGuard; ++i)
      if (m.shared[bytes + static_cast<std::size_t>(i)] != kFill)
        throw std::logic_error("a block wrote behind its shared memory");
  }
  machine = nullptr;
}

void block_barrier() {
  Machine& m = *machine;
  if (++m.at_barrier < m.threads) return wait();
  m.at_barrier = 0;
  wake(0, m.threads);
}

void collective(const std::uint32_t* in, int in_words, std::uint32_t* out, int out_words,
                void (*compute)(const Words (&in)[kLanes], Words (&out)[kLanes])) {
  Machine& m = *machine;
  const int lane = m.current % kLanes, first = m.current - lane;
  Warp& warp = m.warps[static_cast<std::size_t>(m.current / kLanes)];
  if (warp.arrived == 0) warp.compute = compute;
  if (warp.compute != compute) fail("the lanes of a warp execute different instructions");
  std::copy_n(in, in_words, warp.in[lane]);
  if (++warp.arrived < kLanes) {
    wait();
  } else {
    warp.arrived = 0;
    compute(warp.in, warp.out);
    wake(first, kLanes);
  }
  // Nobody can overwrite it: the warp's next instruction needs this lane too.
  std::copy_n(warp.out[lane], out_words, out);
}

void let_others_run() {
  machine->yielded = true;
  wait_until([round = machine->round] { return machine->round != round; });
}

Span shared_memory() { return {machine->shared, machine->shared_bytes}; }

void check_shared(const void* p, const char* what) {
  const auto* byte = static_cast<const unsigned char*>(p);
  if (reinterpret_cast<std::uintptr_t>(p) % 16 != 0)
    fail(std::string(what) + " at an address that is not a multiple of 16");
  if (byte < machine->shared || byte + 16 > machine->shared + machine->shared_bytes)
    fail(std::string(what) + " outside the shared memory");
}

void copy_async(void* to, const void* from, bool valid) {
  check_shared(to, "cp.async");
  if (valid && reinterpret_cast<std::uintptr_t>(from) % 16 != 0)
    fail("cp.async from an address that is not a multiple of 16");
  if (order_seed % 2 == 1)
    perform({{to, from, valid}});
  else
    self().open.push_back({to, from, valid});
}
void copy_commit() { self().groups.push_back(std::exchange(self().open, {})); }
void copy_wait(int pending) {
  auto& groups = self().groups;
  while (groups.size() > static_cast<std::size_t>(pending)) {
    perform(groups.front());
    groups.erase(groups.begin());
  }
}

}  // namespace fovea::cuda::emulate
