# SPDX-License-Identifier: Apache-2.0
# The harness and the checks of every kernel as a library, for the program `check` and for `lanewise selftest`.
file(GLOB check_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/check*.c)
list(FILTER check_files EXCLUDE REGEX "/check_main\\.c$")
add_library(lanewise_check STATIC ${check_files})
target_link_libraries(lanewise_check PUBLIC lanewise_static m)
target_compile_definitions(lanewise_check PUBLIC _GNU_SOURCE) # signals, mmap, fnmatch
target_include_directories(lanewise_check PUBLIC ${CMAKE_CURRENT_LIST_DIR} ${PROJECT_SOURCE_DIR}/dispatch
                                                 ${PROJECT_SOURCE_DIR}/kernels)
