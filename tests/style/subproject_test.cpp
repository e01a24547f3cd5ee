// fovea as a part of another project: add_subdirectory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/program.h"

namespace fovea::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Says what it finds after fovea has been added: its own settings, and what is new in the cache.
constexpr const char* kProject = R"(
cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
add_compile_options(-Wconversion -Wsign-conversion -Werror)
enable_testing()
add_test(NAME own COMMAND true)
set(watched CMAKE_CXX_STANDARD CMAKE_CXX_EXTENSIONS CMAKE_CXX_FLAGS CMAKE_BUILD_TYPE CMAKE_CXX_VISIBILITY_PRESET
  CMAKE_POSITION_INDEPENDENT_CODE CMAKE_RUNTIME_OUTPUT_DIRECTORY CMAKE_LIBRARY_OUTPUT_DIRECTORY CMAKE_CXX_COMPILER_LAUNCHER
  CMAKE_EXPORT_COMPILE_COMMANDS CMAKE_COMPILE_WARNING_AS_ERROR CMAKE_INSTALL_RPATH CMAKE_MODULE_PATH BUILD_TESTING
  CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS)
foreach(name ${watched})
  set(before_${name} "${${name}}")
endforeach()
get_directory_property(options_before COMPILE_OPTIONS)
get_cmake_property(cache_before CACHE_VARIABLES)
add_subdirectory(${FOVEA} fovea)
get_cmake_property(cache CACHE_VARIABLES)
list(REMOVE_ITEM cache ${cache_before})
foreach(name ${watched})
  if(NOT "${${name}}" STREQUAL "${before_${name}}")
    message(STATUS "changed: ${name} ${${name}}")
  endif()
endforeach()
foreach(property COMPILE_DEFINITIONS INCLUDE_DIRECTORIES LINK_OPTIONS LINK_DIRECTORIES)
  get_directory_property(value ${property})
  if(value)
    message(STATUS "changed: ${property} ${value}")
  endif()
endforeach()
get_directory_property(options COMPILE_OPTIONS)
if(NOT options STREQUAL options_before)
  message(STATUS "changed: COMPILE_OPTIONS ${options}")
endif()
# CMake's own, and those of the packages that fovea looks for.
list(FILTER cache EXCLUDE REGEX "^(FOVEA|fovea|CMAKE|PKG_CONFIG|pkgcfg_lib_FOVEA|FIND_PACKAGE_MESSAGE_DETAILS|_?_?pkg|_GNUInstallDirs)_|_DIR$|^prefix_result$")
message(STATUS "new in the cache: '${cache}'")
add_executable(outside main.cpp)
target_link_libraries(outside PRIVATE fovea::fovea)
)";

class Subproject : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder().write("CMakeLists.txt", kProject);
    folder().write("main.cpp",
                   "#include <fovea/fovea.h>\nint main(int, char** a) { return "
                   "fovea::load(a[1]).predict(a[2]).decision.empty(); }\n");
    configured_ = run_shell(quoted(FOVEA_CMAKE) + " -G Ninja -S " + there() + " -B " +
                            there("build") + " -D FOVEA=" + quoted(FOVEA_SOURCE_DIR) +
                            " -D FOVEA_TORCH_ROOT=" + quoted(FOVEA_TORCH_ROOT));
  }
  void SetUp() override { ASSERT_EQ(configured_.code, 0) << configured_.out << configured_.err; }

  static const TempFolder& folder() {
    static const TempFolder instance;
    return instance;
  }
  static std::string there(const char* name = ".") { return quoted((folder() / name).string()); }
  static Outcome ninja(const std::string& arguments) {
    return run_shell("ninja -C " + there("build") + " " + arguments);
  }
  static inline Outcome configured_;
};

TEST_F(Subproject, LeavesTheProjectAroundItAsItWas) {
  EXPECT_THAT(configured_.out, Not(HasSubstr("changed: ")));
  EXPECT_THAT(configured_.out, HasSubstr("new in the cache: ''"));
}

TEST_F(Subproject, IsItsLibraryAndItsProgramAlone) {
  const std::string targets = ninja("-t targets all").out;
  EXPECT_THAT(targets, HasSubstr("libfovea.so: "));
  EXPECT_THAT(targets, HasSubstr("fovea_app: phony"));
  for (const char* other : {"test_", "bench_", "gtest", "gmock", "Nightly", "Experimental"})
    EXPECT_THAT(targets, Not(HasSubstr(other)));
  const std::string commands = ninja("-t commands all").out;
  EXPECT_THAT(commands, HasSubstr("src/core/error.cpp"));
  EXPECT_THAT(commands, Not(HasSubstr("kernels/cuda")));
  const Outcome tests = run_shell("ctest --test-dir " + there("build") + " -N");
  EXPECT_THAT(tests.out, HasSubstr("Total Tests: 1\n"));
}

TEST_F(Subproject, IsCompiledItsOwnWayAndTheProjectAroundInIts) {
  const std::string object = "fovea/CMakeFiles/fovea_core.dir/src/core/threads.cpp.o";
  const Outcome built = ninja(object + " CMakeFiles/outside.dir/main.cpp.o");
  EXPECT_EQ(built.code, 0) << built.out;
  const Outcome symbols =
      run_shell("readelf -sW " + there("build") + "/" + object + " | grep for_each_index");
  EXPECT_THAT(symbols.out, HasSubstr("GLOBAL DEFAULT"));
}

}  // namespace
}  // namespace fovea::test
