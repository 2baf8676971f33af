/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimal to binary floating point, correctly rounded.
 *
 * The number is w * 10^q, with w its first 19 significant digits; if it has more, it lies between w and w + 1.
 *
 * 1. If w and 10^|q| are exact in the type, one multiplication or division rounds once, correctly (Clinger, "How to read
 *    floating point numbers accurately", 1990).
 * 2. Otherwise bounds: 10^q = 5^q * 2^q, and the table holds the first 128 bits of 5^q, so w (or w + 1) times the table's
 *    value, or that plus one in its last place, is a lower (an upper) bound of the number, exact in 192 bits. Rounding is
 *    monotonic: if both bounds round to the same value, so does the number. The bounds differ by about 2^-127 of the
 *    number (2^-60 if digits were cut), so this nearly always settles it. (Eisel and Lemire, "Number parsing at a
 *    gigabyte per second", 2021, decide by a closer analysis of one product.)
 * 3. If not, the bounds round to neighbours, and the number is compared with the middle between them in integers as long
 *    as needed. Digits beyond the 800th only count as "something more": no middle between two doubles has more than 767.
 */
#include "json_number.h"

#include "common.h"
#include "json_run.h"

#include "powers_of_five.h"

enum { MAX_DIGITS = 800 };

struct decimal {
	int negative, cut; /* cut: digits that are not zero follow the 19 of w */
	uint64_t w;
	int64_t q;
	const char *digits;    /* the first significant digit; a point may follow among the digits */
	const char *end;       /* behind the last digit or point */
	int64_t last_exponent; /* the power of ten of the last digit before `end` */
};

static int is_digit(char c) { return (unsigned char)(c - '0') < 10; }

static int64_t read_exponent(const char *p, const char *end)
{
	int negative = *p == '-';
	int64_t value = 0;

	for (p += *p == '-' || *p == '+'; p < end; p++)
		if (value < 100000000000000000) /* far beyond what any digits could make up for */
			value = 10 * value + (*p - '0');
	return negative ? -value : value;
}

/*
 * The value of eight digits, the first in the lowest byte; 0 counts as a digit too. Neighbours are joined to pairs, pairs to
 * fours, fours to eight.
 */
static uint64_t value_of_digits(uint64_t eight)
{
	eight = (eight & 0x0f0f0f0f0f0f0f0f) * (1 + (10 << 8)) >> 8;
	eight = (eight & 0x00ff00ff00ff00ff) * (1 + (100 << 16)) >> 16;
	return (eight & 0x0000ffff0000ffff) * (1 + ((uint64_t)10000 << 32)) >> 32;
}

/*
 * Adds the digits at p, before end, to *w, which may overflow; returns what is behind them. What is behind `begin`, at p or
 * before, may be read as well.
 */
static inline const char *read_run(const char *begin, const char *p, const char *end, uint64_t *w)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	static const uint32_t powers[9] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };

	while (end - begin >= 8 && p < end) {
		uint64_t eight;
		unsigned count;

		if (end - p >= 8) {
			memcpy(&eight, p, sizeof eight);
		} else { /* the last eight, without those before p */
			memcpy(&eight, end - 8, sizeof eight);
			eight >>= 64 - 8 * (end - p);
		}
		count = lw_json_count_digits(eight);
		if (count == 0)
			return p;
		*w = powers[count] * *w + value_of_digits(eight << (64 - 8 * count));
		p += count;
		if (count < 8)
			return p;
	}
#endif
	for (; p < end && is_digit(*p); p++)
		*w = 10 * *w + (uint64_t)(*p - '0');
	return p;
}

