# The attention kernels of a CPU: one text (kernels/attention/simd/*.h), compiled once per instruction set; the program
# chooses at run time (kernels/attention/cpu.cpp). These files see no header that others see, LibTorch's least of all.
set(fovea_simd portable)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  list(APPEND fovea_simd avx2 avx512 avx512_bf16)
  set(fovea_simd_avx2 "-mavx2;-mfma;-mf16c")
  set(fovea_simd_avx512 "-march=x86-64-v4;-mprefer-vector-width=512")
  set(fovea_simd_avx512_bf16 "${fovea_simd_avx512};-mavx512bf16")
  set_source_files_properties(kernels/attention/cpu.cpp PROPERTIES COMPILE_DEFINITIONS FOVEA_X86)
endif()
foreach(isa ${fovea_simd})
  set(file ${PROJECT_SOURCE_DIR}/kernels/attention/simd/${isa}.cpp)
  target_sources(fovea_attention PRIVATE ${file})
  # A test of a kernel that is not optimised takes minutes, hence -O3 in every build.
  set_source_files_properties(${file} PROPERTIES SKIP_PRECOMPILE_HEADERS ON
    COMPILE_OPTIONS "-O3;-fno-strict-aliasing;-ffp-contract=fast;${fovea_simd_${isa}}")
endforeach()
