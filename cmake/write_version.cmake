# cmake -D SOURCE=… -D VERSION=… -D OUTPUT=… -P write_version.cmake
#   Writes version and git commit of SOURCE as a C++ header, at each build. The file is touched only when they change, so
#   that a commit compiles the one source that includes it.
cmake_minimum_required(VERSION 3.25)
set(commit unknown)
if(EXISTS ${SOURCE}/.git)  # a tarball inside another repository is not of that repository's commit
  execute_process(
    COMMAND git --no-optional-locks -c safe.directory=${SOURCE} -C ${SOURCE}
            describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit ${described})
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define FOVEA_VERSION \"@VERSION@\"\n#define FOVEA_COMMIT \"@commit@\"\n" @ONLY)
