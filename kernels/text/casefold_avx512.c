/* SPDX-License-Identifier: Apache-2.0 */
/* The template once more, with VBMI: one instruction looks up 64 bytes in a table of 64. */
#include "casefold_simd.c"