/* The number if it has at most 19 digits, leading zeros included, as nearly all have. */
static inline int read_short_decimal(const char *p, const char *end, struct decimal *d)
{
	const char *whole, *fraction;
	uint64_t w = 0;
	ptrdiff_t n_digits;

	d->negative = *p == '-';
	whole = p += d->negative;
	for (; p < end && is_digit(*p); p++) /* seldom many */
		w = 10 * w + (uint64_t)(*p - '0');
	n_digits = p - whole;
	fraction = p;
	if (p < end && *p == '.') {
		fraction = p + 1;
		p = read_run(whole, fraction, end, &w);
		n_digits += p - fraction;
	}
	if (n_digits > 19)
		return 0;
	d->cut = 0;
	d->w = w;
	d->q = d->last_exponent = (p < end ? read_exponent(p + 1, end) : 0) - (p - fraction);
	d->digits = whole;
	d->end = p;
	return 1;
}

static struct decimal read_decimal(const char *p, const char *end)
{
	struct decimal d = { 0 };
	int n_digits = 0, behind_point = 0;
	int64_t exponent = 0, dropped = 0, fraction = 0;

	d.negative = *p == '-';
	for (p += d.negative; p < end && (is_digit(*p) || *p == '.'); p++) {
		if (*p == '.') {
			behind_point = 1;
			continue;
		}
		fraction += behind_point;
		if (*p == '0' && n_digits == 0)
			continue;
		if (n_digits == 0)
			d.digits = p;
		if (n_digits < 19) {
			d.w = 10 * d.w + (uint64_t)(*p - '0');
			n_digits++;
		} else {
			dropped++;
			d.cut |= *p != '0';
		}
	}
	d.end = p;
	if (p < end)
		exponent = read_exponent(p + 1, end);
	d.last_exponent = exponent - fraction;
	d.q = d.last_exponent + dropped;
	return d;
}

/* --------------------------------------------------------------- rounding */

struct format {
	int precision, bias; /* the exponent of 1.0 is stored as the bias */
	uint64_t infinity;   /* its bits */
};

/*
 * The bits of the value nearest to high.rest * 2^exponent, where 1 <= high / 2^63 < 2 and `rest` tells whether there is
 * anything behind. Rounding up carries from the mantissa into the exponent, as it should.
 */
static uint64_t round_to_bits(uint64_t high, int rest, int64_t exponent, const struct format *f)
{
	int64_t drop = 64 - f->precision, stored = exponent + f->bias;

	if (stored >= 2 * f->bias + 1)
		return f->infinity;
	if (stored < 1) {
		drop += 1 - stored;
		stored = 1;
	}
	if (drop > 64)
		return 0;

	uint64_t kept = drop == 64 ? 0 : high >> drop;
	uint64_t half = high >> (drop - 1) & 1, below = high & (((uint64_t)1 << (drop - 1)) - 1);

	kept += half & (below != 0 || rest || (kept & 1));
	/* kept has the first bit, which is not stored and counts 1 in the exponent; subnormals do not have it. */
	return ((uint64_t)(stored - 1) << (f->precision - 1)) + kept;
}

/*
 * w * 10^q, rounded from the lower bound or, if `up`, from the upper; w > 0, q in the table. `*certain` tells whether the
 * other bound is rounded to the same for the same w: they differ by less than one in the last place of the upper 128 bits
 * of the product, so it is if that neither carries into the 64 that are rounded nor makes a rest of none.
 */
static uint64_t round_bound(uint64_t w, int64_t q, int up, const struct format *f, int *certain)
{
	const uint64_t *power = lw_powers_of_five[q - LW_FIRST_POWER];
	int shift = __builtin_clzll(w);
	int64_t exponent = q + ((152170 * q) >> 16) - 127 - shift; /* of the last bit of the product */
	unsigned __int128 low, high;

	w <<= shift;
	low = (unsigned __int128)w * power[1];
	high = (unsigned __int128)w * power[0] + (uint64_t)(low >> 64);

	uint64_t last = (uint64_t)low;

	if (up && (q < 0 || q > LW_LAST_EXACT_POWER)) { /* w times one more in the table's last place */
		last += w;
		high += last < w;
	}
	exponent += 191;
	if (!(uint64_t)(high >> 127)) {
		exponent--;
		*certain = (((uint64_t)high + 1) & INT64_MAX) > 1;
		return round_to_bits((uint64_t)(high >> 63), ((uint64_t)high & INT64_MAX) != 0 || last != 0, exponent,
		                     f);
	}
	*certain = (uint64_t)high + 1 > 1;
	return round_to_bits((uint64_t)(high >> 64), (uint64_t)high != 0 || last != 0, exponent, f);
}

