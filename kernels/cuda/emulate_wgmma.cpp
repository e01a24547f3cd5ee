// Products of a warpgroup, written from the PTX manual ("wgmma.mma_async", "Matrix fragments for wgmma.mma_async.m64nNk16",
// "Matrix descriptor format", "Canonical layouts") independently of the kernels. Operands are read when a product starts and
// again when it is waited for: if they differ, somebody wrote to them in between.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "cuda/emulate_hopper.h"

namespace fovea::cuda::emulate {

void begin_products(int threads);
void end_products();

namespace {

constexpr std::uint32_t kUnderWay =
    0x7FA5A5A5;  // a NaN: what a register holds while a product is under way

/// The byte of shared memory where element (major, k) of a tile begins: `major` along M or N, k < 16.
class Descriptor {
 public:
  Descriptor(std::uint64_t bits, bool k_rows)
      : start_(field(bits, 0)),
        leading_(field(bits, 16)),
        stride_(field(bits, 32)),
        k_rows_(k_rows) {
    if (bits >> 62 != 1)
      fail("a descriptor of another swizzle than that of 128 bytes: not emulated");
    if (bits >> 49 & 7U) fail("a descriptor with a base offset: not emulated");
    if (bits & 0x3FF1'C000'C000'C000) fail("a descriptor with reserved bits");
  }
  std::uint32_t address(int major, int k) const {
    const auto m = static_cast<std::uint32_t>(major), d = static_cast<std::uint32_t>(k);
    const std::uint32_t place = k_rows_
                                    ? m % 64 * 2 + m / 64 * leading_ + d % 8 * 128 + d / 8 * stride_
                                    : m % 8 * 128 + m / 8 * stride_ + d * 2;
    const std::uint32_t plain = start_ + place;
    return plain ^ (plain >> 7 & 7U) << 4;
  }

 private:
  static std::uint32_t field(std::uint64_t bits, int at) {
    return static_cast<std::uint32_t>(bits >> at & 0x3FFFU) << 4;
  }
  std::uint32_t start_, leading_, stride_;
  bool k_rows_;
};

/// 16-bit elements of a warp's operands, k the inner index: 16 rows of a, then the columns of b.
using Operands = std::vector<std::uint16_t>;

Operands read(const std::vector<Product>& lanes) {
  const Product& p = lanes[0];
  const int columns = 8 * p.tiles, first = thread_index() / 32 % 4 * 16;
  Operands all(static_cast<std::size_t>(16 * (16 + columns)));
  auto* to = all.data();
  const Descriptor b(p.b_tile, p.b_rows), a = p.a ? b : Descriptor(p.a_tile, false);
  for (int row = 0; row < 16; ++row)
    for (int k = 0; k < 16; ++k, ++to) {
      if (!p.a) {
        *to = fenced_element(a.address(first + row, k));
        continue;
      }
      // Register 0: row l / 4, k 2 (l % 4) and the next; 1: eight rows on; 2 and 3: eight k on.
      const auto lane = static_cast<std::size_t>(row % 8 * 4 + k % 8 / 2);
      *to = static_cast<std::uint16_t>(lanes[lane].a[row / 8 + k / 8 * 2] >> (k % 2 * 16));
    }
  for (int column = 0; column < columns; ++column)
    for (int k = 0; k < 16; ++k) *to++ = fenced_element(b.address(column, k));
  return all;
}

/// Accumulators of a warp that a product under way is about to write.
struct Sums {
  int tiles = 0, products = 0;
  std::vector<float*> lanes;
  std::vector<float> values;  // [lane][tiles * 4]
};

struct UnderWay {
  int group;
  std::vector<Product> lanes;
  Operands operands;
};

struct Warp {
  bool fenced = false;
  int committed = 0;
  std::deque<UnderWay> products;
  std::map<const float*, Sums> sums;  // by the pointer of lane 0
  std::size_t issued = 0;
  int pending = 0;  // argument of the wait
};

using Sign = std::tuple<std::uint64_t, std::uint64_t, int, bool, bool, bool>;

struct State {
  std::vector<Warp> warps;
  std::vector<std::vector<Sign>> groups;  // what each warpgroup was asked for, in order
  std::vector<Product> asked;             // by thread
};
thread_local State state;

Warp& this_warp() { return state.warps[static_cast<std::size_t>(thread_index() / 32)]; }

/// All warps of a warpgroup must ask for the same.
void check_group(const Product& p) {
  auto& all = state.groups[static_cast<std::size_t>(thread_index() / 128)];
  const Sign sign{p.a_tile, p.b_tile, p.tiles, p.b_rows, p.add, p.brain};
  Warp& warp = this_warp();
  if (warp.issued < all.size() && all[warp.issued] != sign)
    fail("the warps of a warpgroup ask for different products");
  if (warp.issued == all.size()) all.push_back(sign);
  ++warp.issued;
}

Sums& sums_of(const std::vector<Product>& lanes) {
  Sums& sums = this_warp().sums[lanes[0].d];
  if (sums.products == 0) {
    sums.tiles = lanes[0].tiles;
    for (const Product& p : lanes) {
      sums.lanes.push_back(p.d);
      sums.values.insert(sums.values.end(), p.d, p.d + 4 * p.tiles);
      std::fill_n(p.d, 4 * p.tiles, float_of_bits(kUnderWay));
    }
  }
  if (sums.tiles != lanes[0].tiles) fail("accumulators of another shape are still under way");
  return sums;
}

/// Element e of tile t of lane l: row l / 4 + 8 (e / 2), column 8 t + 2 (l % 4) + e % 2.
void multiply(const Operands& operands, const Product& p, std::vector<float>& values) {
  const auto value = [&](int major, int k) {
    const std::uint16_t bits = operands[static_cast<std::size_t>(16 * major + k)];
    return p.brain ? float_of_bits(static_cast<std::uint32_t>(bits) << 16) : float_of_half(bits);
  };
  std::vector<float> x;
  for (int major = 0; major < 16 + 8 * p.tiles; ++major)
    for (int k = 0; k < 16; ++k) x.push_back(value(major, k));
  for (int l = 0; l < 32; ++l)
    for (int t = 0; t < p.tiles; ++t)
      for (int e = 0; e < 4; ++e) {
        const float* a = x.data() + 16 * (l / 4 + 8 * (e / 2));
        const float* b = x.data() + 16 * (16 + 8 * t + 2 * (l % 4) + e % 2);
        float& sum = values[static_cast<std::size_t>((l * p.tiles + t) * 4 + e)];
        if (!p.add) sum = 0;
        double products[16];
        for (int k = 0; k < 16; ++k) products[k] = double{a[k]} * double{b[k]};
        sum = sum_of_products(sum, products, 16);
      }
}

void deliver(Sums& sums) {
  const auto each = static_cast<std::size_t>(4 * sums.tiles);
  for (std::size_t l = 0; l < 32; ++l)
    for (std::size_t i = 0; i < each; ++i) {
      float& to = sums.lanes[l][i];
      if (bits_of_float(to) != kUnderWay)
        fail("an accumulator was written while a product was under way");
      to = sums.values[l * each + i];
    }
}

// The last lane of the warp that comes does the work of all.

void start(const Words (&)[32], Words (&)[32]) {
  Warp& warp = this_warp();
  const auto first = state.asked.begin() + thread_index() / 32 * 32;
  UnderWay now{warp.committed, std::vector<Product>(first, first + 32), {}};
  const Product& p = now.lanes[0];
  if (!warp.fenced) fail("wgmma without wgmma.fence");
  check_group(p);
  Sums& sums = sums_of(now.lanes);
  ++sums.products;
  now.operands = read(now.lanes);
  multiply(now.operands, p, sums.values);
  warp.products.push_back(std::move(now));
}

void wait(const Words (&)[32], Words (&)[32]) {
  Warp& warp = this_warp();
  warp.fenced = false;
  while (!warp.products.empty() && warp.products.front().group < warp.committed - warp.pending) {
    const UnderWay& now = warp.products.front();
    if (read(now.lanes) != now.operands)
      fail("an operand was written while a product was under way");
    const auto sums = warp.sums.find(now.lanes[0].d);
    if (--sums->second.products == 0) {
      deliver(sums->second);
      warp.sums.erase(sums);
    }
    warp.products.pop_front();
  }
}

}  // namespace

void begin_products(int threads) {
  state = {};
  state.warps.resize(static_cast<std::size_t>(threads) / 32);
  state.groups.resize((static_cast<std::size_t>(threads) + 127) / 128);
  state.asked.resize(static_cast<std::size_t>(threads));
}

void end_products() {
  for (std::size_t w = 0; w < state.warps.size(); ++w) {
    if (!state.warps[w].products.empty())
      throw std::logic_error("a product that nobody waited for");
    if (state.warps[w].issued != state.groups[w / 4].size())
      throw std::logic_error("a product that not all warps of the warpgroup asked for");
  }
}

void wgmma(const Product& product) {
  state.asked[static_cast<std::size_t>(thread_index())] = product;
  collective(nullptr, 0, nullptr, 0, start);
}
void wgmma_fence() {
  collective(nullptr, 0, nullptr, 0,
             [](const Words(&)[32], Words(&)[32]) { this_warp().fenced = true; });
}
void wgmma_commit() {
  collective(nullptr, 0, nullptr, 0,
             [](const Words(&)[32], Words(&)[32]) { ++this_warp().committed; });
}
void wgmma_wait(int pending) {
  let_others_run();  // whatever they do to the operands, they may do now
  this_warp().pending = pending;
  collective(nullptr, 0, nullptr, 0, wait);
}

}  // namespace fovea::cuda::emulate
