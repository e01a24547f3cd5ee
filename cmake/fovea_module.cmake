# fovea_module(NAME [FOLDER folder] [USES modules…] [LIBRARIES third parties…])
#   An object library of the .cpp files below FOLDER (src/NAME) with headers below include/fovea/NAME/. It sees the
#   modules it USES and, through them, theirs. An #include of any other module stops the configuration.
#   A test program test_NAME of tests/NAME/*_test.cpp links just these modules: what a module forgot to declare does not
#   link.
set_property(GLOBAL PROPERTY FOVEA_MODULES "")

add_library(fovea_flags INTERFACE)
target_compile_options(fovea_flags INTERFACE -Wall -Wextra -Wno-unknown-pragmas
  -Wno-missing-field-initializers)  # settings are written as Options{.depth = 18}, the rest keeps its default
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -fpch-preprocess lets ccache see through precompiled headers; the three warnings are wrong on g++ 12 for temporaries.
  target_compile_options(fovea_flags INTERFACE -fpch-preprocess -Wno-maybe-uninitialized -Wno-restrict
    -Wno-stringop-overflow)
endif()
if(NOT PROJECT_IS_TOP_LEVEL)
  target_compile_options(fovea_flags INTERFACE -Wno-error)  # the warnings that the project around asks for are its own
