/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written anew: without white space or indented; and numbers with as few digits as give them back. */
#include <lanewise/json.h>

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "common.h"
#include "support.h"

#include "json_number.h"

/* ---------------------------------------------------------------- layout */

struct writer {
	const char *text;
	char *out;
	size_t capacity, n, depth;
	uint32_t indent;
};

static void put(struct writer *w, const char *bytes, size_t n)
{
	if (w->n <= w->capacity && n <= w->capacity - w->n)
		memmove(w->out + w->n, bytes, n);
	w->n += n;
}

static void put_line(struct writer *w)
{
	static const char spaces[] = "                ";

	if (!w->indent)
		return;
	put(w, "\n", 1);
	for (size_t left = w->depth * w->indent, n; left > 0; left -= n) {
		n = left < sizeof spaces - 1 ? left : sizeof spaces - 1;
		put(w, spaces, n);
	}
}

static int is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

static size_t skip_blank(const struct writer *w, size_t at)
{
	while (is_blank(w->text[at]))
		at++;
	return at;
}

/* Behind the string at `at`. */
static size_t skip_string(const struct writer *w, size_t at, size_t n)
{
	for (at++; w->text[at] != '"';) {
		size_t plain = lw_kernels()->json_plain((const uint8_t *)w->text + at, n - at);

		at += plain ? plain : 2;
	}
	return at + 1;
}

/* Behind the word or number at `at`. */
static size_t skip_scalar(const struct writer *w, size_t at, size_t n)
{
	while (at < n && !is_blank(w->text[at]) && !strchr(",:]}", w->text[at]))
		at++;
	return at;
}

/* The token at `at` of a valid text; returns behind it. */
static size_t write_token(struct writer *w, size_t at, size_t n)
{
	size_t end = at + 1;

	switch (w->text[at]) {
	case '{':
	case '[':
		put(w, &w->text[at], 1);
		end = skip_blank(w, at + 1);
		if (w->text[end] == '}' || w->text[end] == ']') {
			put(w, &w->text[end], 1);
			return end + 1;
		}
		w->depth++;
		put_line(w);
		return end;
	case '}':
	case ']':
		w->depth--;
		put_line(w);
		break;
	case ',':
		put(w, &w->text[at], 1);
		put_line(w);
		return end;
	case ':':
		put(w, ": ", w->indent ? 2 : 1);
		return end;
	case '"':
		end = skip_string(w, at, n);
		break;
	default:
		end = skip_scalar(w, at, n);
		break;
	}
	put(w, &w->text[at], end - at);
	return end;
}

lanewise_status lanewise_json_format(const char *text, size_t n_bytes, const lanewise_json_options *options,
                                     uint32_t indent, char *out, size_t capacity, size_t *n_out, lanewise_error *error)
{
	struct writer w = { .text = text, .out = out, .capacity = capacity, .indent = indent };
	lanewise_status status;

	if (!n_out || (!out && capacity) || indent > 16)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "json: a NULL pointer or an indent over 16");
	status = lanewise_json_validate(text, n_bytes, options, error);
	if (status != LANEWISE_OK)
		return status;
	for (size_t at = n_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; at < n_bytes;)
		at = is_blank(text[at]) ? at + 1 : write_token(&w, at, n_bytes);
	*n_out = w.n;
	return w.n > capacity ? lw_fail(error, LANEWISE_ERROR_CAPACITY, LANEWISE_NO_OFFSET,
	                                "json: the formatted text has %zu bytes", w.n)
	                      : LANEWISE_OK;
}

/* --------------------------------------------------------------- numbers */

/*
 * `digits` significant digits, correctly rounded, and the exponent of the first; trailing zeros are dropped. What the
 * locale writes for a point is passed over.
 */
static size_t take_digits(double value, int precision, char digits[20], int *exponent)
{
	char text[64];
	size_t n = 0;
	const char *p = text;

	snprintf(text, sizeof text, "%.*e", precision - 1, value);
	for (; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9' && n < 19)
			digits[n++] = *p;
	*exponent = 0;
	for (const char *e = p + 2; *e; e++)
		*exponent = 10 * *exponent + (*e - '0');
	if (p[1] == '-')
		*exponent = -*exponent;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	return n;
}

/* Plain between 1e-5 and 1e17, with an exponent beyond. */
static size_t lay_out(const char *digits, size_t n, int exponent, char *out)
{
	size_t at = 0;

	if (exponent < -5 || exponent > 16) {
		out[at++] = digits[0];
		if (n > 1)
			out[at++] = '.';
		memcpy(out + at, digits + 1, n - 1);
		at += n - 1;
		return at + (size_t)sprintf(out + at, "e%d", exponent);
	}
	if (exponent < 0) {
		memcpy(out, "0.0000", 6);
		at = (size_t)(1 - exponent);
		memcpy(out + at, digits, n);
		return at + n;
	}
	for (size_t i = 0; i < n || i <= (size_t)exponent; i++) {
		if (i == (size_t)exponent + 1)
			out[at++] = '.';
		out[at++] = i < n ? digits[i] : '0';
	}
	return at;
}

static size_t write_float(double value, int least, int most, int mantissa, int exponent_bits, uint64_t bits,
                          char out[LANEWISE_JSON_NUMBER_BYTES])
{
	char digits[20];
	size_t n = 0;
	int exponent, negative = signbit(value) != 0;

	if (!isfinite(value))
		return 0;
	if (negative)
		*out = '-';
	if (value == 0) {
		out[negative] = '0';
		return (size_t)negative + 1;
	}
	for (int precision = least; precision <= most; precision++) {
		size_t count = take_digits(fabs(value), precision, digits, &exponent);

		n = (size_t)negative + lay_out(digits, count, exponent, out + negative);
		if (lanewise_json_float_bits(out, n, mantissa, exponent_bits) == bits)
			break;
	}
	return n;
}

size_t lanewise_json_write_f64(double value, char out[LANEWISE_JSON_NUMBER_BYTES])
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return write_float(value, fabs(value) < DBL_MIN ? 1 : 15, 17, 53, 11, bits, out);
}

size_t lanewise_json_write_f32(float value, char out[LANEWISE_JSON_NUMBER_BYTES])
{
	return write_float((double)value, fabsf(value) < FLT_MIN ? 1 : 6, 9, 24, 8, lw_f32_bits(value), out);
}
