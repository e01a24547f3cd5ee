// Barriers, boxes and registers of sm_90a, written from the PTX manual ("mbarrier", "cp.async.bulk.tensor", "Swizzling
// modes", "setmaxnreg") independently of the kernels. The products of warpgroups are in emulate_wgmma.cpp.
#include "cuda/emulate_hopper.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <vector>

namespace fovea::cuda::emulate {

void begin_products(int threads);  // emulate_wgmma.cpp
void end_products();

namespace {

constexpr int kRegisters = 64 << 10;                // of a multiprocessor
constexpr std::int64_t kMostBytes = (1 << 20) - 1;  // that a phase may wait for

struct Box {
  std::uint32_t to;  // a shared address
  TensorMap map;
  int at[4];

  int bytes() const { return 2 * map.box[0] * map.box[1] * map.box[2] * map.box[3]; }
};

struct Phases {
  int arrivals = 0;        // of every phase
  int missing = 0;         // in this one
  std::int64_t bytes = 0;  // expected and not here
  std::uint32_t ended = 0;
  std::vector<Box> under_way;
};

struct State {
  std::map<std::uint32_t, Phases> barriers;
  bool barriers_ready = true;
  std::vector<unsigned char> fenced;  // the shared memory as boxes and products see it
  std::vector<int> warp_registers;
  int spare = 0;
  std::uint32_t boxes = 0;
};
thread_local State state;

unsigned char* at_shared(std::uint32_t address) {
  return shared_memory().data + (address - kSharedBase);
}
bool in_shared(std::uint32_t address, int bytes) {
  return address >= kSharedBase &&
         address - kSharedBase + static_cast<std::size_t>(bytes) <= shared_memory().bytes;
}

Phases& phases_of(const Barrier* barrier) {
  const auto found = state.barriers.find(shared_address(barrier));
  if (found == state.barriers.end()) fail("an mbarrier that nobody initialised");
  return found->second;
}

void end_phase(Phases& phases) {
  if (phases.missing > 0 || phases.bytes != 0) return;
  ++phases.ended;
  phases.missing = phases.arrivals;
}

/// Element by element: those of the box in order, 16-byte units of eight rows of 128 bytes exchanged, zero outside the tensor.
void copy_box(const Box& box) {
  const TensorMap& map = box.map;
  std::uint32_t place = 0;
  int i[4];
  for (i[3] = 0; i[3] < map.box[3]; ++i[3])
    for (i[2] = 0; i[2] < map.box[2]; ++i[2])
      for (i[1] = 0; i[1] < map.box[1]; ++i[1])
        for (i[0] = 0; i[0] < map.box[0]; ++i[0], place += 2) {
          std::uint16_t element = 0;
          const unsigned char* from = map.base;
          bool inside = true;
          for (int d = 0; d < 4; ++d) {
            const std::int64_t index = std::int64_t{box.at[d]} + i[d];
            inside = inside && index >= 0 && index < map.size[d];
            if (inside) from += index * map.stride[d];
          }
          if (inside) std::memcpy(&element, from, 2);
          std::uint32_t to = box.to + place;
          to ^= (to >> 7 & 7U) << 4;
          std::memcpy(at_shared(to), &element, 2);
          std::memcpy(state.fenced.data() + (to - kSharedBase), &element, 2);
        }
}

void deliver(Phases& phases) {
  for (const Box& box : phases.under_way) {
    copy_box(box);
    phases.bytes -= box.bytes();
  }
  if (phases.under_way.empty()) return;
  phases.under_way.clear();
  end_phase(phases);
}

bool refuses_maps = false;  // set between calls

}  // namespace

void refuse_maps(bool all) { refuses_maps = all; }

bool is_map(const TensorMap& map) {
  bool right = !refuses_maps && reinterpret_cast<std::uintptr_t>(map.base) % 16 == 0 &&
               2 * map.box[0] <= 128 && 2 * map.box[0] % 16 == 0;
  for (int d = 0; d < 4; ++d) {
    right = right && map.size[d] >= 1 && map.size[d] <= std::int64_t{1} << 32;
    right = right && map.box[d] >= 1 && map.box[d] <= 256;
    if (d > 0)
      right = right && map.stride[d] % 16 == 0 && map.stride[d] >= 0 &&
              map.stride[d] < std::int64_t{1} << 40;
  }
  return right;
}

std::uint32_t shared_address(const void* p) {
  const auto offset = static_cast<const unsigned char*>(p) - shared_memory().data;
  return kSharedBase + static_cast<std::uint32_t>(offset);
}

void begin_asynchronous(int threads) {
  state = {};
  // As __launch_bounds__(threads, 1) gives them out: in steps of eight.
  const int each = std::min(kRegisters / threads / 8 * 8, 248);
  state.warp_registers.assign(static_cast<std::size_t>(threads) / 32, each);
  state.spare = kRegisters - each * threads;
  state.fenced.assign(shared_memory().bytes, 0xFF);
  begin_products(threads);
}

void end_asynchronous() {
  for (const auto& [address, phases] : state.barriers)
    if (!phases.under_way.empty()) throw std::logic_error("a box that nobody waited for");
  end_products();
}

void barrier_init(Barrier* barrier, int arrivals) {
  if (reinterpret_cast<std::uintptr_t>(barrier) % 8 != 0 || !in_shared(shared_address(barrier), 8))
    fail("an mbarrier that is not in the shared memory, or not aligned");
  Phases fresh;
  fresh.arrivals = fresh.missing = arrivals;
  state.barriers[shared_address(barrier)] = fresh;
  state.barriers_ready = false;
}
void barriers_ready() { state.barriers_ready = true; }

void barrier_arrive(Barrier* barrier, int bytes) {
  Phases& phases = phases_of(barrier);
  phases.bytes += bytes;
  if (phases.bytes > kMostBytes) fail("an mbarrier that expects too many bytes");
  if (--phases.missing < 0) fail("an mbarrier at which more arrive than it counts");
  end_phase(phases);
}

void barrier_wait(Barrier* barrier, std::uint32_t parity) {
  Phases& phases = phases_of(barrier);
  wait_until([&phases, parity] {
    if (phases.ended % 2 == parity) deliver(phases);
    return phases.ended % 2 != parity;
  });
}

void load_box(void* to, const TensorMap& map, const int (&at)[4], Barrier* barrier) {
  Phases& phases = phases_of(barrier);
  Box box{shared_address(to), map, {at[0], at[1], at[2], at[3]}};
  if (box.to % 128 != 0) fail("a box at an address that is not a multiple of 128");
  if (!state.barriers_ready) fail("a box whose mbarrier the copy engine need not see yet");
  if (!in_shared(box.to, box.bytes())) fail("a box outside the shared memory");
  phases.under_way.push_back(box);
  const std::uint32_t seed = order();
  if (seed == 1 || (seed > 1 && (++state.boxes * 2654435761U + seed) >> 13 & 1U)) deliver(phases);
}

void fence_shared() {
  std::copy_n(shared_memory().data, state.fenced.size(), state.fenced.begin());
}

std::uint16_t fenced_element(std::uint32_t address) {
  if (!in_shared(address, 2)) fail("a product of what lies outside the shared memory");
  std::uint16_t element;
  std::memcpy(&element, state.fenced.data() + (address - kSharedBase), 2);
  return element;
}

void set_registers(int registers, bool more) {
  int& mine = state.warp_registers[static_cast<std::size_t>(thread_index() / 32)];
  sync_warp();
  if (thread_index() % 32 == 0) {
    if (registers % 8 != 0 || registers < 24 || registers > 256)
      fail("setmaxnreg of something that is not a count");
    if (more ? registers < mine : registers > mine) fail("setmaxnreg in the wrong direction");
    const int needed = 32 * (registers - mine);
    wait_until([needed] { return state.spare >= needed; });
    state.spare -= needed;
    mine = registers;
  }
  sync_warp();
}

}  // namespace fovea::cuda::emulate

namespace fovea::cuda {

void sync_warp() {
  emulate::collective(nullptr, 0, nullptr, 0,
                      [](const emulate::Words(&)[32], emulate::Words(&)[32]) {});
}

}  // namespace fovea::cuda
