# cmake --install build --prefix DIR: the program, the library, its headers, find_package(fovea), and LibTorch beside them.
# Installed is what was built: scripts/quickstart builds the program alone, without the plug-in of the GPU. What is there
# then serves every user and can be moved: LibTorch, which lies in the home of whoever built, is copied, and every path in
# the folder is relative to the file that holds it.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/fovea)
set(torch_folder ${CMAKE_INSTALL_LIBDIR}/fovea/torch)

install(CODE "
  set(torch_root [[${FOVEA_TORCH_ROOT}]])
  set(destination [[${CMAKE_INSTALL_LIBDIR}/fovea]])
  set(plug_in [[$<$<TARGET_EXISTS:fovea_cuda>:${PROJECT_BINARY_DIR}/libfovea_cuda.so>]])
  set(folders [[${CMAKE_INSTALL_BINDIR};${CMAKE_INSTALL_INCLUDEDIR}/fovea;${package_folder};${torch_folder}/lib;${CMAKE_INSTALL_DATADIR}/fovea]])")
install(SCRIPT cmake/install_folders.cmake)
install(TARGETS fovea EXPORT foveaTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS fovea_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} OPTIONAL)
if(TARGET fovea_cuda)
  install(TARGETS fovea_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} OPTIONAL)
endif()
install(DIRECTORY include/fovea DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

install(EXPORT foveaTargets NAMESPACE fovea:: DESTINATION ${package_folder})
configure_package_config_file(cmake/foveaConfig.cmake.in ${PROJECT_BINARY_DIR}/foveaConfig.cmake
                              INSTALL_DESTINATION ${package_folder} PATH_VARS torch_folder)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/foveaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/foveaConfig.cmake ${PROJECT_BINARY_DIR}/foveaConfigVersion.cmake
        DESTINATION ${package_folder})

install(DIRECTORY ${FOVEA_TORCH_ROOT}/include DESTINATION ${torch_folder} MESSAGE_NEVER)
install(SCRIPT cmake/install_torch.cmake)

# What it is made of (cmake/sbom.cmake), written here where the build did not.
install(CODE "execute_process(COMMAND \"${CMAKE_COMMAND}\" -P [[${PROJECT_BINARY_DIR}/generated/write_sbom.cmake]] COMMAND_ERROR_IS_FATAL ANY)")
install(FILES ${fovea_sbom} DESTINATION ${CMAKE_INSTALL_DATADIR}/fovea)