/* ---------------------------------------------------------- long integers */

enum { MAX_LIMBS = 400 }; /* 12,800 bits: 800 digits times 5^1142, or a middle times as much, and shifts */

struct big {
	int n; /* limbs; the last one is not 0 */
	uint32_t limb[MAX_LIMBS];
};

static void big_multiply_add(struct big *b, uint32_t factor, uint32_t addend)
{
	uint64_t carry = addend;

	for (int i = 0; i < b->n; i++) {
		carry += (uint64_t)b->limb[i] * factor;
		b->limb[i] = (uint32_t)carry;
		carry >>= 32;
	}
	if (carry)
		b->limb[b->n++] = (uint32_t)carry;
}

static void big_multiply_power_of_five(struct big *b, int64_t power)
{
	for (; power >= 13; power -= 13)
		big_multiply_add(b, 1220703125, 0);
	for (; power > 0; power--)
		big_multiply_add(b, 5, 0);
}

static void big_shift_left(struct big *b, int64_t bits)
{
	int limbs = (int)(bits / 32), rest = (int)(bits % 32);

	big_multiply_add(b, (uint32_t)1 << rest, 0);
	memmove(b->limb + limbs, b->limb, (size_t)b->n * sizeof *b->limb);
	memset(b->limb, 0, (size_t)limbs * sizeof *b->limb);
	b->n += limbs;
}

static int big_compare(const struct big *a, const struct big *b)
{
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (int i = a->n - 1; i >= 0; i--)
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i] ? -1 : 1;
	return 0;
}

/* The digits as an integer, at most MAX_DIGITS and one for what was left out; returns its power of ten. */
static int64_t read_digits(const struct decimal *d, struct big *b)
{
	int64_t n_digits = 0, left_out = 0;
	int rest = 0;

	b->n = 0;
	for (const char *p = d->digits; p < d->end; p++) {
		if (*p == '.')
			continue;
		if (n_digits < MAX_DIGITS) {
			big_multiply_add(b, 10, (uint32_t)(*p - '0'));
			n_digits++;
		} else {
			left_out++;
			rest |= *p != '0';
		}
	}
	if (rest) {
		big_multiply_add(b, 10, 1);
		left_out--;
	}
	return d->last_exponent + left_out;
}

/* Whether the number is above, at or below the middle between the value of these bits and the next: 1, 0 or -1. */
static int compare_with_middle(const struct decimal *d, uint64_t bits, const struct format *f)
{
	struct big number, middle = { 0 };
	int64_t stored = (int64_t)(bits >> (f->precision - 1));
	uint64_t mantissa = bits & (((uint64_t)1 << (f->precision - 1)) - 1);
	int64_t ten = read_digits(d, &number), two;

	if (stored)
		mantissa |= (uint64_t)1 << (f->precision - 1);
	else
		stored = 1;
	mantissa = 2 * mantissa + 1;
	two = stored - f->bias - f->precision; /* the middle is mantissa * 2^two */
	for (uint64_t part = mantissa; part; part >>= 32)
		middle.limb[middle.n++] = (uint32_t)part;

	/* Both sides times what makes all exponents 0 or more. */
	big_multiply_power_of_five(ten >= 0 ? &number : &middle, ten >= 0 ? ten : -ten);
	if (ten >= two)
		big_shift_left(&number, ten - two);
	else
		big_shift_left(&middle, two - ten);
	return big_compare(&number, &middle);
}

