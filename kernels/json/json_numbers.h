/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an array of numbers as a machine that takes a byte at a time. */
#ifndef LW_JSON_NUMBERS_H
#define LW_JSON_NUMBERS_H

#include "common.h"

/* Classes of bytes. */
enum {
	LW_NUMBERS_SPACE,
	LW_NUMBERS_COMMA,
	LW_NUMBERS_0,
	LW_NUMBERS_1_TO_9,
	LW_NUMBERS_MINUS,
	LW_NUMBERS_PLUS,
	LW_NUMBERS_POINT,
	LW_NUMBERS_E,
	LW_NUMBERS_FOREIGN
};

static inline int lw_numbers_class(uint8_t c)
{
	switch (c) {
	case ' ':
	case '\t':
	case '\n':
	case '\r':
		return LW_NUMBERS_SPACE;
	case ',':
		return LW_NUMBERS_COMMA;
	case '0':
		return LW_NUMBERS_0;
	case '-':
		return LW_NUMBERS_MINUS;
	case '+':
		return LW_NUMBERS_PLUS;
	case '.':
		return LW_NUMBERS_POINT;
	case 'e':
	case 'E':
		return LW_NUMBERS_E;
	default:
		return c >= '1' && c <= '9' ? LW_NUMBERS_1_TO_9 : LW_NUMBERS_FOREIGN;
	}
}

static inline int lw_numbers_within(int state)
{
	return state >= LW_NUMBERS_AT_SIGN && state <= LW_NUMBERS_AT_EXPONENT;
}

/* The state after a byte of this class, which is not foreign. */
static inline int lw_numbers_next(int state, int class)
{
	enum {
		COMMA = LW_NUMBERS_AFTER_COMMA,
		VALUE = LW_NUMBERS_AFTER_VALUE,
		SIGN = LW_NUMBERS_AT_SIGN,
		ZERO = LW_NUMBERS_AT_ZERO,
		WHOLE = LW_NUMBERS_AT_WHOLE,
		POINT = LW_NUMBERS_AT_POINT,
		PART = LW_NUMBERS_AT_FRACTION,
		E = LW_NUMBERS_AT_E,
		E_SIGN = LW_NUMBERS_AT_E_SIGN,
		EXP = LW_NUMBERS_AT_EXPONENT,
		BAD = LW_NUMBERS_BAD
	};
	/* By the class: white space, comma, 0, 1 to 9, minus, plus, point, e. */
	static const uint8_t next[LW_NUMBERS_BAD + 1][LW_NUMBERS_FOREIGN] = {
		[LW_NUMBERS_AT_START] = { LW_NUMBERS_AT_START, BAD, ZERO, WHOLE, SIGN, BAD, BAD, BAD },
		[COMMA] = { COMMA, BAD, ZERO, WHOLE, SIGN, BAD, BAD, BAD },
		[VALUE] = { VALUE, COMMA, BAD, BAD, BAD, BAD, BAD, BAD },
		[SIGN] = { BAD, BAD, ZERO, WHOLE, BAD, BAD, BAD, BAD },
		[ZERO] = { VALUE, COMMA, BAD, BAD, BAD, BAD, POINT, E },
		[WHOLE] = { VALUE, COMMA, WHOLE, WHOLE, BAD, BAD, POINT, E },
		[POINT] = { BAD, BAD, PART, PART, BAD, BAD, BAD, BAD },
		[PART] = { VALUE, COMMA, PART, PART, BAD, BAD, BAD, E },
		[E] = { BAD, BAD, EXP, EXP, E_SIGN, E_SIGN, BAD, BAD },
		[E_SIGN] = { BAD, BAD, EXP, EXP, BAD, BAD, BAD, BAD },
		[EXP] = { VALUE, COMMA, EXP, EXP, BAD, BAD, BAD, BAD },
		[BAD] = { BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD },
	};

	return next[state][class];
}

/* Goes through text[at ... n) like the kernel json_numbers. */
static inline void lw_numbers_scan(const uint8_t *text, size_t at, size_t n, struct lw_json_numbers *numbers)
{
	int state = numbers->state;

	for (; at < n && state != LW_NUMBERS_BAD; at++) {
		int class = lw_numbers_class(text[at]);

		if (class == LW_NUMBERS_FOREIGN)
			break;
		state = lw_numbers_next(state, class);
	}
	numbers->state = (uint8_t)state;
	numbers->stop = state == LW_NUMBERS_BAD ? 0 : at;
}

/* Of json_decimals: a number to be read otherwise. */
enum { LW_UNREAD = 127 };

/* Whether the digits that begin at p are an exponent. */
static inline int lw_is_exponent(const uint8_t *p)
{
	return (p[-1] | 0x20) == 'e' || p[-1] == '+' || (p[-1] == '-' && (p[-2] | 0x20) == 'e');
}

/*
 * w / 10^scale; returns 1 if it is the float nearest to the true value. Three roundings, each within 2^-53 of the value, are
 * fewer than 8 units in the double's last place, and where no middle between two floats is as near as that, the
 * number rounds as the product does.
 */
static inline int lw_product_f32(uint64_t w, int scale, float *value)
{
	static const double powers[] = { 1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,  1e-8,  1e-9,  1e-10,
		                         1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18, 1e-19, 1e-20, 1e-21,
		                         1e-22, 1e-23, 1e-24, 1e-25, 1e-26, 1e-27, 1e-28, 1e-29, 1e-30, 1e-31, 1e-32 };
	int negative = scale < 0;
	uint64_t bits;
	double product;

	scale = negative ? -1 - scale : scale;
	if (scale > 32 || w >> 63)
		return 0;
	product = (double)(int64_t)w * powers[scale];
	memcpy(&bits, &product, sizeof bits);
	*value = (float)(negative ? -product : product);
	return (bits & 0x1fffffff) - (0x10000000 - 8) > 16;
}

#endif
