# SPDX-License-Identifier: Apache-2.0
# Tests of what was built and of the headers, rather than of what the code computes: the objects of each tier, the
# shared library's exports and needs, and every public header alone.
find_package(Python3 COMPONENTS Interpreter)
find_program(LW_CXX_GNU NAMES g++)
find_program(LW_CC_CLANG NAMES clang-19 clang)
mark_as_advanced(LW_CXX_GNU LW_CC_CLANG)
if(NOT Python3_FOUND)
  message(STATUS "no python3: the tests of objects and headers are left out")
  return()
endif()

set(lw_header_compilers "${CMAKE_C_COMPILER} -x c -std=c11")
if(NOT CMAKE_CROSSCOMPILING)
  if(LW_CXX_GNU)
    list(APPEND lw_header_compilers "gcc -x c -std=c11" "${LW_CXX_GNU} -x c++ -std=c++17")
  endif()
  if(LW_CC_CLANG)
    list(APPEND lw_header_compilers "${LW_CC_CLANG} -x c -std=c11" "${LW_CC_CLANG} -x c++ -std=c++17")
  endif()
endif()
add_test(NAME headers_alone
         COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/check_headers.py ${PROJECT_SOURCE_DIR}/include
                 ${lw_header_compilers})

# Sanitizers and coverage add their own code, symbols and constructors to every object.
if(LANEWISE_SANITIZE OR CMAKE_C_FLAGS MATCHES "-fsanitize|-fprofile|--coverage")
  return()
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(lw_architecture x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(lw_architecture aarch64)
else()
  return()
endif()
# GNU binutils whatever the compiler: their assembler is the judge of which instruction belongs to which extension.
string(REGEX REPLACE "gcc(-[0-9]+)?$" "" lw_binutils_prefix "${CMAKE_C_COMPILER}")
if(NOT CMAKE_CROSSCOMPILING OR lw_binutils_prefix STREQUAL CMAKE_C_COMPILER)
  set(lw_binutils_prefix "")
endif()

set(lw_object_list "")
foreach(tier IN LISTS LW_TIERS LW_BESIDE_TIERS)
  if(TARGET lanewise_tier_${tier})
    string(APPEND lw_object_list "${tier} $<JOIN:$<TARGET_OBJECTS:lanewise_tier_${tier}>,\n${tier} >\n")
  endif()
endforeach()
string(APPEND lw_object_list "baseline $<JOIN:$<TARGET_OBJECTS:lanewise_baseline>,\nbaseline >\n")
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/objects.txt CONTENT "${lw_object_list}")

add_test(NAME object_hygiene
         COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/check_objects.py --cc ${CMAKE_C_COMPILER}
                 --architecture ${lw_architecture} "--binutils-prefix=${lw_binutils_prefix}"
                 --include ${PROJECT_SOURCE_DIR}/include --library $<TARGET_FILE:lanewise>
                 --part parallel.h $<TARGET_FILE:lanewise_parallel> --part regex.h $<TARGET_FILE:lanewise_regex>
                 ${PROJECT_BINARY_DIR}/objects.txt)
if(lw_architecture STREQUAL x86 AND CMAKE_C_COMPILER_ID STREQUAL GNU)
  add_test(NAME object_hygiene_selftest
           COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/check_objects.py --self-test
                   --cc ${CMAKE_C_COMPILER})
endif()

# The document about adding a kernel, done as written. One configuration is enough.
find_program(LW_PATCH NAMES patch)
mark_as_advanced(LW_PATCH)
if(LW_PATCH AND CMAKE_BUILD_TYPE STREQUAL Release AND NOT CMAKE_CROSSCOMPILING AND NOT LANEWISE_NEON_VIA_SIMDE)
  add_test(NAME adding_a_kernel
           COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/test_adding_a_kernel.py ${PROJECT_SOURCE_DIR}
                   ${CMAKE_COMMAND} ${CMAKE_C_COMPILER})
  set_tests_properties(adding_a_kernel PROPERTIES TIMEOUT 600)
endif()
