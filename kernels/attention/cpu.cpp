#include "attention/cpu.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdlib>

#include "attention/reference.h"

namespace fovea::attention {
namespace {

/// Read at each call, so that a test can go through all of them.
std::string chosen_isa() {
  const std::vector<std::string> isas = cpu_isas();
  const char* wanted = std::getenv("FOVEA_CPU_ISA");
  if (!wanted || !*wanted) return isas.back();
  std::string names;
  for (const std::string& isa : isas) names += (names.empty() ? "" : ", ") + isa;
  TORCH_CHECK(std::ranges::count(isas, wanted), "FOVEA_CPU_ISA=", wanted,
              ": wanted one that this processor runs: ", names);
  return wanted;
}

}  // namespace

std::vector<std::string> cpu_isas() { return {"reference"}; }

const char* cpu_fwd(const Problem& problem) {
  chosen_isa();
  at::parallel_for(0, reference_fwd_tasks(problem), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) reference_fwd(problem, task);
  });
  return "reference";
}

const char* cpu_bwd(const Problem& problem) {
  chosen_isa();
  at::parallel_for(0, reference_bwd_tasks(problem), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) reference_bwd(problem, task);
  });
  return "reference";
}

}  // namespace fovea::attention
