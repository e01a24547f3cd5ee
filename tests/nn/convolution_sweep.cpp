// Every way to convolve: forward and the three gradients of drawn geometries against float64.
//   convolution_sweep [COUNT [SEED]] [--unguarded]    `sweep: passed/total`; 1 where one failed
//
// Some geometries crash LibTorch's own convolution or never end, so a child process computes them
// (the same program, "child") and says one line for each; where it dies or is silent, that case has
// failed and another child goes on behind it. Children differ in the instructions that oneDNN may use.
// New memory holds NaN in one pass and 3e38 in the next, with a guard of 4 KiB on both sides: what
// depends on memory that nobody wrote differs, and what is written beyond a tensor is seen.
// `--unguarded` asks LibTorch itself: the proof that the sweep can fail.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <c10/core/CPUAllocator.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cstdlib>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <iostream>
#include <random>
#include <utility>

#include "fovea/nn/convolution.h"

namespace {

using at::Tensor;
using fovea::nn::ConvGeometry;

std::atomic<int> fill = 0xFF;  // 0xFF: NaN; 0x7F: 3.4e38, in every floating type
std::atomic<bool> overwritten = false;

}  // namespace

/// What oneDNN's scratch memory comes from: filled too.
extern "C" int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  *memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!*memory) return ENOMEM;
  std::memset(*memory, fill, bytes);
  return 0;
}

namespace {

/// What at::Tensor's memory comes from: filled, and guarded on both sides.
class GuardedAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    auto* block = static_cast<unsigned char*>(std::aligned_alloc(64, whole(bytes)));
    if (!block) throw std::bad_alloc();
    unsigned char* data = block + kGuard;
    std::memset(block, kMark, kGuard);
    std::memcpy(block, &bytes, sizeof bytes);
    std::memset(data, fill, bytes);
    std::memset(data + bytes, kMark, whole(bytes) - kGuard - bytes);
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }

 private:
  static constexpr size_t kGuard = 4096;
  static constexpr unsigned char kMark = 0xA5;
  static size_t whole(size_t bytes) { return (bytes + 2 * kGuard + 63) / 64 * 64; }
  static void release(void* context) {
    auto* data = static_cast<unsigned char*>(context);
    if (!data) return;
    unsigned char* block = data - kGuard;
    size_t bytes;
    std::memcpy(&bytes, block, sizeof bytes);
    const auto marked = [](unsigned char byte) { return byte == kMark; };
    if (!std::all_of(block + sizeof bytes, data, marked) ||
        !std::all_of(data + bytes, block + whole(bytes), marked))
      overwritten = true;
    std::free(block);
  }
};

enum class Type { fp32, bf16, autocast };  // autocast: float32 tensors, computed in bf16
constexpr const char* kTypes[] = {"fp32", "bf16", "autocast"};

/// An error of an element is relative to the sum of the absolute values of what was added for it.
// With AVX-512 errors of bf16 up to 3.9e-3 were seen in 3,000 cases, without it 2e-2.
double tolerance(Type type) {
  if (type == Type::fp32) return 1e-5;
  const char* isa = std::getenv("ONEDNN_MAX_CPU_ISA");
  const bool avx512 =
      __builtin_cpu_supports("avx512bw") && (!isa || std::string_view(isa) != "AVX2");
  return avx512 ? 1e-2 : 3e-2;
}

struct Case {
  ConvGeometry geometry;
  std::vector<int64_t> kernel, extent;
  int64_t in = 1, out = 1, batch = 1;
  bool input_last = false, weight_last = false, gradient_last = false;  // memory layouts
  bool bias = false, input_gradient = true;
  Type type = Type::fp32;
  int isa = 0;

  std::string text() const {
    const auto last = [](bool yes) { return yes ? "last" : "first"; };
    return fmt::format(
        "kernel {} stride {} padding {} dilation {} extent {} groups {} channels {} -> {} batch {} "
        "input {} weight {} gradient {}{}{} {}",
        fmt::join(kernel, "x"), fmt::join(geometry.stride, "x"), fmt::join(geometry.padding, "x"),
        fmt::join(geometry.dilation, "x"), fmt::join(extent, "x"), geometry.groups, in, out, batch,
        last(input_last), last(weight_last), last(gradient_last), bias ? " bias" : "",
        input_gradient ? "" : " weights alone", kTypes[static_cast<int>(type)]);
  }
};

