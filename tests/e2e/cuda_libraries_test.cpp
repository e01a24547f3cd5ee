// What the program says where CUDA's libraries are missing or broken. A driver without a function stands for a real one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/program.h"
#include "support/test_files.h"

namespace fovea::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

class CudaLibraries : public testing::Test {
 protected:
  void SetUp() override {
    const Outcome made =
        run_shell("cc -shared -x c /dev/null -o " + quoted((folder_ / "libcuda.so.1").string()));
    if (made.code != 0) GTEST_SKIP() << "no C compiler to make a library with: " << made.err;
  }
  Outcome doctor(const std::string& plug_in) const {
    return run_shell("FOVEA_CUDA_LIB=" + quoted(plug_in) +
                     " LD_LIBRARY_PATH=" + quoted(folder_.path().string()) + " " +
                     quoted(program().string()) + " doctor");
  }
  TempFolder folder_;
};

TEST_F(CudaLibraries, APlugInThatIsNotThereIsNamed) {
  const std::string plug_in = (folder_ / "absent.so").string();
  const Outcome outcome = doctor(plug_in);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("fovea's own CUDA kernels are not used (" + plug_in +
                                     ": cannot open shared object file"));
}

TEST_F(CudaLibraries, APlugInThatIsNoLibraryIsNamed) {
  const std::string plug_in = folder_.write("text.so", "no library").string();
  const Outcome outcome = doctor(plug_in);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("are not used (" + plug_in + ": "));
}

TEST_F(CudaLibraries, TheGpuIsMissedWithAReason) {
  EXPECT_THAT(doctor((folder_ / "absent.so").string()).out,
              AnyOf(HasSubstr("LibTorch's CUDA library does not load (lib"),
                    HasSubstr("the driver shows no GPU")));
}

}  // namespace
}  // namespace fovea::test
