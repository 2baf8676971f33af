/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the JSON family share. */
#ifndef LW_JSON_NUMBER_H
#define LW_JSON_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/*
 * The value nearest to the JSON number text[0 ... n), which is valid, as the bits of an IEEE 754 number with so many
 * bits of precision (53 or 24, the first one not stored) and so many of the exponent (11 or 8).
 */
uint64_t lanewise_json_float_bits(const char *text, size_t n, int precision, int exponent_bits);

#endif
