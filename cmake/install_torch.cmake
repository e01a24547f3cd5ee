# Part of cmake --install: copies LibTorch's libraries to ${destination} as they lie beside ${torch_root}, torch/lib and
# nvidia/…/lib, because they find one another by these paths. What the system has in /usr/lib stays there. Those of CUDA
# are half a gigabyte and more: they come with the ${plug_in}, where it was built.
cmake_path(GET torch_root PARENT_PATH home)
cmake_path(ABSOLUTE_PATH destination BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}")

file(GET_RUNTIME_DEPENDENCIES LIBRARIES "${torch_root}/lib/libtorch_cpu.so"
  RESOLVED_DEPENDENCIES_VAR needed UNRESOLVED_DEPENDENCIES_VAR missing POST_EXCLUDE_REGEXES "^/(usr/)?lib(64|x32|32)?/")
if(missing)
  message(FATAL_ERROR "libtorch_cpu.so in ${torch_root}/lib needs libraries that are not found: ${missing}")
endif()
list(APPEND needed "${torch_root}/lib/libtorch_cpu.so")
if(plug_in AND EXISTS "${plug_in}")
  file(GLOB of_cuda "${torch_root}/lib/*.so*" "${home}/nvidia/*/lib/*.so*")
  list(FILTER of_cuda EXCLUDE REGEX "/libtorch_python\\.so|/libshm|/libcheckpoint|/libnvperf|/libpcsampling")
  list(APPEND needed ${of_cuda})
endif()

foreach(library IN LISTS needed)
  cmake_path(NORMAL_PATH library)
  cmake_path(GET library PARENT_PATH folder)
  cmake_path(RELATIVE_PATH folder BASE_DIRECTORY "${home}")
  if(folder MATCHES "^\\.\\.")
    set(folder torch/lib)  # a library from elsewhere
  endif()
  fovea_make_folder("$ENV{DESTDIR}${destination}/${folder}")
  file(INSTALL "${library}" DESTINATION "${destination}/${folder}" TYPE SHARED_LIBRARY FOLLOW_SYMLINK_CHAIN)
endforeach()
