// A training step of fovea: forward, loss, backward, AdamW.
//   bench_train_step MODEL MODE [STEPS]      as peers/train_step.py; MODE fp32 | bf16
#include <ATen/autocast_mode.h>
#include <malloc.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>
#include <map>
#include <mutex>
#include <torch/nn.h>
#include <cstdlib>

#include "fovea/nn/model.h"
#include "fovea/nn/resnet.h"
#include "fovea/nn/vit.h"
#include "fovea/tasks/task.h"
#include "fovea/train/optimizers.h"
#include "measure.h"

using namespace fovea;

// PROTOTYPE caching allocator
struct Caching final : c10::Allocator {
  static constexpr size_t kBig = 1 << 16;
  static size_t round(size_t n) {
    if (n <= (1 << 21)) return (n + 4095) & ~size_t(4095);
    return (n + (1 << 21) - 1) & ~size_t((1 << 21) - 1);
  }
  std::mutex m;
  std::map<size_t, std::vector<void*>> free_;
  std::map<void*, size_t> sizes;
  c10::Allocator* base = c10::GetDefaultCPUAllocator();
  static Caching& one() { static Caching* c = new Caching; return *c; }
  static void release(void* p) {
    if (!p) return;
    auto& self = one();
    std::lock_guard lock(self.m);
    auto it = self.sizes.find(p);
    if (it == self.sizes.end()) { free(p); return; }
    self.free_[it->second].push_back(p);
  }
  c10::DataPtr allocate(size_t n) override {
    if (n == 0) return {nullptr, nullptr, &release, c10::Device(c10::kCPU)};
    void* p = nullptr;
    if (n < kBig) {
      p = aligned_alloc(64, (n + 63) & ~size_t(63));
    } else {
      n = round(n);
      std::lock_guard lock(m);
      auto it = free_.lower_bound(n);
      while (it != free_.end() && it->second.empty()) ++it;
      if (it != free_.end() && it->first <= n + n / 4) {
        p = it->second.back();
        it->second.pop_back();
      } else {
        p = aligned_alloc(n > (1 << 21) ? 1 << 21 : 4096, n);
        if (n >= (1 << 21) && getenv("HUGE")) madvise(p, n, MADV_HUGEPAGE);
        sizes[p] = n;
      }
    }
    return {p, p, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* d, const void* s, std::size_t c) const override { default_copy_data(d, s, c); }
};

int main(int argc, char** argv) {
  const std::string name = argv[1], mode = argv[2];
  const int64_t steps = argc > 3 ? std::stoll(argv[3]) : 2;
  const std::string memory = getenv("MEM") ? getenv("MEM") : "none";
  if (memory == "mallopt") {
    std::cerr << mallopt(M_MMAP_THRESHOLD, 1 << 30) << mallopt(M_TRIM_THRESHOLD, 2'000'000'000) << "\n";
  } else if (memory == "nommap") {
    std::cerr << mallopt(M_MMAP_MAX, 0) << mallopt(M_TRIM_THRESHOLD, 2'000'000'000) << "\n";
  } else if (memory == "caching") {
    c10::SetCPUAllocator(&Caching::one(), 100);
  }
  nn::ModelOptions options;
  nn::EncoderChoice encoder;
  std::vector<int64_t> sizes{32, 3, 224, 224};
  if (name == "resnet18_28") {
    encoder.set("resnet", nn::ResNetOptions{.stem = "small"});
    sizes = {128, 1, 28, 28};
  } else if (name == "resnet18_224") {
    encoder.set("resnet", nn::ResNetOptions{});
  } else {
    encoder.set("vit", nn::ViTOptions{});
  }
  options.encoders.entries.emplace_back("image", encoder);
  const TargetSpec target{.name = "label", .classes = {"no", "yes"}, .counts = {1, 1}};
  const auto task = tasks::TaskChoice().make({target});
  nn::Model model(options, {{"image", {{sizes[1], sizes[2], sizes[3]}}}}, task->heads(), 1);
  model.train();
  Batch batch;
  batch.ids.resize(sizes[0]);
  batch.inputs["image"] = torch::randn(sizes).contiguous(at::MemoryFormat::ChannelsLast);
  batch.targets["label"] = torch::randint(0, 2, {sizes[0]}, torch::kInt64);
  if (!getenv("CONTIG"))
  for (auto& p : model.parameters())
    if (p.dim() == 4) p.set_data(p.contiguous(at::MemoryFormat::ChannelsLast));
  const auto optimizer = train::OptimizerChoice().make(train::parameter_groups(model, 1));
  const auto none = torch::zeros({});
  auto step = [&] {
    optimizer->zero_grad();
    at::autocast::set_autocast_enabled(at::kCPU, mode == "bf16");
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    const auto outputs = model.forward(batch.inputs);
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    const auto loss = task->loss(outputs, batch);
    loss.backward();
    optimizer->step(1, none);
    return loss.item<float>();
  };
  step();
  step();
  bench::serve([&] {
    const double seconds = bench::seconds_of([&] { for (int64_t i = 0; i < steps; ++i) step(); });
    return static_cast<double>(steps * sizes[0]) / seconds;
  });
}
