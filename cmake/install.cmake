# SPDX-License-Identifier: Apache-2.0
# What an installation holds: libraries, headers, the CMake package and the pkg-config file.