constexpr int kSeconds = 30;  // of the processor's time, for one case

/// What oneDNN may use: "" is all that the processor has.
constexpr const char* kIsas[] = {"", "AVX2", "AVX512_CORE", "AVX512_CORE_BF16"};

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}

  Case next() {
    for (;;) {
      Case c = any();
      if (fits(c)) return c;
    }
  }

 private:
  int64_t from(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }
  int64_t one_of(std::initializer_list<int64_t> values) {
    return values.begin()[from(0, static_cast<int64_t>(values.size()) - 1)];
  }
  bool chance(int64_t percent) { return from(1, 100) <= percent; }

  Case any() {
    Case c;
    const int64_t dims = one_of({1, 2, 2, 3, 3, 3});
    const bool square = chance(50), dilated = chance(20), usual = chance(75), patches = chance(5);
    const int64_t side = from(1, 7);
    ConvGeometry& g = c.geometry;
    for (int64_t axis = 0; axis < dims; ++axis) {
      const int64_t kernel = square ? side : from(1, 7);
      c.kernel.push_back(kernel);
      c.extent.push_back(chance(90) ? from(1, 9) : from(10, 18));
      g.dilation.push_back(!dilated ? 1 : dims == 1 ? int64_t{1} << from(0, 5) : from(1, 3));
      g.stride.push_back(patches ? kernel : chance(90) ? one_of({1, 2, 2}) : from(3, 4));
      const int64_t reach = (kernel - 1) * g.dilation.back() + 1;
      g.padding.push_back(patches ? 0 : usual ? reach / 2 : from(0, reach - 1));
    }
    const auto channels = [&] { return one_of({1, 1, 2, 3, 4, 8, 16, 32, 64, from(1, 48)}); };
    c.in = channels();
    c.out = channels();
    if (chance(10)) c.out = c.in = g.groups = c.in;
    if (chance(5)) {
      g.groups = from(2, 4);
      c.in = g.groups * from(1, 16);
      c.out = g.groups * from(1, 16);
    }
    c.batch = one_of({1, 2, 3, 8});
    c.input_last = chance(50);
    c.weight_last = chance(80) ? c.input_last : !c.input_last;
    c.gradient_last = chance(80) ? c.input_last : !c.input_last;
    c.bias = chance(30);
    c.input_gradient = chance(80);
    c.type = static_cast<Type>(from(0, 2));
    c.isa = static_cast<int>(from(0, static_cast<int64_t>(std::size(kIsas)) - 1));
    return c;
  }

  static bool fits(const Case& c) {
    int64_t work = c.batch * c.in / c.geometry.groups * c.out;
    for (size_t axis = 0; axis < c.kernel.size(); ++axis) {
      const int64_t reach = (c.kernel[axis] - 1) * c.geometry.dilation[axis] + 1;
      const int64_t room = c.extent[axis] + 2 * c.geometry.padding[axis] - reach;
      if (room < 0) return false;
      work *= (room / c.geometry.stride[axis] + 1) * c.kernel[axis];
    }
    return work <= 100'000'000;  // a second in float64
  }

  std::mt19937_64 random_;
};

// A series comes from [N, L, C], transposed.
Tensor laid_out(const Tensor& x, bool last) {
  if (last && x.dim() == 3) return x.transpose(1, 2).contiguous().transpose(1, 2);
  const auto format = !last          ? at::MemoryFormat::Contiguous
                      : x.dim() == 4 ? at::MemoryFormat::ChannelsLast
                                     : at::MemoryFormat::ChannelsLast3d;
  return x.to(x.scalar_type(), false, /*copy=*/true, format);
}

Tensor asked_of_libtorch(const Tensor& x, const Tensor& w, const Tensor& bias,
                         const ConvGeometry& g) {
  if (w.dim() == 3) return at::conv1d(x, w, bias, g.stride, g.padding, g.dilation, g.groups);
  return w.dim() == 4 ? at::conv2d(x, w, bias, g.stride, g.padding, g.dilation, g.groups)
                      : at::conv3d(x, w, bias, g.stride, g.padding, g.dilation, g.groups);
}

using Convolution = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const ConvGeometry&);

/// What goes in: the same values in every precision, none of them rounded by a conversion to bf16.
struct Tensors {
  Tensor x, weight, bias, gradient;
};

