# SPDX-License-Identifier: Apache-2.0
# What an installation holds: libraries, headers, the CMake package and the pkg-config file. Nothing in it names the
# prefix, so the tree may be moved as a whole.
include(CMakePackageConfigHelpers)

set(LW_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/lanewise)

# Users of the static library need no export marks (base.h).
target_compile_definitions(lanewise_static INTERFACE LANEWISE_STATIC=1)

option(LANEWISE_INSTALL "Make rules for installation" ${PROJECT_IS_TOP_LEVEL})
if(NOT LANEWISE_INSTALL)
  return()
endif()

# The other parts find the core library beside themselves, wherever that is.
set_target_properties(lanewise_parallel lanewise_regex PROPERTIES INSTALL_RPATH "$ORIGIN")

# The static libraries of the other parts are sets of their own: only these need OpenMP, hwloc and PCRE2 to be found.
install(TARGETS lanewise lanewise_static lanewise_parallel lanewise_regex EXPORT lanewise-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS lanewise_parallel_static EXPORT lanewise-parallel-static-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS lanewise_regex_static EXPORT lanewise-regex-static-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES share/secrets.rules DESTINATION ${CMAKE_INSTALL_DATADIR}/lanewise)
install(DIRECTORY include/lanewise DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

install(EXPORT lanewise-targets NAMESPACE lanewise:: DESTINATION ${LW_CMAKE_DIR})
install(EXPORT lanewise-parallel-static-targets NAMESPACE lanewise:: DESTINATION ${LW_CMAKE_DIR})
install(EXPORT lanewise-regex-static-targets NAMESPACE lanewise:: DESTINATION ${LW_CMAKE_DIR})
set(LW_CONFIG_OPENMP ${OpenMP_C_FOUND})
set(LW_CONFIG_HWLOC ${HWLOC_FOUND})
set(LW_CONFIG_PCRE2 ${LW_HAVE_PCRE2})
configure_package_config_file(cmake/lanewise-config.cmake.in ${PROJECT_BINARY_DIR}/lanewise-config.cmake
                              INSTALL_DESTINATION ${LW_CMAKE_DIR})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lanewise-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/lanewise-config.cmake ${PROJECT_BINARY_DIR}/lanewise-config-version.cmake
        DESTINATION ${LW_CMAKE_DIR})

# ${pcfiledir} is where the file lies, <libdir>/pkgconfig: as many steps up lead back to the prefix.
file(RELATIVE_PATH LW_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" LW_PC_PREFIX "${LW_PC_PREFIX}")
if(LW_HAVE_PCRE2)
  set(LW_PC_REGEX_LIBS -lpcre2-8)
endif()
set(LW_PC_PARALLEL_LIBS -pthread)
if(OpenMP_C_FOUND)
  string(PREPEND LW_PC_PARALLEL_LIBS "${OpenMP_C_FLAGS} ")
endif()
if(HWLOC_FOUND)
  string(PREPEND LW_PC_PARALLEL_LIBS "-lhwloc ")
endif()
foreach(name lanewise lanewise-parallel lanewise-regex)
  configure_file(cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/lanewise.pc ${PROJECT_BINARY_DIR}/lanewise-parallel.pc
              ${PROJECT_BINARY_DIR}/lanewise-regex.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
