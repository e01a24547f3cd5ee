// The files that are compiled for one instruction set.
#include <gtest/gtest.h>

#include "support/program.h"

namespace fovea::attention {
namespace {

using test::run_shell;

// An inline function compiled for AVX-512 may be the copy that the linker keeps for all its callers, who then stop on an
// older processor.
TEST(AttentionIsa, FilesOfAnInstructionSetShareNoFunctionWithOthers) {
  const test::fs::path folder =
      test::fs::path(FOVEA_BINARY_DIR) / "CMakeFiles/fovea_attention.dir/kernels/attention/simd";
  const test::Outcome listed = run_shell("nm -C " + test::quoted(folder.string()) + "/*.o");
  if (listed.code == 127) GTEST_SKIP() << "no nm here";
  ASSERT_EQ(listed.code, 0) << listed.err;
  ASSERT_NE(listed.out.find("fovea::attention::portable"), std::string::npos);
  std::istringstream lines(listed.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" DW.ref.") != std::string::npos) continue;  // an address, not a function
    for (const char* weak : {" W ", " V ", " u "})
      EXPECT_EQ(line.find(weak), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace fovea::attention
