// The kernels' library beside a libfovea that was opened as Python opens libraries: hidden from all that comes later.
#include <ATen/core/dispatch/Dispatcher.h>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace fovea::attention::test {
namespace {

using testing::HasSubstr;

bool draws_on_cuda() {
  return c10::Dispatcher::singleton()
      .findSchemaOrThrow("fovea::draw_rng", "")
      .hasKernelForDispatchKey(c10::DispatchKey::CUDA);
}

TEST(PlugIn, FindsTheFunctionsOfALibraryThatWasOpenedForItsOperatorsAlone) {
  ASSERT_NE(dlopen(FOVEA_LIBRARY, RTLD_NOW | RTLD_LOCAL), nullptr) << dlerror();
  EXPECT_EQ(dlopen(FOVEA_PLUG_IN, RTLD_NOW | RTLD_LOCAL), nullptr);  // it does not find them alone
  EXPECT_FALSE(draws_on_cuda());
  const auto open = c10::Dispatcher::singleton()
                        .findSchemaOrThrow("fovea::open_cuda_kernels", "")
                        .typed<void()>();
  setenv("FOVEA_CUDA_LIB", "/nowhere/absent.so", 1);
  try {
    open.call();
    FAIL();
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what_without_backtrace(),
                HasSubstr("fovea has no CUDA kernels: /nowhere/absent.so: cannot open"));
  }
  setenv("FOVEA_CUDA_LIB", FOVEA_PLUG_IN, 1);
  open.call();
  EXPECT_TRUE(draws_on_cuda());
  open.call();  // changes nothing
  EXPECT_TRUE(draws_on_cuda());
}

}  // namespace
}  // namespace fovea::attention::test
