/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of the JSON kernels: byte by byte. */
#include "common.h"

size_t LW_FN(json_plain)(const uint8_t *text, size_t n)
{
	size_t i = 0;

	while (i < n && text[i] >= 0x20 && text[i] != '"' && text[i] != '\\')
		i++;
	return i;
}

size_t LW_FN(json_index)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                         struct lw_json_seen *seen)
{
	size_t count = 0;

	*seen = (struct lw_json_seen) { n, 0 };
	for (size_t i = 0; i < n; i++) {
		uint8_t c = text[i];
		int is_quote = c == '"' && !carry->escaped, begins_escape = c == '\\' && !carry->escaped;
		int is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
		int is_operator = c == '{' || c == '}' || c == '[' || c == ']' || c == ':' || c == ',';
		int is_scalar = !is_quote && !is_space && !is_operator;

		if (is_quote || (carry->in_string ? begins_escape : is_operator || (is_scalar && !carry->in_scalar)))
			index[count++] = base + (uint32_t)i;
		if (carry->in_string && c < 0x20 && seen->control == n)
			seen->control = i;
		seen->wide |= c > 0x7f;
		carry->in_string ^= (uint8_t)is_quote;
		carry->escaped = (uint8_t)begins_escape;
		carry->in_scalar = (uint8_t)is_scalar;
	}
	return count;
}
