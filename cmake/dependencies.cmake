# The only file that finds third parties. Each becomes one interface target, fovea_dep_<name>, named in the map of
# CMakeLists.txt. Their headers are system headers: OpenCV's warn under C++20. What is kept in the cache is called FOVEA_…,
# because a project around this one has the same cache.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(fovea_dependency name)
  cmake_parse_arguments(arg "" "" "INCLUDES;LIBRARIES" ${ARGN})
  add_library(fovea_dep_${name} INTERFACE)
  target_include_directories(fovea_dep_${name} SYSTEM INTERFACE ${arg_INCLUDES})
  target_link_libraries(fovea_dep_${name} INTERFACE ${arg_LIBRARIES})
endfunction()

# --- LibTorch, the CPU libraries only -------------------------------------------------------------------------------
# find_package(Torch) of the wheel insists on a CUDA toolkit and rewrites the CUDA architectures, so it is not used.
if(DEFINED ENV{XDG_CACHE_HOME})
  set(fovea_cache $ENV{XDG_CACHE_HOME})
else()
  set(fovea_cache $ENV{HOME}/.cache)
endif()
set(fovea_torch_default ${fovea_cache}/fovea/torch-2.11.0/torch)
if(DEFINED ENV{FOVEA_TORCH_ROOT})
  set(fovea_torch_default $ENV{FOVEA_TORCH_ROOT})
endif()
set(FOVEA_TORCH_ROOT ${fovea_torch_default} CACHE PATH "LibTorch 2.11: the folder that holds lib/libtorch_cpu.so")
if(NOT EXISTS ${FOVEA_TORCH_ROOT}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "FOVEA_TORCH_ROOT=${FOVEA_TORCH_ROOT} holds no lib/libtorch_cpu.so; scripts/setup fetches it")
endif()
foreach(library torch_cpu c10)
  add_library(fovea_${library} SHARED IMPORTED)
  set_target_properties(fovea_${library} PROPERTIES IMPORTED_LOCATION ${FOVEA_TORCH_ROOT}/lib/lib${library}.so)
endforeach()
# The wheel brings its own OpenMP run-time; two of them in one process would each keep a team of threads.
add_library(fovea_gomp SHARED IMPORTED)
set_target_properties(fovea_gomp PROPERTIES IMPORTED_LOCATION ${FOVEA_TORCH_ROOT}/lib/libgomp.so.1)
# The wheel carries fmt 12, which would hide Debian's fmt 9 that spdlog was built for: hence -idirafter.
add_library(fovea_dep_torch INTERFACE)
target_compile_options(fovea_dep_torch INTERFACE
  "SHELL:-idirafter ${FOVEA_TORCH_ROOT}/include"
  "SHELL:-idirafter ${FOVEA_TORCH_ROOT}/include/torch/csrc/api/include"
  -fopenmp)  # at::parallel_for is a header template: without OpenMP it would run serially, without a word
# Its headers lay out classes by NDEBUG (at::RecordFunction), and the wheel was built with it.
target_compile_definitions(fovea_dep_torch INTERFACE $<$<NOT:$<CONFIG:Release,RelWithDebInfo,MinSizeRel>>:NDEBUG>)
target_link_libraries(fovea_dep_torch INTERFACE fovea_torch_cpu fovea_c10 fovea_gomp Threads::Threads)

# --- Debian's packages ----------------------------------------------------------------------------------------------
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
fovea_dependency(spdlog LIBRARIES spdlog::spdlog fmt::fmt)
fovea_dependency(json)  # nlohmann-json is headers in the system's include folder
fovea_dependency(dl LIBRARIES ${CMAKE_DL_LIBS})

