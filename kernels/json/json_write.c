/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written anew: without white space or indented; and numbers with as few digits as give them back. */
#include <lanewise/json.h>

#include <stdlib.h>

#include "common.h"
#include "support.h"

#include "json_number.h"
#include "powers_of_five.h"

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
 * The fewest digits that read back as the value, and of those the nearest to it (R. Giulietti, "The Schubfach way to render
 * doubles", 2020).
 *
 * The value is c * 2^q. All that is read back as it lies between the middles to its neighbours, (c - 1/2) * 2^q and
 * (c + 1/2) * 2^q (c - 1/4 if c is a power of two, whose lower neighbour is nearer), and on them if c is even. With k such
 * that 10^k is at most as wide as that, and 10^(k+1) wider, there is a multiple of 10^k in it, and at most one of
 * 10^(k+1), which is shorter. So four numbers decide: the multiples of 10^(k+1) and of 10^k next to the value, above
 * and below.
 *
 * All is scaled by 4 * 10^-k, which makes integers of the multiples; of the rest only whether there is one has to be known:
 * it is kept as the last bit. With the first 128 bits of the power, rounded up, that bit is right for all doubles.
 */
struct decimal {
	uint64_t digits;
	int exponent; /* the value is digits * 10^exponent */
};

/* 4 * c * 2^q * 10^-k: `power` is that of -k, and c shifted accordingly. */
static uint64_t scale(const uint64_t power[2], uint64_t c)
{
	uint64_t low = (uint64_t)((unsigned __int128)c * power[1] >> 64);
	unsigned __int128 product = (unsigned __int128)c * power[0] + low;

	return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

static struct decimal shortest(uint64_t c, int q, int nearer_below)
{
	int k = (q * 1262611 - (nearer_below ? 524031 : 0)) >> 22; /* of log10 of 2^q, or of 3/4 * 2^q, the floor */
	int shift = q + -k + ((152170 * -k) >> 16) + 1;
	uint64_t power[2] = { lw_powers_of_five[-k - LW_FIRST_POWER][0], lw_powers_of_five[-k - LW_FIRST_POWER][1] };
	uint64_t odd = c & 1, lower, value, upper, s;

	if (-k < 0 || -k > LW_LAST_EXACT_POWER)
		power[0] += ++power[1] == 0;
	lower = scale(power, (4 * c - (nearer_below ? 1 : 2)) << shift) + odd;
	value = scale(power, 4 * c << shift);
	upper = scale(power, (4 * c + 2) << shift) - odd;

	s = value / 4;
	if (s >= 10) {
		uint64_t below = s / 10 * 10;
		int fits_below = lower <= 4 * below, fits_above = 4 * (below + 10) <= upper;

		if (fits_below != fits_above)
			return (struct decimal) { below + (fits_above ? 10 : 0), k };
	}

	int fits_below = lower <= 4 * s, fits_above = 4 * (s + 1) <= upper;
	uint64_t middle = 4 * s + 2;

	if (fits_below == fits_above) /* the nearer one; in the middle, the even one */
		fits_above = value > middle || (value == middle && (s & 1));
	return (struct decimal) { s + (fits_above ? 1 : 0), k };
}

/* The digits as text without zeros at the end, and the exponent of the first. */
static size_t take_digits(struct decimal decimal, char digits[20], int *exponent)
{
	char reversed[20];
	size_t n = 0, n_zeros = 0;

	do
		reversed[n++] = (char)('0' + decimal.digits % 10);
	while (decimal.digits /= 10);
	*exponent = decimal.exponent + (int)n - 1;
	while (reversed[n_zeros] == '0')
		n_zeros++;
	for (size_t i = n_zeros; i < n; i++)
		digits[n - 1 - i] = reversed[i];
	return n - n_zeros;
}

static size_t write_exponent(int exponent, char *out)
{
	size_t at = 0;

	out[at++] = 'e';
	if (exponent < 0)
		out[at++] = '-';
	exponent = abs(exponent);
	if (exponent >= 100)
		out[at++] = (char)('0' + exponent / 100);
	if (exponent >= 10)
		out[at++] = (char)('0' + exponent / 10 % 10);
	out[at++] = (char)('0' + exponent % 10);
	return at;
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
		return at + write_exponent(exponent, out + at);
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

/* `bits` are those of a number in the format of IEEE 754 with so many bits of precision and exponent. */
static size_t write_float(uint64_t bits, int precision, int exponent_bits, char out[LANEWISE_JSON_NUMBER_BYTES])
{
	uint64_t hidden = (uint64_t)1 << (precision - 1), c = bits & (hidden - 1);
	int largest = (1 << exponent_bits) - 1, stored = (int)(bits >> (precision - 1)) & largest, exponent;
	size_t negative = bits >> (precision - 1 + exponent_bits);
	char digits[20];

	if (stored == largest)
		return 0;
	if (negative)
		*out = '-';
	if (!c && !stored) {
		out[negative] = '0';
		return negative + 1;
	}

	int nearer_below = !c && stored > 1;

	c |= stored ? hidden : 0;
	stored += !stored;

	size_t n = take_digits(shortest(c, stored - largest / 2 - (precision - 1), nearer_below), digits, &exponent);

	return negative + lay_out(digits, n, exponent, out + negative);
}

size_t lanewise_json_write_f64(double value, char out[LANEWISE_JSON_NUMBER_BYTES])
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return write_float(bits, 53, 11, out);
}

size_t lanewise_json_write_f32(float value, char out[LANEWISE_JSON_NUMBER_BYTES])
{
	return write_float(lw_f32_bits(value), 24, 8, out);
}
