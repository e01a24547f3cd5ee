# Compiles SOURCE to OBJECT with the headers in INCLUDE; what the assembler reports goes to OBJECT.log.
list(TRANSFORM INCLUDE PREPEND -I OUTPUT_VARIABLE include)
execute_process(
  COMMAND ${NVCC} -std=c++20 -O3 --expt-relaxed-constexpr -ccbin ${HOST} -Xcompiler -fPIC ${include}
          -gencode arch=compute_80,code=[sm_80,compute_80] -gencode arch=compute_90a,code=sm_90a
          -Xptxas -v -MD -MF ${OBJECT}.d -c ${SOURCE} -o ${OBJECT}
  OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE failed)
file(WRITE ${OBJECT}.log "${said}")
if(failed)
  message(FATAL_ERROR "${said}")
endif()