pkg_check_modules(FOVEA_CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
fovea_dependency(crypto LIBRARIES PkgConfig::FOVEA_CRYPTO)

pkg_check_modules(FOVEA_ZLIB REQUIRED IMPORTED_TARGET zlib)
fovea_dependency(zlib LIBRARIES PkgConfig::FOVEA_ZLIB)
pkg_check_modules(FOVEA_LIBZIP REQUIRED IMPORTED_TARGET libzip)
fovea_dependency(zip LIBRARIES PkgConfig::FOVEA_LIBZIP)
pkg_check_modules(FOVEA_DEFLATE REQUIRED IMPORTED_TARGET libdeflate)
fovea_dependency(deflate LIBRARIES PkgConfig::FOVEA_DEFLATE)
pkg_check_modules(FOVEA_JPEG REQUIRED IMPORTED_TARGET libjpeg)
fovea_dependency(jpeg LIBRARIES PkgConfig::FOVEA_JPEG)
pkg_check_modules(FOVEA_TIFF REQUIRED IMPORTED_TARGET libtiff-4)
fovea_dependency(tiff LIBRARIES PkgConfig::FOVEA_TIFF)
pkg_check_modules(FOVEA_WEBP REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
fovea_dependency(webp LIBRARIES PkgConfig::FOVEA_WEBP)
find_path(FOVEA_GIF_INCLUDE gif_lib.h REQUIRED)  # giflib itself brings no pkg-config file
find_library(FOVEA_GIF gif REQUIRED)
fovea_dependency(gif INCLUDES ${FOVEA_GIF_INCLUDE} LIBRARIES ${FOVEA_GIF})
pkg_check_modules(FOVEA_OPENJPEG REQUIRED IMPORTED_TARGET libopenjp2)
fovea_dependency(openjpeg LIBRARIES PkgConfig::FOVEA_OPENJPEG)
pkg_check_modules(FOVEA_YAML REQUIRED IMPORTED_TARGET yaml-cpp)
fovea_dependency(yaml LIBRARIES PkgConfig::FOVEA_YAML)
pkg_check_modules(FOVEA_ICU REQUIRED IMPORTED_TARGET icu-uc)
fovea_dependency(icu LIBRARIES PkgConfig::FOVEA_ICU)
# Its pkg-config file names the trainer's library too, which is not used.
find_path(FOVEA_SENTENCEPIECE_INCLUDE sentencepiece_processor.h REQUIRED)
find_library(FOVEA_SENTENCEPIECE sentencepiece REQUIRED)
fovea_dependency(sentencepiece INCLUDES ${FOVEA_SENTENCEPIECE_INCLUDE} LIBRARIES ${FOVEA_SENTENCEPIECE})
# Debian's OpenCV CMake files come with the whole of libopencv-dev; two libraries are enough here.
find_path(FOVEA_OPENCV_INCLUDE opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
set(opencv_libraries)
foreach(part core imgproc)
  find_library(FOVEA_OPENCV_${part} opencv_${part} REQUIRED)
  list(APPEND opencv_libraries ${FOVEA_OPENCV_${part}})
endforeach()
fovea_dependency(opencv INCLUDES ${FOVEA_OPENCV_INCLUDE} LIBRARIES ${opencv_libraries})
# Of DCMTK only the data set and the codecs: its image and network libraries are not used.
find_path(FOVEA_DCMTK_INCLUDE dcmtk/dcmdata/dctk.h REQUIRED)
set(dcmtk_libraries)
foreach(part dcmjpeg ijg8 ijg12 ijg16 dcmjpls dcmtkcharls dcmdata oflog ofstd)
  find_library(FOVEA_DCMTK_${part} ${part} REQUIRED)
  list(APPEND dcmtk_libraries ${FOVEA_DCMTK_${part}})
endforeach()
fovea_dependency(dcmtk INCLUDES ${FOVEA_DCMTK_INCLUDE} LIBRARIES ${dcmtk_libraries})
find_package(CLI11 QUIET)
fovea_dependency(cli11)

# --- Faster builds where the tools are there ------------------------------------------------------------------------
find_program(FOVEA_CCACHE ccache)
if(FOVEA_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${FOVEA_CCACHE})
endif()
find_program(FOVEA_MOLD mold)
if(FOVEA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
