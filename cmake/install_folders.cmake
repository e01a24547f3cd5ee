# Part of cmake --install: makes ${folders} for every user to enter. CMake itself obeys the umask of whoever installs.
# Folders that exist stay as they are.
function(fovea_make_folder path)
  if(EXISTS "${path}")
    return()
  endif()
  cmake_path(GET path PARENT_PATH parent)
  fovea_make_folder("${parent}")
  file(MAKE_DIRECTORY "${path}")
  file(CHMOD "${path}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endfunction()

foreach(folder IN LISTS folders)
  cmake_path(ABSOLUTE_PATH folder BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" NORMALIZE)
  fovea_make_folder("$ENV{DESTDIR}${folder}")
endforeach()
