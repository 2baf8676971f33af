/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Escapes in JSON strings read by compression of bytes, at the same cost however many a block has: bytes behind a
 * backslash that begins an escape become what they stand for, and these backslashes go away. In clean text there is nothing
 * to compress; so only after a block with escapes the next BLOCKS are done without asking.
 *
 * \u goes in rows: 64 bytes have ten of them, whose digits a permutation brings to ten 32-bit numbers.
 */
#include "block.h"
#include "json_escape.h"

enum { BLOCKS = 4, ROW = 10 };

#define FOUR(of, i) of(i), of((i) + 1), of((i) + 2), of((i) + 3)

/*
 * Escapes \uXXXX at p, one behind the other, that are characters of three bytes: how many there are, 0 ... ROW. Reads 64
 * bytes and may write 32.
 */
LW_INLINE unsigned unescape_row(const uint8_t *p, uint8_t *out)
{
	enum { CHOOSE = 0xca }; /* a ? b : c, bit by bit */
#define DIGITS(i) 6 * (i) + 2, 6 * (i) + 3, 6 * (i) + 4, 6 * (i) + 5
#define BYTES(i)  4 * (i), 4 * (i) + 1, 4 * (i) + 2
	static const uint8_t digits[64] = { FOUR(DIGITS, 0), FOUR(DIGITS, 4), DIGITS(8), DIGITS(9) };
	static const uint8_t bytes[64] = { FOUR(BYTES, 0), FOUR(BYTES, 4), BYTES(8), BYTES(9) };
	/* Two bits of every six. */
	const uint64_t backslashes = 0x0041041041041041, us = backslashes << 1;
	v8 x = v8_load(p);
	uint64_t marks = (v8_bits_eq(x, v8_set1('\\')) & backslashes) | (v8_bits_eq(x, v8_set1('u')) & us);

	x = _mm512_permutexvar_epi8(v8_load(digits), x);

	/* A letter's low half is one for a: nine more, 8 and 1 by its bit 6. */
	v8 nine =
	        v8_and(_mm512_ternarylogic_epi64(v8_set1(8), _mm512_srli_epi16(x, 3), _mm512_srli_epi16(x, 6), CHOOSE),
	               v8_set1(9));
	v8 halves = _mm512_add_epi8(v8_low_nibble(x), nine);
	v8 code = _mm512_madd_epi16(_mm512_maddubs_epi16(halves, _mm512_set1_epi16(0x0110)),
	                            _mm512_set1_epi32(0x00010100));
	v8 top = v8_and(code, _mm512_set1_epi32(0xf800));
	uint32_t others = _mm512_testn_epi32_mask(top, top) | _mm512_cmpeq_epi32_mask(top, _mm512_set1_epi32(0xd800));
	uint64_t whole = marks & marks >> 1 & backslashes;
	unsigned n_marked = (unsigned)__builtin_ctzll((whole ^ backslashes) | (uint64_t)1 << 6 * ROW) / 6;
	unsigned n_three = (unsigned)__builtin_ctz(others | 1u << ROW);

	/* 1110 and the upper four bits; 10 and six bits; 10 and six bits. */
	v8 first = _mm512_srli_epi32(code, 12), second = _mm512_slli_epi32(code, 2),
	   third = _mm512_slli_epi32(code, 16);
	v8 rest = _mm512_ternarylogic_epi32(_mm512_set1_epi32(0x3f00), second, third, CHOOSE);

	rest = v8_and(rest, _mm512_set1_epi32(0x3f3f00));
	x = _mm512_ternarylogic_epi32(first, rest, _mm512_set1_epi32(0x8080e0), 0xfe); /* a | b | c */
	x = _mm512_permutexvar_epi8(v8_load(bytes), x);
	_mm256_storeu_si256((__m256i *)out, _mm512_castsi512_si256(x));
	return n_marked < n_three ? n_marked : n_three;
}

