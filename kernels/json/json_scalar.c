/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of the JSON kernels: byte by byte. */
#include "common.h"

#include "json_numbers.h"

size_t LW_FN(json_plain)(const uint8_t *text, size_t n)
{
	size_t i = 0;

	while (i < n && text[i] >= 0x20 && text[i] != '"' && text[i] != '\\')
		i++;
	return i;
}

/* Whether text[0] is indexed; what it was like to `carry`. */
static int index_byte(const uint8_t *text, struct lw_json_carry *carry)
{
	uint8_t c = *text;
	int is_quote = c == '"' && !carry->escaped, begins_escape = c == '\\' && !carry->escaped;
	int is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
	int is_operator = c == '{' || c == '}' || c == '[' || c == ']' || c == ':' || c == ',';
	int is_scalar = !is_quote && !is_space && !is_operator;
	int indexed = is_quote || (carry->in_string ? begins_escape : is_operator || (is_scalar && !carry->in_scalar));

	carry->in_string ^= (uint8_t)is_quote;
	carry->escaped = (uint8_t)begins_escape;
	carry->in_scalar = (uint8_t)is_scalar;
	return indexed;
}

size_t LW_FN(json_index)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                         struct lw_json_seen *seen)
{
	size_t count = 0;

	*seen = (struct lw_json_seen) { n, 0 };
	for (size_t i = 0; i < n; i++) {
		if (carry->in_string && text[i] < 0x20 && seen->control == n)
			seen->control = i;
		seen->wide |= text[i] > 0x7f;
		if (index_byte(text + i, carry))
			index[count++] = base + (uint32_t)i;
	}
	return count;
}

void LW_FN(json_bits)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint64_t *words,
                      struct lw_json_seen *seen)
{
	*seen = (struct lw_json_seen) { n, 0 };
	for (size_t i = 0; i < n; i++) {
		if (carry->in_string && text[i] < 0x20 && seen->control == n)
			seen->control = i;
		seen->wide |= text[i] > 0x7f;
		if (i % 64 == 0)
			words[i / 64] = 0;
		words[i / 64] |= (uint64_t)index_byte(text + i, carry) << i % 64;
	}
}

static size_t write_utf8(uint32_t code, uint8_t *out)
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	if (n == 1) {
		out[0] = (uint8_t)code;
		return 1;
	}
	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		out[i] = (uint8_t)(0x80 | (code & 0x3f));
	out[0] = (uint8_t)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | code);
	return n;
}

static uint32_t read_hex(const uint8_t *p)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++)
		code = code << 4 | (p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return code;
}

/* The byte of `to` whose place is c's in `from`, or 0. */
static uint8_t mapped(uint8_t c, const char *from, const char *to)
{
	for (; *from; from++, to++)
		if ((uint8_t)*from == c)
			return (uint8_t)*to;
	return 0;
}

size_t LW_FN(json_unescape)(const uint8_t *text, size_t n, uint8_t *out)
{
	size_t size = 0;

	for (size_t i = 0; i < n;) {
		uint32_t code;

		if (text[i] != '\\') {
			out[size++] = text[i++];
		} else if (text[i + 1] != 'u') {
			uint8_t byte = mapped(text[i + 1], "bfnrt", "\b\f\n\r\t");

			out[size++] = byte ? byte : text[i + 1];
			i += 2;
		} else {
			code = read_hex(text + i + 2);
			i += 6;
			if (code >= 0xd800 && code < 0xdc00 && n - i >= 6 && text[i] == '\\' && text[i + 1] == 'u') {
				uint32_t low = read_hex(text + i + 2);

				if (low >= 0xdc00 && low < 0xe000) {
					code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
					i += 6;
				}
			}
			size += write_utf8(code >= 0xd800 && code < 0xe000 ? 0xfffd : code, out + size);
		}
	}
	return size;
}

size_t LW_FN(json_escape)(const uint8_t *text, size_t n, uint8_t *out)
{
	static const char hex[] = "0123456789abcdef";
	size_t size = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t letter = mapped(text[i], "\b\f\n\r\t\"\\", "bfnrt\"\\");

		if (letter) {
			out[size++] = '\\';
			out[size++] = letter;
		} else if (text[i] < 0x20) {
			memcpy(out + size, "\\u00", 4);
			out[size + 4] = (uint8_t)hex[text[i] >> 4];
			out[size + 5] = (uint8_t)hex[text[i] & 15];
			size += 6;
		} else {
			out[size++] = text[i];
		}
	}
	return size;
}

void LW_FN(json_numbers)(const uint8_t *text, size_t n, struct lw_json_numbers *numbers)
{
	lw_numbers_scan(text, 0, n, numbers);
}

size_t LW_FN(json_ends)(const uint8_t *text, size_t n, int *within, uint32_t base, uint32_t *ends)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		int before = *within;

		*within = text[i] > ' ' && text[i] != ',';
		if (before && !*within)
			ends[count++] = base + (uint32_t)i;
	}
	return count;
}

static int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static int8_t read_decimal(const uint8_t *text, size_t end, uint64_t *w)
{
	size_t first = end, point = end, scale;

	*w = 0;
	while (is_digit(text[first - 1]) || text[first - 1] == '.')
		if (text[--first] == '.')
			point = first;
	if (end < 33 || end - first > 31 || (end - first > 16 && end - point <= 16 && point < end) ||
	    lw_is_exponent(text + first))
		return LW_UNREAD;
	for (size_t i = first; i < end; i++) {
		if (end - i == 16 && *w > 1843)
			return LW_UNREAD;
		if (i != point)
			*w = 10 * *w + text[i] - '0';
	}
	scale = point < end ? end - point - 1 : 0;
	return (int8_t)(text[first - 1] == '-' ? -1 - (int)scale : (int)scale);
}

void LW_FN(json_decimals)(const uint8_t *text, const uint32_t *ends, size_t n, uint64_t *w, int8_t *scale)
{
	for (size_t i = 0; i < n; i++)
		scale[i] = read_decimal(text, ends[i], &w[i]);
}

size_t LW_FN(json_round_f32)(const uint64_t *w, const int8_t *scale, size_t begin, size_t n, float *out)
{
	size_t i = begin;

	while (i < n && lw_product_f32(w[i], scale[i], &out[i]))
		i++;
	return i;
}
