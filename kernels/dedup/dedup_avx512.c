/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The template once more, with VBMI2: bytes are moved together by one instruction, so that it does not matter how many
 * holes a block has, and the places of all its newlines are found at once.
 */
#include "dedup_simd.c"