/// The output and the gradients of input, weight and bias (undefined where not asked for).
std::vector<Tensor> outcome(const Case& c, const Tensors& t, Convolution convolution) {
  const bool autocast = c.type == Type::autocast && t.x.scalar_type() == at::kFloat;
  const Tensor x = t.x.detach().requires_grad_(c.input_gradient);
  const Tensor weight = t.weight.detach().requires_grad_();
  const Tensor bias = c.bias ? t.bias.detach().requires_grad_() : Tensor();
  at::autocast::set_autocast_enabled(at::kCPU, autocast);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  const Tensor y = convolution(x, weight, bias, c.geometry);
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  y.backward(t.gradient.to(y.scalar_type()));
  std::vector<Tensor> results{y.detach(), x.grad(), weight.grad()};
  results.push_back(c.bias ? bias.grad() : Tensor());
  return results;
}

Tensors drawn_tensors(const Case& c, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  const auto random = [&](std::vector<int64_t> shape) {
    return at::randn(shape, generator, at::kFloat).to(at::kBFloat16).to(at::kDouble);
  };
  std::vector<int64_t> input{c.batch, c.in}, weight{c.out, c.in / c.geometry.groups};
  std::vector<int64_t> output{c.batch, c.out};
  for (size_t axis = 0; axis < c.kernel.size(); ++axis) {
    input.push_back(c.extent[axis]);
    weight.push_back(c.kernel[axis]);
    const int64_t reach = (c.kernel[axis] - 1) * c.geometry.dilation[axis] + 1;
    output.push_back(
        (c.extent[axis] + 2 * c.geometry.padding[axis] - reach) / c.geometry.stride[axis] + 1);
  }
  return {random(input), random(weight), random({c.out}), random(output)};
}

/// "" where all is right, else what is wrong.
std::string judged(const Case& c, uint64_t seed, Convolution convolution, double& worst) {
  const Tensors exact = drawn_tensors(c, seed);
  const auto want = outcome(c, exact, &asked_of_libtorch);  // float64 does not pass through oneDNN
  const auto scale =
      outcome(c, {exact.x.abs(), exact.weight.abs(), exact.bias.abs(), exact.gradient.abs()},
              &asked_of_libtorch);
  const auto type = c.type == Type::bf16 ? at::kBFloat16 : at::kFloat;
  constexpr const char* kNames[] = {"output", "gradient of the input", "gradient of the weight",
                                    "gradient of the bias"};
  std::vector<Tensor> before;
  for (const int value : {0xFF, 0x7F}) {
    fill = value;
    const Tensors given{laid_out(exact.x.to(type), c.input_last),
                        laid_out(exact.weight.to(type), c.weight_last), exact.bias.to(type),
                        laid_out(exact.gradient.to(type), c.gradient_last)};
    const auto found = outcome(c, given, convolution);
    for (size_t i = 0; i < found.size(); ++i) {
      if (!want[i].defined()) continue;
      const Tensor error = (found[i].to(at::kDouble) - want[i]).abs();
      if (!at::isfinite(error).all().item<bool>()) return fmt::format("{}: not finite", kNames[i]);
      const double part = (error / scale[i].clamp_min(1e-30)).max().item<double>();
      worst = std::max(worst, part);
      if (part > tolerance(c.type)) return fmt::format("{}: error {:.2g}", kNames[i], part);
      if (!before.empty() && !found[i].equal(before[i]))
        return fmt::format("{}: another value the second time", kNames[i]);
    }
    before = found;
  }
  before.clear();
  return overwritten.exchange(false) ? "writes beyond a tensor" : "";
}

/// A line for each case of one instruction set from number `first` on.
int child(int64_t count, uint64_t seed, int isa, int64_t first, bool unguarded) {
  static GuardedAllocator allocator;
  c10::SetCPUAllocator(&allocator, 255);
  at::set_num_threads(1 + static_cast<int>(first % 2));
  const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = kSeconds, .tv_usec = 0}};
  Draw draw(seed);
  for (int64_t i = 0; i < count; ++i) {
    const Case c = draw.next();
    if (c.isa != isa || i < first) continue;
    double worst = 0;
    setitimer(ITIMER_PROF, &limit, nullptr);  // ends this process where one case takes so long
    std::string wrong;
    try {
      wrong = judged(c, seed + static_cast<uint64_t>(i),
                     unguarded ? &asked_of_libtorch : &fovea::nn::convolve, worst);
    } catch (const std::exception& error) {
      wrong = std::string("throws: ") + error.what();
      wrong = wrong.substr(0, wrong.find('\n'));
    }
    std::cout << i << ' ' << (wrong.empty() ? fmt::format("ok {:.2g}", worst) : wrong) << std::endl;
  }
  return 0;
}

