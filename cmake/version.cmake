# fovea_version(TARGET): TARGET may include "fovea_build.h", which names version and git commit of this build.
function(fovea_version target)
  set(header ${PROJECT_BINARY_DIR}/generated/fovea_build.h)
  add_dependencies(${target} fovea_write_version)
  target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR}/generated)
  if(TARGET fovea_write_version)
    return()
  endif()
  add_custom_target(fovea_write_version BYPRODUCTS ${header}
    COMMAND ${CMAKE_COMMAND} -D SOURCE=${PROJECT_SOURCE_DIR} -D VERSION=${PROJECT_VERSION} -D OUTPUT=${header}
            -P ${PROJECT_SOURCE_DIR}/cmake/write_version.cmake
    COMMENT "Naming the version and the commit of this build" VERBATIM)
endfunction()