/* Escape by escape, at least up to `stop`. */
static LW_NOINLINE uint8_t *unescape_slowly(const uint8_t **begin, const uint8_t *stop, const uint8_t *end,
                                            uint8_t *out)
{
	const uint8_t *p = *begin;

	while (p < stop) {
		size_t left = (size_t)(end - p);
		uint64_t mask = left < 64 ? v8_first_mask(left) : UINT64_MAX;
		v8 x = _mm512_maskz_loadu_epi8(mask, p);
		uint64_t backslash = v8_bits_eq(x, v8_set1('\\'));
		size_t plain = backslash ? (size_t)__builtin_ctzll(backslash) : left < 64 ? left : 64;

		_mm512_mask_storeu_epi8(out, mask, x);
		p += plain;
		out += plain;
		if (!backslash)
			continue;
		do {
			unsigned row = p[1] == 'u' && end - p >= 64 ? unescape_row(p, out) : 0;

			if (LW_LIKELY(row == ROW)) { /* foreseen, so the next row need not wait for this one */
				p += 6 * ROW;
				out += 3 * ROW;
			} else if (row) {
				p += (size_t)6 * row;
				out += (size_t)3 * row;
			} else {
				out += lw_json_read_escape(&p, end, out);
			}
		} while (p < end && *p == '\\');
	}
	*begin = p;
	return out;
}

/*
 * Which backslashes begin escapes, if the first byte is taken by the block before (*taken); *taken becomes the bytes that are
 * taken, *carry whether the next one is (json_simd.c).
 */
LW_INLINE uint64_t find_begins(uint64_t backslash, uint64_t *taken, uint64_t *carry)
{
	const uint64_t odd = 0xaaaaaaaaaaaaaaaa;

	/* In a general register: gcc would compare under a mask of ~*carry, and it takes long to come back from masks. */
	__asm__("" : "+r"(backslash));

	uint64_t free_backslash = backslash & ~*carry;
	uint64_t begins = (((free_backslash << 1 | odd) - free_backslash) ^ odd) & free_backslash;

	*taken = begins << 1 | *carry;
	*carry = begins >> 63;
	return begins;
}

/* What the letters behind a backslash stand for: the low six bits of these differ once SHIFT, or to 0, is subtracted. */
enum { SHIFT = '"' + 1 };
#define LETTER(c) (((c) - SHIFT) & 63)

size_t LW_FN(json_unescape)(const uint8_t *text, size_t n, uint8_t *out)
{
	static const uint8_t unescaped[64] = {
		[0] = '"',
		[LETTER('/')] = '/',
		[LETTER('\\')] = '\\',
		[LETTER('b')] = '\b',
		[LETTER('f')] = '\f',
		[LETTER('n')] = '\n',
		[LETTER('r')] = '\r',
		[LETTER('t')] = '\t',
	};
	const uint8_t *p = text, *end = text + n;
	uint8_t *o = out;
	uint64_t any = 0, carry = 0;

	while (end - p >= BLOCKS * 64) {
		if (!any) {
			v8 x = v8_load(p);

			any = v8_bits_eq(x, v8_set1('\\'));
			if (!any) {
				v8_store(o, x);
				p += 64;
				o += 64;
			}
			continue;
		}
		any = 0;
#pragma GCC unroll 4
		for (int i = 0; i < BLOCKS; i++) {
			v8 x = v8_load(p);
			uint64_t taken, before = carry;
			uint64_t begins = find_begins(v8_bits_eq(x, v8_set1('\\')), &taken, &carry);

			any |= begins;
			if (LW_UNLIKELY(v8_bits_eq(x, v8_set1('u')) & taken)) {
				const uint8_t *at = p - before;

				o = unescape_slowly(&at, p + 64, end, o);
				p = at;
				carry = 0;
				break;
			}
			x = _mm512_mask_permutexvar_epi8(x, taken, v8_subs(x, v8_set1(SHIFT)), v8_load(unescaped));
			/* Merged, not zeroed, which is the same here: for a full mask Bochs (tools/icelake) gives zeros. */
			v8_store(o, _mm512_mask_compress_epi8(x, ~begins, x));
			o += 64 - __builtin_popcountll(begins);
			p += 64;
		}
		if (carry && end - p < BLOCKS * 64) {
			p--;
			carry = 0;
		}
	}
	text = p;
	return (size_t)(unescape_slowly(&text, end, end, o) - out);
}
