/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XXH3 from Debian's xxHash header, which picks its vector path by the instruction set this file is compiled for. Its
 * software prefetch looks 384 bytes ahead, too near for data in memory; 4 KiB ahead costs nothing in the caches.
 */
#define XXH_PREFETCH_DIST 4096
#include "hash/hash_upstream.h"
