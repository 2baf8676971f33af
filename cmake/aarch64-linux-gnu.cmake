# SPDX-License-Identifier: Apache-2.0
# Cross-compiling for 64-bit ARM Linux on Debian, tests run under qemu: packages gcc-12-aarch64-linux-gnu and qemu-user.
# QEMU_CPU in the environment picks the CPU: cortex-a53, neoverse-n1, max.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc-12)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)

# Libraries of the target only; its headers come with the compiler.
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# xxhash.h is one header for every target, but lies in the host's /usr/include, which must stay out of the search
# path: make that one file visible.
set(xxhash_directory ${CMAKE_BINARY_DIR}/host-headers)
if(NOT EXISTS ${xxhash_directory}/xxhash.h)
  file(COPY /usr/include/xxhash.h DESTINATION ${xxhash_directory})
endif()
include_directories(SYSTEM ${xxhash_directory})
# The host's pkg-config modules are not the target's.
set(ENV{PKG_CONFIG_LIBDIR} /usr/aarch64-linux-gnu/lib/pkgconfig)