endif()
if(FOVEA_SANITIZE)
  target_compile_options(fovea_flags INTERFACE -fsanitize=${FOVEA_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize=vptr)
  target_link_options(fovea_flags INTERFACE -fsanitize=${FOVEA_SANITIZE})
endif()
function(fovea_check_includes name folder allowed)
  file(GLOB_RECURSE files ${PROJECT_SOURCE_DIR}/include/fovea/${name}/*.h ${PROJECT_SOURCE_DIR}/${folder}/*)
  foreach(file ${files})
    file(STRINGS ${file} lines REGEX "^ *#include \"(fovea/)?[a-z]+/")
    foreach(line ${lines})
      string(REGEX REPLACE "^ *#include \"(fovea/)?([a-z]+)/.*" "\\2" used "${line}")
      if(NOT used IN_LIST allowed)
        message(FATAL_ERROR "${file} includes a header of '${used}', which '${name}' does not use; "
                            "it may use: ${allowed} (see the map in CMakeLists.txt)")
      endif()
    endforeach()
  endforeach()
endfunction()

function(fovea_module name)
  cmake_parse_arguments(arg "" "FOLDER" "USES;LIBRARIES" ${ARGN})
  if(NOT arg_FOLDER)
    set(arg_FOLDER src/${name})
  endif()
  set(closure ${name})
  set(libraries ${arg_LIBRARIES})
  foreach(used ${arg_USES})
    if(NOT TARGET fovea_${used})
      message(FATAL_ERROR "module '${name}' uses '${used}', which is not listed above it")
    endif()
    get_target_property(theirs fovea_${used} FOVEA_CLOSURE)
    get_target_property(their_libraries fovea_${used} FOVEA_LIBRARIES)
    list(APPEND closure ${theirs})
    list(APPEND libraries ${their_libraries})
  endforeach()
  list(REMOVE_DUPLICATES closure)
  list(REMOVE_DUPLICATES libraries)
  list(REMOVE_ITEM libraries NOTFOUND)
  fovea_check_includes(${name} ${arg_FOLDER} "${closure}")

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${arg_FOLDER}/*.cpp)
  add_library(fovea_${name} OBJECT ${sources})
  set_target_properties(fovea_${name} PROPERTIES FOVEA_CLOSURE "${closure}" FOVEA_LIBRARIES "${libraries}")
  cmake_path(GET arg_FOLDER PARENT_PATH private_headers)  # "NAME/x.h" within the module
  target_include_directories(fovea_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include
                             PRIVATE ${PROJECT_SOURCE_DIR}/${private_headers})
  target_link_libraries(fovea_${name} PUBLIC fovea_flags)
  foreach(library ${libraries})
    target_link_libraries(fovea_${name} PUBLIC fovea_dep_${library})
  endforeach()
  if("torch" IN_LIST libraries)
    fovea_precompile(fovea_${name} torch)
  endif()
  if(FOVEA_TIDY)
    set_target_properties(fovea_${name} PROPERTIES CXX_CLANG_TIDY "clang-tidy;--quiet")
  endif()
  set_property(GLOBAL APPEND PROPERTY FOVEA_MODULES ${name})
endfunction()

# fovea_precompile(TARGET KIND): the headers that take most of the time of each file, compiled once for all targets of a kind:
#   torch         the library
#   tests         tests of what links LibTorch
#   plain_tests   other tests
# The files of tests are not optimized; what they test is.
# Each file instantiates again what is left open in LibTorch's headers: 3 s of tensors and modules, 4 s more of all of
# <torch/nn.h>, which is why that is not among them. A precompiled header fits only what is compiled with its flags, so
# programs are compiled with -fPIC too. The preset no-pch does without, to see that each file includes what it uses.
function(fovea_precompile target kind)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  set(flags "")
  if(kind MATCHES "tests")
    set(flags -O0)
  endif()
  if(kind STREQUAL "plain_tests" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND flags -Wno-dangling-else)  # of GoogleTest's macros, which are no system header's once precompiled
  endif()
  target_compile_options(${target} PRIVATE ${flags})
  if(FOVEA_TIDY OR NOT FOVEA_PCH)
    return()
  endif()
  if(NOT TARGET fovea_${kind}_pch)
    add_library(fovea_${kind}_pch OBJECT ${PROJECT_SOURCE_DIR}/cmake/pch.cpp)
    target_compile_options(fovea_${kind}_pch PRIVATE ${flags})
    if(kind STREQUAL "plain_tests")
      target_link_libraries(fovea_${kind}_pch PUBLIC fovea_flags GTest::gmock)
      target_precompile_headers(fovea_${kind}_pch PRIVATE <gmock/gmock.h> <gtest/gtest.h> <nlohmann/json.hpp>)
    else()
      target_link_libraries(fovea_${kind}_pch PUBLIC fovea_flags fovea_dep_torch)
      target_precompile_headers(fovea_${kind}_pch PRIVATE <torch/types.h> <torch/nn/module.h>)
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM fovea_${kind}_pch)
endfunction()

# Where an installed target finds its libraries: relative to itself, so that the folder can be moved.
function(fovea_install_rpath target)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "${ARGN}" INSTALL_RPATH_USE_LINK_PATH OFF)
endfunction()

# The one shared library. Objects, not archives: a static library silently drops operator registrations.
function(fovea_library)
  get_property(modules GLOBAL PROPERTY FOVEA_MODULES)
  add_library(fovea SHARED)
  add_library(fovea::fovea ALIAS fovea)
  foreach(module ${modules})
    target_link_libraries(fovea PRIVATE fovea_${module})
    target_sources(fovea PRIVATE $<TARGET_OBJECTS:fovea_${module}>)
  endforeach()
  set_target_properties(fovea PROPERTIES LINKER_LANGUAGE CXX)
  fovea_install_rpath(fovea "$ORIGIN/fovea/torch/lib")
  target_include_directories(fovea PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
endfunction()

# fovea_tests(NAME [OF MODULE] [WHOLE]): the test program of one module, from tests/NAME/*_test.cpp; an entry for each test, or
# one for all of them, in one process: under a sanitizer, and with WHOLE, which is skipped where it prints "skipped: ".
function(fovea_tests name)
  cmake_parse_arguments(arg "WHOLE" "OF" "" ${ARGN})
  set(module ${name})
  if(arg_OF)
    set(module ${arg_OF})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*_test.cpp)
  if(NOT TARGET fovea_${module} OR NOT sources)
    return()
  endif()
  get_target_property(closure fovea_${module} FOVEA_CLOSURE)
  get_target_property(libraries fovea_${module} FOVEA_LIBRARIES)
  add_executable(test_${name} ${sources})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/src
                             ${PROJECT_SOURCE_DIR}/kernels)
  target_compile_definitions(test_${name} PRIVATE
    FOVEA_SOURCE_DIR="${PROJECT_SOURCE_DIR}" FOVEA_BINARY_DIR="${PROJECT_BINARY_DIR}")
  foreach(used ${closure})
    target_link_libraries(test_${name} PRIVATE fovea_${used})
    if(NOT used STREQUAL module)
      target_sources(test_${name} PRIVATE $<TARGET_OBJECTS:fovea_${used}>)
    endif()
  endforeach()
  target_link_libraries(test_${name} PRIVATE GTest::gmock GTest::gtest_main)
  if("torch" IN_LIST libraries)
    fovea_precompile(test_${name} tests)
  else()
    fovea_precompile(test_${name} plain_tests)
  endif()
  if(NOT arg_WHOLE AND NOT FOVEA_SANITIZE)
    gtest_discover_tests(test_${name} TEST_PREFIX "${name}: " DISCOVERY_TIMEOUT 60
                         PROPERTIES LABELS ${name} TIMEOUT 300)
    return()
  endif()
  set(timeout 600)
  if(FOVEA_SANITIZE)  # a process for each test would take minutes to start
    set(timeout 3000)
  endif()
  add_test(NAME "${name}: all" COMMAND test_${name})
  set_tests_properties("${name}: all" PROPERTIES LABELS ${name} TIMEOUT ${timeout})
  if(arg_WHOLE)
    set_tests_properties("${name}: all" PROPERTIES SKIP_REGULAR_EXPRESSION "skipped: ")
  endif()
endfunction()
