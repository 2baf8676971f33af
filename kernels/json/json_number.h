/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the JSON family share. */
#ifndef LW_JSON_NUMBER_H
#define LW_JSON_NUMBER_H

#include <lanewise/base.h>

#include "common.h"

enum { LW_JSON_DEFAULT_DEPTH = 1024 };

/*
 * The value nearest to the JSON number text[0 ... n), which is valid, as the bits of an IEEE 754 number with so many
 * bits of precision (53 or 24, the first one not stored) and so many of the exponent (11 or 8).
 */
uint64_t lanewise_json_float_bits(const char *text, size_t n, int precision, int exponent_bits);

/* The JSON number text[0 ... n) as an integer; the errors are those of lanewise_json_i64. */
lanewise_status lanewise_json_read_i64(const char *text, size_t n, int64_t *value);

/*
 * Numbers as the kernel json_decimals gives them, from number `begin` on, to the nearest doubles, up to the first that is to
 * be read otherwise or that one product does not settle; returns its number, or n.
 */
size_t lanewise_json_round_f64(const uint64_t *w, const int8_t *scale, size_t begin, size_t n, double *values);

/*
 * Whether trees are made by the kernels json_tokens and json_nodes: with vectors of 64 bytes these are faster than the machine
 * of json_parse.c, with shorter ones they are slower where there is more text than numbers.
 */
static inline int lw_json_has_tree_kernels(void)
{
#if defined(__x86_64__)
	return lw_kernels()->json_tokens == lanewise_json_tokens_avx512_clx;
#else
	return 0;
#endif
}

/* Whether a byte ends the word or number before it: white space, {}[]:, and quotes do. */
static inline int lw_json_ends_scalar(uint8_t byte)
{
	static const uint8_t ends[256] = { [' '] = 1, ['\t'] = 1, ['\n'] = 1, ['\r'] = 1, ['{'] = 1, ['}'] = 1,
		                           ['['] = 1, [']'] = 1,  [':'] = 1,  [','] = 1,  ['"'] = 1 };

	return ends[byte];
}

#endif
