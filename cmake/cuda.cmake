# The plug-in libfovea_cuda.so: the kernels of kernels/cuda and their operators. It is built wherever nvcc and LibTorch's
# CUDA libraries are found, with or without a GPU, and opened at run time where a GPU is asked for (src/train/device.cpp).
get_filename_component(fovea_cuda_hint "${CMAKE_CUDA_COMPILER}" DIRECTORY)
find_program(FOVEA_NVCC nvcc HINTS ${fovea_cuda_hint} $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
set(fovea_cuda_missing "")
if(NOT FOVEA_NVCC)
  set(fovea_cuda_missing "no nvcc")
elseif(FOVEA_SANITIZE)
  set(fovea_cuda_missing "the sanitizers of this build see no GPU code")
elseif(NOT EXISTS ${FOVEA_TORCH_ROOT}/lib/libtorch_cuda.so)
  set(fovea_cuda_missing "no libtorch_cuda.so beside ${FOVEA_TORCH_ROOT}/lib/libtorch_cpu.so")
endif()
if(fovea_cuda_missing)
  message(STATUS "CUDA kernels are not built: ${fovea_cuda_missing}")
  return()
endif()
get_filename_component(fovea_toolkit ${FOVEA_NVCC} REALPATH)
cmake_path(GET fovea_toolkit PARENT_PATH fovea_toolkit)
cmake_path(GET fovea_toolkit PARENT_PATH fovea_toolkit)

# One command a file: no .cu file sees a header of LibTorch, which would take half a minute each. What ptxas says about
# registers and spills is kept beside the object, for cmake/check_ptxas.cmake.
file(GLOB fovea_cu CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cu)
set(fovea_cuda_folder ${PROJECT_BINARY_DIR}/cuda)
file(MAKE_DIRECTORY ${fovea_cuda_folder})
function(fovea_compile_cuda source object)  # and further folders of headers
  get_filename_component(name ${source} NAME)
  set(include ${PROJECT_SOURCE_DIR}/kernels ${ARGN})
  add_custom_command(OUTPUT ${object} BYPRODUCTS ${object}.log
    COMMAND ${CMAKE_COMMAND} -D NVCC=${FOVEA_NVCC} -D HOST=${CMAKE_CXX_COMPILER}
            -D "INCLUDE=${include}" -D SOURCE=${source} -D OBJECT=${object}
            -P ${PROJECT_SOURCE_DIR}/cmake/compile_cuda.cmake
    DEPENDS ${source} ${PROJECT_SOURCE_DIR}/cmake/compile_cuda.cmake DEPFILE ${object}.d
    COMMENT "nvcc ${name}" VERBATIM)
endfunction()
set(fovea_cu_objects)
foreach(file ${fovea_cu})
  get_filename_component(name ${file} NAME_WE)
  fovea_compile_cuda(${file} ${fovea_cuda_folder}/${name}.o)
  list(APPEND fovea_cu_objects ${fovea_cuda_folder}/${name}.o)
endforeach()

foreach(library torch_cuda c10_cuda)
  add_library(fovea_${library} SHARED IMPORTED)
  set_target_properties(fovea_${library} PROPERTIES IMPORTED_LOCATION ${FOVEA_TORCH_ROOT}/lib/lib${library}.so)
endforeach()
# A library that a running program opens. Nothing names a symbol of libtorch_cuda at link time that the linker would keep it
# for. CUDA's own libraries may be absent here; libfovea's functions are those of the program that opens it.
function(fovea_cuda_module name)
  add_library(${name} MODULE ${ARGN})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/kernels ${PROJECT_SOURCE_DIR}/include)
  target_include_directories(${name} SYSTEM PRIVATE ${fovea_toolkit}/include)
  target_link_options(${name} PRIVATE -Wl,--no-as-needed -Wl,--allow-shlib-undefined)
  target_link_directories(${name} PRIVATE ${fovea_toolkit}/lib64)
  target_link_libraries(${name} PRIVATE fovea_flags fovea_dep_torch fovea_torch_cuda fovea_c10_cuda cudart)
  fovea_precompile(${name} torch)
  fovea_install_rpath(${name} "$ORIGIN;$ORIGIN/fovea/torch/lib")
  if(FOVEA_TIDY)
    set_target_properties(${name} PROPERTIES CXX_CLANG_TIDY "clang-tidy;--quiet")
  endif()
endfunction()
fovea_cuda_module(fovea_cuda kernels/cuda/operators.cpp kernels/cuda/calls.cpp ${fovea_cu_objects})
if(NOT PROJECT_IS_TOP_LEVEL)
  set_target_properties(fovea_cuda PROPERTIES EXCLUDE_FROM_ALL ON)  # minutes of nvcc, for those who ask for it
endif()
