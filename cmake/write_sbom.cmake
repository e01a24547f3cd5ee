# Writes ${output}, a CycloneDX 1.5 document, from ${components} ("name|version|license|file|SHA-256" each) and the
# ${version} of fovea; included by build/generated/write_sbom.cmake. Where dpkg knows the file of a library, the package URL
# is that of Debian's package, whose version says which corrections it has. The same components give the same serial number,
# and then a document that is there stays as it is.
set(commit unknown)
if(EXISTS "${build_header}")
  file(STRINGS "${build_header}" line REGEX "FOVEA_COMMIT")
  string(REGEX REPLACE ".*\"(.*)\"" "\\1" commit "${line}")
endif()

# --- Debian's packages: two questions for all files ------------------------------------------------------------------
set(distribution "")
if(EXISTS /etc/os-release)
  file(STRINGS /etc/os-release lines REGEX "^(ID|VERSION_ID)=")
  string(REGEX REPLACE "(^|;)[A-Z_]+=\"?([^;\"]*)\"?" "\\1\\2" lines "${lines}")
  list(SORT lines ORDER DESCENDING)
  list(JOIN lines - distribution)
endif()
set(files "")
foreach(component IN LISTS components)
  string(REPLACE "|" ";" parts "${component}")
  list(GET parts 3 file)
  if(file)
    file(REAL_PATH "${file}" file)
    string(REGEX REPLACE "^/usr/" "/" older "${file}")  # Debian's lists know a library by either path
    list(APPEND files "${file}" "${older}")
  endif()
endforeach()
find_program(dpkg_query dpkg-query NO_CACHE)
set(owners "")
if(dpkg_query)
  execute_process(COMMAND ${dpkg_query} --search ${files} OUTPUT_VARIABLE owners ERROR_QUIET)
endif()

# The package URL of a library whose file ${file} belongs to a package, else a generic one.
function(package_url result name version file)
  set(${result} "pkg:generic/${name}@${version}" PARENT_SCOPE)
  if(NOT file)
    return()
  endif()
  file(REAL_PATH "${file}" real)
  string(REGEX REPLACE "^/usr" "" real "${real}")
  string(REGEX REPLACE "([.+*?()^$|\\[\\]])" "\\\\\\1" pattern "${real}")
  if(NOT "\n${owners}" MATCHES "\n([^\n]+): (/usr)?${pattern}\n")
    return()
  endif()
  execute_process(COMMAND ${dpkg_query} --show "--showformat=\${Package} \${Version} \${Architecture}" ${CMAKE_MATCH_1}
                  OUTPUT_VARIABLE shown ERROR_QUIET)
  string(REPLACE " " ";" shown "${shown}")
  list(LENGTH shown words)
  if(NOT words EQUAL 3)
    return()
  endif()
  list(POP_FRONT shown package debian architecture)
  string(REPLACE ":" "%3A" debian "${debian}")
  string(REPLACE "+" "%2B" debian "${debian}")
  string(REPLACE "+" "%2B" package "${package}")
  string(REGEX REPLACE "-.*" "" vendor "${distribution}")
  set(${result} "pkg:deb/${vendor}/${package}@${debian}?arch=${architecture}&distro=${distribution}" PARENT_SCOPE)
endfunction()

# --- The document ----------------------------------------------------------------------------------------------------
function(licenses result license)
  if(license MATCHES " (AND|OR|WITH) ")
    set(${result} "[{\"expression\": \"${license}\"}]" PARENT_SCOPE)
  elseif(license MATCHES " ")
    set(${result} "[{\"license\": {\"name\": \"${license}\"}}]" PARENT_SCOPE)
  else()
    set(${result} "[{\"license\": {\"id\": \"${license}\"}}]" PARENT_SCOPE)
  endif()
endfunction()

set(described "")
set(names "")
foreach(component IN LISTS components)
  string(REPLACE "|" ";" parts "${component}")
  list(GET parts 0 name)
  list(GET parts 1 its_version)
  list(GET parts 2 license)
  list(GET parts 3 file)
  list(GET parts 4 hash)
  licenses(license "${license}")
  if(hash)
    set(url "pkg:pypi/${name}@${its_version}")
    set(hashes ",\n      \"hashes\": [{\"alg\": \"SHA-256\", \"content\": \"${hash}\"}]")
  else()
    package_url(url "${name}" "${its_version}" "${file}")
    set(hashes "")
  endif()
  list(APPEND described "    {
      \"type\": \"library\",
      \"bom-ref\": \"${name}\",
      \"name\": \"${name}\",
      \"version\": \"${its_version}\",
      \"licenses\": ${license},
      \"purl\": \"${url}\"${hashes}
    }")
  list(APPEND names "\"${name}\"")
endforeach()
list(JOIN described ",\n" described)
list(JOIN names ", " names)
set(fovea "{
      \"type\": \"application\",
      \"bom-ref\": \"fovea\",
      \"name\": \"fovea\",
      \"version\": \"${version}\",
      \"description\": \"Deep learning on medical data\",
      \"licenses\": [{\"license\": {\"id\": \"Apache-2.0\"}}],
      \"purl\": \"pkg:generic/fovea@${version}\",
      \"properties\": [{\"name\": \"fovea:commit\", \"value\": \"${commit}\"}]
    }")
string(UUID serial NAMESPACE 6ba7b812-9dad-11d1-80b4-00c04fd430c8 NAME "${fovea}${described}" TYPE SHA1)
if(EXISTS "${output}")
  file(READ "${output}" there)
  if(there MATCHES "urn:uuid:${serial}")
    return()
  endif()
endif()
string(TIMESTAMP now "%Y-%m-%dT%H:%M:%SZ" UTC)  # of SOURCE_DATE_EPOCH, where that is set
file(WRITE "${output}" "{
  \"bomFormat\": \"CycloneDX\",
  \"specVersion\": \"1.5\",
  \"serialNumber\": \"urn:uuid:${serial}\",
  \"version\": 1,
  \"metadata\": {
    \"timestamp\": \"${now}\",
    \"lifecycles\": [{\"phase\": \"build\"}],
    \"tools\": {\"components\": [{\"type\": \"application\", \"name\": \"cmake\", \"version\": \"${CMAKE_VERSION}\"}]},
    \"component\": ${fovea}
  },
  \"components\": [
${described}
  ],
  \"dependencies\": [{\"ref\": \"fovea\", \"dependsOn\": [${names}]}]
}
")
