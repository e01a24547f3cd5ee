#include "attention/path.h"

#include <cstdlib>
#include <iostream>
#include <mutex>
#include <set>
#include <sstream>

#include "fovea/attention/attention.h"

namespace fovea::attention {
namespace {

thread_local std::string path_taken;

std::string short_name(c10::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "fp32";
    case at::kHalf:
      return "fp16";
    case at::kBFloat16:
      return "bf16";
    case at::kDouble:
      return "fp64";
    default:
      return c10::toString(type);
  }
}

void log_once(const std::string& line) {
  static std::mutex mutex;
  static std::set<std::string> printed;
  const std::lock_guard lock(mutex);
  if (printed.insert(line).second) std::cerr << line << std::endl;
}

}  // namespace

void note_path(const char* op, const CallShape& shape, c10::ScalarType type, std::string path) {
  path_taken = std::move(path);
  const char* wanted = std::getenv("FOVEA_SDPA_LOG");
  if (!wanted || std::string(wanted) != "1") return;
  std::ostringstream line;
  const auto both = [&](std::int64_t a, std::int64_t b) {
    line << ',' << a;
    if (a != b) line << '|' << b;
  };
  line << op << " [" << shape.B << ',' << shape.H;
  both(shape.Nq, shape.Nk);
  both(shape.Dk, shape.Dv);
  line << "] " << short_name(type) << ": " << path_taken;
  log_once(line.str());
}

std::string last_path() { return path_taken; }

}  // namespace fovea::attention