/* ---------------------------------------------------------------- the value */

static uint64_t magnitude_bits(const struct decimal *d, const struct format *f)
{
	if (d->w == 0 || d->q < LW_FIRST_POWER) /* below 10^19 * 10^-343, less than half the least subnormal */
		return 0;
	if (d->q > LW_LAST_POWER)
		return f->infinity;

	int certain;
	uint64_t low = round_bound(d->w, d->q, 0, f, &certain), high;

	if (certain && !d->cut)
		return low;
	high = round_bound(d->w + (uint64_t)d->cut, d->q, 1, f, &certain);
	if (low == high)
		return low;

	int side = compare_with_middle(d, low, f);

	return side > 0 || (side == 0 && (low & 1)) ? high : low;
}

/* Step 1, for doubles. */
static int by_one_operation(const struct decimal *d, double *value)
{
	static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
		                         1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

	if (d->cut || d->w >> 53 || d->q < -22 || d->q > 22)
		return 0;
	*value = d->q < 0 ? (double)d->w / powers[-d->q] : (double)d->w * powers[d->q];
	return 1;
}

/*
 * Whether a double, the nearest to a number, is rounded to the float nearest to the number: where the double is no middle
 * between floats, the number is on the same side of all middles as the double, since these are doubles themselves.
 */
static int narrows_once(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return (bits & 0x1fffffff) != 0x10000000 && value >= 0x1p-126 && value < 0x1p127;
}

uint64_t lanewise_json_float_bits(const char *text, size_t n, int precision, int exponent_bits)
{
	const struct format f = { precision, (1 << (exponent_bits - 1)) - 1,
		                  (((uint64_t)1 << exponent_bits) - 1) << (precision - 1) };
	struct decimal d;
	uint64_t bits;
	double value;

	if (!read_short_decimal(text, text + n, &d))
		d = read_decimal(text, text + n);
	if (!by_one_operation(&d, &value)) {
		bits = magnitude_bits(&d, &f);
	} else if (precision == 53) {
		memcpy(&bits, &value, sizeof bits);
	} else if (precision == 24 && narrows_once(value)) {
		float narrow = (float)value;
		uint32_t narrow_bits;

		memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
		bits = narrow_bits;
	} else {
		bits = magnitude_bits(&d, &f);
	}
	return bits | (uint64_t)d.negative << (precision - 1 + exponent_bits);
}

/*
 * w * 10^q, -32 <= q <= 0, w > 0, by one product with the upper 64 bits of the power: the true upper 64 bits are those of the
 * product or one more, and anything may be behind them. Settled unless that crosses, or may be, the middle.
 */
static inline int round_quickly(uint64_t w, int q, uint64_t *bits)
{
	int shift = __builtin_clzll(w);
	uint64_t high = (uint64_t)((unsigned __int128)(w << shift) * lw_powers_of_five[q - LW_FIRST_POWER][0] >> 64);
	int top = (int)(high >> 63), drop = 10 + top;
	int64_t exponent = q + ((152170 * q) >> 16) + 63 - shift + top;
	uint64_t half = (uint64_t)1 << (drop - 1), dropped = high & (2 * half - 1);

	*bits = ((uint64_t)(exponent + 1022) << 52) + (high >> drop) + (dropped > half);
	return dropped - (half - 1) > 1;
}

size_t lanewise_json_round_f64(const uint64_t *w, const int8_t *scale, size_t begin, size_t n, double *values)
{
	size_t i = begin;

	for (; i < n; i++) {
		int negative = scale[i] < 0, q = negative ? scale[i] + 1 : -scale[i];
		uint64_t bits = 0;

		if (LW_UNLIKELY(q < -32) || (LW_LIKELY(w[i]) && LW_UNLIKELY(!round_quickly(w[i], q, &bits))))
			break;
		bits |= (uint64_t)negative << 63;
		memcpy(&values[i], &bits, sizeof bits);
	}
	return i;
}