class Child {
 public:
  explicit Child(std::vector<std::string> arguments, const char* isa) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    id_ = fork();
    if (id_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      if (!freopen("/dev/null", "w", stderr)) _exit(127);
      close(ends[0]);
      if (*isa) setenv("ONEDNN_MAX_CPU_ISA", isa, 1);
      std::vector<char*> words;
      for (std::string& word : arguments) words.push_back(word.data());
      words.push_back(nullptr);
      execv("/proc/self/exe", words.data());
      _exit(127);
    }
    close(ends[1]);
    from_ = ends[0];
  }
  ~Child() {
    end();
    close(from_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The next line; "" where the child has ended.
  std::string line() {
    for (;;) {
      if (const size_t end = buffer_.find('\n'); end != std::string::npos) {
        const std::string text = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return text;
      }
      char bytes[4096];
      const ssize_t got = read(from_, bytes, sizeof bytes);
      if (got <= 0) return "";
      buffer_.append(bytes, static_cast<size_t>(got));
    }
  }

  /// What has ended it.
  std::string end() {
    if (id_ < 0) return "";
    int status = 0;
    waitpid(std::exchange(id_, -1), &status, 0);
    if (!WIFSIGNALED(status)) return fmt::format("ends with {}", WEXITSTATUS(status));
    return WTERMSIG(status) == SIGPROF ? fmt::format("computes for more than {} s", kSeconds)
                                       : fmt::format("crashes: {}", strsignal(WTERMSIG(status)));
  }

 private:
  pid_t id_ = -1;
  int from_ = -1;
  std::string buffer_;
};

int64_t failures(const std::vector<Case>& cases, int64_t count, uint64_t seed, int isa,
                 bool unguarded) {
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < cases.size(); ++i)
    if (cases[i].isa == isa) numbers.push_back(static_cast<int64_t>(i));
  int64_t failed = 0;
  size_t next = 0;
  double worst[3] = {};
  while (next < numbers.size()) {
    Child process({"convolution_sweep", "child", std::to_string(count), std::to_string(seed),
                   std::to_string(isa), std::to_string(numbers[next]), unguarded ? "1" : "0"},
                  kIsas[isa]);
    while (next < numbers.size()) {
      const Case& c = cases[static_cast<size_t>(numbers[next])];
      const std::string line = process.line();
      const bool alive = !line.empty();
      const std::string verdict = alive ? line.substr(line.find(' ') + 1) : process.end();
      ++next;
      if (verdict.starts_with("ok ")) {
        double& most = worst[static_cast<int>(c.type)];
        most = std::max(most, std::stod(verdict.substr(3)));
        continue;
      }
      ++failed;
      std::cout << fmt::format("{} {}: {}: {}\n", numbers[next - 1], *kIsas[isa] ? kIsas[isa] : "-",
                               c.text(), verdict)
                << std::flush;
      if (!alive) break;
    }
  }
  std::cout << fmt::format(
                   "instructions {}: {} of {} right; largest errors fp32 {:.2g}, bf16 {:.2g}, "
                   "autocast {:.2g}\n",
                   *kIsas[isa] ? kIsas[isa] : "(all)",
                   static_cast<int64_t>(numbers.size()) - failed, numbers.size(), worst[0],
                   worst[1], worst[2])
            << std::flush;
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "child")
    return child(std::stoll(words.at(1)), std::stoull(words.at(2)), std::stoi(words.at(3)),
                 std::stoll(words.at(4)), words.at(5) == "1");
  const bool unguarded = std::erase(words, "--unguarded") > 0;
  const int64_t count = !words.empty() ? std::stoll(words[0]) : 200;
  const uint64_t seed = words.size() > 1 ? std::stoull(words[1]) : 1;
  Draw draw(seed);
  std::vector<Case> cases;
  for (int64_t i = 0; i < count; ++i) cases.push_back(draw.next());
  int64_t failed = 0;
  for (int isa = 0; isa < static_cast<int>(std::size(kIsas)); ++isa)
    failed += failures(cases, count, seed, isa, unguarded);
  std::cout << fmt::format("sweep: {}/{}\n", count - failed, count);
  return failed == 0 ? 0 : 1;
}
