# SPDX-License-Identifier: Apache-2.0
# Programs built against an installation of this build, which one configuration shows. Not where they could not run or
# would need flags of their own.
if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT CMAKE_CROSSCOMPILING AND NOT LANEWISE_SANITIZE
   AND NOT LANEWISE_NEON_VIA_SIMDE)
  add_test(NAME install_consumers
           COMMAND sh ${PROJECT_SOURCE_DIR}/tests/consumer/run.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}
                   ${CMAKE_COMMAND} ${CMAKE_C_COMPILER})
  set_tests_properties(install_consumers PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()
